"""Claim people of a wave under a lease, as many as its limits let through, and take them back from workers that died.

A claim is a conditional move under a lease: a token that fences the worker, and an instant after which anybody may take the row
back. Rate and number of workers are judged under the lock of the wave's row, in the transaction that claims.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from migration.engine.translate import ENGINE_VERSION
from migration.models import Person
from rollout.actions.holds import holds_on
from rollout.actions.plans import CHOSEN_ACCOUNTS
from rollout.actions.waves import SYSTEM
from rollout.errors import EngineChanged
from rollout.models import Enrolment, Wave
from rollout.pacing import Bucket, Kind, Wait, is_pressed
from rollout.retries import Trouble, after_lost_lease
from rollout.states import ON_SLOTS, STUCK, WORKING, PersonState

LEASE: Final = timedelta(seconds=30)
NO_LEASE: Final[dict[str, Any]] = {"lease_token": None, "lease_until": None}
DATABASE_BUSY: Final = "DATABASE_BUSY"
LEASE_EXPIRED: Final = "LEASE_EXPIRED"
POISON: Final = "POISON"
LOOKED_AT: Final = 200  # people whose fate says whether there is trouble


@dataclass(slots=True)
class Lease:
    """Hold the people whom one worker has claimed, by primary key of their enrolment; `token` fences its writes.

    `size` is how many it might have taken.
    """

    wave: Wave
    token: uuid.UUID
    until: datetime
    people: dict[int, Person]
    size: int

    @property
    def rows(self) -> QuerySet[Enrolment]:
        """Return the enrolments that this lease still holds."""
        return Enrolment.objects.filter(lease_token=self.token)


def claim(wave: Wave, *, at: datetime, size: int | None = None, by: str = SYSTEM) -> Lease | None:
    """Claim up to `size` queued people of a wave at work under a lease, without it as many as the wave's batches have now.

    None where there is nobody, where something holds the wave, or where its limits let nobody through. Two workers never get the
    same person: claims of a wave wait for each other, and rows that another act has locked are skipped where the database can.

    Raises:
        EngineChanged: the running code is not what the wave pinned.
    """
    token, until = uuid.uuid4(), at + LEASE
    with transaction.atomic():
        locked = Wave.objects.at_work().select_for_update(no_key=True, of=("self",))
        at_work = locked.filter(pk=wave.pk).select_related("phase__plan").first()
        if at_work is None or holds_on(at_work, at=at):
            return None
        if at_work.engine_version != ENGINE_VERSION:
            raise EngineChanged(str(at_work), at_work.engine_version, ENGINE_VERSION)
        if waits_of(at_work, at=at):
            return None
        wanted = size or min(at_work.batch_size, at_work.max_batch)
        people = _next_in_line(at_work, _bucket(at_work).fitting(wanted, at))
        moved = Enrolment.move_many(
            Enrolment.objects.filter(pk__in=list(people)),
            to=PersonState.TRANSLATING,
            by=by,
            at=at,
            reason="claimed",
            lease_token=token,
            lease_until=until,
            tries=F("tries") + 1,
            code="",
            text="",
            updated_at=at,
        )
        if not _charge(at_work, len(moved), at=at):
            transaction.set_rollback(True)
            return None
    found = Person.objects.in_bulk([people[pk] for pk in moved])
    return Lease(at_work, token, until, {pk: found[people[pk]] for pk in moved}, wanted) if moved else None


def waits_of(wave: Wave, *, at: datetime) -> list[Wait]:
    """Return why nobody of a wave is claimed right now though nothing holds it: its rate, its workers, trouble.

    Nothing of it is stored as a state: it is over once rows and clock say so. Accounts that somebody chose wait for nothing.
    """
    if wave.phase.plan.name == CHOSEN_ACCOUNTS:
        return []
    found = []
    bucket = _bucket(wave)
    if bucket.filled(at) < 1:
        until = bucket.next_at(at)
        text = f"The rate of {wave.rate} people a minute lets the next one be claimed at {until.isoformat()}."
        found.append(Wait(Kind.RATE, text, until))
    workers = workers_of(wave, at=at)
    if workers >= wave.max_workers:
        found.append(Wait(Kind.WORKERS, f"{workers} workers are at it, {wave.max_workers} at once may be."))
    return found + _trouble(wave, at)


def workers_of(wave: Wave, *, at: datetime) -> int:
    """Return how many workers hold people of the wave; one whose lease lapsed counts no more."""
    held = wave.enrolments.filter(state__in=WORKING, lease_until__gte=at)
    return held.order_by().values("lease_token").distinct().count()


def reap_leases(*, at: datetime, by: str) -> tuple[int, int]:
    """Take people back whose worker let the lease lapse; return how many were due, and how many were taken.

    The first lease lost may be the worker's fault or somebody else's in the batch, so whoever was in it comes again, alone. The
    wait is counted from the worker's last sign of life.
    """
    expired = Enrolment.objects.expired(at).filter(state__in=WORKING)
    groups = list(expired.order_by().values_list("leases_lost", "tries").distinct())
    due, done = expired.count(), 0
    for lost, tries in sorted(groups):
        trouble, step = after_lost_lease(lost + 1, tries)
        text = "The worker that had this person did not finish in time."
        if trouble == Trouble.POISON:
            text = (
                f"{lost + 1} workers died or stalled with this person in hand, the last time with nobody else. Look at the data."
            )
        done += len(
            Enrolment.move_many(
                expired.filter(leases_lost=lost, tries=tries),
                to=PersonState.NEEDS_ATTENTION if step.wait is None else PersonState.RETRY_WAIT,
                by=by,
                at=at,
                reason="lease expired",
                updated_at=at,
                code=POISON if trouble == Trouble.POISON else LEASE_EXPIRED,
                text=text,
                leases_lost=F("leases_lost") + 1,
                retry_at=None if step.wait is None else F("lease_until") + (step.wait - LEASE),
                **NO_LEASE,
            )
        )
    return due, done


def _next_in_line(wave: Wave, count: int) -> dict[int, int]:
    """Return whom to claim, by primary key of the enrolment: in order, and whoever a worker was lost with alone and last."""
    queued = wave.enrolments.filter(state=PersonState.QUEUED).order_by("pk").select_for_update(skip_locked=True)
    chosen = dict(queued.filter(leases_lost=0).values_list("pk", "person_id")[:count])
    if not chosen and count:
        chosen = dict(queued.filter(leases_lost__gt=0).values_list("pk", "person_id")[:1])
    return chosen


def _bucket(wave: Wave) -> Bucket:
    is_free = wave.phase.plan.name == CHOSEN_ACCOUNTS
    return Bucket(None if is_free else wave.rate, wave.allowance, wave.allowed_at)


def _charge(wave: Wave, count: int, *, at: datetime) -> bool:
    """Take so many people off what the rate lets through; False where somebody else has claimed since it was read."""
    bucket = _bucket(wave)
    if bucket.rate is None or not count:
        return True
    left = bucket.without(count, at)
    as_read = Wave.objects.filter(pk=wave.pk, allowance=bucket.allowance)
    as_read = as_read.filter(allowed_at__isnull=True) if bucket.at is None else as_read.filter(allowed_at=bucket.at)
    return bool(as_read.update(allowance=left.allowance, allowed_at=left.at))


def _trouble(wave: Wave, at: datetime) -> list[Wait]:
    """Return the wait until the people in transient trouble come again, where they are most of those handled since it began."""
    waiting = wave.enrolments.filter(
        state=PersonState.RETRY_WAIT, code__in=(DATABASE_BUSY, LEASE_EXPIRED), retry_at__gt=at
    ).order_by("-pk")
    troubled = list(waiting.values_list("updated_at", "retry_at")[:LOOKED_AT])
    if not is_pressed(len(troubled), 0):
        return []
    since = min(began for began, _ in troubled)
    handled = [
        seen
        for state in sorted(ON_SLOTS | STUCK)
        for seen in wave.enrolments.filter(state=state).order_by("-pk").values_list("updated_at", flat=True)[:LOOKED_AT]
    ]
    passed = sum(seen >= since for seen in handled)
    if not is_pressed(len(troubled), passed):
        return []
    until = min(again for _, again in troubled if again is not None)
    text = f"{len(troubled)} of the last {len(troubled) + passed} people met a busy database or lost their worker."
    return [Wait(Kind.TROUBLE, f"{text} Claims wait until {until.isoformat()}.", until)]
