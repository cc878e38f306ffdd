"""Sign-offs in the admin: who has to agree, who did, what they were shown, and the page on which somebody decides."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from migration.admin.columns import BAD, GOOD, NEUTRAL, ReadOnlyAdmin, badge, link
from rollout.actions.contents import content_of
from rollout.actions.evidence import evidence_for, in_words
from rollout.actions.signing import may_sign, open_to, remove_role, require_role, sign
from rollout.actions.signoffs import RoleStanding, hash_to_sign, missing_signoffs, standings, subject_of
from rollout.actions.wording import content_in_words
from rollout.addresses import sign_page_of
from rollout.admin.acts import ActsAdmin, RolloutAdmin, answering, refusal
from rollout.contents import hash_of
from rollout.errors import RolloutError
from rollout.forms import SignoffForm
from rollout.models import Decision, Phase, Plan, RollbackCertificate, Signoff, SignoffRequirement

SIGN = "rollout.sign_off_rollout"
REQUIRE = "rollout.add_signoffrequirement"
TONES = {Decision.APPROVED.value: GOOD, Decision.REJECTED.value: BAD}


class SignedAdmin(ActsAdmin):
    """Show the roles that sign a row, what they decided, and the way to the page on which a holder decides."""

    change_form_template = "admin/rollout/signed.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which somebody signs."""
        view = self.admin_site.admin_view(self.sign_view)
        name = f"rollout_{self.opts.model_name}_sign"
        return [path("<int:pk>/sign/<int:requirement_pk>/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the row with its sign-offs."""
        row = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if isinstance(row, (Plan, Phase)) and self.has_view_permission(request, row):
            found = standings(row)
            mine = open_to(request.user.get_username(), row) if request.user.has_perm(SIGN) else []
            context["signing"] = [(each.role, sign_page_of(each)) for each in mine]
            context["signoffs"] = [(each, *_shown(each, mine)) for each in found]
            context["missing_signoffs"] = missing_signoffs(row)
            context["content_hash"] = hash_to_sign(row)
        return super().change_view(request, object_id, form_url, context)

    def sign_view(self, request: HttpRequest, pk: int, requirement_pk: int) -> HttpResponse:
        """Show what is to be signed, what is known, and ask; on POST decide on what was shown."""
        if not request.user.has_perm(SIGN):
            raise PermissionDenied
        requirement = get_object_or_404(SignoffRequirement.objects.select_related("plan", "phase__plan"), pk=requirement_pk)
        subject = subject_of(requirement)
        if subject._meta.model_name != self.opts.model_name or subject.pk != pk:
            raise PermissionDenied
        back = reverse(f"admin:rollout_{self.opts.model_name}_change", args=[pk])
        content = content_of(requirement.plan, requirement.phase)
        form = SignoffForm(request.POST or None, initial={"content_hash": hash_of(content)})
        if request.method == "POST" and form.is_valid():
            return HttpResponseRedirect(back if self._sign(request, requirement, form) else request.get_full_path())
        context = {
            **self.admin_site.each_context(request),
            "title": f"Sign off as {requirement.role}: {subject}",
            "opts": self.opts,
            "subject": subject,
            "role": requirement.role,
            "may_sign": may_sign(requirement, request.user.get_username()),
            "sections": content_in_words(content),
            "evidence": in_words(evidence_for(subject, at=timezone.now())),
            "content_hash": hash_of(content),
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "admin/rollout/sign.html", context)

    def _sign(self, request: HttpRequest, requirement: SignoffRequirement, form: SignoffForm) -> bool:
        """Decide, say what came of it, and return whether the page is done with."""
        subject = subject_of(requirement)
        said = dict(form.cleaned_data)
        try:
            with answering():
                sign(requirement, **said, by=request.user.get_username(), at=timezone.now())
        except RolloutError as refused:
            messages.error(request, refusal(subject, refused))
            return refused.code != "CONTENT_CHANGED"  # the page shows the present content then
        subject.refresh_from_db()
        messages.success(request, f"{requirement.role} has {said['decision']} {subject}. It is {subject.state_label}.")
        return True


def _shown(found: RoleStanding, mine: Collection[SignoffRequirement]) -> tuple[Any, list[Any], str]:
    """Return the present decision and the void ones, each with its evidence in words, and where the visitor may decide."""
    decided = _decided(found.decided) if found.decided else None
    address = sign_page_of(found.requirement) if found.requirement in mine else ""
    return decided, [_decided(each) for each in found.void], address


def _decided(row: Signoff) -> dict[str, Any]:
    return {"row": row, "badge": badge(row.decision, TONES[row.decision]), "evidence": in_words(row.evidence)}


@admin.register(SignoffRequirement)
class SignoffRequirementAdmin(RolloutAdmin):
    """Show which roles sign what; operators ask for more, and for fewer as long as nothing was decided."""

    list_display = ("role", "plan", "phase")
    list_filter = ("role",)
    list_select_related = ("plan", "phase__plan")
    fields = ("plan", "phase", "role")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators ask a role."""
        return request.user.has_perm(REQUIRE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let operators ask a role no longer."""
        return request.user.has_perm(REQUIRE)

    def save_model(
        self, request: HttpRequest, obj: SignoffRequirement, form: "ModelForm[SignoffRequirement]", change: bool
    ) -> None:
        """Ask the role in the visitor's name."""
        made = require_role(obj.phase or obj.plan, obj.role, by=request.user.get_username(), at=timezone.now())
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: SignoffRequirement) -> None:
        """Ask the role no longer, in the visitor's name."""
        remove_role(obj, by=request.user.get_username(), at=timezone.now(), reason="taken off by hand")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SignoffRequirement]) -> None:
        """Ask the roles no longer, in the visitor's name."""
        for row in queryset:
            self.delete_model(request, row)


@admin.register(Signoff)
class SignoffAdmin(ReadOnlyAdmin):
    """Show every decision, with what was known when it was taken."""

    list_display = ("at", "requirement", "shown_decision", "by", "reason", "content_hash")
    list_filter = ("decision", "requirement__role")
    list_select_related = ("requirement__plan", "requirement__phase__plan")
    fields = ("at", "requirement", "shown_decision", "by", "reason", "content_hash", "evidence")
    readonly_fields = ("shown_decision",)

    @admin.display(description="decision", ordering="decision")
    def shown_decision(self, row: Signoff) -> str:
        """Return the decision as a badge."""
        return badge(row.decision, TONES[row.decision])


@admin.register(RollbackCertificate)
class RollbackCertificateAdmin(ReadOnlyAdmin):
    """Show every rollback that was measured."""

    list_display = (
        "at",
        "phase_link",
        "wave",
        "people",
        "roster",
        "reconciled_ms",
        "projected_s",
        "shown_exact",
        "engine_version",
    )
    list_filter = ("is_exact", "engine_version")
    list_select_related = ("phase__plan", "wave__phase")
    fields = (
        "at", "phase_link", "wave", "people", "roster", "roster_digest", "effective_ms", "reconciled_ms", "projected_s",
        "shown_exact", "engine_version", "text", "by",
    )  # fmt: skip
    readonly_fields = ("phase_link", "shown_exact")

    @admin.display(description="phase", ordering="phase")
    def phase_link(self, row: RollbackCertificate) -> str:
        """Return a link to the phase."""
        return link(row.phase)

    @admin.display(description="exact", ordering="is_exact")
    def shown_exact(self, row: RollbackCertificate) -> str:
        """Say whether everybody had what they had before."""
        return badge("as before", GOOD) if row.is_exact else badge("not as before", BAD if row.people else NEUTRAL)
