"""Take people back: one write that holds from the next request on, then the reconciliation of their rows behind it.

*Effective*: a person's row, `Wave.revoked_at`, or the kill switch is what each request reads, so one UPDATE is enough.
*Reconciled*: snapshots are restored chunk by chunk, each in a transaction of its own; whoever is interrupted is continued by the
next call or by `tick`, and doing it twice does nothing twice. Nothing here asks the queue, a window or a hold.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from migration.models import Person
from rollout.actions.plans import CHOSEN_ACCOUNTS
from rollout.actions.restoring import restore_together
from rollout.actions.snapshots import Restored, hold_people, lock_people, restore
from rollout.errors import MoveRefused, NothingToUndo, ReasonMissing
from rollout.models import Enrolment, Event, FlagOverride, Phase, Plan, Snapshot, Subject, Wave, standing_of
from rollout.states import ON_SLOTS, UNDONE_FROM, WAITING, WORKING, PersonState, PhaseState, PlanState, WaveState
from rollout.switch import engage_kill_switch
from rollout.waves import System
from slots.models import Keys

log = structlog.get_logger(__name__)

PLAN_DONE: Final = frozenset({PlanState.SOAKING, PlanState.COMPLETED})
CHUNK = 5_000  # people restored in one transaction
Timer = Callable[[], float]
Way = Callable[..., list[Restored]]


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """Say what a rollback did.

    `total` are the people whom it concerned, `rolled_back` those whose rows were put back by this call. `edited` had changed
    something since the switch (kept with their snapshot); `kept` stay on slots because support put them there; `failed` see the
    legacy system, but their rows could not be put back yet. Milliseconds are counted from the call, None without a timer.
    """

    total: int = 0
    rolled_back: int = 0
    edited: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    effective_ms: float | None = None
    reconciled_ms: float | None = None

    def __add__(self, other: "RollbackReport") -> "RollbackReport":
        """Return both together; the times stay those of the left one."""
        return replace(
            self,
            total=self.total + other.total,
            rolled_back=self.rolled_back + other.rolled_back,
            edited=self.edited + other.edited,
            kept=self.kept + other.kept,
            failed=self.failed + other.failed,
        )

    def as_json(self) -> dict[str, object]:
        """Return the JSON object of `rollback_users`."""
        return {
            "total": self.total,
            "rolled_back": self.rolled_back,
            "effective_ms": self.effective_ms,
            "reconciled_ms": self.reconciled_ms,
            "edited": list(self.edited),
            "kept": list(self.kept),
            "failed": list(self.failed),
        }


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
        _begin(undone, by=by, at=at, reason=reason)
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
        _begin(rows.filter(state__in=UNDONE_FROM), **said)
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


def restore_all(snapshots: QuerySet[Snapshot], *, by: str, at: datetime, reason: str) -> RollbackReport:
    """Restore these standing snapshots, whoever they belong to."""
    report = RollbackReport()
    last = 0
    people = snapshots.order_by("person").values_list(
        "person_id", flat=True
    )  # one each: an index says whose, and no more is read
    while chunk := list(people.filter(person__gt=last)[:CHUNK]):
        last = chunk[-1]
        report += RollbackReport(total=len(chunk))
        report += restore_whom_possible(chunk, by=by, at=at, reason=reason)
    return report


def restore_whom_possible(pks: Sequence[int], *, by: str, at: datetime, reason: str, wave: Wave | None = None) -> RollbackReport:
    """Restore these people together; where that fails, in ever smaller parts, so that one person's trouble keeps nobody waiting.

    Members of `wave`, which is being taken back, need not be marked as going back before. Whom the set-based way fails for alone
    is restored row by row. Whom that fails for too sees the legacy system all the same; their row says why, and `tick` tries
    again.
    """
    said: dict[str, Any] = {"by": by, "at": at, "reason": reason}
    trouble = ""
    for way in (restore_together, restore) if len(pks) == 1 else (restore_together,):
        try:
            return restore_people(pks, **said, way=way, wave=wave)
        except Exception as accident:  # the row keeps it and the log has the traceback; a rollback goes on
            log.exception("people_not_restored", people=len(pks), way=way.__name__)
            trouble = f"{type(accident).__name__}: {accident}"[:500]
        if wave is not None:  # whoever cannot be restored yet has to be seen to be on the way
            _begin(Enrolment.objects.filter(_is_undone(wave), person__in=Keys(pks)), **said)
            wave = None
    if len(pks) > 1:
        half = len(pks) // 2
        return restore_whom_possible(pks[:half], **said) + restore_whom_possible(pks[half:], **said)
    Enrolment.objects.filter(person__in=pks, state=PersonState.ROLLING_BACK).update(
        code="RESTORE_FAILED", text=trouble, updated_at=at
    )
    return RollbackReport(failed=tuple(str(person) for person in Person.objects.filter(pk__in=pks)))


def _begin(rows: QuerySet[Enrolment], *, by: str, at: datetime, reason: str) -> None:
    """Mark rows as going back; whoever still held one under a lease has lost it."""
    Enrolment.move_many(
        rows, to=PersonState.ROLLING_BACK, by=by, at=at, reason=reason, updated_at=at, lease_token=None, lease_until=None
    )


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


@transaction.atomic
def restore_people(
    pks: Sequence[int], *, by: str, at: datetime, reason: str, way: Way = restore_together, wave: Wave | None = None
) -> RollbackReport:
    """Restore the standing snapshots of these people and set their rows to rolled back, in one transaction.

    Rows that are marked as going back arrive, and with them those of `wave` while it is taken back, which pass that state in the
    same statement. `way` is `restore_together`, or `restore`, which does the same row by row.
    Under the lock it is looked once more who is to stay: whom support put on slots (a rollback that ends that too has dropped the
    override before), and whom a wave switched since they were found.
    """
    hold_people(pks)
    these = Keys(pks)
    goes_back = Q(state=PersonState.ROLLING_BACK) if wave is None else Q(state=PersonState.ROLLING_BACK) | _is_undone(wave)
    found = Enrolment.objects.filter(goes_back, person__in=these).select_for_update(of=("self",), no_key=True).order_by("pk")
    going = dict(found.values_list("pk", "person_id"))
    rows = Enrolment.objects.filter(pk__in=Keys(going))
    overridden = FlagOverride.objects.filter(person__in=these, system=System.SLOTS)
    kept = set(overridden.values_list("person_id", flat=True))
    elsewhere = Enrolment.objects.live().filter(person__in=these, state__in=ON_SLOTS).exclude(pk__in=Keys(going))
    free = set(pks) - kept - set(elsewhere.values_list("person_id", flat=True))
    snapshots = Snapshot.objects.standing().filter(person__in=Keys(sorted(free)))
    restored = way(snapshots, by=by, at=at, reason=reason, act=uuid.uuid4())
    _note_edits(rows, restored, at=at)
    Enrolment.move_many(
        rows,
        to=PersonState.ROLLED_BACK,
        through=PersonState.ROLLING_BACK,
        by=by,
        at=at,
        reason=reason,
        updated_at=at,
        switched_at=None,
        next_check_at=None,
        lease_token=None,
        lease_until=None,
    )
    edited = [each.person_pk for each in restored if each.set_aside]
    people = Person.objects.in_bulk([*edited, *kept])
    return RollbackReport(
        rolled_back=len((set(going.values()) | {each.person_pk for each in restored}) - kept),
        edited=tuple(str(people[pk]) for pk in edited),
        kept=tuple(str(people[pk]) for pk in sorted(kept)),
    )


def _is_undone(wave: Wave) -> Q:
    """Return the condition on rows that a rollback of the wave takes back, as long as nobody has reopened it."""
    return Q(wave=wave, wave__in=Wave.objects.filter(revoked_at__isnull=False), state__in=UNDONE_FROM)


def _note_edits(rows: QuerySet[Enrolment], restored: Iterable[Restored], *, at: datetime) -> None:
    edited = [each.person_pk for each in restored if each.set_aside]
    rows.filter(person__in=Keys(edited)).update(
        code="EDITED_SINCE_SWITCH",
        text="What the person had changed since the switch was set aside with the snapshot. Look at it; lay it on by hand.",
        updated_at=at,
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
