"""Trouble with time: a signature that comes late, and a night without its hour."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from rollout import gates
from rollout.actions.contents import edit_content
from rollout.actions.holds import add_window
from rollout.actions.rescheduling import reschedule_plan
from rollout.actions.waves import reschedule_wave
from rollout.models import Phase, Plan, Wave, Window
from rollout.rehearsal.cast import OPERATOR
from rollout.rehearsal.scenarios.scenario import DAY, Said, Scenario, Stage, next_start, wave_number
from rollout.states import PhaseState, WaveState

LATE: Final = timedelta(days=2)
LOOKING: Final = timedelta(minutes=30)
OPENED: Final = frozenset({PhaseState.OPEN, PhaseState.EXECUTING})
TOLD: Final = frozenset({WaveState.LOCKED, WaveState.ANNOUNCED})
ZONE: Final = "Asia/Jerusalem"  # its clocks change in the night to a Friday, at 02:00
NIGHT: Final = (time(2), time(4))
YEAR: Final = 366


class LateApproval(Scenario):
    """Let the second phase be signed two days late, and not before its first wave should have started."""

    name: ClassVar[str] = "late-approval"
    text: ClassVar[str] = "A sign-off comes two days late."

    def not_before(self, subject: Plan | Phase) -> datetime | None:
        """Return when the second phase is signed."""
        if not isinstance(subject, Phase) or subject.position != 2 or subject.starts_at is None:
            return None
        first = subject.waves.order_by("position").first()
        start = first.starts_at if first else None
        return max(subject.starts_at + LATE, start + timedelta(hours=3) if start else subject.starts_at)

    def next_at(self, stage: Stage) -> datetime | None:
        """Return when somebody looks at the waves whose time went by."""
        phase = stage.plan.phases.filter(position=2).first()
        signed_at = self.not_before(phase) if phase is not None else None
        return signed_at + LOOKING if signed_at is not None else None

    def act(self, stage: Stage) -> Iterator[Said]:
        """Give the waves whose time went by while their phase was closed a new one, of which their people are told."""
        at = stage.clock.at
        waves = Wave.objects.filter(phase__plan=stage.plan, phase__position=2, phase__state__in=OPENED, state__in=TOLD)
        for wave in waves.filter(starts_at__lt=at - timedelta(hours=1)).select_related("phase__plan").order_by("pk"):
            start = next_start(wave, at=at, rest=timedelta())
            reschedule_wave(wave, by=OPERATOR, at=at, reason="its phase was signed late", starts_at=start)
            yield OPERATOR, f"rescheduled {wave} to {start:%Y-%m-%d %H:%M} UTC; its people are told again"


class DstWeek(Scenario):
    """Move the plan so that the window of its second wave lies in the night in which the clocks of a zone change."""

    name: ClassVar[str] = "dst-week"
    text: ClassVar[str] = "A window lies in the night of a change to or from daylight-saving time."

    def prepare(self, plan: Plan, *, at: datetime) -> None:
        """Move the dates and lay the window into that zone."""
        wave = wave_number(plan, 1)
        if wave is None or wave.starts_at is None:
            return
        night = change_after(wave.starts_at.date())
        days = (night - wave.starts_at.astimezone(ZoneInfo(plan.time_zone)).date()).days
        said: dict[str, Any] = {"by": plan.author, "at": at, "reason": "rehearsed in a week in which clocks change"}
        reschedule_plan(plan, days=days, **said)
        rows = list(Window.objects.filter(phase=wave.phase_id))
        for row in rows:
            edit_content(row, zone=ZONE, opens=NIGHT[0], closes=NIGHT[1], **said)
        if not rows:
            add_window(plan, window=gates.Window(ZONE, *NIGHT), phase=wave.phase, **said)
        wave.refresh_from_db()
        reschedule_wave(wave, starts_at=datetime.combine(night, time(0, 30), ZoneInfo(ZONE)).astimezone(UTC), **said)


def change_after(day: date) -> date:
    """Return the first day from then on on which the offset of the zone changes."""
    zone = ZoneInfo(ZONE)
    for number in range(YEAR):
        morning = datetime.combine(day + number * DAY, time(0), zone)
        if morning.utcoffset() != datetime.combine(day + (number + 1) * DAY, time(0), zone).utcoffset():
            return morning.date()
    raise LookupError(f"the clocks of {ZONE} do not change any more")
