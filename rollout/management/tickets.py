"""Acts of `manage.py tickets`: what people report, answered and resolved from the shell as on the pages of support."""

from django.core.management.base import CommandParser

from migration.management.imports import SHOWN, existing
from rollout.actions.candidates import person_named
from rollout.actions.ticket_imports import import_tickets
from rollout.actions.tickets import TicketDraft, answer_ticket, open_ticket, regrade_ticket, reopen_ticket, resolve_ticket
from rollout.gates import Severity
from rollout.management.acts import Act, act_on, who
from rollout.models import Ticket
from rollout.states import TicketState
from rollout.tickets import Urgency
from slots.management.base import Deed, Report, rejected_as_json

MOST = 1_000  # tickets that one list shows
GRADES = [each.value for each in Severity]


def _list_options(parser: CommandParser) -> None:
    parser.add_argument("--state", default="", choices=["", *TicketState.values], metavar="STATE", help="Only those.")
    parser.add_argument("--severity", default="", choices=["", *GRADES], metavar="SEVERITY", help="Only those.")
    parser.add_argument("--user", default="", metavar="USER", help="Only those of this person.")
    parser.add_argument("--pressing", action="store_true", help="Only those near their deadline or past it, these first.")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help=f"So many at most, up to {MOST}.")


def _list(deed: Deed, *, state: str, severity: str, user: str, pressing: bool, limit: int) -> Report:
    rows = Ticket.objects.pressing(deed.at) if pressing else Ticket.objects.order_by("-pk")
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(severity=severity) if severity else rows
    rows = rows.filter(person=person_named(user)) if user else rows
    tickets = list(rows.select_related("person", "wave__phase__plan")[: max(1, min(limit, MOST))])
    shown = [ticket.as_json(at=deed.at) for ticket in tickets]
    overdue = sum(ticket["urgency"] == Urgency.OVERDUE for ticket in shown)
    lines = [f"{len(shown)} tickets, {overdue} of them overdue.", *(line for ticket in tickets for line in _lines(ticket, deed))]
    return Report({"total": len(shown), "overdue": overdue, "tickets": shown}, lines)


def _lines(ticket: Ticket, deed: Deed) -> list[str]:
    deadline = ticket.deadline(deed.at)
    due = f", {deadline.in_words}" if deadline is not None else ""
    return [f"  {ticket}: {ticket.person}, {ticket.severity}, {ticket.state_label}{due}"]


def _open_options(parser: CommandParser) -> None:
    parser.add_argument("user", metavar="USER", help="Who reports it, as the site calls them.")
    parser.add_argument("--severity", required=True, choices=GRADES, metavar="SEVERITY", help="critical, high, medium or low.")
    parser.add_argument("--subject", required=True, metavar="TEXT", help="What it is about, in a line.")
    parser.add_argument("--text", default="", help="What they said.")


def _open(deed: Deed, *, user: str, severity: str, subject: str, text: str) -> Report:
    ticket = open_ticket(person_named(user), TicketDraft(Severity(severity), subject, text), by=deed.by, at=deed.at)
    return _said(ticket, deed)


def _answer(ticket: Ticket, deed: Deed) -> Report:
    answer_ticket(ticket, **who(deed))
    return _said(ticket, deed)


def _resolve(ticket: Ticket, deed: Deed) -> Report:
    resolve_ticket(ticket, **who(deed))
    return _said(ticket, deed)


def _reopen(ticket: Ticket, deed: Deed) -> Report:
    reopen_ticket(ticket, **who(deed))
    return _said(ticket, deed)


def _regrade_options(parser: CommandParser) -> None:
    parser.add_argument("--severity", required=True, choices=GRADES, metavar="SEVERITY", help="critical, high, medium or low.")


def _regrade(ticket: Ticket, deed: Deed, *, severity: str) -> Report:
    regrade_ticket(ticket, severity=Severity(severity), **who(deed))
    return _said(ticket, deed)


def _said(ticket: Ticket, deed: Deed) -> Report:
    return Report(ticket.as_json(at=deed.at), [line.strip() for line in _lines(ticket, deed)])


def _import_options(parser: CommandParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON Lines, one ticket a line.")


def _import(deed: Deed, *, files: list[str]) -> Report:
    done = import_tickets(existing(files, folders=False), by=deed.by, at=deed.at)
    rejected = rejected_as_json(done.rejected)
    counts = {"imported": done.imported, "updated": done.updated, "unchanged": done.unchanged}
    lines = [f"Imported {done.imported}, moved on {done.updated}, unchanged {done.unchanged}."]
    lines += [f"{source}:{each.line} {each.code}: {each.text}" for source, each in done.rejected[:SHOWN]]
    if len(rejected) > SHOWN:
        lines.append(f"… and {len(rejected) - SHOWN} more; --json lists them all.")
    needed = f"{len(rejected)} tickets were refused; correct them and import again." if rejected else ""
    return Report({**counts, "rejected": rejected}, lines, needed)


ACTS: tuple[Act, ...] = (
    Act("list", "List tickets, the newest first.", _list, _list_options),
    Act("open", "Keep what somebody reported.", _open, _open_options),
    act_on(Ticket, "answer", "Note what the person was answered (--reason).", _answer),
    act_on(Ticket, "resolve", "Note how it was settled (--reason).", _resolve),
    act_on(Ticket, "reopen", "Note that the person waits again (--reason).", _reopen),
    act_on(Ticket, "regrade", "Give a ticket another severity (--reason).", _regrade, _regrade_options),
    Act(
        "import",
        "Take in the tickets of a helpdesk; each once, and again as far as it went on with them.",
        _import,
        _import_options,
    ),
)
