"""What happens next to a wave or a phase: a sentence and, where it is known, an instant. It only reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Min

from rollout.actions.progress import Progress, last_switch_of
from rollout.actions.schedule import LIVE, step_of
from rollout.models import Phase, Wave
from rollout.states import BEFORE_START, WORKING, PhaseState, WaveState
from rollout.timetable import StepKind

STEPS: Final = {
    StepKind.LOCK: "Its people will be frozen.",
    StepKind.ANNOUNCE: "Its people will count as told.",
    StepKind.START: "It will start, unless something keeps it.",
}
BY_HAND: Final = {
    WaveState.PLANNED: "An operator locks it: it has no date.",
    WaveState.LOCKED: "An operator announces it: it has no date.",
    WaveState.ANNOUNCED: "An operator starts it: it has no date.",
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """Say what comes next; `at` is None where nobody knows when."""

    text: str
    at: datetime | None = None


def outlook_of_wave(wave: Wave, progress: Progress, *, at: datetime, is_held: bool = False) -> Outlook | None:
    """Return what happens next to a wave; None where it is over, or is being taken back. `is_held`: nobody is claimed."""
    state = WaveState(wave.state)
    if state in BEFORE_START:
        return _before_start(wave, at)
    if state == WaveState.RUNNING:
        if is_held:
            return Outlook("Nobody else is claimed while something holds it.")
        return Outlook("Whoever is at work finishes, once nobody is left in the queue.", progress.ends_at)
    if state == WaveState.DRAINING:
        working = sum(progress.by_state.get(each, 0) for each in WORKING)
        return Outlook(f"It is watched once the last of {progress.left} people ({working} at work) is through.", progress.ends_at)
    if state == WaveState.MONITORING:
        last = last_switch_of(wave)
        return Outlook("It is completed once everybody was watched long enough.", last + wave.soak if last else None)
    return None


def outlook_of_phase(phase: Phase, *, at: datetime) -> Outlook | None:
    """Return what happens next to a phase; None where it is over."""
    if phase.state in {PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF}:
        is_due = phase.starts_at is None or phase.starts_at <= at
        return Outlook("It may open." if is_due else "It may open, at the earliest.", phase.starts_at)
    if phase.state in {PhaseState.OPEN, PhaseState.EXECUTING}:
        first = phase.waves.filter(state__in=BEFORE_START, starts_at__isnull=False).aggregate(first=Min("starts_at"))["first"]
        return Outlook("Its next wave is to start.", first) if first else Outlook("It soaks once its last wave has ended.")
    if phase.state == PhaseState.SOAKING and phase.soaking_at is not None:
        return Outlook("It will have been watched long enough.", phase.soaking_at + phase.soak)
    return None


def _before_start(wave: Wave, at: datetime) -> Outlook:
    plan = wave.phase.plan
    if plan.state not in LIVE:
        return Outlook(f"Nothing by itself: its plan stands at “{plan.state_label}”.")
    step = step_of(wave, at=at)
    if step.kind in STEPS:
        return Outlook(STEPS[step.kind] if step.at else f"It waits. {step.why}", step.at)
    return Outlook(step.why if wave.starts_at else BY_HAND[WaveState(wave.state)])
