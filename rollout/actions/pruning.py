"""Delete what nothing looks at any more, some in each round of the reconciler: samples of renders, and previews nobody confirmed.

Every process writes samples each quarter of a minute, so theirs is the one table that grows by itself. Verdicts and evidence keep
the numbers that they were made from; samples that people entered or imported are never deleted. A preview of an act on many keeps
up to a million keys; one that was confirmed is the record of what was done, and stays.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from rollout.gates import Arm, Metric
from rollout.models import Breach, GuardPolicy, Sample, Selection
from rollout.renders import SOURCE
from rollout.states import BreachState, PlanState

A_ROUND: Final = 2_000
FEW: Final = 5  # previews in a round; each has up to some thousand parts
KEPT: Final = timedelta(days=7)
OVER: Final = frozenset({PlanState.CLOSED, PlanState.CANCELLED})


def prune_renders(*, at: datetime, limit: int = A_ROUND) -> int:
    """Delete up to `limit` samples of renders older than `ROLLOUT_RENDER_DAYS`, the oldest first, and return how many.

    Without such a number nothing is deleted. What a policy in force still looks back on is kept, what was measured since before
    an open breach, and the newest of each kind, which says how long the source has been silent.
    """
    if not settings.ROLLOUT_RENDER_DAYS or not _is_any_old(at):
        return 0
    pks: list[int] = []
    for metric in (Metric.ERROR_RATE, Metric.PERFORMANCE):
        since = kept_since(metric, at=at)
        for arm in (Arm.TREATED, Arm.CONTROL):
            rows = Sample.objects.filter(source=SOURCE, metric=metric.value, arm=arm.value)
            newest = rows.order_by("-taken_at", "-pk").values("pk")[:1]
            old = rows.filter(taken_at__lt=since).exclude(pk__in=newest).order_by("taken_at", "pk")
            pks += old.values_list("pk", flat=True)[: limit - len(pks)]
    return Sample.objects.filter(pk__in=pks).delete()[0] if pks else 0


def _is_any_old(at: datetime) -> bool:
    """Say whether there may be something to delete: one query for the many rounds in which there is not."""
    return Sample.objects.filter(source=SOURCE, taken_at__lt=at - timedelta(days=settings.ROLLOUT_RENDER_DAYS)).exists()


def kept_since(metric: Metric, *, at: datetime) -> datetime:
    """Return from when on samples of renders of a metric are kept."""
    kept = [at - timedelta(days=settings.ROLLOUT_RENDER_DAYS)]
    policies = GuardPolicy.objects.filter(metric=metric.value, retired_at__isnull=True).exclude(plan__state__in=OVER)
    kept += [at - window - sustained for window, sustained in policies.values_list("window", "sustained")]
    breaches = Breach.objects.filter(policy__metric=metric.value, state=BreachState.OPEN)
    kept += [opened - window for opened, window in breaches.values_list("opened_at", "policy__window")]
    return min(kept)


def forget_previews(*, at: datetime, limit: int = FEW) -> int:
    """Delete up to `limit` selections that nobody confirmed within a week, the oldest first, and return how many."""
    with transaction.atomic():  # locked, so that nobody confirms one in between
        old = Selection.objects.select_for_update(skip_locked=True).filter(begun_at__isnull=True, made_at__lt=at - KEPT)
        pks = list(old.order_by("pk").values_list("pk", flat=True)[:limit])
        if pks:
            Selection.objects.filter(pk__in=pks).delete()
    return len(pks)
