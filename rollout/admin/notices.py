"""What people are told, what became of each message, who let a wave go on untold, and the maintenance calendar."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from migration.admin.columns import BAD, GOOD, NEUTRAL, NOTHING, WARNING, ReadOnlyAdmin, badge, link, list_link
from rollout.actions.agenda import Due, what_is_next
from rollout.actions.calendar import add_freeze, remove_freeze
from rollout.actions.messages import message_of
from rollout.actions.notice_edits import NoticeDraft, add_notice, edit_notice, remove_notice
from rollout.actions.notices import counts_of
from rollout.admin.acts import JoinedFilter, RolloutAdmin
from rollout.forms import FreezeForm, NoticeForm
from rollout.models import DeliveryState, Freeze, Moment, Notice, NoticeDelivery, NoticeWaiver, Plan, Wave
from rollout.timetable import in_words
from slots.admin.paging import QuickList

TONES = {
    DeliveryState.PENDING: NEUTRAL,
    DeliveryState.SENT: GOOD,
    DeliveryState.FAILED: BAD,
    DeliveryState.CANCELLED: WARNING,
}
COMING = 30  # things to come that are shown on a plan's page


def told_of(wave: Wave) -> list[tuple[str, str, list[Any]]]:
    """Return each notice of a wave's present date with its moment, and a link to the messages of each state."""
    found = []
    for row in counts_of(wave):
        chosen = {"wave__id__exact": wave.pk, "notice__id__exact": row["pk"]}
        links = [list_link(NoticeDelivery, row[state], **chosen, state__exact=state) for state in DeliveryState.values]
        found.append((row["name"], _moment(row["lead"], row["moment"]), links))
    return found


def coming_for(plan: Plan) -> list[Due]:
    """Return what happens next by itself in a plan."""
    return what_is_next(at=timezone.now(), plan=plan)[:COMING]


def _moment(lead: Any, moment: str) -> str:
    return f"{in_words(lead)} {'before the start' if moment == Moment.BEFORE_START else 'after the switch'}"


@admin.register(Notice)
class NoticeAdmin(RolloutAdmin):
    """Show what people are told and when; operators write it, and change what nobody was sent yet."""

    form = NoticeForm
    list_display = ("name", "plan", "phase", "channel", "when", "is_required", "sent")
    list_filter = ("channel", "moment", "is_required", "plan")
    search_fields = ("name", "subject", "body")
    list_select_related = ("plan", "phase__plan")
    fields = ("plan", "phase", "name", "channel", "moment", "lead", "subject", "body", "is_required", "reason")
    place = ("plan", "phase")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep a notice in its plan."""
        return self.place if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask why only whom may change it."""
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return self.fields if may else self.fields[:-1]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators write notices."""
        return request.user.has_perm("rollout.add_notice")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let operators change notices."""
        return request.user.has_perm("rollout.change_notice")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let operators take off what nothing was planned of."""
        unused = obj is None or not (obj.deliveries.exists() or obj.waivers.exists())
        return unused and request.user.has_perm("rollout.delete_notice")

    def save_model(self, request: HttpRequest, obj: Notice, form: "ModelForm[Notice]", change: bool) -> None:
        """Write or change the notice in the visitor's name."""
        who = {"by": request.user.get_username(), "at": timezone.now(), "reason": form.cleaned_data["reason"]}
        if change:
            names = [name for name in form.changed_data if name != "reason"]
            edit_notice(Notice.objects.get(pk=obj.pk), **who, **{name: form.cleaned_data[name] for name in names})
            return
        draft: NoticeDraft = form.draft()  # type: ignore[attr-defined]  # the form is a NoticeForm
        made = add_notice(obj.plan, phase=obj.phase, draft=draft, **who)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: Notice) -> None:
        """Take a notice off in the visitor's name."""
        remove_notice(obj, by=request.user.get_username(), at=timezone.now(), reason="taken off in the admin")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deleting of many: each edit is one."""
        return {}

    @admin.display(description="when", ordering="lead")
    def when(self, row: Notice) -> str:
        """Return when it is sent, in words."""
        return _moment(row.lead, row.moment)

    @admin.display(description="messages")
    def sent(self, row: Notice) -> str:
        """Return a link to what became of its messages."""
        return list_link(NoticeDelivery, "messages", notice__id__exact=row.pk)


@admin.register(NoticeDelivery)
class NoticeDeliveryAdmin(QuickList, ReadOnlyAdmin):
    """Show every message: to whom, when, what it said, and what became of it."""

    list_display = ("notice", "person", "wave_link", "schedule_version", "shown_state", "due_at", "sent_at", "tries", "error")
    list_filter = ("state", "notice__channel", ("wave", JoinedFilter))
    search_fields = ("enrolment__person__user__startswith",)
    search_help_text = "The beginning of a person's name."
    narrowed_by = ("wave__id__exact", "enrolment__id__exact")
    list_select_related = ("notice", "enrolment__person", "wave__phase__plan")
    fields = (
        "notice", "person", "address", "wave_link", "attempt", "schedule_version", "shown_state", "due_at", "sent_at", "tries",
        "error", "said",
    )  # fmt: skip
    readonly_fields = ("person", "wave_link", "shown_state", "said")

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Let the wave's page link to the messages of one notice."""
        return lookup == "notice__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="person")
    def person(self, row: NoticeDelivery) -> str:
        """Return a link to the person."""
        return link(row.enrolment.person)

    @admin.display(description="wave", ordering="wave")
    def wave_link(self, row: NoticeDelivery) -> str:
        """Return a link to the wave."""
        return link(row.wave)

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: NoticeDelivery) -> str:
        """Return the state as a badge."""
        return badge(row.get_state_display(), TONES[DeliveryState(row.state)])

    @admin.display(description="what it said")
    def said(self, row: NoticeDelivery) -> str:
        """Return the words that were handed over, whatever became of date and notice since."""
        message = message_of(row)
        if message is None:
            return NOTHING
        lines = format_html_join("", "<p>{}</p>", ((line,) for line in message.body.splitlines()))
        return format_html("<strong>{}</strong>{}", message.subject, lines)


