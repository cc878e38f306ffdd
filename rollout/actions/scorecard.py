"""How a plan does by its metrics: target, present value and trend of each; the plan is judged by the primary ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rollout.actions.gates import judge
from rollout.actions.plans import CHOSEN_ACCOUNTS
from rollout.gates import DEFINITIONS, Compare, Evaluation, Metric, Purpose, Verdict
from rollout.gates.metrics import HIGHER_IS_BETTER
from rollout.models import GuardEvaluation, GuardPolicy, Plan
from rollout.states import PlanState

PRIMARY: Final = (Metric.MIGRATION_SUCCESS, Metric.SATISFACTION, Metric.PERFORMANCE, Metric.UPTIME)
SECONDARY: Final = (
    Metric.VALIDATION_SCORE,
    Metric.VALIDATION_ACCURACY,
    Metric.ERROR_RATE,
    Metric.ISSUE_REPORTS,
    Metric.RESOLUTION_TIME,
    Metric.TICKET_VOLUME,
)
FRESH: Final = timedelta(minutes=2)  # a verdict that was seen so lately is read instead of being judged anew
TREND: Final = 40  # verdicts that a trend is drawn from
SHOWN: Final = (PlanState.RUNNING, PlanState.SOAKING, PlanState.SCHEDULED, PlanState.COMPLETED)


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of a plan: what is asked, what was measured when, and former values, oldest first; unknown is no pass."""

    metric: Metric
    is_primary: bool
    policy: GuardPolicy | None
    found: Evaluation | GuardEvaluation | None
    seen_at: datetime | None
    trend: tuple[float, ...]

    @property
    def name(self) -> str:
        """Return the metric in words."""
        return self.metric.in_words.capitalize()

    @property
    def target(self) -> str:
        """Return what is asked, in words; empty where the plan asks nothing of this metric."""
        if self.policy is None:
            return ""
        side = "above" if self.metric in HIGHER_IS_BETTER else "below"
        return f"{side} {in_unit(self.metric, self.policy.clear, Compare(self.policy.compare))}"

    @property
    def value(self) -> str:
        """Return what was measured, in words; empty where it is unknown."""
        if self.policy is None or self.found is None or self.found.value is None:
            return ""
        return in_unit(self.metric, self.found.value, Compare(self.policy.compare))

    @property
    def tone(self) -> str:
        """Return the colour that goes with it: good beyond the target, bad where it trips or a gate holds, else a warning.

        Neutral where nothing is known or asked.
        """
        if self.policy is None or self.found is None or self.found.value is None:
            return "neutral"
        policy = self.policy.value()
        if policy.is_better(self.found.value, policy.clear):
            return "good"
        return "warning" if self.found.verdict == Verdict.PASS else "bad"


def in_unit(metric: Metric, value: float, compare: Compare) -> str:
    """Return a metric's value as people say it: a share in per cent, a comparison as a factor, seconds as minutes or hours."""
    if compare != Compare.ABSOLUTE:
        return f"{value:.2f} ×"
    if DEFINITIONS[metric].unit == "s":
        return f"{value / 3600:.1f} h" if value >= 3600 else f"{value / 60:.0f} min"
    if DEFINITIONS[metric].is_share:
        return f"{value * 100:.2f}".rstrip("0").rstrip(".") + " %"
    return f"{value:.2f} {DEFINITIONS[metric].unit}"


def plan_to_watch() -> Plan | None:
    """Return the plan that is watched now: the latest that runs, or else soaks, is scheduled, or is over."""
    plans = {plan.state: plan for plan in Plan.objects.filter(state__in=SHOWN).exclude(name=CHOSEN_ACCOUNTS).order_by("pk")}
    return next((plans[state] for state in SHOWN if state in plans), None)


def scores_of(plan: Plan, *, at: datetime) -> list[Score]:
    """Return every primary metric, and those secondary ones of which the plan asks something; nothing is kept.

    What the reconciler found a moment ago is read from its record, as a guard's verdict is; anything else is judged now.
    Where several policies are about a metric, the gate of the last phase counts: it is what the plan has to reach in the end.
    """
    rows = GuardPolicy.objects.filter(plan=plan, retired_at__isnull=True).select_related("plan", "phase")
    by_metric: dict[str, GuardPolicy] = {}
    for row in sorted(rows, key=_weight):
        by_metric[row.metric] = row
    trends = _trends(plan)
    return [
        _score(metric, metric in PRIMARY, by_metric.get(metric), trends, at)
        for metric in (*PRIMARY, *SECONDARY)
        if metric in PRIMARY or metric in by_metric
    ]


def _weight(row: GuardPolicy) -> tuple[bool, int, int]:
    """Return a key that is largest for the policy that counts."""
    return (row.purpose == Purpose.GATE.value, row.phase.position if row.phase else 0, row.pk)


def _score(
    metric: Metric,
    is_primary: bool,
    policy: GuardPolicy | None,
    trends: Mapping[tuple[str, str], tuple[float, ...]],
    at: datetime,
) -> Score:
    if policy is None:
        return Score(metric, is_primary, None, None, None, ())
    trend = trends.get((policy.metric, policy.compare), ())
    kept = policy.evaluations.filter(wave__isnull=True).order_by("-pk").first()
    if kept is not None and at - FRESH <= kept.seen_until <= at:
        return Score(metric, is_primary, policy, kept, kept.seen_until, trend)
    return Score(metric, is_primary, policy, judge(policy, at=at), at, trend)


def _trends(plan: Plan) -> dict[tuple[str, str], tuple[float, ...]]:
    """Return the latest values of each metric and comparison of the plan, oldest first, whichever policy measured them.

    What is compared is part of the key: milliseconds and ratios are no one line.
    """
    latest = GuardEvaluation.objects.filter(policy__plan=plan, value__isnull=False).order_by("-pk")
    found: dict[tuple[str, str], list[float]] = {}
    for metric, compare, value in latest.values_list("policy__metric", "policy__compare", "value")[: TREND * len(Metric)]:
        if value is not None and len(found.setdefault((metric, compare), [])) < TREND:
            found[metric, compare].append(value)
    return {key: tuple(reversed(values)) for key, values in found.items()}
