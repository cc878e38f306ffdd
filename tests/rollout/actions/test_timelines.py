"""Why was I moved? What happened to a person is told in words, each with when, who and why; nothing of anybody else."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollout.actions.chunks import process_chunk
from rollout.actions.deferrals import defer_person, withdraw_deferral
from rollout.actions.messages import mark_read, send_due_notices
from rollout.actions.people import exclude_person, override_person
from rollout.actions.plans import WaveDraft, add_wave
from rollout.actions.rollback import roll_back_wave
from rollout.actions.timelines import SAID, timeline_of
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.audiences import Audience
from rollout.models import NoticeDelivery, Wave
from rollout.states import PersonState
from rollout.switch import engage_kill_switch
from rollout.waves import System
from tests.rollout.conftest import AT
from tests.rollout.conftest import SAID as BY_ALICE
from tests.rollout.telling import DAY, Server, dated, in_app, write_notice

pytestmark = pytest.mark.django_db
LATER = {"by": "dora", "at": AT + timedelta(days=9)}


def told(person):
    """What is told of a person, the first first."""
    return [(each.what, each.by, each.why) for each in reversed(timeline_of(person))]


def test_nothing_is_told_of_somebody_who_was_never_concerned(customer, started, clock):
    process_chunk(started(customer("ann")), clock=clock)
    engage_kill_switch(**BY_ALICE, reason="a drill")

    assert timeline_of(customer("ben")) == []


def test_every_move_of_a_person_is_said_in_words():
    assert set(SAID) == set(PersonState)


def test_the_whole_way_is_told_from_the_choice_to_the_rollback(phase, customer, planned, clock):
    ann = customer("ann", email="ann@example.org")
    in_app(phase.plan, "A week before")
    write_notice(phase.plan, "By mail", lead=2 * DAY, is_required=False)
    wave = dated(planned(ann))
    lock_wave(wave, **BY_ALICE)
    send_due_notices(at=AT + DAY, transport=Server())
    mark_read(ann.key, at=AT + 2 * DAY)
    NoticeDelivery.objects.filter(notice__channel="email").update(state="failed", error="550 unknown", due_at=AT + 6 * DAY)
    announce_wave(wave, by="alice", at=AT + 7 * DAY, reason="told in the shop")
    clock.now = AT + 8 * DAY
    start_wave(wave, by="alice", at=clock(), reason="all is well")
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    roll_back_wave(wave, **LATER, reason="pages were slow")
    engage_kill_switch(**LATER, reason="to be sure")

    assert told(ann) == [
        ("is taken into Pilot / Wave 1", "alice", "named; rank 1 of 1 in sticky order"),
        ("is told “A week before” (in the application)", "phoenix", "notice of Pilot / Wave 1"),
        ("marked “A week before” as read", "ann", ""),
        ("could not be told “By mail” (e-mail)", "phoenix", "550 unknown"),
        ("counts as told of Pilot / Wave 1 (enrolled → notified)", "alice", "told in the shop"),
        ("waits for a worker in Pilot / Wave 1 (notified → queued)", "alice", "all is well"),
        ("is being translated (queued → translating)", "phoenix", "claimed"),
        ("is translated (translating → translated)", "phoenix", "every active diff was translated"),
        ("is being validated (translated → validating)", "phoenix", "validation began"),
        (
            "is proven to see the same pages on slots (validating → ready)",
            "phoenix",
            "every page is the same and every policy allows it",
        ),
        ("is being moved to slots (ready → switching)", "phoenix", "proof checked"),
        ("sees slots from now on, switched by Pilot / Wave 1 (switching → switched)", "phoenix", "configurations are live"),
        ("Pilot / Wave 1 is taken back: whoever is in it sees the legacy system", "dora", "pages were slow"),
        ("is being taken back to the legacy system (switched → rolling back)", "dora", "pages were slow"),
        (
            "is back on the legacy system, with what they had before (rolling back → rolled back)",
            "dora",
            "pages were slow",
        ),
        ("kill switch engaged: everybody sees the legacy system", "dora", "to be sure"),
    ]


def test_deferral_and_exclusion_say_from_and_to_where(customers, planned):
    customers(4)
    first, second = planned(limit=2), planned(limit=2)
    for wave, days in ((first, 1), (second, 8)):
        Wave.objects.filter(pk=wave.pk).update(starts_at=AT + days * DAY)
        wave.refresh_from_db()
        lock_wave(wave, **BY_ALICE)
    one, other = first.enrolments.select_related("person").order_by("pk")
    defer_person(one, to=second, by="sue", at=AT, reason="on holiday")
    exclude_person(other, by="alice", at=AT, reason="a test account")

    assert told(one.person)[1:] == [
        ("waits for a later wave than Pilot / Wave 1: for Pilot / Wave 2 (enrolled → deferred)", "sue", "on holiday")
    ]
    assert told(other.person)[1:] == [("is left out of Pilot / Wave 1 (enrolled → excluded)", "alice", "a test account")]
    one.refresh_from_db()
    withdraw_deferral(one, by="sue", at=AT, reason="back already")
    assert told(one.person)[0][0] == "is taken into Pilot / Wave 1", "still told after it counted as a deferral"
    assert ("has a place in Pilot / Wave 1 again, and is not begun (deferred → enrolled)", "sue", "back already") in told(
        one.person
    )


def test_of_a_share_the_freeze_is_what_took_them(customers, phase):
    (ann,) = customers(1)
    wave = add_wave(phase, draft=WaveDraft("Everybody", Audience(), share=Decimal(100)), **BY_ALICE)
    lock_wave(wave, by="dora", at=AT)

    ((what, by, why),) = told(ann)

    assert (what, by) == ("is taken into Pilot / Everybody", "dora")
    assert "rank 1 of 1 in sticky order" in why


def test_support_is_told_too_and_the_command_says_all_of_it(customers, started, clock, capsys):
    (person,) = customers(1)
    process_chunk(started(person), clock=clock)
    override_person(person, system=System.LEGACY, by="sue", at=clock(), reason="called us")

    call_command("rollout", "timeline", "c1")
    shown = capsys.readouterr().out
    call_command("rollout", "timeline", "c1", "--json")
    data = json.loads(capsys.readouterr().out)

    assert "c1 sees legacy: " in shown
    assert "put by support on legacy; sue: called us" in shown
    assert (data["system"], data["timeline"][0]["what"], data["timeline"][0]["by"]) == (
        "legacy",
        "put by support on legacy",
        "sue",
    )
    with pytest.raises(CommandError, match="PERSON_UNKNOWN: Nobody is called 'nobody'"):
        call_command("rollout", "timeline", "nobody")


def test_it_costs_the_same_queries_for_one_place_and_for_two(customers, planned):
    (person,) = customers(1)
    counts = []
    for _ in range(2):
        wave = planned(person)
        lock_wave(wave, **BY_ALICE)
        with CaptureQueriesContext(connection) as queries:
            timeline_of(person)
        counts.append(len(queries))
        exclude_person(wave.enrolments.get(), **BY_ALICE, reason="again")

    assert counts[0] == counts[1]
