"""Take waves on by their dates: lock them, announce them, start them, each when its time has come and nothing keeps it.

What is next is decided by `timetable.next_step`. A wave that something keeps stays where it is, the reasons can be seen, and
every round tries again while a window is open. After a day the record says once that it is late, and why.
"""

from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from rollout.actions.holds import holds_on, windows_of
from rollout.actions.notices import announcing_notice, is_told, plan_notices
from rollout.actions.readiness import gate_blockers, what_keeps
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.errors import RolloutError, WindowInvalid
from rollout.models import Event, Freeze, HoldKind, NoticeWaiver, Subject, Wave
from rollout.states import PhaseState, PlanState, WaveState
from rollout.timetable import LATE_AFTER, Schedule, Step, StepKind, next_step

LIVE: Final = frozenset({PlanState.SCHEDULED, PlanState.RUNNING})
BEFORE_START: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})
OUT: Final = frozenset({PhaseState.CANCELLED, PhaseState.SKIPPED})


def dated_waves() -> QuerySet[Wave]:
    """Return the waves that go by their dates: not started, their plan scheduled or running, their phase not left out."""
    rows = Wave.objects.filter(state__in=BEFORE_START, starts_at__isnull=False, phase__plan__state__in=LIVE)
    return rows.exclude(phase__state__in=OUT).select_related("phase__plan").order_by("starts_at", "pk")


def schedule_of(wave: Wave, *, at: datetime) -> Schedule:
    """Return everything that decides what a wave does next, as a value.

    Raises:
        WindowInvalid, TypeError: one of its windows cannot be read.
    """
    first = announcing_notice(wave)
    waits_for = (first.name, wave.starts_at - first.lead) if first is not None and wave.starts_at is not None else None
    ends = Q(plan__isnull=True) | Q(plan=wave.phase.plan_id)
    freezes = Freeze.objects.filter(ends, ends_at__gt=at).order_by("starts_at").values_list("starts_at", "ends_at")
    clocked = {HoldKind.WINDOW, HoldKind.FREEZE}
    return Schedule(
        state=WaveState(wave.state),
        starts_at=wave.starts_at,
        lock_lead=wave.lock_lead,
        windows=windows_of(wave),
        freezes=list(freezes),
        holds=[each.text for each in holds_on(wave, at=at) if each.hold is not None or each.kind not in clocked],
        waits_for=waits_for,
    )


def step_of(wave: Wave, *, at: datetime) -> Step:
    """Return what a wave does next by itself; nothing, with the reason, where a window of it cannot be read."""
    try:
        return next_step(schedule_of(wave, at=at), at=at)
    except (WindowInvalid, TypeError) as unreadable:
        return Step(StepKind.NOTHING, None, f"A window cannot be read: {unreadable}")


def waves_before(kind: StepKind, *, at: datetime) -> list[Wave]:
    """Return the waves whose next step this is and may be due, the earliest date first; most are told by their dates alone."""
    waves = dated_waves().filter(state=_STATES[kind])
    if kind == StepKind.LOCK:
        dates = waves.order_by().values_list("pk", "starts_at", "lock_lead")
        due = [pk for pk, starts_at, lead in dates if starts_at is not None and starts_at - lead <= at]
        return list(waves.filter(pk__in=due)) if due else []
    return list(waves.filter(starts_at__lte=at) if kind == StepKind.START else waves)


def take_step_if_due(wave: Wave, kind: StepKind, *, at: datetime, by: str) -> bool | None:
    """Let a wave take this step if its time has come, and say whether it did; None where it is not due.

    A refusal is no accident: it is written to the record, once for each reason and date.
    """
    step = step_of(wave, at=at)
    if step.kind != kind or not step.is_due(at):
        return None
    try:
        return _TAKEN[kind](wave, at, by)
    except RolloutError as refused:
        _note_once(wave, "not_taken_on", at=at, by=by, reason=f"{refused.code}: {refused}", code=refused.code, step=kind)
        return False


def _lock(wave: Wave, at: datetime, by: str) -> bool:
    lock_wave(wave, by=by, at=at, reason="its time has come")
    return True


def _announce(wave: Wave, at: datetime, by: str) -> bool:
    first = announcing_notice(wave)
    if first is None:
        announce_wave(wave, by=by, at=at, reason="neither its plan nor its phase has a notice, so nobody has to be told")
        return True
    plan_notices(wave, at=at)  # a notice that was written since, or somebody who joined
    if not is_told(wave, first, at=at):
        return False
    waiver = NoticeWaiver.objects.filter(
        notice=first, wave=wave, attempt=wave.attempt, schedule_version=wave.schedule_version
    ).first()
    said = f"is waived by {waiver.by}" if waiver else "is delivered"
    announce_wave(wave, by=by, at=at, reason=f"the notice “{first.name}” {said}")
    return True


def _start(wave: Wave, at: datetime, by: str) -> bool:
    if what_keeps(wave, at=at, gates=()) or gate_blockers(wave, at=at):  # gates last: they cost the most
        return False
    start_wave(wave, by=by, at=at, reason="its time has come")
    return True


_STATES: Final = {
    StepKind.LOCK: WaveState.PLANNED,
    StepKind.ANNOUNCE: WaveState.LOCKED,
    StepKind.START: WaveState.ANNOUNCED,
}
_TAKEN: Final = {StepKind.LOCK: _lock, StepKind.ANNOUNCE: _announce, StepKind.START: _start}


def note_late(*, at: datetime, by: str) -> int:
    """Write to the record which waves have not started a day after their dates, once for each date, and return how many."""
    return sum(_is_noted_late(wave, at, by) for wave in dated_waves().filter(starts_at__lte=at - LATE_AFTER))


def _is_noted_late(wave: Wave, at: datetime, by: str) -> bool:
    known = Event.objects.about(Subject.WAVE, wave.pk).filter(kind="late")
    if known.filter(data__attempt=wave.attempt, data__schedule_version=wave.schedule_version).exists():
        return False
    reasons = [each.text for each in what_keeps(wave, at=at)]
    said = " ".join(reasons) or "Nothing keeps it now."
    return _note_once(wave, "late", at=at, by=by, reason=said, reasons=reasons)


def _note_once(wave: Wave, kind: str, *, at: datetime, by: str, reason: str, **data: Any) -> bool:
    """Write an event about a wave unless the last one of its kind says the same of this date, and say whether it was written."""
    about = {"attempt": wave.attempt, "schedule_version": wave.schedule_version}
    last = Event.objects.about(Subject.WAVE, wave.pk).filter(kind=kind).last()
    if last is not None and last.reason == reason and about.items() <= last.data.items():
        return False
    Event.objects.create(subject=Subject.WAVE, subject_pk=wave.pk, kind=kind, by=by, reason=reason, at=at, data=about | data)
    return True
