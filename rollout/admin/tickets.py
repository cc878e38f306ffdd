"""Tickets: what people reported, by when somebody has to answer, and what was done about it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.admin.columns import BAD, NEUTRAL, NOTHING, WARNING, badge, link
from migration.models import Person
from rollout.actions.tickets import answer_ticket, regrade_ticket, reopen_ticket, resolve_ticket
from rollout.admin.acts import Act, ActsAdmin, JoinedFilter
from rollout.admin.overview import OF_TICKETS
from rollout.forms import AnswerForm, RegradeForm, ResolveForm
from rollout.gates import Severity
from rollout.models import Ticket
from rollout.states import TICKET_NEXT, TicketState, sources_of
from rollout.templatetags.rollout import moment
from rollout.tickets import RESPONSE, Urgency
from rollout.timetable import in_words
from slots.admin.paging import QuickList, RecentValuesFilter

HANDLE = "rollout.change_ticket"
TONES = {Urgency.AHEAD: NEUTRAL, Urgency.NEAR: WARNING, Urgency.OVERDUE: BAD}
GRADES = {Severity.CRITICAL.value: BAD, Severity.HIGH.value: WARNING}
SHOWN = 50  # tickets of a person on one page
EVER = frozenset(state.value for state in TicketState)


def state_of(ticket: Ticket) -> str:
    """Return the state as a badge."""
    return badge(ticket.state_label, OF_TICKETS[TicketState(ticket.state)])


def severity_of(ticket: Ticket) -> str:
    """Return the severity as a badge."""
    return badge(ticket.severity, GRADES.get(ticket.severity, NEUTRAL))


def deadline_of(ticket: Ticket) -> str:
    """Return how long is left for an answer, in words and colour; a dash where nobody waits for one."""
    found = ticket.deadline(timezone.now())
    return badge(found.in_words, TONES[found.urgency]) if found is not None else NOTHING


def _answer(ticket: Ticket, **said: Any) -> str:
    answer_ticket(ticket, **said)
    return "is answered."


def _resolve(ticket: Ticket, **said: Any) -> str:
    resolve_ticket(ticket, **said)
    return "is resolved."


def _reopen(ticket: Ticket, **said: Any) -> str:
    reopen_ticket(ticket, **said)
    return f"is open again, to be answered by {ticket.respond_by:%Y-%m-%d %H:%M} UTC."


def _regrade(ticket: Ticket, **said: Any) -> str:
    changed = regrade_ticket(ticket, **said)
    return f"is {ticket.severity} now." if changed else f"is {ticket.severity} already."


def _effect_of_reopening(ticket: Ticket) -> Sequence[str]:
    span = in_words(RESPONSE[Severity(ticket.severity)])
    return [f"{ticket.person} waits for an answer again, {span} from now on."]


ACTS = (
    Act(
        "answer",
        "Answer",
        HANDLE,
        frozenset(sources_of(TICKET_NEXT, TicketState.ANSWERED)),
        lambda ticket: ["The answer is kept, and no deadline runs until the person writes again. Phoenix sends nothing."],
        _answer,
        form=AnswerForm,
        leads_in=frozenset(sources_of(TICKET_NEXT, TicketState.ANSWERED)),
    ),
    Act(
        "resolve",
        "Resolve",
        HANDLE,
        frozenset(sources_of(TICKET_NEXT, TicketState.RESOLVED)),
        lambda ticket: ["It counts as settled, from its report until now."],
        _resolve,
        form=ResolveForm,
        leads_in=frozenset({TicketState.ANSWERED.value}),
    ),
    Act(
        "reopen",
        "Reopen",
        HANDLE,
        frozenset(sources_of(TICKET_NEXT, TicketState.REOPENED)),
        _effect_of_reopening,
        _reopen,
    ),
    Act(
        "regrade",
        "Change the severity",
        HANDLE,
        EVER,
        lambda ticket: [f"It is {ticket.severity} now. Its deadline is counted anew from when the person began to wait."],
        _regrade,
        form=RegradeForm,
    ),
)


def rows_of(person: Person, user: Any) -> list[tuple[Ticket, str, str, str, list[tuple[Act, str]]]]:
    """Return a person's tickets, the latest first, as a page shows them: with the acts that are open to whoever looks."""
    tickets = list(person.tickets.order_by("-pk")[:SHOWN])
    may = user.has_perm(HANDLE)
    return [
        (ticket, severity_of(ticket), state_of(ticket), deadline_of(ticket), _acts_on(ticket) if may else [])
        for ticket in tickets
    ]


