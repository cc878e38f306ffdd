"""Machines that fail: a source that is silent, a worker that dies."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

from rollout.gates import Metric, Purpose
from rollout.models import GuardPolicy, Plan
from rollout.rehearsal.scenarios.scenario import Said, Scenario, Stage, wave_number
from rollout.rehearsal.sources import FROM_ROWS, RHYTHM, Numbers
from rollout.states import WAVE_AT_WORK, PersonState

SILENT_FOR: Final = timedelta(hours=30)  # after the wave should have started


class MetricOutage(Scenario):
    """Let the source of the first gate that needs one be silent until a day after the next wave should have started."""

    name: ClassVar[str] = "metric-outage"
    text: ClassVar[str] = "The source of a gate's metric is silent."

    def __init__(self) -> None:
        """Every source speaks yet."""
        self._metric: Metric | None = None
        self._is_silent = True

    def prepare(self, plan: Plan, *, at: datetime) -> None:
        """Choose whose source it is."""
        gates = GuardPolicy.objects.filter(plan=plan, purpose=Purpose.GATE.value, retired_at__isnull=True)
        rows = gates.exclude(metric__in=[each.value for each in FROM_ROWS]).order_by("phase__position", "pk")
        first = rows.first()
        self._metric = Metric(first.metric) if first else None

    def act(self, stage: Stage) -> Iterator[Said]:
        """Come back."""
        at = stage.clock.at
        if self._metric is not None and self._is_silent and (when := self._back_at(stage)) is not None and when <= at:
            self._is_silent = False
            stage.sources.hurry(self._metric, RHYTHM, at)
            yield "rehearsal.monitoring", f"the source of {self._metric} speaks again"

    def next_at(self, stage: Stage) -> datetime | None:
        """Return when the source comes back."""
        return self._back_at(stage) if self._is_silent else None

    def twist(self, metric: Metric, numbers: Numbers) -> Numbers | None:
        """Return nothing while the source is silent."""
        return None if metric == self._metric and self._is_silent else numbers

    def _back_at(self, stage: Stage) -> datetime | None:
        wave = wave_number(stage.plan, 1)
        return wave.starts_at + SILENT_FOR if wave is not None and wave.starts_at else None


class KilledWorker(Scenario):
    """Let workers die with people in hand, twice in one wave."""

    name: ClassVar[str] = "killed-worker"
    text: ClassVar[str] = "A worker is killed in the middle of a wave."
    TIMES: ClassVar[int] = 2

    def __init__(self) -> None:
        """Nobody has died yet."""
        self._killed = 0

    def act(self, stage: Stage) -> Iterator[Said]:
        """Let the next worker of the wave die, where the last death was mended."""
        wave = wave_number(stage.plan, 1)
        if wave is None or wave.state not in WAVE_AT_WORK or self._killed >= self.TIMES or stage.workers.dying:
            return
        if wave.enrolments.filter(state=PersonState.QUEUED).exists() and len(stage.workers.deaths) == self._killed:
            self._killed += 1
            stage.workers.dying = 1
            yield "rehearsal.machine", f"the next worker of {wave} will be killed"
