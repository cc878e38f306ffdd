"""Take people back: one write that holds from the next request on, then the reconciliation of their rows behind it.

*Effective*: a person's row, `Wave.revoked_at`, or the kill switch is what each request reads, so one UPDATE is enough.
*Reconciled*: snapshots are restored chunk by chunk, each in a transaction of its own (`restorations`). Nothing here asks the
queue, a window or a hold.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from migration.models import Person
from rollout.actions.plans import CHOSEN_ACCOUNTS
from rollout.actions.restorations import CHUNK, RollbackReport, mark_going_back, restore_all, restore_whom_possible
from rollout.actions.snapshots import hold_people, lock_people
from rollout.errors import MoveRefused, NothingToUndo, ReasonMissing
from rollout.models import Enrolment, Event, FlagOverride, Phase, Plan, Snapshot, Subject, Wave, standing_of
from rollout.states import UNDONE_FROM, WAITING, WORKING, PersonState, PhaseState, PlanState, WaveState
from rollout.switch import engage_kill_switch
from rollout.waves import System
from slots.models import Keys

PLAN_DONE: Final = frozenset({PlanState.SOAKING, PlanState.COMPLETED})
Timer = Callable[[], float]


@dataclass(slots=True)
class Stopwatch:
    """Tell how long ago the act began, in milliseconds; None where nobody gave a timer (seconds, like `time.perf_counter`)."""

    timer: Timer | None = None
    start: float = field(init=False)

    def __post_init__(self) -> None:
        """Start."""
        self.start = self.timer() if self.timer else 0.0

    def read(self) -> float | None:
        """Return the milliseconds since the start, to a thousandth."""
        return round((self.timer() - self.start) * 1000, 3) if self.timer else None


def roll_back_person(person: Person, *, by: str, at: datetime, reason: str, timer: Timer | None = None) -> RollbackReport:
    """Take one person back to the legacy system and restore what they had, whoever switched them.

    Raises:
        ReasonMissing: nobody said why.
        NothingToUndo: they are not on slots, nor about to be.
    """
    _need(reason, "Rolling a person back")
    watch = Stopwatch(timer)
    with transaction.atomic():
        lock_people([person.pk])
        row = Enrolment.objects.live().filter(person=person)
        stood_down = _stand_down(row, by=by, at=at, reason=reason)
        undone = row.filter(state__in=UNDONE_FROM)
        mark_going_back(undone, by=by, at=at, reason=reason)
        _drop_overrides(FlagOverride.objects.filter(person=person, system=System.SLOTS), by=by, at=at, reason=reason)
        has_snapshot = Snapshot.objects.standing().filter(person=person).exists()
        if not has_snapshot and not row.filter(state=PersonState.ROLLING_BACK).exists() and not stood_down:
            raise NothingToUndo(str(person), standing_of(person.key).decide().why)
    effective = watch.read()
    done = restore_whom_possible([person.pk], by=by, at=at, reason=reason)
    return replace(RollbackReport(total=1) + done, effective_ms=effective, reconciled_ms=watch.read())


def roll_back_people(pks: Sequence[int], *, by: str, at: datetime, reason: str) -> RollbackReport:
    """Take these people back together, as `roll_back_person` takes one; whoever has nothing to undo is left as they are.

    Raises:
        ReasonMissing: nobody said why.
    """
    _need(reason, "Rolling people back")
    said: dict[str, Any] = {"by": by, "at": at, "reason": reason}
    with transaction.atomic():
        hold_people(pks)
        rows = Enrolment.objects.live().filter(person__in=Keys(pks))
        _stand_down(rows, **said)
        mark_going_back(rows.filter(state__in=UNDONE_FROM), **said)
        _drop_overrides(FlagOverride.objects.filter(person__in=Keys(pks), system=System.SLOTS), **said)
    return RollbackReport(total=len(pks)) + restore_whom_possible(pks, **said)


def roll_back_wave(wave: Wave, *, by: str, at: datetime, reason: str, timer: Timer | None = None) -> RollbackReport:
    """Take a whole wave back; a call on a wave that is already going back finishes the work.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: the wave has not started, or is planned anew.
    """
    _need(reason, "Rolling a wave back")
    watch = Stopwatch(timer)
    revoke_wave(wave, by=by, at=at, reason=reason)
    effective = watch.read()
    done = reconcile_wave(wave, by=by, at=at, reason=reason)
    return replace(done, effective_ms=effective, reconciled_ms=watch.read())


def revoke_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> bool:
    """Write the one column that takes the wave back, and say whether this call did it.

    A stale row is read again instead of being refused: a protective act does not wait for a reload.
    """
    for _ in range(3):  # each round loses only to somebody who moved the wave in between
        wave.refresh_from_db()
        if wave.state in {WaveState.ROLLING_BACK, WaveState.ROLLED_BACK}:
            return False
        if Wave.move(
            wave.pk, to=WaveState.ROLLING_BACK, version=wave.version, by=by, at=at, reason=reason, revoked_at=at, finished_at=None
        ):
            wave.refresh_from_db()
            return True
    raise MoveRefused(str(wave), wave.state_label, WaveState.ROLLING_BACK.label)


def reconcile_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> RollbackReport:
    """Restore everybody of a wave that goes back, chunk by chunk, and close the wave when nobody is left.

    Whoever is late and finds the wave reopened meanwhile takes nobody of the new attempt back.
    """
    members = wave.enrolments.filter(wave__in=Wave.objects.filter(revoked_at__isnull=False))
    _stand_down(members, by=by, at=at, reason=reason)
    report = RollbackReport(total=wave.size)
    behind = members.filter(state__in=UNDONE_FROM).order_by("pk")
    last = 0
    while chunk := list(behind.filter(pk__gt=last).values_list("pk", "person_id")[:CHUNK]):
        last = chunk[-1][0]
        people = [person for _, person in chunk]
        report += restore_whom_possible(people, by=by, at=at, reason=reason, wave=wave)
    wave.refresh_from_db()
    if wave.state == WaveState.ROLLING_BACK and not behind.exists():
        Wave.move(
            wave.pk, to=WaveState.ROLLED_BACK, version=wave.version, by=by, at=at, reason="everybody is restored", finished_at=at
        )
        wave.refresh_from_db()
    return report


def roll_back_phase(phase: Phase, *, by: str, at: datetime, reason: str, timer: Timer | None = None) -> RollbackReport:
    """Take every started wave of a phase back with one write; a call on a phase that is already going back finishes the work.

    A plan that was done, or soaked, goes back with it: reopened it is a draft whose other phases stay completed.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: no wave of it has ever started.
    """
    _need(reason, "Rolling a phase back")
    watch = Stopwatch(timer)
    waves = Wave.objects.filter(phase=phase)
    _revoke_many(waves, by=by, at=at, reason=reason)
    effective = watch.read()
    with transaction.atomic():
        these = Phase.objects.filter(pk=phase.pk)
        if Phase.move_many(these, to=PhaseState.ROLLING_BACK, by=by, at=at, reason=reason):
            over = Plan.objects.filter(pk=phase.plan_id, state__in=PLAN_DONE)  # it is not done after all: reopened, it runs again
            Plan.move_many(over, to=PlanState.ROLLING_BACK, by=by, at=at, reason=f"{phase} is taken back: {reason}")
    going_back = _revoke_many(waves, by=by, at=at, reason=reason)  # with whatever started just before the phase was closed
    phase.refresh_from_db()
    if phase.state not in {PhaseState.ROLLING_BACK, PhaseState.ROLLED_BACK} and not going_back:
        raise MoveRefused(str(phase), phase.state_label, PhaseState.ROLLING_BACK.label)
    report = _reconcile_many(going_back, by=by, at=at, reason=reason)
    close_rollbacks(by=by, at=at)
    phase.refresh_from_db()
    return replace(report, effective_ms=effective, reconciled_ms=watch.read())


def roll_back_all(*, by: str, at: datetime, reason: str, timer: Timer | None = None) -> RollbackReport:
    """Take everybody back: the kill switch first, then every wave and everybody whom support switched.

    The kill switch stays on until somebody releases it.

    Raises:
        ReasonMissing: nobody said why.
    """
    _need(reason, "Rolling everybody back")
    watch = Stopwatch(timer)
    engage_kill_switch(by=by, at=at, reason=reason)
    effective = watch.read()
    _drop_overrides(FlagOverride.objects.filter(system=System.SLOTS), by=by, at=at, reason=reason)
    _revoke_many(Wave.objects.all(), by=by, at=at, reason=reason)
    plans = Plan.objects.exclude(name=CHOSEN_ACCOUNTS)
    Plan.move_many(plans, to=PlanState.ROLLING_BACK, by=by, at=at, reason=reason)
    Phase.move_many(Phase.objects.filter(plan__in=plans), to=PhaseState.ROLLING_BACK, by=by, at=at, reason=reason)
    going_back = _revoke_many(Wave.objects.all(), by=by, at=at, reason=reason)  # with whatever started meanwhile
    report = _reconcile_many(going_back, by=by, at=at, reason=reason)
    report += restore_all(Snapshot.objects.standing(), by=by, at=at, reason=reason)
    close_rollbacks(by=by, at=at)
    return replace(report, effective_ms=effective, reconciled_ms=watch.read())


def close_rollbacks(*, by: str, at: datetime) -> None:
    """Mark phases and plans as rolled back whose waves have all arrived there."""
    back = (Phase.objects.filter(state=PhaseState.ROLLING_BACK), Plan.objects.filter(state=PlanState.ROLLING_BACK))
    if not any(rows.exists() for rows in back):
        return
    open_waves = Wave.objects.filter(state=WaveState.ROLLING_BACK)
    phases = Phase.objects.filter(state=PhaseState.ROLLING_BACK).exclude(waves__in=open_waves)
    Phase.move_many(phases, to=PhaseState.ROLLED_BACK, by=by, at=at, reason="everybody is restored")
    plans = Plan.objects.filter(state=PlanState.ROLLING_BACK).exclude(phases__waves__in=open_waves)
    Plan.move_many(plans, to=PlanState.ROLLED_BACK, by=by, at=at, reason="everybody is restored")


def _revoke_many(waves: QuerySet[Wave], *, by: str, at: datetime, reason: str) -> list[Wave]:
    """Revoke all that have started in one statement, and return every wave that is on its way back."""
    Wave.move_many(waves, to=WaveState.ROLLING_BACK, by=by, at=at, reason=reason, revoked_at=at, finished_at=None)
    return list(waves.filter(state=WaveState.ROLLING_BACK).order_by("pk"))


def _reconcile_many(waves: Iterable[Wave], *, by: str, at: datetime, reason: str) -> RollbackReport:
    report = RollbackReport()
    for wave in waves:
        report += reconcile_wave(wave, by=by, at=at, reason=reason)
    return report


def _stand_down(rows: QuerySet[Enrolment], *, by: str, at: datetime, reason: str) -> int:
    """Take people out of the queue and out of their workers' hands: the lease is void, the worker's next write fails."""
    waiting = rows.filter(state__in=(WORKING | WAITING) - {PersonState.SWITCHING})
    return len(
        Enrolment.move_many(
            waiting,
            to=PersonState.ENROLLED,
            by=by,
            at=at,
            reason=reason,
            updated_at=at,
            lease_token=None,
            lease_until=None,
            retry_at=None,
        )
    )


def _drop_overrides(overrides: QuerySet[FlagOverride], *, by: str, at: datetime, reason: str) -> None:
    """Take support's word for slots back, so that a later wave does not leave anybody there unnoticed."""
    with transaction.atomic():
        pks = list(overrides.order_by("pk").select_for_update().values_list("pk", "person_id"))
        Event.objects.bulk_create(
            Event(subject=Subject.PERSON, subject_pk=person, kind="override_cleared", by=by, reason=reason, at=at)
            for _, person in pks
        )
        FlagOverride.objects.filter(pk__in=Keys(pk for pk, _ in pks)).delete()


def _need(reason: str, act: str) -> None:
    if not reason.strip():
        raise ReasonMissing(act)
