"""The maintenance calendar: from when to when nobody of a plan, or of any plan, is claimed and no wave starts.

A freeze holds like a closed window: it is computed from its row at every look, ends by itself, and no rollback asks for it.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from rollout.errors import FreezeInvalid, ReasonMissing
from rollout.models import Event, Freeze, Plan, Subject
from rollout.states import PlanState

OVER: Final = frozenset({PlanState.CANCELLED, PlanState.CLOSED})  # nobody of it is claimed any more


def add_freeze(*, starts_at: datetime, ends_at: datetime, by: str, at: datetime, reason: str, plan: Plan | None = None) -> Freeze:
    """Keep a plan, or every plan, from claiming and starting from `starts_at` up to `ends_at`.

    Raises:
        ReasonMissing: nobody said why.
        FreezeInvalid: it ends before it starts, has no time zone, or is over already.
    """
    if not reason.strip():
        raise ReasonMissing("A freeze")
    check_span(starts_at, ends_at, at=at)
    with transaction.atomic():
        row = Freeze.objects.create(plan=plan, starts_at=starts_at, ends_at=ends_at, reason=reason, set_by=by, set_at=at)
        _note(row, "freeze_added", by=by, at=at, reason=reason)
    return row


def check_span(starts_at: datetime, ends_at: datetime, *, at: datetime) -> None:
    """Look whether a freeze may be of this span.

    Raises:
        FreezeInvalid: it ends before it starts, has no time zone, or is over already.
    """
    if starts_at.utcoffset() is None or ends_at.utcoffset() is None:
        raise FreezeInvalid("An instant without a time zone can be several.")
    if ends_at <= starts_at:
        raise FreezeInvalid(f"It would end at {ends_at.isoformat()}, which is not after its start, {starts_at.isoformat()}.")
    if ends_at <= at:
        raise FreezeInvalid(f"It would end at {ends_at.isoformat()}, which has passed.")


def remove_freeze(row: Freeze, *, by: str, at: datetime, reason: str) -> None:
    """Take a freeze off the calendar, if nobody has; what else holds a wave goes on holding it.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("Taking a freeze off")
    with transaction.atomic():
        if Freeze.objects.select_for_update(of=("self",)).filter(pk=row.pk).first():
            _note(row, "freeze_removed", by=by, at=at, reason=reason)
            row.delete()


def freezes_from(at: datetime, plan: Plan | None = None) -> QuerySet[Freeze]:
    """Return the freezes that are on or still to come, of every plan or of this one and of all, the earliest first."""
    rows = Freeze.objects.filter(ends_at__gt=at).select_related("plan").order_by("starts_at", "pk")
    return rows if plan is None else rows.filter(Q(plan__isnull=True) | Q(plan=plan))


def _note(row: Freeze, kind: str, *, by: str, at: datetime, reason: str) -> None:
    """Write an event about the plan, or about every plan that goes on."""
    data = {"freeze": row.pk, "from": row.starts_at.isoformat(), "to": row.ends_at.isoformat(), "why": row.reason}
    plans = Plan.objects.filter(pk=row.plan_id) if row.plan_id else Plan.objects.exclude(state__in=OVER)
    Event.objects.bulk_create(
        Event(subject=Subject.PLAN, subject_pk=pk, kind=kind, by=by, reason=reason, at=at, data=data)
        for pk in plans.order_by("pk").values_list("pk", flat=True)
    )
