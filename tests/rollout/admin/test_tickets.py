"""Tickets in the admin: who may see and handle them, the list with its filters and files, their page, and the console."""

import csv
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rollout.actions.chunks import process_chunk
from rollout.actions.tickets import TicketDraft, answer_ticket, open_ticket, resolve_ticket
from rollout.gates import Severity
from rollout.models import Event, Ticket
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT

pytestmark = pytest.mark.django_db
LIST = "admin:rollout_ticket_changelist"
PAGE = "admin:rollout_ticket_change"
PERSON = "admin:rollout_person"
DEED = "admin:rollout_person_deed"
MINUTE = timedelta(minutes=1)


def ago(minutes):
    return timezone.now() - minutes * MINUTE


@pytest.fixture
def ticket(customer):
    """A ticket that was overdue by six minutes when the test began."""
    draft = TicketDraft(Severity.CRITICAL, "Nobody can order", "<b>help</b>", reported_at=ago(21))
    return open_ticket(customer("ann", email="ann@shop.example"), draft, by="sue", at=timezone.now())


def subjects(client, query=""):
    return [row.subject for row in client.get(reverse(LIST) + query).context["cl"].result_list]


def test_the_list_shows_how_pressing_each_is_in_words(page_of, sue, ticket):
    shown = text_of(page_of(sue, reverse(LIST)))

    for words in (f"#{ticket.pk} Nobody can order", "ann", "critical", "open", "overdue by 6 minutes"):
        assert words in shown


def test_the_list_is_filtered_by_deadline_state_and_severity(client, sue, customer, ticket):
    ann, now = customer("ben"), timezone.now()
    near = open_ticket(ann, TicketDraft(Severity.HIGH, "near", reported_at=ago(40)), by="sue", at=now)
    open_ticket(ann, TicketDraft(Severity.LOW, "easy", reported_at=ago(40)), by="sue", at=now)
    answered = open_ticket(ann, TicketDraft(Severity.LOW, "answered", reported_at=ago(4000)), by="sue", at=now)
    answer_ticket(answered, by="sue", at=now, reason="so it is")
    client.force_login(sue)

    assert subjects(client) == ["answered", "easy", "near", "Nobody can order"]
    assert subjects(client, "?deadline=overdue") == ["Nobody can order"]
    assert subjects(client, "?deadline=near") == ["near", "Nobody can order"]
    assert subjects(client, "?deadline=waiting") == ["easy", "near", "Nobody can order"]
    assert subjects(client, "?state__exact=answered") == ["answered"]
    assert subjects(client, "?severity__exact=low") == ["answered", "easy"]
    assert subjects(client, f"?person__id__exact={near.person_id}") == ["answered", "easy", "near"]
    assert subjects(client, "?q=ann@") == ["Nobody can order"]


def test_the_file_of_the_list_says_the_deadline_too(page_of, sue, ticket):
    response = page_of(sue, reverse("admin:rollout_ticket_exported_changelist", args=["csv"]))

    (row,) = csv.DictReader(b"".join(response.streaming_content).decode().splitlines())
    assert (row["ticket"], row["severity"], row["answer"]) == (
        f"#{ticket.pk} Nobody can order",
        "critical",
        "overdue by 6 minutes",
    )


def test_the_page_leads_to_person_wave_and_plan_and_tells_what_happened(page_of, arthur, customers, started, clock):
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    person = wave.enrolments.get().person
    ticket = open_ticket(person, TicketDraft(Severity.HIGH, "Odd", "<b>odd</b>", AT + MINUTE), by="sue", at=AT + MINUTE)
    answer_ticket(ticket, by="sue", at=AT + 13 * MINUTE, reason="we look")
    resolve_ticket(ticket, by="sam", at=AT + 63 * MINUTE, reason="put back")

    response = page_of(arthur, reverse(PAGE, args=[ticket.pk]))

    shown = response.content.decode()
    for address in (
        reverse(PERSON, args=[person.pk]),
        reverse("admin:rollout_wave_change", args=[wave.pk]),
        reverse("admin:rollout_plan_change", args=[wave.phase.plan_id]),
    ):
        assert f'href="{address}"' in shown
    assert "&lt;b&gt;odd&lt;/b&gt;" in shown and "<b>odd</b>" not in shown
    text = text_of(response)
    for words in ("First answer after 12 minutes", "Resolved after 1 hour 2 minutes", "we look", "put back", "sam"):
        assert words in text


def test_the_wave_leads_to_the_tickets_of_its_people(page_of, arthur, customers, started, clock):
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    open_ticket(wave.enrolments.get().person, TicketDraft(Severity.HIGH, "Odd"), by="sue", at=AT + MINUTE)
    address = f"{reverse(LIST)}?wave__id__exact={wave.pk}"

    assert f'href="{address}"' in page_of(arthur, reverse("admin:rollout_wave_change", args=[wave.pk])).content.decode()
    assert [row.subject for row in page_of(arthur, address).context["cl"].result_list] == ["Odd"]


