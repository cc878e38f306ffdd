"""The parts of a plan's page: its course as a Gantt chart with the same dates in a table, and what it demands, judged now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from migration.admin.columns import BAD, GOOD, NEUTRAL, WARNING, badge, link
from rollout.actions.courses import course_of
from rollout.actions.demands import Demand, demands_kept, demands_now
from rollout.addresses import page_of
from rollout.drawing import lay_out
from rollout.gates import Verdict
from rollout.models import Breach, Plan
from rollout.states import PlanState

VERDICTS: Final = {Verdict.PASS: ("passes", GOOD), Verdict.HOLD: ("does not pass", WARNING), Verdict.TRIP: ("trips", BAD)}
NOT_BEGUN: Final = frozenset({PlanState.DRAFT, PlanState.IN_REVIEW, PlanState.APPROVED, PlanState.SCHEDULED, PlanState.CANCELLED})
NAMED: Final = 30  # characters of a name that fit beside its row


class CoursePages:
    """Add the address of the part with the demands to a plan's admin."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the part."""
        more: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # the admin it is mixed into
        guard = self.admin_site.admin_view
        return [path("<int:pk>/demands/", guard(self.demands_view), name="rollout_plan_demands"), *more]

    def demands_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part alone, every gate and guard judged now."""
        if not request.user.has_perm("rollout.view_plan"):
            raise PermissionDenied
        plan = get_object_or_404(Plan, pk=pk)
        context = {"demands": _shown(demands_now(plan, at=timezone.now())), "is_now": True}
        answer = TemplateResponse(request, "admin/rollout/_demands.html", context)
        answer["Cache-Control"] = "no-store"
        return answer


def course_context(plan: Plan, *, at: datetime) -> dict[str, Any]:
    """Return the chart of a plan with its table; no chart where no phase or wave has a date."""
    course = course_of(plan)
    chart = lay_out(course.items, at=at, bands=course.bands)
    about = [
        {"address": page_of(model.SUBJECT, pk), "state": state, "item": item, "short": _short(item.name)}
        for model, pk, state, item in course.rows
    ]
    freezes = [span for span, kind in course.bands if kind == "freeze"]
    return {
        "course": about,
        "gantt": chart,
        "gantt_rows": list(zip(chart.rows if chart else (), about, strict=False)),
        "freezes": freezes,
    }


def demands_context(plan: Plan) -> dict[str, Any]:
    """Return what a plan demands with the verdicts that were kept, and once it runs, where the present ones are."""
    has_begun = plan.state not in NOT_BEGUN
    address = reverse("admin:rollout_plan_demands", args=[plan.pk]) if has_begun else ""
    return {"demands": _shown(demands_kept(plan)), "demands_part": address}


def _short(name: str) -> str:
    return name if len(name) <= NAMED else f"{name[: NAMED - 1]}…"


def _shown(demands: Sequence[Demand]) -> list[dict[str, Any]]:
    return [
        {
            "each": each,
            "name": link(each.policy, each.policy.name),
            "verdict": badge(*VERDICTS[each.verdict]) if each.verdict is not None else badge("not judged yet", NEUTRAL),
            "breach": link(Breach(pk=each.breach), "open breach") if each.breach else "",
        }
        for each in demands
    ]
