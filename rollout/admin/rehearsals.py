"""Rehearsals in the admin: ask for one on a plan's page, see how each came out, and read its report."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from migration.admin.columns import BAD, GOOD, NEUTRAL, badge, link
from rollout.actions.contents import content_hash_of
from rollout.admin.acts import Act, RolloutAdmin
from rollout.forms import RehearseForm
from rollout.jobs import wake_rehearsal
from rollout.models import Plan, Rehearsal
from rollout.rehearsal.comparing import planned_against_actual
from rollout.rehearsal.copying import people_of
from rollout.rehearsal.runs import REHEARSED_IN, ask_for_rehearsal, require_playable
from rollout.rehearsal.scenarios import SCENARIOS
from rollout.templatetags.rollout import moment

REHEARSE = "rollout.add_rehearsal"
LATEST = 5  # rehearsals on a plan's page
DATES = frozenset({"since", "until", "planned", "rehearsed", "actual", "finished"})


def _effect(plan: Plan) -> list[str]:
    return [
        f"{people_of(plan)} people and the plan are copied, and all of it is played through on a virtual clock, by a worker.",
        "Nobody is moved and nobody is written to; the plan stays as it is.",
        "Its report is kept with the plan, for whoever signs it.",
    ]


def _rehearse(plan: Plan, *, by: str, at: datetime, reason: str, seed: int, scenario: str) -> str:
    del reason  # a rehearsal changes nothing that would need one
    row = ask_for_rehearsal(plan, seed=seed, scenario=scenario, by=by, at=at)
    wake_rehearsal(row.pk)
    return f"its rehearsal {row.pk} is to be played; its page shows the report once it is there."


REHEARSE_ACT = Act(
    "rehearse",
    "Rehearse",
    REHEARSE,
    frozenset(state.value for state in REHEARSED_IN),
    _effect,
    _rehearse,
    form=RehearseForm,
    check=lambda plan, **_who: require_playable(plan),
)


@admin.register(Rehearsal)
class RehearsalAdmin(RolloutAdmin):
    """Show rehearsals with their outcome, and the report of each."""

    change_form_template = "admin/rollout/rehearsal.html"
    list_display = ("__str__", "plan_link", "outcome", "scenario_text", "people", "seed", "by", "asked_at", "finished_at")
    list_filter = ("is_completed", "scenario", "plan")
    search_fields = ("plan__name", "digest")
    fields = (
        "plan_link",
        "outcome",
        "scenario_text",
        "seed",
        "people",
        "digest",
        "content_hash",
        "by",
        "asked_at",
        "finished_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the plan in the same query, and leave the reports for their pages."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("plan")
        return rows

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the report in tables."""
        row = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if row is not None and self.has_view_permission(request, row):
            context |= {"report": dated(row.report), "plan_link": link(row.plan), "facts": self._facts(row)}
        return super().change_view(request, object_id, form_url, context)

    def _facts(self, row: Rehearsal) -> list[tuple[str, Any]]:
        present = row.content_hash == content_hash_of(row.plan)
        return [
            ("Outcome", outcome_of(row)),
            ("Scenario", self.scenario_text(row)),
            ("Of", "what the plan demands now" if present else "a former content"),
            ("People", f"{row.people:,}"),
            ("Asked", moment(row.asked_at)),
            ("By", row.by),
        ]

    @admin.display(description="plan", ordering="plan")
    def plan_link(self, row: Rehearsal) -> str:
        """Return a link to the plan."""
        return link(row.plan)

    @admin.display(description="outcome", ordering="is_completed")
    def outcome(self, row: Rehearsal) -> str:
        """Return how it came out as a badge."""
        return outcome_of(row)

    @admin.display(description="scenario", ordering="scenario")
    def scenario_text(self, row: Rehearsal) -> str:
        """Return what was to go wrong, in words."""
        known = SCENARIOS.get(row.scenario)
        return known.text if known else row.scenario


def outcome_of(row: Rehearsal) -> str:
    """Return how a rehearsal came out as a badge."""
    if row.finished_at is None:
        return badge("no report yet: it waits for a worker, or is being played", NEUTRAL)
    if row.error:
        return badge(row.error, BAD)
    if row.violations:
        return badge(f"{row.violations} violations", BAD)
    return badge("completed", GOOD) if row.is_completed else badge("not completed", BAD)


def rehearsals_of(plan: Plan) -> list[tuple[Rehearsal, Any, str, bool]]:
    """Return the latest rehearsals of a plan, each with a link, its outcome, and whether it was of what the plan demands now."""
    rows = list(Rehearsal.objects.filter(plan=plan).defer("report").order_by("-pk")[:LATEST])
    present = content_hash_of(plan) if rows else ""
    return [(row, link(row, row.scenario or "nothing goes wrong"), outcome_of(row), row.content_hash == present) for row in rows]


def comparison_of(plan: Plan) -> dict[str, Any] | None:
    """Return what was planned, rehearsed and happened, once there is a date or a rehearsal to compare."""
    found = planned_against_actual(plan)
    has_dates = any(row["planned"] or row["actual"] for row in found["rows"])
    shown: dict[str, Any] = dated(found)
    return shown if has_dates or found["rehearsal"] else None


def dated(report: Any, name: str = "") -> Any:
    """Return a report with its instants as instants, so that a page shows them as it shows others."""
    if isinstance(report, dict):
        return {key: dated(value, key) for key, value in report.items()}
    if isinstance(report, list):
        return [dated(each, name) for each in report]
    if isinstance(report, str) and (name == "at" or name.endswith(("_at", "_start")) or name in DATES):
        return datetime.fromisoformat(report)
    return report
