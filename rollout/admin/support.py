"""The support console: find a person, see which system they are on and why, and switch them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.admin.columns import GOOD, NEUTRAL, ReadOnlyAdmin, badge
from migration.models import Person
from rollout.actions.people import clear_override, override_person, timeline_of
from rollout.errors import RolloutError
from rollout.forms import SwitchForm
from rollout.models import FlagOverride, standing_of
from rollout.waves import System

SWITCH = "rollout.switch_person"
FOUND = 50  # people shown for a search


@admin.register(FlagOverride)
class FlagOverrideAdmin(ReadOnlyAdmin):
    """Show whom support switched, and switch a person either way."""

    list_display = ("person_link", "system", "by", "at", "reason")
    list_filter = ("system", "by")
    search_fields = ("person__user", "person__email", "reason")
    list_select_related = ("person",)
    change_list_template = "admin/rollout/overrides.html"

    @admin.display(description="person", ordering="person__user")
    def person_link(self, row: FlagOverride) -> str:
        """Return a link to support's page of the person."""
        return format_html('<a href="{}">{}</a>', reverse("admin:rollout_person", args=[row.person_id]), row.person)

    def get_urls(self) -> list[URLPattern]:
        """Add the search and the page of a person."""
        guard = self.admin_site.admin_view
        return [
            path("person/", guard(self.find_view), name="rollout_find_person"),
            path("person/<int:pk>/", guard(self.person_view), name="rollout_person"),
            *super().get_urls(),
        ]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Find people by external id or address; each one's page says which system they are on."""
        if not (request.user.has_perm(SWITCH) or self.has_view_permission(request)):
            raise PermissionDenied
        words = request.GET.get("q", "").strip()
        people = (
            list((Person.objects.filter(user__icontains=words) | Person.objects.filter(email__icontains=words))[:FOUND])
            if words
            else []
        )
        context = {
            **self.admin_site.each_context(request),
            "title": "Find a person",
            "opts": self.opts,
            "words": words,
            "people": people,
            "limit": FOUND,
        }
        return TemplateResponse(request, "admin/rollout/find_person.html", context)

    def person_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show which system the person is on, why, and how it came to that; switch on POST."""
        may_switch = request.user.has_perm(SWITCH)
        if not (may_switch or self.has_view_permission(request)):
            raise PermissionDenied
        person = get_object_or_404(Person, pk=pk)
        form = SwitchForm(request.POST or None)
        if request.method == "POST":
            if not may_switch:
                raise PermissionDenied
            if form.is_valid() and self._switch(request, person, form):
                return HttpResponseRedirect(reverse("admin:rollout_person", args=[pk]))
        decision = standing_of(person.key).decide()
        context = {
            **self.admin_site.each_context(request),
            "title": f"{person}: which system, and why",
            "opts": self.opts,
            "person": person,
            "decision": decision,
            "shown_system": badge(decision.system, GOOD if decision.system == System.SLOTS else NEUTRAL),
            "override": FlagOverride.objects.filter(person=person).first(),
            "places": person.enrolments.select_related("wave__phase__plan").order_by("-pk"),
            "snapshots": person.snapshots.order_by("-pk")[:FOUND],
            "timeline": timeline_of(person),
            "form": form,
            "may_switch": may_switch,
        }
        return TemplateResponse(request, "admin/rollout/person.html", context)

    def _switch(self, request: HttpRequest, person: Person, form: SwitchForm) -> bool:
        """Do what the form says, and say what the person sees now; False where it was refused."""
        said: dict[str, Any] = {"by": request.user.get_username(), "at": timezone.now(), "reason": form.cleaned_data["reason"]}
        wanted = form.cleaned_data["system"]
        try:
            if wanted == SwitchForm.WAVE:
                decision = clear_override(person, **said)
            else:
                decision = override_person(person, system=System(wanted), **said)
        except RolloutError as refused:
            form.add_error(None, f"{refused.code}: {refused}")
            return False
        messages.success(request, f"{person} is on {decision.system}: {decision.why}.")
        return True
