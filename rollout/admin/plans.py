"""Plans and phases."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.admin.columns import link, list_link
from rollout.actions.audiences import warnings_of
from rollout.actions.certifying import LIMIT, certify_rollback, require_measurable
from rollout.actions.contents import EDITED_IN, NOT_STARTED
from rollout.actions.holds import set_hold
from rollout.actions.outlook import outlook_of_phase
from rollout.actions.phases import what_keeps_phase
from rollout.actions.plans import (
    PhaseDraft,
    add_phase,
    approve_plan,
    create_plan,
    open_phase,
    require_approvable,
    require_openable,
    schedule_plan,
    submit_plan,
)
from rollout.actions.reopening import reopen_phase, reopen_plan
from rollout.actions.rescheduling import AT_WORK, NOT_OPEN, set_start
from rollout.actions.rollback import roll_back_phase
from rollout.admin.acts import APPROVE, OPERATE, Act, state_badge
from rollout.admin.blueprints import TemplatePages
from rollout.admin.charts import charts_of
from rollout.admin.courses import CoursePages, course_context, demands_context
from rollout.admin.editing import EditedAdmin
from rollout.admin.notices import coming_for
from rollout.admin.rehearsals import REHEARSE_ACT, comparison_of, rehearsals_of
from rollout.admin.signoffs import SignedAdmin
from rollout.admin.steering import PHASE_ACTS, PLAN_ACTS
from rollout.forms import EditForm, PhaseForm
from rollout.models import Enrolment, Phase, Plan, Task, Wave
from rollout.states import ON_SLOTS, PHASE_HELD_IN, PHASE_NEXT, PLAN_HELD_IN, PLAN_NEXT, PhaseState, PlanState, sources_of
from rollout.templatetags.rollout import moment

PAUSED = (
    "No wave of it starts or claims anybody until this hold is cleared. Who is in work is queued again before the switch; going "
    "back is not held."
)
PHASE_CONTENT = ("name", "objective", "share", "share_of", "soak", "needs_certificate")


def _act(
    name: str,
    label: str,
    permission: str,
    states: Collection[str],
    effect: str,
    act: Any,
    said: str,
    *,
    leads: bool = True,
    warns: Callable[[Any], Sequence[str]] = lambda row: (),
    **more: Any,
) -> Act:
    """Return an act whose effect and outcome are one sentence each; `leads`: it is the next step in its states.

    `warns` says what is odd about the row; it may be done all the same.
    """

    def run(row: Any, **who: Any) -> str:
        act(row, **who)
        return said

    chosen = frozenset(states)
    leads_in = chosen if leads else frozenset()
    return Act(name, label, permission, chosen, lambda row: [effect, *warns(row)], run, leads_in=leads_in, **more)


def _warnings(plan: Plan) -> list[str]:
    return warnings_of(plan, at=timezone.now())


def _before(to: PlanState) -> tuple[PlanState, ...]:
    return sources_of(PLAN_NEXT, to)


def _effect_of_phase_rollback(phase: Phase) -> list[str]:
    on_slots = Enrolment.objects.filter(wave__phase=phase, state__in=ON_SLOTS).count()
    return [f"{on_slots} people who are on slots see the legacy system from their next page on, and get back what they had."]


def _roll_phase_back(phase: Phase, **who: Any) -> str:
    report = roll_back_phase(phase, **who)
    return f"{report.rolled_back} of {report.total} people are back; {len(report.edited)} had edited since the switch."


def _effect_of_measuring(_phase: Phase) -> list[str]:
    return [
        f"At most {LIMIT} proven people of waves that have not started are switched, taken back and compared.",
        "All of it is undone and only the measurement is kept.",
        "Nobody sees anything of it, and no rollback waits for it.",
    ]


def _measure(phase: Phase, *, by: str, at: datetime, reason: str) -> str:
    made = certify_rollback(phase, by=by, at=at, timer=time.perf_counter)
    return f"{made.text} All {made.roster} people would be back in {made.projected_s:.1f} s."


@admin.register(Plan)
class PlanAdmin(EditedAdmin, TemplatePages, CoursePages, SignedAdmin):
    """Show plans; make drafts; ask for approval and give it."""

    list_display = ("name", "shown_state", "phase_count", "author", "approved_by", "created_at")
    list_filter = ("state", "author")
    search_fields = ("name",)
    change_list_template = "admin/rollout/plans.html"
    change_form_template = "admin/rollout/plan.html"
    form = EditForm
    permission = "rollout.change_plan"
    asked = ("name",)
    edited = dict.fromkeys(EDITED_IN, ("name", "max_deferrals", "deferral_limit", "certificate_valid_for"))
    fields = (
        "name", "shown_state", "phase_list", "template", "as_template", "starts_on", "time_zone", "max_deferrals",
        "deferral_limit", "certificate_valid_for", "author", "approved_by", "salt", "created_at",
    )  # fmt: skip
    readonly_fields = ("shown_state", "phase_list", "as_template", "author", "approved_by", "salt", "created_at")
    acts = (
        _act(
            "submit", "Ask for approval", OPERATE, _before(PlanState.IN_REVIEW),
            "An approver, or whoever has to sign it, is asked to look at it.", submit_plan, "is in review.",
            warns=_warnings,
        ),
        _act(
            "approve", "Approve", APPROVE, _before(PlanState.APPROVED),
            "The plan may be scheduled. Who wrote it cannot approve it.", approve_plan, "is approved.",
            check=lambda plan, by, at: require_approvable(plan, by=by),
            looks_ahead=True,
        ),
        _act(
            "schedule", "Schedule", OPERATE, _before(PlanState.SCHEDULED),
            "Its phases may be opened.", schedule_plan, "is scheduled.",
            warns=_warnings,
        ),
        _act(
            "reopen", "Reopen", OPERATE, {PlanState.ROLLED_BACK},
            "It becomes a draft again; its phases and waves that were taken back are planned anew, without dates.",
            reopen_plan, "is a draft again.",
        ),
        _act(
            "pause", "Pause", OPERATE, PLAN_HELD_IN, PAUSED, set_hold, "is paused.",
            leads=False,
        ),
        *PLAN_ACTS,
        REHEARSE_ACT,
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the phases in the same query."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(n_phases=Count("phases"))
        return rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators write plans."""
        return request.user.has_perm("rollout.add_plan")

    def save_model(self, request: HttpRequest, obj: Plan, form: "ModelForm[Plan]", change: bool) -> None:
        """Make the plan with its first phase, or change it, in the visitor's name."""
        if change:
            self.save_changes(request, obj, form)
            return
        made = create_plan(obj.name, phases=[PhaseDraft("Phase 1")], by=request.user.get_username(), at=timezone.now())
        obj.__dict__.update(made.__dict__)

    @admin.display(description="state", ordering="state")
    def shown_state(self, plan: Plan) -> str:
        """Return the state as a badge."""
        return state_badge(plan.state, plan.state_label)

    def more_context(self, row: Plan) -> dict[str, Any]:
        """Return its course, what comes next, what it demands, how it was rehearsed and went."""
        at = timezone.now()
        coming = coming_for(row)
        return {
            **super().more_context(row),
            **course_context(row, at=at),
            **demands_context(row),
            "facts": self._facts(row),
            "coming": coming,
            "outlook": next((due for due in coming if due.kind != "policy"), None),
            "rehearsals": rehearsals_of(row),
            "comparison": comparison_of(row),
            "charts": charts_of(row),
        }

    def _facts(self, plan: Plan) -> list[tuple[str, Any]]:
        facts = [("Author", plan.author), ("Approved by", plan.approved_by or "nobody yet")]
        facts += [("Starts on", f"{plan.starts_on} ({plan.time_zone})")] if plan.starts_on else []
        return [*facts, ("Phases", self.phase_count(plan)), ("As a file", self.as_template(plan))]

    @admin.display(description="phases", ordering="n_phases")
    def phase_count(self, plan: Any) -> str:
        """Return a link to the plan's phases."""
        return list_link(Phase, plan.n_phases, plan__id__exact=plan.pk)

    @admin.display(description="as a template")
    def as_template(self, plan: Plan) -> str:
        """Return a link to the plan as a file."""
        return format_html('<a href="{}">Export</a>', reverse("admin:rollout_plan_export", args=[plan.pk])) if plan.pk else "–"

    @admin.display(description="phases")
    def phase_list(self, plan: Any) -> str:
        """Return a link to the plan's phases."""
        return self.phase_count(plan) if plan.pk else "–"