def test_support_answers_resolves_reopens_and_grades_a_ticket(act_as, client, sue, ticket):
    said = text_of(act_as(sue, "answer", ticket, reason="we look at it"))
    assert f"#{ticket.pk} Nobody can order is answered." in said and "we look at it" in said

    act_as(sue, "resolve", ticket, reason="put back")
    assert Ticket.objects.get().state == "resolved"
    assert "is open again, to be answered by" in text_of(act_as(sue, "reopen", ticket, reason="gone again"))

    sent = {"reason": "all can order", "severity": "low", "versions": json.dumps({ticket.pk: Ticket.objects.get().version})}
    client.post(act_address("regrade", ticket), sent)
    row = Ticket.objects.get()
    assert (row.state, row.severity, row.handled_by) == ("reopened", "low", "sue")
    assert row.respond_by - row.waiting_since == timedelta(hours=24)
    assert set(Event.objects.about("ticket", ticket.pk).exclude(kind="opened").values_list("by", flat=True)) == {"sue"}


def test_who_is_late_is_told_how_it_stands(act_as, sue, ticket):
    answer_ticket(Ticket.objects.get(), by="sam", at=timezone.now(), reason="so it is")

    said = text_of(act_as(sue, "answer", ticket, versions={ticket.pk: 1}))

    assert "MOVE_REFUSED" in said and "is answered" in said
    assert Ticket.objects.get().handled_by == "sam"


@pytest.mark.parametrize("act", ["answer", "resolve", "reopen", "regrade"])
def test_auditors_read_and_do_nothing_and_charlie_does_not_even_read(client, arthur, charlie, ticket, act):
    client.force_login(arthur)
    page = client.get(reverse(PAGE, args=[ticket.pk]))
    assert page.status_code == 200
    assert reverse("admin:rollout_ticket_act", args=[act]) not in page.content.decode()
    assert client.post(act_address(act, ticket), {"reason": "r"}).status_code == 403

    client.force_login(charlie)
    for address in (reverse(LIST), reverse(PAGE, args=[ticket.pk]), act_address(act, ticket)):
        assert client.get(address).status_code == 403
    assert client.post(act_address(act, ticket), {"reason": "r"}).status_code == 403
    assert Ticket.objects.get().version == 1


def test_nobody_adds_changes_or_deletes_a_ticket_through_a_form(client, admin_user, ticket):
    client.force_login(admin_user)

    assert client.get(reverse("admin:rollout_ticket_add")).status_code == 403
    assert client.post(reverse("admin:rollout_ticket_delete", args=[ticket.pk]), {"post": "yes"}).status_code == 403
    client.post(reverse(PAGE, args=[ticket.pk]), {"subject": "other"})
    assert Ticket.objects.get().subject == "Nobody can order"


def test_support_opens_a_ticket_on_the_persons_page_and_finds_it_there(client, sue, customer):
    person = customer("ann")
    client.force_login(sue)
    asked = client.get(reverse(PERSON, args=[person.pk])).content.decode()
    assert f'action="{reverse(DEED, args=[person.pk, "ticket"])}"' in asked
    assert "They have reported nothing." in asked

    sent = {"severity": "high", "subject": "The button is gone", "reason": "It was there yesterday."}
    response = client.post(reverse(DEED, args=[person.pk, "ticket"]), sent, follow=True)

    ticket = Ticket.objects.get()
    assert (ticket.person, ticket.severity, ticket.text, ticket.opened_by) == (person, "high", "It was there yesterday.", "sue")
    shown = response.content.decode()
    for act in ("answer", "resolve", "regrade"):
        assert f'href="{act_address(act, ticket)}"' in shown
    assert act_address("reopen", ticket) not in shown
    said = text_of(response)
    assert f"#{ticket.pk} The button is gone is open, to be answered by" in said
    assert "59 minutes left" in said or "1 hour left" in said
    assert "Reported “The button is gone”" in said


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"subject": ""}, "This field is required."),
        ({"severity": "urgent"}, "Select a valid choice"),
        ({"subject": "x" * 201}, "at most 200 characters"),
    ],
)
def test_a_report_that_says_nothing_opens_no_ticket(client, sue, customer, wrong, words):
    person = customer("ann")
    client.force_login(sue)
    sent = {"severity": "high", "subject": "Gone", "reason": ""} | wrong

    assert words in text_of(client.post(reverse(DEED, args=[person.pk, "ticket"]), sent))
    assert not Ticket.objects.exists()


def test_who_reads_the_console_sees_tickets_and_opens_none(client, arthur, charlie, ticket):
    address = reverse(DEED, args=[ticket.person_id, "ticket"])
    sent = {"severity": "high", "subject": "Gone", "reason": ""}
    client.force_login(arthur)
    shown = client.get(reverse(PERSON, args=[ticket.person_id])).content.decode()
    assert f'href="{reverse(PAGE, args=[ticket.pk])}"' in shown and "overdue by" in shown
    assert reverse("admin:rollout_ticket_act", args=["answer"]) not in shown
    assert client.post(address, sent).status_code == 403

    client.force_login(charlie)
    assert client.post(address, sent).status_code == 403
    assert Ticket.objects.count() == 1


def test_the_page_of_a_ticket_costs_the_same_whatever_happened_to_it(client, sue, ticket):
    client.force_login(sue)

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse(PAGE, args=[ticket.pk])).status_code == 200
        return len(asked)

    cost()
    once = cost()
    for number in range(20):
        Event.objects.create(subject="ticket", subject_pk=ticket.pk, kind="regraded", by="sue", at=AT, reason=str(number))

    assert cost() == once