def _acts_on(ticket: Ticket) -> list[tuple[Act, str]]:
    open_ones = [act for act in ACTS if ticket.state in act.states]
    return [(act, f"{reverse('admin:rollout_ticket_act', args=[act.name])}?ids={ticket.pk}") for act in open_ones]


class PressingFilter(admin.SimpleListFilter):
    """Offer the tickets whose deadline is over, and those whose deadline is near too."""

    title = "deadline"
    parameter_name = "deadline"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what is offered."""
        return [(Urgency.OVERDUE.value, "overdue"), (Urgency.NEAR.value, "near or overdue"), ("waiting", "waiting for an answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the rows that were asked for, in the list's own order."""
        at, rows = timezone.now(), Ticket.objects.all()
        chosen = {
            Urgency.OVERDUE.value: rows.overdue(at),
            Urgency.NEAR.value: rows.pressing(at),
            "waiting": rows.unanswered(),
        }.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(pk__in=chosen.order_by().values("pk"))


@admin.register(Ticket)
class TicketAdmin(QuickList, ActsAdmin):
    """Show tickets with their deadlines; support answers, resolves, reopens and grades them. A person's page opens them."""

    list_display = (
        "title", "person_link", "shown_severity", "shown_state", "shown_deadline", "wave", "reported_at", "handled_by", "source",
    )  # fmt: skip
    list_filter = (PressingFilter, "state", "severity", ("source", RecentValuesFilter), ("wave", JoinedFilter))
    search_fields = ("person__user__startswith", "person__email__startswith")
    search_help_text = "The beginning of a person's name or address."
    narrowed_by = ("person__id__exact", "wave__id__exact", PressingFilter.parameter_name)
    list_select_related = ("person", "wave__phase")
    fields = (
        "subject", "text", "person_link", "wave", "plan_link", "shown_severity", "shown_state", "shown_deadline", "source",
        "external_id", "reported_at", "waiting_since", "respond_by", "answered_at", "resolved_at", "opened_by", "handled_by",
    )  # fmt: skip
    readonly_fields = ("person_link", "plan_link", "shown_severity", "shown_state", "shown_deadline")
    change_form_template = "admin/rollout/ticket.html"
    acts = ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring person, wave and plan in the same query."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("person", "wave__phase__plan")
        return rows

    def more_context(self, row: Ticket) -> dict[str, Any]:
        """Return what the page begins with."""
        facts: list[tuple[str, Any]] = [("Severity", severity_of(row)), ("Person", self.person_link(row))]
        if row.is_unanswered:
            facts.append(("Answer", format_html("{} by {}", deadline_of(row), moment(row.respond_by))))
        facts.append(("Reported", moment(row.reported_at)))
        if row.wave is not None:
            facts += [("Wave", link(row.wave)), ("Plan", link(row.wave.phase.plan))]
        if row.answered_at is not None:
            facts.append(("First answer after", _span(row.answered_at - row.reported_at)))
        if row.resolved_at is not None:
            facts.append(("Resolved after", _span(row.resolved_at - row.reported_at)))
        return {"facts": facts}

    @admin.display(description="ticket", ordering="subject")
    def title(self, row: Ticket) -> str:
        """Return what it is about."""
        return str(row)

    @admin.display(description="person", ordering="person__user")
    def person_link(self, row: Ticket) -> str:
        """Return a link to support's page of the person."""
        return format_html('<a href="{}">{}</a>', reverse("admin:rollout_person", args=[row.person_id]), row.person)

    @admin.display(description="plan")
    def plan_link(self, row: Ticket) -> str:
        """Return a link to the plan of the wave."""
        return link(row.wave.phase.plan if row.wave else None)

    @admin.display(description="severity", ordering="severity")
    def shown_severity(self, row: Ticket) -> str:
        """Return the severity as a badge."""
        return severity_of(row)

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: Ticket) -> str:
        """Return the state as a badge."""
        return state_of(row)

    @admin.display(description="answer", ordering="respond_by")
    def shown_deadline(self, row: Ticket) -> str:
        """Return how long is left for an answer."""
        return deadline_of(row)


def _span(took: Any) -> str:
    return in_words(took) if took.total_seconds() >= 60 else "less than a minute"
