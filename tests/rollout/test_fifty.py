"""Fifty people do the same thing at the same moment: it happens once, and everybody else is told how things stand now."""

import fcntl
import html
import json
import re
import time
from collections import Counter

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from rollout.actions.chunks import process_chunk
from rollout.actions.contents import content_hash_of, edit_content
from rollout.actions.holds import freeze
from rollout.actions.plans import PhaseDraft, add_phase, approve_plan, create_plan, open_phase, submit_plan
from rollout.actions.rollback import roll_back_phase, roll_back_wave
from rollout.actions.signing import sign
from rollout.actions.signoffs import hash_to_sign
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.errors import ContentFrozen, MoveRefused, SignedAlready, SignoffMissing
from rollout.models import Decision, Event, Hold, Phase, Plan, RollbackCertificate, Signoff, SignoffRequirement, Wave
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from slots.models import SlotConfiguration
from tests.conftest import IS_THOROUGH
from tests.rollout.actions.test_certifying import certify
from tests.rollout.actions.test_signing import announced
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import SAID, WHY
from tests.rollout.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.scaled]


@pytest.fixture(autouse=True)
def _turn(tmp_path_factory):
    """Let one process at a time be fifty people: twice fifty connections are more than a server takes as it is set up."""
    with (tmp_path_factory.getbasetemp().parent / "fifty.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(autouse=True)
def _room(_turn, db):
    """Wait until the server has let go of the connections of the test before."""
    while connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity")
            if cursor.fetchone()[0] > FIFTY + 10:
                return
        time.sleep(0.1)


# SQLite lets one after another write, so that a few show what fifty do; `make slow` and PostgreSQL have all of them.
FIFTY = 50 if IS_THOROUGH or connection.vendor == "postgresql" else 10
BUSY = "|DATABASE_BUSY" if connection.vendor == "sqlite" else ""  # one writer at a time, and nobody waits for ever
TOO_LATE = f"MOVE_REFUSED|SIGNED_ALREADY{BUSY}"


def apart(row):
    """Return a function that gives every caller a copy of a row as it is now."""
    copies = [type(row).objects.get(pk=row.pk) for _ in range(FIFTY)]
    return copies.pop


def moved_to(subject, state):
    return Event.objects.filter(subject=subject, kind="moved", to_state=state).count()


def are_told(answers, kind, *says):
    """Say whether all but one were refused in this way, each told the same about the present state."""
    refused = [each for each in answers if isinstance(each, Exception)]
    assert {type(each) for each in refused} == {kind}, Counter(map(repr, refused)).most_common(3)
    assert len(refused) == FIFTY - 1
    return all(text in str(each) for each in refused for text in says)


def test_signing(asked):
    requirement = SignoffRequirement.objects.select_related("plan").get(plan=asked, phase=None, role="CTO")
    shown = content_hash_of(asked)
    answers = at_once(
        lambda: sign(requirement, decision=Decision.APPROVED, content_hash=shown, by="cecil", at=WHY["at"], reason="read it"),
        count=FIFTY,
    )

    assert Signoff.objects.count() == Event.objects.filter(kind="signed").count() == 1
    assert are_told(answers, SignedAlready, "CTO has approved Winter as it is, in the name of cecil.")


def test_two_roles_that_sign_last_approve_once(asked):
    """Each of both may be the last; the plan is approved by one of them, and not left in review by both."""
    shown = content_hash_of(asked)
    rows = SignoffRequirement.objects.select_related("plan").filter(plan=asked, phase=None)
    turns = [(row, by) for row, by in zip(rows.order_by("role"), ("cecil", "paula"), strict=True)] * (FIFTY // 2)

    def act():
        requirement, by = turns.pop()
        return sign(requirement, decision=Decision.APPROVED, content_hash=shown, by=by, at=WHY["at"])

    answers = at_once(act, count=FIFTY)

    assert Counter(type(each) for each in answers) == {Signoff: 2, SignedAlready: FIFTY - 2}
    assert (Plan.objects.get().state, moved_to("plan", "approved")) == (PlanState.APPROVED, 1)


def test_one_who_agrees_and_one_who_does_not_are_one_decision(asked):
    requirement = SignoffRequirement.objects.select_related("plan").get(plan=asked, phase=None, role="CTO")
    shown = content_hash_of(asked)
    turns = list(Decision) * (FIFTY // 2)
    answers = at_once(
        lambda: sign(requirement, decision=turns.pop(), content_hash=shown, by="cecil", at=WHY["at"], reason="so"), count=FIFTY
    )

    assert Signoff.objects.count() == 1
    assert are_told(answers, SignedAlready, f"CTO has {Signoff.objects.get().decision} Winter")


def test_approving(db):
    plan = create_plan("Spring", phases=[PhaseDraft("Pilot")], **SAID)
    submit_plan(plan, **SAID)
    copy = apart(plan)

    answers = at_once(lambda: approve_plan(copy(), by="dora", at=WHY["at"]), count=FIFTY)

    assert (Plan.objects.get().state, moved_to("plan", "approved")) == (PlanState.APPROVED, 1)
    assert are_told(answers, MoveRefused, "Spring is approved", "Look at what it is now")


def test_opening(phase):
    later = add_phase(phase.plan, draft=PhaseDraft("Beta"), **SAID)
    copy = apart(later)

    answers = at_once(lambda: open_phase(copy(), **WHY), count=FIFTY)

    later.refresh_from_db()
    assert (later.state, Event.objects.about("phase", later.pk).filter(to_state="open").count()) == (PhaseState.OPEN, 1)
    assert are_told(answers, MoveRefused, "Beta is open")


def test_locking(customers, planned):
    customers(5)
    wave = planned(limit=4)
    copy = apart(wave)

    answers = at_once(lambda: lock_wave(copy(), **SAID), count=FIFTY)

    assert moved_to("wave", "locked") == 1
    assert wave.enrolments.count() == 4
    assert are_told(answers, MoveRefused, "Pilot / Wave 1 is locked")


def test_starting(customers, planned):
    customers(3)
    wave = planned(limit=3)
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    copy = apart(wave)

    answers = at_once(lambda: start_wave(copy(), **SAID), count=FIFTY)

    assert moved_to("wave", "running") == 1
    assert wave.members_by_state() == {PersonState.QUEUED: 3}
    assert are_told(answers, MoveRefused, "Pilot / Wave 1 is running")


def test_an_edit_and_a_start_at_one_moment(opened):
    """Either what was signed starts and is frozen, or it was edited and nobody starts: never a start on what nobody signed."""
    wave = announced(opened)
    signed_hash = hash_to_sign(opened)
    copy = apart(wave)
    turns = [True, False] * (FIFTY // 2)

    def act():
        if turns.pop():
            return start_wave(copy(), **SAID)
        return edit_content(Phase.objects.select_related("plan").get(pk=opened.pk), objective="another", **WHY)

    answers = at_once(act, count=FIFTY)

    wave.refresh_from_db()
    refused = {type(each) for each in answers if isinstance(each, Exception)}
    if wave.state == WaveState.RUNNING:
        assert hash_to_sign(opened) == signed_hash
        assert refused == {MoveRefused, ContentFrozen}
    else:
        assert hash_to_sign(opened) != signed_hash
        assert refused == {SignoffMissing}
        assert answers.count(True) == 1


@pytest.mark.parametrize("take_back", ["wave", "phase"])
def test_taking_back(customers, started, clock, take_back):
    wave = started(*customers(6))
    process_chunk(wave, clock=clock)
    copy = apart(wave)

    def act():
        if take_back == "wave":
            return roll_back_wave(copy(), **WHY)
        return roll_back_phase(Phase.objects.get(pk=wave.phase_id), **WHY)

    answers = at_once(act, count=FIFTY)

    assert [each for each in answers if isinstance(each, Exception)] == []  # a protective act is not refused: it is done already
    assert sum(each.rolled_back for each in answers) == 6
    assert moved_to("wave", "rolling_back") == moved_to("wave", "rolled_back") == 1
    assert SlotConfiguration.history.filter(history_type="-").count() == 6
    wave.refresh_from_db()
    assert (wave.state, wave.members_by_state()) == (WaveState.ROLLED_BACK, {PersonState.ROLLED_BACK: 6})


def test_freezing(db):
    answers = at_once(lambda: freeze(**WHY), count=FIFTY)

    assert Counter(answers) == {True: 1, False: FIFTY - 1}
    assert Hold.objects.count() == 1


def test_measuring_at_once_leaves_nothing_and_each_measures_exactly(locked):
    """A measurement has no effect that could happen twice; those who come at once measure one after another."""
    wave = locked(2)
    before = wave.members_by_state()

    answers = at_once(lambda: certify(Wave.objects.get(pk=wave.pk)), count=8)

    assert [each.is_exact for each in answers] == [True] * 8
    assert (RollbackCertificate.objects.count(), wave.members_by_state()) == (8, before)
    assert SlotConfiguration.objects.count() == SlotConfiguration.history.count() == 0


def signed_in(user):
    """Return fifty browsers in which somebody is signed in."""
    browsers = [Client(raise_request_exception=False) for _ in range(FIFTY)]
    for browser in browsers:
        browser.force_login(user)
    return browsers


@pytest.mark.slow
def test_starting_through_the_page(customers, planned, alice):
    customers(3)
    wave = planned(limit=3)
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    browsers = signed_in(alice)
    shown = {"reason": "time to go", "versions": json.dumps({wave.pk: wave.version})}

    answers = at_once(lambda: browsers.pop().post(act_address("start", wave), shown, follow=True), count=FIFTY)

    assert {each.status_code for each in answers} == {200}
    said = Counter(message_of(each) for each in answers)
    assert said.pop("Pilot / Wave 1: 3 people are queued.") == 1
    assert sum(said.values()) == FIFTY - 1
    assert all(re.match(f"({TOO_LATE}): .*Pilot / Wave 1 is running", each) for each in said)
    assert all("running since" in text_of(each) for each in answers)  # the page shows the present state
    assert moved_to("wave", "running") == 1


@pytest.mark.slow
def test_signing_through_the_page(asked, signers):
    browsers = signed_in(signers["CTO"])
    requirement = SignoffRequirement.objects.get(plan=asked, phase=None, role="CTO")
    address = reverse("admin:rollout_plan_sign", args=[asked.pk, requirement.pk])
    answer = {"decision": "approved", "reason": "read it", "content_hash": content_hash_of(asked)}

    answers = at_once(lambda: browsers.pop().post(address, answer, follow=True), count=FIFTY)

    assert {each.status_code for each in answers} == {200}
    said = [message_of(each) for each in answers]
    assert said.count("CTO has approved Winter. It is in review.") == 1
    assert sum(bool(re.match(rf"({TOO_LATE}): ", each)) for each in said) == FIFTY - 1
    assert all("in review" in message_of(each) for each in answers)
    assert Signoff.objects.count() == 1


def test_a_page_of_yesterday_is_refused_and_shows_today(client, alice, customers, planned):
    wave = planned(*customers(1))
    yesterday = json.dumps({wave.pk: wave.version})
    lock_wave(wave, **SAID)
    client.force_login(alice)

    for act in ("lock", "announce", "cancel", "reschedule"):
        answer = client.post(act_address(act, wave), {"reason": "go on", "versions": yesterday, "typed": wave.name}, follow=True)
        assert message_of(answer).startswith("MOVE_REFUSED: Pilot / Wave 1 is locked")
        assert "locked since" in text_of(answer)
    assert Wave.objects.get().state == WaveState.LOCKED


def message_of(answer):
    """Return the one message of a page; from its text, since the client's context hears of every thread's pages."""
    [message] = re.findall(r'<ul class="messagelist">(.*?)</ul>', answer.content.decode(), re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", message))).strip()
