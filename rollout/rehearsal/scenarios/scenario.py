"""A scenario in which nothing goes wrong: the base of all others, and what they share."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from rollout.actions.holds import windows_of
from rollout.errors import RolloutError
from rollout.gates import Metric, next_opening, state_of
from rollout.models import Breach, Moment, Notice, Phase, Plan, Wave
from rollout.rehearsal.clock import VirtualClock
from rollout.rehearsal.sources import Numbers, Sources
from rollout.rehearsal.workers import Workers
from rollout.states import BreachState

Said = tuple[str, str]
DAY: Final = timedelta(days=1)
ON_ITS_WAY: Final = timedelta(hours=1)  # from a decision to a message that is sent


class Stage(Protocol):
    """Show a scenario the play that it is part of."""

    plan: Plan
    clock: VirtualClock
    sources: Sources
    workers: Workers


class Scenario:
    """Let everything go as planned."""

    name: ClassVar[str] = ""
    text: ClassVar[str] = "Nothing goes wrong."

    def prepare(self, plan: Plan, *, at: datetime) -> None:
        """Change the plan while it is a draft."""

    def act(self, stage: Stage) -> Iterator[Said]:
        """Do what goes wrong or what people do about it at this instant, and say who did what."""
        yield from ()

    def next_at(self, stage: Stage) -> datetime | None:
        """Return when something goes wrong next, or somebody does something about it."""
        return None

    def twist(self, _metric: Metric, numbers: Numbers) -> Numbers | None:
        """Return what a source says; None where it is silent."""
        return numbers

    def not_before(self, _subject: Plan | Phase) -> datetime | None:
        """Return until when a plan or a phase is not signed."""
        return None


def wave_number(plan: Plan, number: int) -> Wave | None:
    """Return the wave of a plan at a position from 0, the last where there are not as many."""
    waves = list(Wave.objects.filter(phase__plan=plan).select_related("phase__plan").order_by("phase__position", "position"))
    return waves[min(number, len(waves) - 1)] if waves else None


def open_breach(plan: Plan, metric: Metric) -> Breach | None:
    """Return the open breach of a guard on a metric of the plan."""
    open_ones = Breach.objects.filter(policy__plan=plan, policy__metric=metric.value, state=BreachState.OPEN)
    return open_ones.select_related("policy", "wave__phase__plan").order_by("pk").first()


def next_start(wave: Wave, *, at: datetime, rest: timedelta) -> datetime:
    """Return when a wave may start next: after `rest`, when its people can be told in time, in a window, else at its hour."""
    mine = Notice.objects.filter(plan=wave.phase.plan_id, moment=Moment.BEFORE_START, is_required=True)
    leads = [each.lead + ON_ITS_WAY for each in mine if each.phase_id in {None, wave.phase_id}]
    earliest = at + max([rest, *leads])
    windows = windows_of(wave)
    if windows:
        return earliest if state_of(windows, earliest) else next_opening(windows, earliest) or earliest
    start = wave.starts_at or earliest
    return start + max(0, -((start - earliest) // DAY)) * DAY


def refusal(fault: RolloutError) -> str:
    """Return a refusal as a part of a sentence."""
    return f"{fault.code}: {fault}"
