"""What holds waves, with the act that clears it; the one switch that freezes every plan; when windows are open."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from migration.admin.columns import NOTHING, link
from rollout.actions.holds import add_window, clear_hold, freeze, holds_on, is_frozen, remove_window, require_by_hand, unfreeze
from rollout.admin.acts import OPERATE, TIMELINE, Act, ActsAdmin, RolloutAdmin, state_badge
from rollout.forms import ReasonForm
from rollout.models import Event, Hold, HoldKind, Subject, Wave, Window
from rollout.states import WAVE_AT_WORK, HoldState

NAMES = 20  # waves named on a page
STANDING = frozenset({HoldState.STANDING})


def _effect_of_clearing(hold: Hold) -> list[str]:
    lines = [f"{hold.scope} is no longer held by this ({hold.get_kind_display()}: “{hold.reason}”)."]
    now = timezone.now()
    for wave in Wave.objects.at_work().select_related("phase__plan").order_by("pk")[:NAMES]:
        found = holds_on(wave, at=now)
        others = [each.text for each in found if each.hold != hold.pk]
        if len(others) < len(found):
            lines.append(f"{wave} stays held: {' '.join(others)}" if others else f"{wave} goes on claiming people.")
    return lines


def _clear(hold: Hold, **who: Any) -> str:
    clear_hold(hold, **who)
    return "is cleared."


@admin.register(Hold)
class HoldAdmin(ActsAdmin):
    """Show what holds which waves, since when and why; clear one at a time; freeze everything."""

    list_display = ("scope", "kind", "shown_state", "reason", "set_by", "set_at", "cleared_by", "cleared_at")
    list_filter = ("state", "kind", "set_at")
    search_fields = ("reason", "set_by", "cleared_by")
    fields = (
        "scope", "kind", "shown_state", "reason", "set_by", "set_at", "breach_link", "cleared_by", "cleared_at",
        "cleared_reason",
    )  # fmt: skip
    readonly_fields = ("scope", "shown_state", "breach_link")
    change_list_template = "admin/rollout/holds.html"
    acts = (
        Act(
            "clear",
            "Clear",
            OPERATE,
            STANDING,
            _effect_of_clearing,
            _clear,
            leads_in=STANDING,
            check=lambda hold, by, at: require_by_hand(hold),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring what is held in the same query."""
        rows: QuerySet[Any] = (
            super().get_queryset(request).select_related("plan", "phase__plan", "wave__phase__plan", "breach__policy__plan")
        )
        return rows

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the freeze."""
        return [path("freeze/", self.admin_site.admin_view(self.freeze_view), name="rollout_freeze"), *super().get_urls()]

    def freeze_view(self, request: HttpRequest) -> HttpResponse:
        """Show what the freeze does or would do and ask why; freeze or take it off on POST."""
        if not request.user.has_perm(OPERATE):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            turn = unfreeze if request.POST.get("to") == "off" else freeze
            turn(by=request.user.get_username(), at=timezone.now(), reason=form.cleaned_data["reason"])
            messages.success(request, "Every plan is frozen." if is_frozen() else "The freeze is off.")
            return HttpResponseRedirect(reverse("admin:rollout_freeze"))
        frozen = Hold.objects.filter(kind=HoldKind.FREEZE).values("pk")
        context = {
            **self.admin_site.each_context(request),
            "title": "Freeze",
            "opts": self.opts,
            "frozen": is_frozen(),
            "at_work": Wave.objects.filter(state__in=WAVE_AT_WORK).count(),
            "form": form,
            "timeline": Event.objects.filter(subject=Subject.HOLD, subject_pk__in=frozen).order_by("-pk")[:TIMELINE],
        }
        return TemplateResponse(request, "admin/rollout/freeze.html", context)

    @admin.display(description="state", ordering="state")
    def shown_state(self, hold: Hold) -> str:
        """Return the state as a badge."""
        return state_badge(hold.state, hold.state_label)

    @admin.display(description="breach")
    def breach_link(self, hold: Hold) -> str:
        """Return a link to the breach behind it."""
        return link(hold.breach) if hold.breach else NOTHING


@admin.register(Window)
class WindowAdmin(RolloutAdmin):
    """Show when people may be moved; operators add windows and take them off."""

    list_display = ("plan", "phase", "zone", "opens", "closes", "days")
    list_filter = ("zone",)
    list_select_related = ("plan", "phase__plan")
    fields = ("plan", "phase", "zone", "opens", "closes", "days")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators say when."""
        return request.user.has_perm("rollout.add_window")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let operators take a window off; without any, it is always open."""
        return request.user.has_perm("rollout.delete_window")

    def save_model(self, request: HttpRequest, obj: Window, form: "ModelForm[Window]", change: bool) -> None:
        """Add a window in the visitor's name."""
        by, at = request.user.get_username(), timezone.now()
        made = add_window(obj.plan, phase=obj.phase, window=obj.value(), by=by, at=at)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: Window) -> None:
        """Take a window off in the visitor's name."""
        remove_window(obj, by=request.user.get_username(), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Window]) -> None:
        """Take windows off in the visitor's name."""
        for row in queryset:
            self.delete_model(request, row)
