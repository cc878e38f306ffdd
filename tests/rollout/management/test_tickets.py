"""Tickets from the shell: listed, opened, answered, resolved, and taken in from a helpdesk's file."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollout.actions.ticket_imports import import_tickets
from rollout.actions.tickets import TicketDraft, open_ticket, reopen_ticket, resolve_ticket
from rollout.gates import Severity
from rollout.models import Event, Ticket
from tests.rollout.conftest import AT, SAID
from tests.rollout.management.test_commands import run

__all__ = ["run"]
pytestmark = pytest.mark.django_db
REPORTED = datetime(2026, 11, 2, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RECORD = {
    "external_id": "4711",
    "user": "ann",
    "severity": "high",
    "subject": "The button is gone",
    "reported_at": "2026-11-02T10:00:00Z",
}
ANSWERED = {**RECORD, "answered_at": "2026-11-02T10:10:00Z"}
RESOLVED = {**ANSWERED, "resolved_at": "2026-11-02T11:00:00Z"}


@pytest.fixture
def file_of(tmp_path):
    """What writes records, or lines as they are, into a file."""

    def write(*records, name="tickets.jsonl"):
        path = tmp_path / name
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def ann(customer):
    """A person whom the helpdesk knows too."""
    return customer("ann")


def counts(said):
    return said["imported"], said["updated"], said["unchanged"]


def moves(ticket):
    return list(Event.objects.about("ticket", ticket.pk).order_by("pk").values_list("to_state", "reason"))


def test_a_ticket_is_opened_answered_resolved_and_reopened(run, ann):
    opened, code = run("tickets", "open", "ann", "--severity", "high", "--subject", "Gone", "--text", "help", "--by", "sue")
    assert (opened["state"], opened["user"], opened["opened_by"], opened["urgency"], code) == ("open", "ann", "sue", "ahead", 0)

    pk = str(opened["pk"])
    answered, _ = run("tickets", "answer", pk, "--by", "sue", "--reason", "we look")
    resolved, _ = run("tickets", "resolve", pk, "--by", "sue", "--reason", "put back")
    reopened, _ = run("tickets", "reopen", pk, "--reason", "gone again")
    regraded, _ = run("tickets", "regrade", pk, "--severity", "low", "--reason", "nobody else")

    assert [each["state"] for each in (answered, resolved, reopened, regraded)] == [
        "answered",
        "resolved",
        "reopened",
        "reopened",
    ]
    assert (answered["respond_by"], regraded["severity"]) == (None, "low")
    assert [reason for _, reason in moves(Ticket.objects.get())] == ["Gone", "we look", "put back", "gone again", "nobody else"]


def test_what_cannot_be_done_is_refused_with_its_code(run, ann):
    assert run("tickets", "open", "nobody", "--severity", "high", "--subject", "Gone") == (
        {
            "error": {
                "code": "PERSON_UNKNOWN",
                "text": "Nobody is called 'nobody'. `manage.py import_people` and `import_customizations` make people known.",
            }
        },
        2,
    )
    assert run("tickets", "open", "ann", "--severity", "high", "--subject", " ")[0]["error"]["code"] == "TICKET_INVALID"
    said, code = run("tickets", "resolve", "999")
    assert code == 2 and "`manage.py tickets list` lists them" in said["error"]["text"]
    ticket = open_ticket(ann, TicketDraft(Severity.LOW, "Odd"), **SAID)
    assert run("tickets", "reopen", str(ticket.pk))[0]["error"]["code"] == "MOVE_REFUSED"


def test_a_dry_run_opens_and_takes_in_nothing(run, ann, file_of):
    opened, _ = run("tickets", "open", "ann", "--severity", "high", "--subject", "Gone", "--dry-run")
    imported, code = run("tickets", "import", file_of(RECORD), "--dry-run")

    assert (opened["dry_run"], imported["imported"], code) == (True, 1, 0)
    assert not Ticket.objects.exists() and not Event.objects.filter(subject="ticket").exists()


def test_tickets_are_listed_and_the_pressing_ones_by_their_deadline(run, ann, customer, capsys):
    open_ticket(ann, TicketDraft(Severity.CRITICAL, "late"), **SAID)
    open_ticket(customer("ben"), TicketDraft(Severity.LOW, "later", reported_at=AT - timedelta(days=2)), **SAID)
    resolve_ticket(open_ticket(ann, TicketDraft(Severity.LOW, "done"), **SAID), reason="r", **SAID)

    def listed(*words):
        return [each["subject"] for each in run("tickets", "list", *words)[0]["tickets"]]

    assert listed() == ["done", "later", "late"]
    assert listed("--pressing") == ["later", "late"]
    assert listed("--state", "resolved") == ["done"]
    assert listed("--severity", "critical") == ["late"]
    assert listed("--user", "ben") == ["later"]
    assert listed("--limit", "1") == ["done"]
    assert run("tickets", "list")[0]["overdue"] == 2
    call_command("tickets", "list", "--pressing")
    assert "late: ann, critical, open, overdue by" in capsys.readouterr().out


def test_tickets_are_taken_in_once_with_what_the_helpdesk_did(run, ann, customer, file_of):
    customer("ben")
    path = file_of(RECORD, {**RESOLVED, "external_id": "2", "user": "ben", "source": "zendesk", "text": "help"})

    assert counts(run("tickets", "import", path, "--by", "alice")[0]) == (2, 0, 0)
    first, second = Ticket.objects.order_by("external_id").reverse()
    assert (first.source, first.external_id, first.state, first.opened_by) == ("helpdesk", "4711", "open", "alice")
    assert (first.reported_at, first.respond_by - first.reported_at) == (REPORTED, 60 * MINUTE)
    assert (second.source, second.text, second.state, second.answered_at) == (
        "zendesk",
        "help",
        "resolved",
        REPORTED + 10 * MINUTE,
    )
    assert (second.resolved_at, second.handled_by, first.handled_by) == (REPORTED + 60 * MINUTE, "zendesk", "")
    assert moves(second) == [
        ("", "The button is gone"),
        ("answered", "at 2026-11-02T10:10:00+00:00, zendesk says"),
        ("resolved", "at 2026-11-02T11:00:00+00:00, zendesk says"),
    ]

    assert counts(run("tickets", "import", path)[0]) == (0, 0, 2)
    assert Ticket.objects.count() == 2


def test_a_ticket_is_moved_on_as_far_as_the_helpdesk_went_on(run, ann, file_of):
    run("tickets", "import", file_of(RECORD))
    said = [counts(run("tickets", "import", file_of(each))[0]) for each in (ANSWERED, ANSWERED, RESOLVED, RESOLVED)]

    ticket = Ticket.objects.get()
    assert said == [(0, 1, 0), (0, 0, 1), (0, 1, 0), (0, 0, 1)]
    assert (ticket.state, ticket.answered_at, ticket.resolved_at) == (
        "resolved",
        REPORTED + 10 * MINUTE,
        REPORTED + 60 * MINUTE,
    )
    assert [state for state, _ in moves(ticket)] == ["", "answered", "resolved"]
    assert ticket.handled_by == "helpdesk"  # not whoever runs the import


def test_several_records_of_one_ticket_in_one_file_are_taken_in_turn(run, ann, file_of):
    said, _ = run("tickets", "import", file_of(RECORD, ANSWERED, RESOLVED))

    assert counts(said) == (1, 2, 0)
    assert Ticket.objects.get().state == "resolved"


def test_an_import_never_takes_back_what_was_done_here(run, ann, file_of):
    run("tickets", "import", file_of(RESOLVED))
    ticket = Ticket.objects.get()
    reopen_ticket(ticket, by="sue", at=REPORTED + 90 * MINUTE, reason="gone again")
    assert counts(run("tickets", "import", file_of(RESOLVED))[0]) == (0, 0, 1)
    assert Ticket.objects.get().state == "reopened"

    later = {**RESOLVED, "resolved_at": "2026-11-02T12:00:00Z"}
    assert counts(run("tickets", "import", file_of(later))[0]) == (0, 1, 0)
    assert Ticket.objects.get().resolved_at == REPORTED + 120 * MINUTE
    assert counts(run("tickets", "import", file_of(RECORD))[0]) == (0, 0, 1)
    assert Ticket.objects.get().state == "resolved"


def test_the_severity_follows_the_helpdesk_and_the_words_stay(run, ann, file_of):
    run("tickets", "import", file_of(RECORD))

    said, _ = run("tickets", "import", file_of({**RECORD, "severity": "Critical", "subject": "Everything is gone"}))

    ticket = Ticket.objects.get()
    assert counts(said) == (0, 1, 0)
    assert (ticket.severity, ticket.subject) == ("critical", "The button is gone")
    assert ticket.respond_by == REPORTED + 15 * MINUTE


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"user": "ghost"}, "PERSON_UNKNOWN", "ghost"),
        ({"tenant": "other"}, "PERSON_UNKNOWN", "other/ann"),
        ({"severity": "urgent"}, "FIELD_INVALID", "critical, high, medium or low"),
        ({"severity": None}, "FIELD_MISSING", "severity"),
        ({"external_id": None}, "FIELD_MISSING", "external_id"),
        ({"external_id": "x" * 101}, "LIMIT_EXCEEDED", "100"),
        ({"reported_at": None}, "FIELD_MISSING", "reported_at"),
        ({"reported_at": "yesterday"}, "FIELD_INVALID", "reported_at"),
        ({"reported_at": "2026-11-02T10:00:00"}, "FIELD_INVALID", "offset"),
        ({"reported_at": "2999-11-02T10:00:00Z"}, "TICKET_INVALID", "not of the future"),
        ({"resolved_at": "2999-11-02T10:00:00Z"}, "TICKET_INVALID", "in the future"),
        ({"answered_at": "2026-11-02T09:59:59Z"}, "TICKET_INVALID", "reported first"),
        ({"answered_at": "2026-11-02T12:00:00Z", "resolved_at": "2026-11-02T11:00:00Z"}, "TICKET_INVALID", "then resolved"),
        ({"subject": "  "}, "FIELD_INVALID", "blank"),
        ({"subject": "x" * 201}, "LIMIT_EXCEEDED", "200"),
        ({"text": "a\0b"}, "FIELD_INVALID", "NUL"),
        ({"source": ""}, "TICKET_INVALID", "name its source"),
        ({"mood": "angry"}, "FIELD_INVALID", "has no mood"),
    ],
)
def test_a_bad_record_is_refused_with_line_and_code_and_the_others_go_on(run, ann, file_of, changes, code, words):
    wrong = {name: value for name, value in {**RECORD, **changes}.items() if value is not None}
    good = {**RECORD, "external_id": "good"}

    said, exit_code = run("tickets", "import", file_of(wrong, good))

    assert (counts(said), exit_code) == ((1, 0, 0), 1)
    assert [(each["line"], each["code"]) for each in said["rejected"]] == [(1, code)]
    assert words in said["rejected"][0]["text"]
    assert Ticket.objects.get().external_id == "good"


@pytest.mark.parametrize("ended", [{}, {"resolved_at": "2026-11-02T11:00:00Z"}, {"resolved_at": "2026-11-02T09:30:00Z"}])
def test_an_answer_before_the_report_that_was_taken_in_is_refused_and_the_others_go_on(run, ann, file_of, ended):
    run("tickets", "import", file_of(RECORD))
    earlier = {**RECORD, "severity": "low", "reported_at": "2026-11-02T09:00:00Z", "answered_at": "2026-11-02T09:30:00Z", **ended}

    said, exit_code = run("tickets", "import", file_of(earlier, {**RECORD, "external_id": "next"}))

    assert (counts(said), exit_code) == ((1, 0, 0), 1)
    assert [(each["line"], each["code"]) for each in said["rejected"]] == [(1, "TICKET_INVALID")]
    assert "2026-11-02T10:00:00+00:00" in said["rejected"][0]["text"]
    ticket = Ticket.objects.get(external_id="4711")
    assert (ticket.state, ticket.severity, ticket.answered_at) == ("open", "high", None)


def test_refused_lines_are_told_in_their_order_by_file(run, ann, customer, file_of):
    customer("ben")
    first = file_of("nonsense", RECORD, {**RECORD, "user": "ghost"}, "[1]", {**RECORD, "user": "ben"}, name="one.jsonl")
    second = file_of({"user": "ann"}, name="two.jsonl")

    said, code = run("tickets", "import", first, second)

    assert (said["imported"], code) == (1, 1)
    assert [(each["source"], each["line"], each["code"]) for each in said["rejected"]] == [
        ("one.jsonl", 1, "NOT_JSON"),
        ("one.jsonl", 3, "PERSON_UNKNOWN"),
        ("one.jsonl", 4, "NOT_OBJECT"),
        ("one.jsonl", 5, "TICKET_INVALID"),
        ("two.jsonl", 1, "FIELD_MISSING"),
    ]


def test_a_file_that_is_not_there_is_wrong_usage(run):
    assert run("tickets", "import", "nowhere.jsonl")[1] == 2


def test_taking_in_many_costs_the_same_queries_as_taking_in_one(ann, customers, tmp_path):
    customers(30)

    def cost(name, users):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps({**RESOLVED, "external_id": f"{name}{user}", "user": user}) for user in users))
        with CaptureQueriesContext(connection) as asked:
            assert import_tickets([path], by="alice", at=AT).imported == len(users)
        return len(asked)

    assert cost("one", ["ann"]) == cost("many", [f"c{number}" for number in range(1, 31)])


@pytest.mark.postgresql
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="on SQLite who writes second waits before it looks: set DATABASE_URL"
)
@pytest.mark.django_db(transaction=True)
def test_a_ticket_that_somebody_else_takes_in_at_the_same_moment_is_no_accident(ann, tmp_path):
    """Another import, of another connection, commits the row between our look and our insert."""
    path = tmp_path / "tickets.jsonl"
    path.write_text(json.dumps(RECORD))
    others = []

    def import_elsewhere():
        try:
            others.append(import_tickets([path], by="ben", at=AT))
        finally:
            connection.close()

    def meddle(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "rollout_ticket"') and not others:
            other = threading.Thread(target=import_elsewhere)
            other.start()
            other.join(60)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meddle):
        report = import_tickets([path], by="alice", at=AT)

    assert [(each.imported, each.unchanged) for each in others] == [(1, 0)]
    assert (report.imported, report.unchanged, report.rejected) == (0, 1, [])
    ticket = Ticket.objects.get()
    assert list(Event.objects.about("ticket", ticket.pk).values_list("kind", "by")) == [("opened", "ben")]
