"""The flag with its kill switch, and the record of all that happened."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from migration.admin.columns import BAD, GOOD, ReadOnlyAdmin, badge, link
from migration.models import Person
from rollout.admin.acts import OPERATE, TIMELINE
from rollout.admin.stopping import stop_view
from rollout.forms import ReasonForm
from rollout.models import Breach, Enrolment, Event, Flag, GuardPolicy, Hold, Phase, Plan, Snapshot, Subject, Ticket, Wave
from rollout.switch import engage_kill_switch, is_killed, release_kill_switch
from slots.admin.columns import is_pk
from slots.admin.paging import QuickList, RecentValuesFilter

FOUND = 50  # people whose events a search shows

MODELS: dict[str, Any] = {
    Subject.PLAN: Plan,
    Subject.PHASE: Phase,
    Subject.WAVE: Wave,
    Subject.ENROLMENT: Enrolment,
    Subject.PERSON: Person,
    Subject.FLAG: Flag,
    Subject.POLICY: GuardPolicy,
    Subject.BREACH: Breach,
    Subject.HOLD: Hold,
    Subject.TICKET: Ticket,
}


@admin.register(Flag)
class FlagAdmin(ReadOnlyAdmin):
    """Show the flag; its only switch is the one that takes everybody back."""

    list_display = ("name", "shown_state", "note", "modified")
    fields = ("name", "shown_state", "note", "created", "modified")
    readonly_fields = ("shown_state",)
    change_form_template = "admin/rollout/flag.html"

    @admin.display(description="kill switch")
    def shown_state(self, flag: Flag) -> str:
        """Say whether the kill switch is on."""
        return badge("ON: everybody sees the legacy system", BAD) if flag.everyone is False else badge("off", GOOD)

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the kill switch, and the one with all ways to stop."""
        return [
            path("kill-switch/", self.admin_site.admin_view(self.switch_view), name="rollout_kill_switch"),
            path("stop/", self.admin_site.admin_view(partial(stop_view, self.admin_site)), name="rollout_stop"),
            *super().get_urls(),
        ]

    def switch_view(self, request: HttpRequest) -> HttpResponse:
        """Show what the switch would do and ask why; engage or release on POST."""
        if not request.user.has_perm(OPERATE):
            raise PermissionDenied
        killed = is_killed()
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            turn = release_kill_switch if request.POST.get("to") == "release" else engage_kill_switch
            turn(by=request.user.get_username(), at=timezone.now(), reason=form.cleaned_data["reason"])
            messages.success(request, "The kill switch is on." if is_killed() else "The kill switch is off.")
            return HttpResponseRedirect(reverse("admin:rollout_kill_switch"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Kill switch",
            "opts": self.opts,
            "killed": killed,
            "installed": Snapshot.objects.standing().count(),
            "form": form,
            "timeline": Event.objects.filter(subject=Subject.FLAG).order_by("-pk")[:TIMELINE],
        }
        return TemplateResponse(request, "admin/rollout/kill_switch.html", context)


@admin.register(Event)
class EventAdmin(QuickList, ReadOnlyAdmin):
    """Show the record; nobody adds to it, changes it or deletes from it by hand."""

    list_display = ("at", "subject_link", "kind", "from_state", "to_state", "by", "reason")
    list_filter = ("subject", ("kind", RecentValuesFilter), ("to_state", RecentValuesFilter), ("by", RecentValuesFilter), "at")
    search_fields = ("subject_pk",)
    search_help_text = "The number of what it is about, or the beginning of a person's name."
    narrowed_by = ("subject_pk",)
    fields = ("at", "subject_link", "kind", "from_state", "to_state", "by", "reason", "data")
    readonly_fields = ("subject_link",)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find what happened to one row, or to people whose names begin so; the index by subject serves both."""
        words = search_term.strip()
        if not words:
            return queryset, False
        if is_pk(words):
            return queryset.filter(subject__in=Subject.values, subject_pk=int(words)), False
        people = list(Person.objects.filter(user__startswith=words).order_by("user").values_list("pk", flat=True)[:FOUND])
        places = list(Enrolment.objects.filter(person__in=people).values_list("pk", flat=True))
        about = Q(subject=Subject.PERSON, subject_pk__in=people) | Q(subject=Subject.ENROLMENT, subject_pk__in=places)
        return queryset.filter(about), False

    @admin.display(description="about", ordering="subject")
    def subject_link(self, event: Event) -> str:
        """Return a link to what the event is about."""
        return link(MODELS[event.subject](pk=event.subject_pk), f"{event.subject} {event.subject_pk}")
