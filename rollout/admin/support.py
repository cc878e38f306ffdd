"""The support console: find a person, see what they see and why, take in what they report, and switch, defer or roll them back.

Whoever may do no more than that (`rollout.switch_person`) opens these pages and those of tickets: they link only to what is open.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.actions import Fact, facts_about, is_refused
from migration.admin.columns import GOOD, NEUTRAL, ReadOnlyAdmin, badge
from migration.admin.frames import LEGACY, SLOTS, framed
from migration.models import Customization, Person
from rollout.actions.deferrals import defer_person, withdraw_deferral
from rollout.actions.messages import messages_for
from rollout.actions.people import clear_override, override_person, why_not_slots
from rollout.actions.rollback import roll_back_person
from rollout.actions.support import (
    FOUND,
    Choices,
    choices_for,
    find_people,
    notices_to,
    places_of,
    what_keeps_person,
)
from rollout.actions.tickets import TicketDraft, open_ticket
from rollout.actions.timelines import timeline_of
from rollout.admin.acts import OPERATE, answering
from rollout.admin.tickets import rows_of
from rollout.errors import RolloutError
from rollout.forms import ActForm, DeferForm, ReasonForm, SwitchForm, TicketForm
from rollout.gates import Severity
from rollout.models import FlagOverride, standing_of
from rollout.waves import System

SWITCH = "rollout.switch_person"
REPORT = "rollout.add_ticket"
SEEN = 200  # snapshots and customizations shown


def _switch(person: Person, _choices: Choices, *, system: str, **said: Any) -> str:
    """Put somebody on a system, or leave them to their wave."""
    if system == SwitchForm.WAVE:
        decision = clear_override(person, **said)
    else:
        decision = override_person(person, system=System(system), **said)
    return f"{person} is on {decision.system}: {decision.why}."


def _roll_back(person: Person, _choices: Choices, **said: Any) -> str:
    """Take somebody back, whoever switched them."""
    report = roll_back_person(person, **said)
    if report.failed:
        return f"{person} sees the legacy system. Restoring what they had before is tried again by itself."
    return f"{person} is back; edits since the switch were set aside." if report.edited else f"{person} is back."


def _defer(person: Person, choices: Choices, *, to: Any, **said: Any) -> str:
    """Let somebody wait for a later wave."""
    if choices.place is None:
        raise Http404
    defer_person(choices.place, to=to, **said)
    return f"{person} waits for {to} now."


def _withdraw(person: Person, choices: Choices, **said: Any) -> str:
    """Give somebody their place back."""
    if choices.deferred is None:
        raise Http404
    withdraw_deferral(choices.deferred, **said)
    return f"{person} is back in {choices.deferred.wave}."


def _report(person: Person, _choices: Choices, *, severity: str, subject: str, reason: str, **said: Any) -> str:
    """Keep what somebody reported."""
    ticket = open_ticket(person, TicketDraft(Severity(severity), subject, reason), **said)
    return f"{ticket} is open, to be answered by {ticket.respond_by:%Y-%m-%d %H:%M} UTC."


@dataclass(frozen=True, slots=True)
class Deed:
    """Describe what support can do with one person; `is_open` says from their choices whether it is offered."""

    name: str
    label: str
    effect: str
    permissions: tuple[str, ...]
    is_open: Callable[[Choices], bool]
    run: Callable[..., str]
    form: type[ReasonForm] = ReasonForm
    is_grave: bool = False


DEEDS = (
    Deed(
        "roll-back",
        "Roll back",
        "They see the legacy system from the next page on, and get back what they had before the switch.",
        (SWITCH, OPERATE),
        lambda choices: choices.may_roll_back,
        _roll_back,
        is_grave=True,
    ),
    Deed(
        "switch",
        "Switch",
        "It holds whatever their wave says, from the next page on. To slots only with a proof that the pages stay the same.",
        (SWITCH,),
        lambda choices: True,
        _switch,
        form=SwitchForm,
    ),
    Deed(
        "defer",
        "Defer",
        "They stay counted in their wave as deferred, and move with the later one.",
        (SWITCH, OPERATE),
        lambda choices: choices.may_defer,
        _defer,
        form=DeferForm,
    ),
    Deed(
        "withdraw",
        "Withdraw the deferral",
        "They move with their first wave again, and give up their place in the later one. It counts as a deferral all the same.",
        (SWITCH, OPERATE),
        lambda choices: choices.deferred is not None,
        _withdraw,
    ),
    Deed(
        "ticket",
        "Open a ticket",
        "Kept with the person, and counted in the metrics of the plan whose wave had moved them. Its deadline begins to run.",
        (REPORT,),
        lambda choices: True,
        _report,
        form=TicketForm,
    ),
)


@admin.register(FlagOverride)
class FlagOverrideAdmin(ReadOnlyAdmin):
    """Show whom support switched, and hold the console's pages."""

    list_display = ("person_link", "system", "by", "at", "reason")
    list_filter = ("system", "by")
    search_fields = ("person__user", "person__email", "reason")
    list_select_related = ("person",)
    change_list_template = "admin/rollout/overrides.html"

    @admin.display(description="person", ordering="person__user")
    def person_link(self, row: FlagOverride) -> str:
        """Return a link to support's page of the person."""
        return format_html('<a href="{}">{}</a>', _address(row.person_id), row.person)

    def get_urls(self) -> list[URLPattern]:
        """Add the search, the page of a person, its frames, and what can be done there."""
        guard = self.admin_site.admin_view
        return [
            path("person/", guard(self.find_view), name="rollout_find_person"),
            path("person/<int:pk>/", guard(self.person_view), name="rollout_person"),
            path("person/<int:pk>/<slug:name>/", guard(self.person_view), name="rollout_person_deed"),
            path(
                "person/<int:pk>/customization/<int:customization>/<str:side>/<int:index>/",
                guard(self.frame_view),
                name="rollout_person_frame",
            ),
            *super().get_urls(),
        ]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Find people by external id, address or number; where one alone fits, show their page at once."""
        self._require_console(request)
        words = request.GET.get("q", "").strip()
        people = find_people(words)
        if len(people) == 1:
            return HttpResponseRedirect(_address(people[0].pk))
        context = {
            **self.admin_site.each_context(request),
            "title": "Find a person",
            "opts": self.opts,
            "words": words,
            "people": people[:FOUND],
            "is_cut": len(people) > FOUND,
            "limit": FOUND,
        }
        return TemplateResponse(request, "admin/rollout/find_person.html", context)

    def person_view(self, request: HttpRequest, pk: int, name: str = "switch") -> HttpResponse:
        """Show what a person sees, why, and how it came to that; on POST do the deed of that name."""
        self._require_console(request)
        person = get_object_or_404(Person, pk=pk)
        chosen = next((deed for deed in DEEDS if deed.name == name), None)
        if chosen is None:
            raise Http404
        at, choices = timezone.now(), choices_for(person)
        forms: dict[str, ReasonForm] = {}
        if request.method == "POST":
            if not _may(request, chosen):
                raise PermissionDenied
            form = forms[name] = _form(chosen, person, choices, request.POST)
            if form.is_valid() and self._do(request, person, chosen, choices, form, at=at):
                return HttpResponseRedirect(_address(pk))
        return TemplateResponse(request, "admin/rollout/person.html", self._shown(request, person, choices, forms, at=at))

    def frame_view(self, request: HttpRequest, pk: int, customization: int, side: str, index: int) -> HttpResponse:
        """Return one system's page of one of the person's customizations, for a sandboxed frame."""
        self._require_console(request)
        if not Customization.objects.filter(pk=customization, person=pk).exists():
            raise Http404
        return framed(request, customization, side, index)

    def _do(self, request: HttpRequest, person: Person, deed: Deed, choices: Choices, form: ReasonForm, *, at: datetime) -> bool:
        """Do what a form says, and say what the person sees now; False where it was refused."""
        more = {key: value for key, value in form.cleaned_data.items() if key != "versions"}
        if isinstance(form, ActForm) and choices.place is not None:  # what the page showed, not what there is now
            choices.place.version = form.cleaned_data["versions"].get(choices.place.pk, 0)
        try:
            with answering():
                said = deed.run(person, choices, by=request.user.get_username(), at=at, **more)
        except RolloutError as refused:
            form.add_error(None, f"{refused.code}: {refused}")
            return False
        messages.success(request, said)
        return True

    def _shown(
        self, request: HttpRequest, person: Person, choices: Choices, forms: Mapping[str, ReasonForm], *, at: datetime
    ) -> dict[str, Any]:
        """Return what the page of a person shows; a form that was refused in place of an empty one."""
        decision = standing_of(person.key).decide()
        with_tickets = request.user.has_perm("rollout.view_ticket")
        offered = [deed for deed in DEEDS if _may(request, deed) and (deed.is_open(choices) or deed.name in forms)]
        return {
            **self.admin_site.each_context(request),
            "title": str(person),
            "opts": self.opts,
            "person": person,
            "decision": decision,
            "shown_system": badge(decision.system, GOOD if decision.system == System.SLOTS else NEUTRAL),
            "override": FlagOverride.objects.filter(person=person).first(),
            "place": choices.latest,
            "standstills": what_keeps_person(choices.latest, at=at),
            "deeds": [(deed, forms.get(deed.name) or _form(deed, person, choices)) for deed in offered],
            "components": _components(person),
            "places": places_of(person),
            "snapshots": person.snapshots.order_by("-pk")[:SEEN],
            "notices": notices_to(person),
            "told": messages_for(person),
            "tickets": rows_of(person, request.user) if with_tickets else None,
            "happenings": timeline_of(person, with_tickets=with_tickets),
        }

    def _require_console(self, request: HttpRequest) -> None:
        if not (request.user.has_perm(SWITCH) or self.has_view_permission(request)):
            raise PermissionDenied


def _address(pk: int) -> str:
    return reverse("admin:rollout_person", args=[pk])


def _may(request: HttpRequest, deed: Deed) -> bool:
    return any(request.user.has_perm(permission) for permission in deed.permissions)


def _form(deed: Deed, person: Person, choices: Choices, data: Any = None) -> ReasonForm:
    """Return the form of a deed, its fields named apart from those of the others on the page."""
    options: dict[str, Any] = {"auto_id": f"id_{deed.name}_%s"}
    if issubclass(deed.form, ActForm):
        rows = [choices.place] if choices.place is not None else []
        options |= {"rows": rows, "initial": {"versions": {row.pk: row.version for row in rows}}}
    if issubclass(deed.form, SwitchForm) and data is None:
        options["unproven"] = why_not_slots(person)
    return deed.form(data, **options)


def _components(person: Person) -> list[dict[str, Any]]:
    """Return the person's active customizations, each with the frames of its samples on both systems, in eight queries."""
    rows = Customization.objects.active().filter(person=person).select_related("component", "translation__target").defer("diff")
    shown = list(rows.order_by("component_key", "pk")[:SEEN])
    facts = {fact.customization.pk: fact for fact in facts_about([row.pk for row in shown])}
    return [
        {"row": row, "fact": facts[row.pk], "samples": _samples(row, facts[row.pk]) if row.pk in facts else ()} for row in shown
    ]


def _samples(row: Customization, fact: Fact) -> list[dict[str, str]]:
    """Return the samples of the version that is shown, each with the addresses of its two frames; none where none renders."""
    if fact.translation is None or fact.translation.body_id is None or row.translation is None or is_refused(fact):
        return []

    def frame(side: str, index: int) -> str:
        return reverse("admin:rollout_person_frame", args=[row.person_id, row.pk, side, index])

    samples = enumerate(row.translation.target.sample_contexts)
    return [{"name": each.name, "legacy": frame(LEGACY, index), "slots": frame(SLOTS, index)} for index, each in samples]
