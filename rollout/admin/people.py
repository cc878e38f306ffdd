"""People in waves, and support's switch of one person."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.admin.columns import BAD, GOOD, NEUTRAL, ReadOnlyAdmin, badge, link
from migration.models import Customization, Person
from rollout.actions.deferrals import defer_person, withdraw_deferral
from rollout.actions.people import clear_override, exclude_person, override_person, retry_people
from rollout.actions.rollback import roll_back_person
from rollout.actions.timelines import timeline_of
from rollout.admin.acts import OPERATE, Act, ActsAdmin, JoinedFilter, state_badge
from rollout.errors import RolloutError
from rollout.forms import DeferForm, SwitchForm
from rollout.jobs import wake_wave
from rollout.models import Enrolment, FlagOverride, Snapshot, Wave, standing_of
from rollout.states import NOT_BEGUN, PERSON_NEXT, STUCK, UNDONE_FROM, WAITING, WORKING, PersonState, sources_of
from rollout.waves import System
from slots.admin.columns import list_address
from slots.admin.links import Related
from slots.admin.paging import QuickList, RecentCodesFilter

SWITCH = "rollout.switch_person"
FOUND = 50  # people shown for a search


def _retry(row: Enrolment, **who: Any) -> str:
    count = retry_people(row.wave, people=[row.person], **who)
    wake_wave(row.wave_id)
    return "is queued again." if count else "is not stuck any more."


def _exclude(row: Enrolment, **who: Any) -> str:
    exclude_person(row, **who)
    return "is left out and free for another wave."


def _defer(row: Enrolment, *, to: Wave, **who: Any) -> str:
    defer_person(row, to=to, **who)
    return f"waits for {to} now."


def _withdraw(row: Enrolment, **who: Any) -> str:
    withdraw_deferral(row, **who)
    return "is back in their wave."


def _effect_of_deferring(row: Enrolment) -> list[str]:
    plan = row.plan
    return [
        "Stays counted in this wave as deferred, and moves with the later one.",
        f"Deferred {row.deferrals} times so far; the plan allows {plan.max_deferrals}, and a wave up to "
        f"{plan.deferral_limit.days} days later.",
    ]


def _roll_back(row: Enrolment, **who: Any) -> str:
    report = roll_back_person(row.person, **who)
    return "is back; edits since the switch were set aside." if report.edited else "is back."


@admin.register(Enrolment)
class EnrolmentAdmin(QuickList, ActsAdmin):
    """Show people's places in waves, and why they stand where they stand."""

    list_display = ("person_link", "wave_link", "shown_state", "code", "is_live", "attempt", "tries", "switched_at", "updated_at")
    list_filter = ("state", "is_live", ("code", RecentCodesFilter), ("wave", JoinedFilter))
    search_fields = ("person__user__startswith", "person__email__startswith")
    search_help_text = "The beginning of a person's name or address."
    narrowed_by = ("wave__id__exact", "person__id__exact")
    fields = (
        "person_link", "switch_link", "wave_link", "plan_link", "shown_state", "chosen_for", "code", "text", "is_live", "attempt",
        "tries", "deferrals", "retry_at", "switched_at", "lease_until", "updated_at",
    )  # fmt: skip
    readonly_fields = ("person_link", "switch_link", "wave_link", "plan_link", "shown_state")
    list_select_related = ("person", "wave__phase")
    acts = (
        Act(
            "retry",
            "Try again",
            OPERATE,
            frozenset(STUCK | {PersonState.ROLLED_BACK, PersonState.ENROLLED}),
            lambda row: ["Queued again. Refused where the wave is not at work any more: name the person for another wave then."],
            _retry,
            leads_in=frozenset(STUCK),
        ),
        Act(
            "exclude",
            "Leave out",
            OPERATE,
            frozenset(sources_of(PERSON_NEXT, PersonState.EXCLUDED)),
            lambda row: ["Stays on the legacy system and is free for another wave."],
            _exclude,
        ),
        Act("defer", "Defer", OPERATE, NOT_BEGUN, _effect_of_deferring, _defer, form=DeferForm),
        Act(
            "withdraw",
            "Withdraw the deferral",
            OPERATE,
            frozenset({PersonState.DEFERRED}),
            lambda row: [
                "Moves with this wave again; their place in the later one is given up. It counts as a deferral all the same."
            ],
            _withdraw,
        ),
        Act(
            "rollback",
            "Roll back",
            OPERATE,
            frozenset(UNDONE_FROM | WORKING | WAITING),
            lambda row: ["Sees the legacy system from the next page on, and gets back what they had before the switch."],
            _roll_back,
            is_grave=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring person and wave in the same query."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("person", "wave__phase", "plan")
        return rows

    @admin.display(description="person", ordering="person__user")
    def person_link(self, row: Enrolment) -> str:
        """Return a link to the person."""
        return link(row.person)

    def related_links(self, request: HttpRequest, row: Enrolment) -> list[Related]:
        """Lead to what belongs to the person too: customizations, snapshots, other places."""
        of_person = [
            Related(f"{label} of the person", list_address(model, person__id__exact=row.person_id))
            for label, model in (("Customizations", Customization), ("Snapshots", Snapshot), ("Places", Enrolment))
            if self._may_see(request, model)
        ]
        return super().related_links(request, row) + of_person

    @admin.display(description="plan", ordering="plan")
    def plan_link(self, row: Enrolment) -> str:
        """Return a link to the plan."""
        return link(row.plan)

    @admin.display(description="system")
    def switch_link(self, row: Enrolment) -> str:
        """Return a link to support's page of the person."""
        return format_html('<a href="{}">Which system, and why</a>', reverse("admin:rollout_person", args=[row.person_id]))

    @admin.display(description="wave", ordering="wave")
    def wave_link(self, row: Enrolment) -> str:
        """Return a link to the wave."""
        return link(row.wave)

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: Enrolment) -> str:
        """Return the state as a badge."""
        return state_badge(row.state, row.state_label)


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
        """Find people by the beginning of external id or address; each one's page says which system they are on."""
        if not (request.user.has_perm(SWITCH) or self.has_view_permission(request)):
            raise PermissionDenied
        words = request.GET.get("q", "").strip()
        people = (
            list((Person.objects.filter(user__startswith=words) | Person.objects.filter(email__startswith=words))[:FOUND])
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
            "happenings": timeline_of(person),
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


@admin.register(Snapshot)
class SnapshotAdmin(QuickList, ReadOnlyAdmin):
    """Show what people had before their switch, and what was set aside when it was restored."""

    list_display = ("person", "taken_at", "standing", "edited", "act")
    list_filter = (("restored_at", admin.EmptyFieldListFilter), "taken_at")
    search_fields = ("person__user__startswith",)
    search_help_text = "The beginning of a person's name."
    narrowed_by = ("person__id__exact", "enrolment__id__exact")
    list_select_related = ("person",)

    @admin.display(description="state", ordering="restored_at")
    def standing(self, row: Snapshot) -> str:
        """Say whether the switch stands."""
        return badge("restored", NEUTRAL) if row.restored_at else badge("standing", GOOD)

    @admin.display(description="edits set aside")
    def edited(self, row: Snapshot) -> str:
        """Say how many edits were set aside."""
        return badge(str(len(row.set_aside)), BAD) if row.set_aside else "–"
