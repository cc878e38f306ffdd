"""Put back what people had, chunk by chunk, and say what came of it: the part of a rollback that comes behind its one write.

Where people cannot be restored together, it is done in ever smaller parts, so that one person's trouble keeps nobody waiting.
Whoever is interrupted is continued by the next call or by `tick`, and doing it twice does nothing twice.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from migration.models import Person
from rollout.actions.restoring import restore_together
from rollout.actions.snapshots import Restored, hold_people, restore
from rollout.models import Enrolment, FlagOverride, Snapshot, Wave
from rollout.states import ON_SLOTS, UNDONE_FROM, PersonState
from rollout.waves import System
from slots.models import Keys

log = structlog.get_logger(__name__)

CHUNK: Final = 5_000  # people restored in one transaction
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


def restore_all(snapshots: QuerySet[Snapshot], *, by: str, at: datetime, reason: str) -> RollbackReport:
    """Restore these standing snapshots, whoever they belong to."""
    report = RollbackReport()
    last = 0
    people = snapshots.order_by("person").values_list("person_id", flat=True)  # one each, told by an index alone
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
            mark_going_back(Enrolment.objects.filter(_is_undone(wave), person__in=Keys(pks)), **said)
            wave = None
    if len(pks) > 1:
        half = len(pks) // 2
        return restore_whom_possible(pks[:half], **said) + restore_whom_possible(pks[half:], **said)
    Enrolment.objects.filter(person__in=pks, state=PersonState.ROLLING_BACK).update(
        code="RESTORE_FAILED", text=trouble, updated_at=at
    )
    return RollbackReport(failed=tuple(str(person) for person in Person.objects.filter(pk__in=pks)))


def mark_going_back(rows: QuerySet[Enrolment], *, by: str, at: datetime, reason: str) -> None:
    """Mark rows as going back; whoever still held one under a lease has lost it."""
    Enrolment.move_many(
        rows, to=PersonState.ROLLING_BACK, by=by, at=at, reason=reason, updated_at=at, lease_token=None, lease_until=None
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
