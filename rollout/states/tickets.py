"""States of a ticket: what somebody reported, from the report to its resolution and back."""

from typing import Final

from django.db.models import TextChoices

from rollout.states.tables import Table


class TicketState(TextChoices):
    """Where a ticket stands."""

    OPEN = "open", "open"
    ANSWERED = "answered", "answered"
    RESOLVED = "resolved", "resolved"
    REOPENED = "reopened", "reopened"


TICKET_NEXT: Final[Table[TicketState]] = {
    TicketState.OPEN: frozenset(
        {
            TicketState.ANSWERED,  # somebody wrote back to the person
            TicketState.RESOLVED,  # settled with the first answer
        }
    ),
    TicketState.ANSWERED: frozenset(
        {
            TicketState.RESOLVED,  # the cause is gone, or the person is content
            TicketState.REOPENED,  # the person wrote again: the answer was none
        }
    ),
    TicketState.RESOLVED: frozenset(
        {
            TicketState.REOPENED,  # it came back, or the person says that it was never gone
        }
    ),
    TicketState.REOPENED: frozenset(
        {
            TicketState.ANSWERED,  # somebody wrote back once more
            TicketState.RESOLVED,  # settled with that answer
        }
    ),
}
UNANSWERED: Final = frozenset({TicketState.OPEN, TicketState.REOPENED})  # the person waits, so a deadline runs