@admin.register(Phase)
class PhaseAdmin(EditedAdmin, SignedAdmin):
    """Show phases; open them, and take them back."""

    list_display = ("name", "plan_link", "position", "shown_state", "wave_count")
    list_filter = ("state", "plan")
    search_fields = ("name", "plan__name")
    form = PhaseForm
    change_form_template = "admin/rollout/phase.html"
    permission = "rollout.change_phase"
    asked = ("plan", "name")
    edited = {
        **dict.fromkeys(NOT_OPEN, (*PHASE_CONTENT, "starts_at")),
        PhaseState.OPEN: PHASE_CONTENT,
    }
    fields = (
        "plan", "name", "shown_state", "position", "wave_count", "task_count", "objective", "share", "share_of", "population",
        "frozen_at", "soak", "needs_certificate", "starts_at", "started_at", "soaking_at", "finished_at",
    )  # fmt: skip
    readonly_fields = ("shown_state", "position", "wave_count", "task_count")
    acts = (
        _act(
            "open", "Open", APPROVE, {PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF},
            "Its waves may start.", open_phase, "is open.",
            check=lambda phase, by, at: require_openable(phase, phase.plan, at=at),
            looks_ahead=True,
        ),
        Act(
            "rollback", "Roll back", OPERATE, frozenset(sources_of(PHASE_NEXT, PhaseState.ROLLING_BACK)),
            _effect_of_phase_rollback, _roll_phase_back, is_grave=True,
        ),
        _act(
            "reopen", "Reopen", OPERATE, {PhaseState.ROLLED_BACK},
            "It is pending again and has to be opened; its waves that were taken back are planned anew, without dates.",
            reopen_phase, "is pending again.",
        ),
        Act(
            "certify", "Measure the rollback", OPERATE, NOT_STARTED | {PhaseState.EXECUTING}, _effect_of_measuring, _measure,
            check=lambda phase, by, at: require_measurable(phase, at=at),
        ),
        _act(
            "pause", "Pause", OPERATE, PHASE_HELD_IN, PAUSED, set_hold,
            "is paused.", leads=False,
        ),
        *PHASE_ACTS,
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the plan and count the waves in the same query."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("plan").annotate(n_waves=Count("waves"))
        return rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators add phases."""
        return request.user.has_perm("rollout.add_phase")

    def save_model(self, request: HttpRequest, obj: Phase, form: "ModelForm[Phase]", change: bool) -> None:
        """Add the phase behind the plan's others, or change it, in the visitor's name."""
        if change:
            self.save_changes(request, obj, form)
            return
        made = add_phase(obj.plan, draft=PhaseDraft(obj.name), by=request.user.get_username(), at=timezone.now())
        obj.__dict__.update(made.__dict__)

    @admin.display(description="plan", ordering="plan")
    def plan_link(self, phase: Phase) -> str:
        """Return a link to the plan."""
        return link(phase.plan)

    @admin.display(description="state", ordering="state")
    def shown_state(self, phase: Phase) -> str:
        """Return the state as a badge."""
        return state_badge(phase.state, phase.state_label)

    @admin.display(description="waves", ordering="n_waves")
    def wave_count(self, phase: Any) -> str:
        """Return a link to the phase's waves."""
        return list_link(Wave, phase.n_waves, phase__id__exact=phase.pk) if phase.pk else "–"

    @admin.display(description="tasks")
    def task_count(self, phase: Any) -> str:
        """Return a link to the phase's tasks."""
        return list_link(Task, phase.tasks.count(), phase__id__exact=phase.pk) if phase.pk else "–"

    def change_apart(self, row: Phase, changed: Mapping[str, Any], said: dict[str, Any]) -> list[str]:
        """Set another date."""
        if "starts_at" in changed:
            set_start(row, changed["starts_at"], **said)
        return [name for name in changed if name == "starts_at"]

    def more_context(self, row: Phase) -> dict[str, Any]:
        """Return its waves and tasks, what keeps it from being completed, and how its metrics went."""
        at = timezone.now()
        kept = what_keeps_phase(row, at=at) if row.state in AT_WORK and row.state != PhaseState.SOAKING else []
        waves = row.waves.counted().select_related("phase").order_by("position")
        return {
            **super().more_context(row),
            "facts": self._facts(row),
            "outlook": outlook_of_phase(row, at=at),
            "waves": [(wave, link(wave, wave.name), state_badge(wave.state, wave.state_label)) for wave in waves],
            "tasks": [(task, link(task)) for task in row.tasks.order_by("position")],
            "kept_by": kept,
            "charts": charts_of(row.plan, row),
        }

    def _facts(self, phase: Phase) -> list[tuple[str, Any]]:
        facts: list[tuple[str, Any]] = [("Plan", link(phase.plan)), ("Phase", f"{phase.position} of {phase.plan.phases.count()}")]
        dates = (("Opens from", phase.starts_at), ("Started", phase.started_at), ("Ended", phase.finished_at))
        facts += [(name, moment(at)) for name, at in dates if at]
        return [*facts, ("Objective", phase.objective)] if phase.objective else facts
