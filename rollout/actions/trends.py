"""How a plan's metrics went over time, as series for charts: what was judged, what was measured. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from rollout.gates import Arm, Compare, Metric
from rollout.models import GuardEvaluation, GuardPolicy, Phase, Plan, Sample

POINTS: Final = 240  # of one series; of more, the latest
Series = Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Trend:
    """Name a metric with its series, oldest first, and what the plan asks of it; `is_share`: values are 0 to 1."""

    metric: Metric
    title: str
    series: tuple[tuple[str, Series], ...]
    asked: tuple[tuple[float, str], ...]
    is_share: bool


def trends_of(plan: Plan, phase: Phase | None = None) -> list[Trend]:
    """Return the trends for which there is a value, of a plan or of what is about one of its phases; four queries."""
    place = Q(phase__isnull=True) | Q(phase=phase) if phase else Q()
    policies = list(GuardPolicy.objects.filter(place, plan=plan, retired_at__isnull=True, compare=Compare.ABSOLUTE.value))
    success = _judged(plan, phase, Metric.MIGRATION_SUCCESS)
    times = _measured(plan, phase, Metric.PERFORMANCE)
    answers = _measured(plan, phase, Metric.SATISFACTION)
    found = [
        Trend(
            Metric.MIGRATION_SUCCESS,
            "Success rate",
            (("people switched, of those attempted", success),),
            _asked(policies, Metric.MIGRATION_SUCCESS),
            True,
        ),
        Trend(
            Metric.PERFORMANCE,
            "Render time, p75 in ms",
            (("new system", times[Arm.TREATED.value]), ("old system", times[Arm.CONTROL.value])),
            _asked(policies, Metric.PERFORMANCE),
            False,
        ),
        Trend(
            Metric.SATISFACTION,
            "Satisfaction",
            (("positive answers, of all", answers[Arm.TREATED.value]),),
            _asked(policies, Metric.SATISFACTION),
            True,
        ),
    ]
    return [each for each in found if any(values for _, values in each.series)]


def _judged(plan: Plan, phase: Phase | None, metric: Metric) -> Series:
    """Return the values that were judged, each at its instant and, where it stood for longer, until it was seen last."""
    rows = GuardEvaluation.objects.filter(policy__plan=plan, policy__metric=metric.value, value__isnull=False)
    if phase is not None:
        rows = rows.filter(Q(policy__phase__isnull=True) | Q(policy__phase=phase))
    latest = rows.filter(policy__compare=Compare.ABSOLUTE.value).order_by("-pk")
    points: set[tuple[datetime, float]] = set()
    for at, until, value in latest.values_list("at", "seen_until", "value")[:POINTS]:
        if value is not None:
            points |= {(at, value), (until, value)}
    return sorted(points)


def _measured(plan: Plan, phase: Phase | None, metric: Metric) -> dict[str, Series]:
    """Return the samples of each arm that are about a plan or its phase, or about everything, as values."""
    place = Q(plan__isnull=True) | Q(plan=plan)
    if phase is not None:
        place &= Q(phase__isnull=True) | Q(phase=phase)
    rows = Sample.objects.filter(place, metric=metric.value, denominator__gt=0).order_by("-taken_at", "-pk")
    found: dict[str, list[tuple[datetime, float]]] = {arm.value: [] for arm in Arm}
    for arm, at, numerator, denominator in rows.values_list("arm", "taken_at", "numerator", "denominator")[: POINTS * len(Arm)]:
        found[arm].append((at, numerator / denominator))
    return {arm: sorted(points[:POINTS]) for arm, points in found.items()}


def _asked(policies: Sequence[GuardPolicy], metric: Metric) -> tuple[tuple[float, str], ...]:
    return tuple((row.clear, f"asked by {row.name}") for row in policies if row.metric == metric.value)[:1]
