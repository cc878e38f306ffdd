"""Tickets are opened, answered, resolved, opened again and graded anew; each step once, by name, and with what was said."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from rollout.actions.chunks import process_chunk
from rollout.actions.rollback import roll_back_person, roll_back_wave
from rollout.actions.tickets import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    TicketDraft,
    answer_ticket,
    open_ticket,
    regrade_ticket,
    reopen_ticket,
    resolve_ticket,
    waves_that_had_moved,
)
from rollout.actions.timelines import timeline_of
from rollout.errors import MoveRefused, ReasonMissing, TicketInvalid
from rollout.gates import Severity
from rollout.models import Event, Ticket
from rollout.states import TicketState
from tests.rollout.conftest import AT, SAID, WHY

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def draft(severity=Severity.HIGH, subject="The button is gone", **more):
    return TicketDraft(severity, subject, **more)


def after(minutes, by="sue", reason="done"):
    return {"by": by, "at": AT + minutes * MINUTE, "reason": reason}


@pytest.fixture
def ticket(customer):
    return open_ticket(customer("ann"), draft(text="It was there yesterday."), **SAID)


def events_of(ticket):
    return list(
        Event.objects.about("ticket", ticket.pk).values_list("kind", "from_state", "to_state", "by", "reason").order_by("pk")
    )


def test_a_report_is_kept_with_its_deadline_and_its_record(ticket):
    assert (ticket.state, ticket.severity, ticket.text, ticket.opened_by) == ("open", "high", "It was there yesterday.", "alice")
    assert (ticket.reported_at, ticket.waiting_since, ticket.respond_by) == (AT, AT, AT + HOUR)
    assert events_of(ticket) == [("opened", "", "", "alice", "The button is gone")]


def test_the_deadline_is_counted_from_when_the_person_said_it(customer):
    told = open_ticket(customer("ann"), draft(reported_at=AT - 2 * HOUR), **SAID)

    assert told.respond_by == AT - HOUR
    assert list(Ticket.objects.overdue(AT)) == [told]


def test_a_ticket_goes_from_the_report_to_its_resolution_and_back(ticket):
    answer_ticket(ticket, **after(10, reason="we look at it"))
    assert (ticket.state, ticket.answered_at, ticket.handled_by) == ("answered", AT + 10 * MINUTE, "sue")
    assert ticket.deadline(AT) is None

    resolve_ticket(ticket, **after(50, by="sam", reason="put back"))
    assert (ticket.state, ticket.resolved_at, ticket.handled_by) == ("resolved", AT + 50 * MINUTE, "sam")

    reopen_ticket(ticket, **after(90, by="sue", reason="gone again"))
    assert (ticket.state, ticket.resolved_at, ticket.answered_at) == ("reopened", None, AT + 10 * MINUTE)
    assert (ticket.waiting_since, ticket.respond_by) == (AT + 90 * MINUTE, AT + 150 * MINUTE)

    answer_ticket(ticket, **after(100, reason="so it is"))
    resolve_ticket(ticket, **after(120, reason="this time for good"))
    assert (ticket.answered_at, ticket.resolved_at) == (AT + 10 * MINUTE, AT + 120 * MINUTE)
    assert [(start, end, by, why) for _, start, end, by, why in events_of(ticket)[1:]] == [
        ("open", "answered", "sue", "we look at it"),
        ("answered", "resolved", "sam", "put back"),
        ("resolved", "reopened", "sue", "gone again"),
        ("reopened", "answered", "sue", "so it is"),
        ("answered", "resolved", "sue", "this time for good"),
    ]


def test_what_is_settled_with_the_first_answer_is_answered_too(ticket):
    resolve_ticket(ticket, **after(5))

    assert (ticket.answered_at, ticket.resolved_at) == (AT + 5 * MINUTE, AT + 5 * MINUTE)


@pytest.mark.parametrize("act", [answer_ticket, resolve_ticket, reopen_ticket])
def test_each_step_says_why(ticket, act):
    with pytest.raises(ReasonMissing):
        act(ticket, **after(5, reason=" "))
    with pytest.raises(ReasonMissing):
        regrade_ticket(ticket, severity=Severity.LOW, **after(5, reason=""))
    assert (Ticket.objects.get().state, Ticket.objects.get().severity) == ("open", "high")


def test_of_two_who_answer_at_once_one_does(ticket):
    late = Ticket.objects.get()
    answer_ticket(ticket, **after(5))

    with pytest.raises(MoveRefused):
        answer_ticket(late, **after(6, by="sam"))
    with pytest.raises(MoveRefused):
        reopen_ticket(Ticket(pk=ticket.pk, version=1, state="answered", severity="high"), **after(6))
    assert (late.state, late.handled_by) == ("answered", "sue")


def test_another_severity_is_another_deadline_from_when_the_person_began_to_wait(ticket):
    reopened_at = AT + 90 * MINUTE
    resolve_ticket(ticket, **after(5))
    reopen_ticket(ticket, **after(90))
    late = Ticket.objects.get()

    assert regrade_ticket(ticket, severity=Severity.CRITICAL, **after(95, reason="nobody can order"))
    assert (ticket.severity, ticket.respond_by) == ("critical", reopened_at + 15 * MINUTE)
    assert not regrade_ticket(ticket, severity=Severity.CRITICAL, **after(96))
    with pytest.raises(MoveRefused):
        regrade_ticket(late, severity=Severity.LOW, **after(97))
    assert events_of(ticket)[-1] == ("regraded", "", "critical", "sue", "nobody can order")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"subject": "  "}, "does not say what it is about"),
        ({"subject": "x" * (LONGEST_SUBJECT + 1)}, "200 characters at most"),
        ({"text": "x" * (LONGEST_TEXT + 1)}, "20,000 characters at most"),
        ({"text": "a\0b"}, "no text can hold"),
        ({"subject": "half \ud800"}, "no text can hold"),
        ({"reported_at": AT.replace(tzinfo=None)}, "has a zone"),
        ({"reported_at": AT + timedelta(seconds=1)}, "not of the future"),
    ],
)
def test_what_cannot_be_kept_is_refused(customer, wrong, words):
    with pytest.raises(TicketInvalid, match=words):
        open_ticket(customer("ann"), draft(**wrong), **SAID)
    assert not Ticket.objects.exists()


def test_pressing_tickets_come_by_their_deadline_and_the_others_do_not(customer):
    ann = customer("ann")
    named = {
        name: open_ticket(ann, draft(severity, name, reported_at=AT - ago), **SAID)
        for name, severity, ago in (
            ("fresh", Severity.HIGH, 29 * MINUTE),
            ("half", Severity.HIGH, 30 * MINUTE),
            ("at once", Severity.CRITICAL, 0 * MINUTE),
            ("late", Severity.LOW, 26 * HOUR),
            ("easy", Severity.LOW, 11 * HOUR),
            ("answered", Severity.CRITICAL, 30 * MINUTE),
            ("resolved", Severity.CRITICAL, 30 * MINUTE),
            ("again", Severity.MEDIUM, 30 * HOUR),
        )
    }
    answer_ticket(named["answered"], **WHY)
    resolve_ticket(named["resolved"], **WHY)
    resolve_ticket(named["again"], by="sue", at=AT - 29 * HOUR, reason="mended")
    reopen_ticket(named["again"], by="sue", at=AT - 5 * HOUR, reason="not mended")

    assert [each.subject for each in Ticket.objects.pressing(AT)] == ["late", "again", "at once", "half"]
    assert {each.subject for each in Ticket.objects.overdue(AT)} == {"again", "late"}


def test_a_report_belongs_to_the_wave_that_had_moved_the_person(customers, started, clock):
    moved, waiting = customers(2)
    before = open_ticket(moved, draft(), **SAID)
    clock.advance(60)
    wave = started(moved)
    process_chunk(wave, clock=clock)

    since = open_ticket(moved, draft(), by="sue", at=clock.now)
    earlier = open_ticket(moved, draft(reported_at=AT), by="sue", at=clock.now)
    never = open_ticket(waiting, draft(), by="sue", at=clock.now)

    assert [each.wave for each in (before, since, earlier, never)] == [None, wave, None, None]


def test_a_report_that_comes_in_after_the_rollback_still_counts_for_its_wave(customers, started, clock):
    person, other = customers(2)
    wave = started(person, other)
    process_chunk(wave, clock=clock)
    reported_at = clock.now + MINUTE
    roll_back_person(person, by="sue", at=clock.now + 2 * MINUTE, reason="called us")

    late = open_ticket(person, draft(reported_at=reported_at), by="sue", at=clock.now + HOUR)
    afterwards = open_ticket(person, draft(), by="sue", at=clock.now + HOUR)
    assert (late.wave, afterwards.wave) == (wave, None)

    roll_back_wave(wave, by="alice", at=clock.now + HOUR, reason="all of them")
    assert waves_that_had_moved([(other.pk, reported_at), (other.pk, clock.now + 2 * HOUR)]) == [wave.pk, None]


def test_which_waves_moved_whom_costs_two_queries_however_many_are_asked_for(customers, started, clock):
    people = customers(9)
    process_chunk(started(*people), clock=clock)

    with CaptureQueriesContext(connection) as asked:
        found = waves_that_had_moved([(person.pk, clock.now) for person in people])

    assert (len(asked), len(set(found)), None in found) == (2, 1, False)


def test_the_persons_timeline_tells_what_they_reported(ticket):
    answer_ticket(ticket, **after(5, reason="we look"))
    regrade_ticket(ticket, severity=Severity.LOW, **after(6, reason="only the colour"))

    name = f"“The button is gone” (ticket {ticket.pk})"
    assert [(each.what, each.by, each.why) for each in timeline_of(ticket.person)] == [
        (f"their report {name} is graded anew as low", "sue", "only the colour"),
        (f"their report {name} is answered", "sue", "we look"),
        (f"reported {name}, high", "alice", ""),
    ]


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"severity": "urgent"}, "severity"),
        ({"state": "lost"}, "state_known"),
        ({"state": "answered"}, "answered_at_an_instant"),
        ({"answered_at": AT}, "answered_at_an_instant"),
        ({"state": "reopened", "answered_at": AT - HOUR}, "answered_at_an_instant"),
        ({"state": "resolved", "answered_at": AT}, "resolved_at_an_instant"),
        ({"resolved_at": AT}, "resolved_at_an_instant"),
        ({"state": "resolved", "answered_at": AT, "resolved_at": AT - HOUR}, "resolved_at_an_instant"),
        ({"respond_by": AT}, "due_after_its_report"),
        ({"waiting_since": AT - MINUTE}, "due_after_its_report"),
        ({"external_id": "1"}, "id_of_a_source"),
        ({"opened_by": ""}, "says_what_and_who"),
        ({"subject": ""}, "says_what_and_who"),
    ],
)
def test_the_database_holds_what_a_ticket_is(ticket, changes, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Ticket.objects.filter(pk=ticket.pk).update(**changes)


def test_a_ticket_of_a_helpdesk_is_there_once(ticket, customer):
    same = {"source": "zendesk", "external_id": "1"}
    Ticket.objects.filter(pk=ticket.pk).update(**same)
    other = open_ticket(customer("ben"), draft(), **SAID)

    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.filter(pk=other.pk).update(**same)
    Ticket.objects.filter(pk=other.pk).update(source="zendesk")
    assert Ticket.objects.filter(state=TicketState.OPEN).count() == 2
