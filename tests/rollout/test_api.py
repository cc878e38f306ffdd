"""Tickets as JSON: listed for who may see them, opened by who may, refused with code and sentence."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rollout import api
from rollout.actions.tickets import TicketDraft, answer_ticket, open_ticket
from rollout.gates import Severity
from rollout.models import Ticket
from tests.conftest import person as account
from tests.rollout.conftest import SAID

pytestmark = pytest.mark.django_db
ADDRESS = "/api/rollout/tickets/"
BODY = {"user": "ann", "severity": "high", "subject": "The button is gone", "text": "help"}


@pytest.fixture
def ann(customer):
    return customer("ann")


@pytest.fixture
def as_(client):
    """What signs somebody of a role in."""

    def sign_in(role):
        client.force_login(account(f"one-{role or 'nobody'}", staff=True, role=role))
        return client

    return sign_in


def send(client, body):
    return client.post(ADDRESS, json.dumps(body), content_type="application/json")


def test_support_opens_a_ticket_and_finds_it(as_, ann):
    client = as_("support")
    made = send(client, BODY)

    ticket = Ticket.objects.get()
    assert (made.status_code, made.json()["pk"], made.json()["urgency"]) == (201, ticket.pk, "ahead")
    assert (ticket.person, ticket.severity, ticket.text, ticket.opened_by) == (ann, "high", "help", "one-support")
    assert client.get(ADDRESS).json() == {"tickets": [made.json()], "next": None}


@pytest.mark.parametrize(
    ("role", "reads", "opens"), [("operator", 200, 201), ("auditor", 200, 403), ("approver", 200, 403), ("", 403, 403)]
)
def test_who_may_do_what(as_, ann, role, reads, opens):
    client = as_(role)

    assert (client.get(ADDRESS).status_code, send(client, BODY).status_code) == (reads, opens)
    assert Ticket.objects.count() == (opens == 201)


def test_strangers_are_not_let_in(client, ann):
    assert (client.get(ADDRESS).status_code, send(client, BODY).status_code) == (401, 401)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"user": "ghost"}, 409, "PERSON_UNKNOWN"),
        ({"subject": " "}, 409, "TICKET_INVALID"),
        ({"subject": "a\0b"}, 409, "TICKET_INVALID"),
        ({"reported_at": "2999-01-01T00:00:00Z"}, 409, "TICKET_INVALID"),
        ({"reported_at": "2026-01-01T00:00:00"}, 409, "TICKET_INVALID"),
        ({"severity": "urgent"}, 422, "BODY_INVALID"),
        ({"subject": None}, 422, "BODY_INVALID"),
    ],
)
def test_what_cannot_be_kept_is_refused(as_, ann, changes, status, code):
    refused = send(as_("support"), BODY | changes)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not Ticket.objects.exists()


def test_the_list_is_narrowed_and_paged_by_key(as_, ann, customer, monkeypatch):
    monkeypatch.setattr(api, "PAGE", 2)
    now = timezone.now()
    late = TicketDraft(Severity.CRITICAL, "late", reported_at=now - timedelta(hours=1))
    open_ticket(ann, late, by="sue", at=now)
    open_ticket(customer("ben"), TicketDraft(Severity.LOW, "easy"), by="sue", at=now)
    answer_ticket(open_ticket(ann, TicketDraft(Severity.LOW, "answered"), **SAID), reason="r", **SAID)
    client = as_("auditor")

    def listed(query=""):
        found = client.get(ADDRESS + query).json()
        return [each["subject"] for each in found["tickets"]], found["next"]

    first, following = listed()
    assert first == ["answered", "easy"]
    assert listed(f"?before={following}") == (["late"], None)
    assert listed("?pressing=true") == (["late"], None)
    assert listed("?state=answered") == (["answered"], None)
    assert listed("?severity=critical") == (["late"], None)
    assert listed("?user=ben") == (["easy"], None)
    unknown = client.get(f"{ADDRESS}?user=ghost")
    assert (unknown.status_code, unknown.json()["code"]) == (409, "PERSON_UNKNOWN")
    assert client.get(f"{ADDRESS}?severity=urgent").status_code == 422


def test_a_list_costs_the_same_queries_for_one_and_for_fifty(as_, ann):
    client = as_("support")

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(ADDRESS).status_code == 200
        return len(asked)

    open_ticket(ann, TicketDraft(Severity.LOW, "one"), **SAID)
    one = cost()
    for number in range(49):
        open_ticket(ann, TicketDraft(Severity.LOW, str(number)), **SAID)

    assert cost() == one
