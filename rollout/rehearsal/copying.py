"""Copy what a plan is about into the scratch database: its components and people, and the plan itself, with the same keys.

Read as of one instant where the database can, without a lock that anybody waits for. What belongs to other plans is copied as far
as it decides who can be taken, and stands still there. Costs a read of each row and a bulk insert.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection, connections, transaction
from django.db.models import Q, QuerySet

from migration.models import Customization, Finding, Person, RejectedRecord, Translation, Validation
from rollout.models import (
    Enrolment,
    Flag,
    FlagOverride,
    Freeze,
    GuardPolicy,
    Notice,
    Phase,
    Plan,
    SignoffRequirement,
    Snapshot,
    Task,
    Wave,
    Window,
)
from rollout.states import PhaseState, PlanState, WaveState
from slots.models import Body, Component, ComponentVersion, Segment, SegmentMember, SlotConfiguration

CHUNK: Final = 2_000
SHOP: Final = (Component, ComponentVersion, Body, Segment, SegmentMember, SlotConfiguration)
PEOPLE: Final = (Person, Translation, Validation, Customization, Finding, RejectedRecord)
AFRESH: Final[dict[str, Any]] = {"version": 1, "started_at": None, "finished_at": None}
OVER: Final = frozenset({WaveState.COMPLETED, WaveState.COMPLETED_WITH_EXCEPTIONS, WaveState.CANCELLED})


def copy_plan(plan: Plan, alias: str) -> None:
    """Copy everything that the plan's rehearsal needs into the database of that alias, and set the plan back to a draft."""
    with _as_of_now(), transaction.atomic(using=alias):
        connections[alias].disable_constraint_checking()
        for rows in _rows(plan):
            _copy(rows, alias)
        _still_the_others(plan, alias)
        _set_back(plan, alias)


def people_of(_plan: Plan) -> int:
    """Return how many people a rehearsal is about: all who are customized."""
    return Person.objects.customised().count()


def _rows(plan: Plan) -> Iterator[QuerySet[Any]]:
    """Return what is copied; that a row comes before what names it does not matter, constraints wait for the end."""
    yield from (model._base_manager.all() for model in SHOP + PEOPLE)
    yield Flag.objects.all()
    yield FlagOverride.objects.all()
    yield Snapshot.objects.standing()
    live = Enrolment.objects.live()
    others = Wave.objects.filter(Q(phase__plan=plan) | Q(pk__in=live.values("wave")))
    yield Plan.objects.filter(Q(pk=plan.pk) | Q(pk__in=live.values("plan")))
    yield Phase.objects.filter(Q(plan=plan) | Q(pk__in=others.values("phase")))
    yield others
    yield Enrolment.objects.filter(Q(pk__in=live.values("pk")) | Q(pk__in=Snapshot.objects.standing().values("enrolment")))
    for model in (Window, Notice, SignoffRequirement):
        yield model._base_manager.filter(plan=plan)
    yield GuardPolicy.objects.filter(plan=plan, retired_at__isnull=True)
    yield Task.objects.filter(phase__plan=plan)
    yield Freeze.objects.filter(Q(plan=plan) | Q(plan__isnull=True))


def _copy(rows: QuerySet[Any], alias: str) -> None:
    chunk: list[Any] = []
    for row in rows.order_by("pk").iterator(chunk_size=CHUNK):
        chunk.append(row)
        if len(chunk) == CHUNK:
            _insert(chunk, alias)
            chunk = []
    _insert(chunk, alias)


def _insert(rows: Sequence[Any], alias: str) -> None:
    if rows:
        type(rows[0])._base_manager.using(alias).bulk_create(rows)


def _still_the_others(plan: Plan, alias: str) -> None:
    """Let no other plan do anything: its people are taken, and that is all that it is about."""
    waves = Wave.objects.using(alias).exclude(phase__plan=plan)
    waves.exclude(state__in=OVER).filter(revoked_at__isnull=True).update(state=WaveState.COMPLETED)
    waves.filter(revoked_at__isnull=False).update(state=WaveState.ROLLED_BACK)
    Phase.objects.using(alias).exclude(plan=plan).update(state=PhaseState.CANCELLED)
    Plan.objects.using(alias).exclude(pk=plan.pk).update(state=PlanState.CANCELLED)
    Enrolment.objects.using(alias).exclude(plan=plan).update(next_check_at=None)


def _set_back(plan: Plan, alias: str) -> None:
    Plan.objects.using(alias).filter(pk=plan.pk).update(state=PlanState.DRAFT, version=1, approved_by="")
    phases = Phase.objects.using(alias).filter(plan=plan)
    phases.update(state=PhaseState.PENDING, soaking_at=None, frozen_at=None, population=None, **AFRESH)
    Wave.objects.using(alias).filter(phase__plan=plan).update(
        state=WaveState.PLANNED, revoked_at=None, size=0, attempt=1, schedule_version=1, engine_version="", **AFRESH
    )
    Enrolment.objects.using(alias).filter(plan=plan).delete()
    Task.objects.using(alias).filter(phase__plan=plan).update(done_at=None, done_by="", note="")


@contextmanager
def _as_of_now() -> Iterator[None]:
    """Read everything as of one instant, in a transaction that writes nothing and that nobody waits for."""
    if connection.in_atomic_block:  # of a caller's, who reads their own view
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # Django's own BEGIN takes the lock of the one writer
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