@admin.register(NoticeWaiver)
class NoticeWaiverAdmin(ReadOnlyAdmin):
    """Show who let which wave go on without which notice."""

    list_display = ("notice", "wave", "attempt", "schedule_version", "by", "at", "reason")
    list_filter = ("by", "at")
    list_select_related = ("notice", "wave__phase__plan")
    fields = ("notice", "wave", "attempt", "schedule_version", "by", "at", "reason")


@admin.register(Freeze)
class FreezeAdmin(RolloutAdmin):
    """The maintenance calendar: when nobody is moved; operators add freezes and take them off."""

    form = FreezeForm
    list_display = ("starts_at", "ends_at", "of", "reason", "is_on", "set_by", "set_at")
    list_filter = ("starts_at", "plan")
    search_fields = ("reason", "set_by")
    list_select_related = ("plan",)
    date_hierarchy = "starts_at"
    fields = ("plan", "starts_at", "ends_at", "reason", "set_by", "set_at")
    asked = ("plan", "starts_at", "ends_at", "reason")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for plan, span and reason."""
        return self.fields if obj else self.asked

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form what time it is: a freeze that is over is refused."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.at = timezone.now()
        return form

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators add freezes."""
        return request.user.has_perm("rollout.add_freeze")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let operators take freezes off."""
        return request.user.has_perm("rollout.delete_freeze")

    def save_model(self, request: HttpRequest, obj: Freeze, form: "ModelForm[Freeze]", change: bool) -> None:
        """Add a freeze in the visitor's name."""
        made = add_freeze(
            starts_at=obj.starts_at,
            ends_at=obj.ends_at,
            plan=obj.plan,
            by=request.user.get_username(),
            at=timezone.now(),
            reason=obj.reason,
        )
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: Freeze) -> None:
        """Take a freeze off in the visitor's name."""
        remove_freeze(obj, by=request.user.get_username(), at=timezone.now(), reason="taken off in the admin")
        messages.info(request, "What else holds a wave goes on holding it.")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Freeze]) -> None:
        """Take freezes off in the visitor's name."""
        for row in queryset:
            self.delete_model(request, row)

    @admin.display(description="of", ordering="plan")
    def of(self, row: Freeze) -> str:
        """Return what it freezes."""
        return link(row.plan) if row.plan else "every plan"

    @admin.display(description="on", boolean=True)
    def is_on(self, row: Freeze) -> bool:
        """Say whether it is on now."""
        return row.starts_at <= timezone.now() < row.ends_at
