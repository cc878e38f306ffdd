"""What is demanded of plans, what was measured, and every verdict with what it was made from."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from migration.admin.columns import BAD, GOOD, WARNING, ReadOnlyAdmin, badge, link
from rollout.actions.evidence import VERDICTS
from rollout.actions.gates import add_policy
from rollout.actions.samples import SampleDraft, record_sample
from rollout.admin.acts import RolloutAdmin
from rollout.forms import SampleForm
from rollout.gates import Verdict
from rollout.models import Event, GuardEvaluation, GuardPolicy, Sample, Subject, Waiver
from slots.admin.paging import QuickList, RecentValuesFilter

TONES = {Verdict.PASS.value: GOOD, Verdict.HOLD.value: WARNING, Verdict.TRIP.value: BAD}


@admin.register(GuardPolicy)
class GuardPolicyAdmin(RolloutAdmin):
    """Show gates and guards; operators add them. Their content never changes: another one is made and the old one retired."""

    list_display = (
        "name",
        "plan",
        "phase",
        "purpose",
        "metric",
        "compare",
        "trip",
        "clear",
        "window",
        "min_sample",
        "retired_at",
    )
    list_filter = ("purpose", "metric", "severity")
    search_fields = ("name", "plan__name")
    list_select_related = ("plan", "phase__plan")
    asked = (
        "plan", "phase", "name", "purpose", "metric", "compare", "trip", "clear", "window", "min_sample", "sustained", "no_data",
        "severity", "respond_within", "responses", "needs_revalidation",
    )  # fmt: skip
    fields = (*asked, "definition", "made_by", "made_at", "retired_at")
    readonly_fields = ("definition",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators demand something."""
        return request.user.has_perm("rollout.add_guardpolicy")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what a new policy needs."""
        return self.fields if obj else self.asked

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the policy with what happened to it."""
        row = self.get_object(request, object_id)
        known = {} if row is None else {"timeline": Event.objects.about(Subject.POLICY, row.pk).order_by("-pk")}
        return super().change_view(request, object_id, form_url, {**known, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: GuardPolicy, form: "ModelForm[GuardPolicy]", change: bool) -> None:
        """Add a policy in the visitor's name."""
        made = add_policy(
            obj.plan, phase=obj.phase, name=obj.name, policy=obj.value(), by=request.user.get_username(), at=timezone.now()
        )
        obj.__dict__.update(made.__dict__)


@admin.register(GuardEvaluation)
class GuardEvaluationAdmin(ReadOnlyAdmin):
    """Show every verdict, its reason and its inputs."""

    list_display = ("at", "seen_until", "policy_link", "wave", "shown_verdict", "code", "value", "text")
    list_filter = ("verdict", "code", "policy__metric")
    list_select_related = ("policy__plan", "wave__phase__plan")
    fields = ("at", "seen_until", "policy_link", "wave", "shown_verdict", "code", "text", "value", "inputs")
    readonly_fields = ("policy_link", "shown_verdict")

    @admin.display(description="policy", ordering="policy")
    def policy_link(self, row: GuardEvaluation) -> str:
        """Return a link to the policy."""
        return link(row.policy)

    @admin.display(description="verdict", ordering="verdict")
    def shown_verdict(self, row: GuardEvaluation) -> str:
        """Return the verdict as a badge."""
        return badge(VERDICTS[row.verdict], TONES[row.verdict])


@admin.register(Sample)
class SampleAdmin(QuickList, ReadOnlyAdmin):
    """Show measurements; operators enter those that nothing imports yet."""

    form = SampleForm
    list_display = ("taken_at", "metric", "arm", "numerator", "denominator", "count", "plan", "phase", "source", "by")
    list_filter = ("metric", "arm", ("source", RecentValuesFilter))
    search_fields = ("source__exact",)
    search_help_text = "The name of a source, in full."
    list_select_related = ("plan", "phase__plan")
    asked = ("metric", "arm", "plan", "phase", "numerator", "denominator", "count", "taken_at", "source", "key", "note")
    fields = (*asked, "by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators enter measurements."""
        return request.user.has_perm("rollout.add_sample")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what a new sample needs."""
        return self.fields if obj else self.asked

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form what time it is: a measurement is not of the future."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.at = timezone.now()
        return form

    def save_model(self, request: HttpRequest, obj: Sample, form: "ModelForm[Sample]", change: bool) -> None:
        """Enter a measurement in the visitor's name."""
        draft: SampleDraft = form.draft()  # type: ignore[attr-defined]  # the form is a SampleForm
        made, _ = record_sample(draft, by=request.user.get_username(), at=timezone.now())
        obj.__dict__.update(made.__dict__)


@admin.register(Waiver)
class WaiverAdmin(ReadOnlyAdmin):
    """Show who let which wave start past which gate."""

    list_display = ("policy", "wave", "attempt", "by", "at", "reason")
    list_select_related = ("policy__plan", "wave__phase__plan")
