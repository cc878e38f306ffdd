"""What a plan demands of its metrics, with what was found last or is found now, who waived it, and whether a breach is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from rollout.actions.gates import judge
from rollout.actions.scorecard import in_unit
from rollout.gates import Compare, Evaluation, Metric, Verdict
from rollout.gates.metrics import HIGHER_IS_BETTER
from rollout.models import Breach, GuardEvaluation, GuardPolicy, Plan, Waiver
from rollout.states import BreachState


@dataclass(frozen=True, slots=True)
class Demand:
    """Hold a gate or guard with its verdict; `at` is when the verdict was seen last, None where nobody has judged it yet."""

    policy: GuardPolicy
    found: Evaluation | GuardEvaluation | None
    at: datetime | None
    breach: int | None
    waivers: tuple[Waiver, ...]

    @property
    def target(self) -> str:
        """Return what is asked, in words."""
        metric = Metric(self.policy.metric)
        side = "above" if metric in HIGHER_IS_BETTER else "below"
        return f"{side} {in_unit(metric, self.policy.clear, Compare(self.policy.compare))}"

    @property
    def value(self) -> str:
        """Return what was measured, in words; empty where it is unknown."""
        if self.found is None or self.found.value is None:
            return ""
        return in_unit(Metric(self.policy.metric), self.found.value, Compare(self.policy.compare))

    @property
    def verdict(self) -> Verdict | None:
        """Return the verdict; None where nobody has judged it yet."""
        return Verdict(self.found.verdict) if self.found is not None else None


def demands_kept(plan: Plan) -> list[Demand]:
    """Return the demands of a plan with the verdicts that were kept last; four queries, however many there are."""
    last = GuardEvaluation.objects.filter(policy=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    policies = list(_of(plan).annotate(last=Subquery(last)))
    kept = GuardEvaluation.objects.in_bulk([row.last for row in policies if row.last is not None])
    found = {row.pk: kept.get(row.last) for row in policies}
    return _demands(plan, policies, {pk: (each, each.seen_until) for pk, each in found.items() if each is not None})


def demands_now(plan: Plan, *, at: datetime) -> list[Demand]:
    """Return the demands of a plan, each judged now; nothing is kept. Some queries for each, whatever the number of waves."""
    policies = list(_of(plan))
    return _demands(plan, policies, {row.pk: (judge(row, at=at), at) for row in policies})


def _of(plan: Plan) -> QuerySet[GuardPolicy]:
    rows = GuardPolicy.objects.filter(plan=plan, retired_at__isnull=True).select_related("plan", "phase__plan")
    return rows.order_by("phase__position", "-purpose", "pk")


def _demands(
    plan: Plan, policies: Sequence[GuardPolicy], found: Mapping[int, tuple[Evaluation | GuardEvaluation, datetime]]
) -> list[Demand]:
    breaches = dict(Breach.objects.filter(policy__plan=plan, state=BreachState.OPEN).values_list("policy", "pk"))
    waivers: dict[int, list[Waiver]] = {}
    for row in Waiver.objects.filter(policy__plan=plan).select_related("wave__phase").order_by("pk"):
        waivers.setdefault(row.policy_id, []).append(row)
    unknown: tuple[None, None] = (None, None)
    return [
        Demand(
            row,
            found.get(row.pk, unknown)[0],
            found.get(row.pk, unknown)[1],
            breaches.get(row.pk),
            tuple(waivers.get(row.pk, ())),
        )
        for row in policies
    ]
