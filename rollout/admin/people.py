"""People in waves, and what they had before their switch."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from migration.admin.columns import BAD, GOOD, NEUTRAL, ReadOnlyAdmin, badge, link
from migration.models import Customization
from rollout.actions.deferrals import defer_person, require_withdrawable, withdraw_deferral
from rollout.actions.people import exclude_person, require_queueable, retry_people
from rollout.actions.prevalidation import prevalidate_person, require_ahead
from rollout.actions.rollback import roll_back_person
from rollout.admin.acts import OPERATE, Act, ActsAdmin, JoinedFilter, state_badge
from rollout.errors import MoveRefused
from rollout.forms import DeferForm
from rollout.jobs import wake_wave
from rollout.models import Enrolment, Snapshot, Wave
from rollout.states import NOT_BEGUN, PERSON_NEXT, STUCK, UNDONE_FROM, WAITING, WORKING, PersonState, sources_of
from slots.admin.columns import list_address
from slots.admin.links import Related
from slots.admin.paging import QuickList, RecentCodesFilter


def _retry(row: Enrolment, **who: Any) -> str:
    _require_at_work(row)
    count = retry_people(row.wave, people=[row.person], **who)
    wake_wave(row.wave_id)
    return "is queued again." if count else "is not stuck any more."


def _require_at_work(row: Enrolment, **_who: Any) -> None:
    require_queueable(row.wave)
    if not row.is_live:
        raise MoveRefused(str(row), row.state_label, "queued again: the place counts no more")


def _exclude(row: Enrolment, **who: Any) -> str:
    exclude_person(row, **who)
    return "is left out and free for another wave."


def _defer(row: Enrolment, *, to: Wave, **who: Any) -> str:
    defer_person(row, to=to, **who)
    return f"waits for {to} now."


def _prove(row: Enrolment, *, by: str, at: datetime, reason: str) -> str:
    found = prevalidate_person(row, by=by, at=at, reason=reason)
    return f"is not proven. {found.text} ({found.code})" if found else "is proven."


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

    list_display_links = ("shown_state",)
    list_display = ("person_link", "wave_link", "shown_state", "code", "attempt", "tries", "switched_at", "updated_at")
    list_filter = ("state", "is_live", ("code", RecentCodesFilter), ("wave", JoinedFilter))
    search_fields = ("person__user__startswith", "person__email__startswith")
    search_help_text = "The beginning of a person's name or address."
    narrowed_by = ("wave__id__exact", "person__id__exact")
    fields = (
        "person_link", "switch_link", "wave_link", "plan_link", "shown_state", "chosen_for", "code", "text", "counts", "attempt",
        "tries", "deferrals", "retry_at", "switched_at", "lease_until", "updated_at",
    )  # fmt: skip
    readonly_fields = ("person_link", "switch_link", "wave_link", "plan_link", "shown_state", "counts")
    list_select_related = ("person", "wave__phase")
    acts = (
        Act(
            "retry",
            "Try again",
            OPERATE,
            frozenset(STUCK | {PersonState.ROLLED_BACK, PersonState.ENROLLED}),
            lambda row: ["Queued again, with all tries."],
            _retry,
            leads_in=frozenset(STUCK),
            check=_require_at_work,
        ),
        Act(
            "exclude",
            "Leave out",
            OPERATE,
            frozenset(sources_of(PERSON_NEXT, PersonState.EXCLUDED)),
            lambda row: ["Stays on the legacy system and is free for another wave."],
            _exclude,
        ),
        Act(
            "prevalidate",
            "Prove ahead",
            OPERATE,
            NOT_BEGUN,
            lambda row: ["Translated and validated now. They are not moved and see no other page."],
            _prove,
            check=lambda row, **_who: require_ahead(row),
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
            check=lambda row, **_who: require_withdrawable(row),
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

    @admin.display(description="place", ordering="is_live")
    def counts(self, row: Enrolment) -> str:
        """Say whether the place counts, so that no other wave takes the person."""
        return "counts" if row.is_live else "past"

    @admin.display(description="wave", ordering="wave")
    def wave_link(self, row: Enrolment) -> str:
        """Return a link to the wave."""
        return link(row.wave)

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: Enrolment) -> str:
        """Return the state as a badge."""
        return state_badge(row.state, row.state_label)


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
