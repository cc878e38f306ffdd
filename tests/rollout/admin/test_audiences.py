"""The pages of a wave's audience: numbers before the lock that the lock then gives, reasons, lists, a file; acts on who is in."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rollout.actions.deferrals import defer_person
from rollout.actions.waves import lock_wave
from rollout.models import Enrolment, Phase, Wave
from rollout.states import PersonState, WaveState
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT, SAID
from tests.scenes import kept

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}


@pytest.fixture
def mixed(customer, planned):
    """A planned wave that mixes half of so many people over three regions, and holds some out."""

    def make(count, **audience):
        for number in range(count):
            customer(f"u{number:03}", region=["EU", "US", ""][number % 3])
        wave = planned(limit=1)
        said = {"limit": count // 2, "strata": ["region"], "holdout": 20} | audience
        Wave.objects.filter(pk=wave.pk).update(audience=said)
        wave.refresh_from_db()
        return wave

    return make


def address(wave, name="rollout_wave_audience", **query):
    return reverse(f"admin:{name}", args=[wave.pk]) + "".join(f"?{key}={value}" for key, value in query.items())


def rows_of(response):
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_the_page_shows_what_the_lock_then_does(page_of, alice, mixed):
    wave = mixed(20)

    before = page_of(alice, address(wave))
    file = rows_of(page_of(alice, address(wave, "rollout_wave_audience_file")))
    lock_wave(wave, **SAID)
    after = page_of(alice, address(wave))

    shown = text_of(before)
    assert "This is what locking it now would do" in shown
    assert "Taken 10" in shown
    assert "held out for comparison 2" in shown
    assert "BEYOND_THE_NUMBER Matches, but 10 others come first. 10" in shown
    assert [row[0] for row in before.context["rows"]] == [row[0] for row in after.context["rows"]]
    assert [row[2] for row in before.context["rows"]] == [row[2] for row in after.context["rows"]]
    held = {row[0] for row in before.context["rows"] if row[1] == "held out"}
    assert held == {row[0] for row in after.context["rows"] if row[1] == "holdout"}
    assert [row["person"] for row in file if row["taken"] == "yes"] == [row[0] for row in before.context["rows"]]
    assert len(file) == 20
    assert "Its people are fixed: 10." in text_of(after)
    assert sum(taken for _, taken, _ in before.context["strata"]) == 10


def test_the_list_of_those_left_out_says_why(page_of, alice, mixed):
    wave = mixed(9, rules=[{"trait": "region", "one_of": ["EU"]}])

    shown = text_of(page_of(alice, address(wave, list="left")))

    assert "RULE_NOT_MET region is not EU. 3" in shown
    assert "u001 RULE_NOT_MET region is not EU." in shown
    assert "u002 TRAIT_UNKNOWN region is not known." in shown


def test_a_hundred_are_shown_on_a_page(page_of, alice, mixed):
    wave = mixed(240)

    first, second = page_of(alice, address(wave)), page_of(alice, address(wave, p=2))

    assert (len(first.context["rows"]), len(second.context["rows"])) == (100, 20)
    assert "Page 2 of 2" in text_of(second)
    assert page_of(alice, address(wave, p="x")).status_code == 200


def test_a_wave_of_a_population_shows_it(page_of, alice, mixed, phase):
    wave = mixed(10)
    Phase.objects.update(share=50)
    Wave.objects.update(share=40, audience={})

    shown = text_of(page_of(alice, address(wave)))

    assert "Population of the phase 5" in shown
    assert "Taken 2" in shown
    assert "40 % of the phase" in text_of(page_of(alice, reverse("admin:rollout_wave_change", args=[wave.pk])))


def test_an_audience_that_cannot_be_read_is_said_and_makes_no_file(page_of, alice, mixed):
    wave = mixed(4)
    Wave.objects.update(audience={"limit": 2, "rules": [{"trait": "shoe_size"}]})

    assert "AUDIENCE_INVALID: rules[0].trait" in text_of(page_of(alice, address(wave)))
    assert page_of(alice, address(wave, "rollout_wave_audience_file")).status_code == 409


def test_names_that_a_spreadsheet_would_run_are_made_harmless(page_of, alice, customer, planned):
    customer('=cmd|"/C calc"')
    file = rows_of(page_of(alice, address(planned(limit=1), "rollout_wave_audience_file")))

    assert file[0]["person"] == '\'=cmd|"/C calc"'


def test_pages_and_files_cost_the_same_queries_for_one_and_for_fifty(client, alice, mixed, customer):
    def cost(wave):
        counts = []
        for name in ("rollout_wave_audience", "rollout_wave_audience_file"):
            with CaptureQueriesContext(connection) as queries:
                response = client.get(address(wave, name))
                if response.streaming:
                    rows_of(response)
            counts.append(len(queries))
        return counts

    client.force_login(alice)
    one, many = mixed(2), mixed(0, limit=50)
    client.get(address(one))
    before = cost(one), cost(many)
    for number in range(50):
        customer(f"v{number}", region="EU")
    assert (cost(one), cost(many)) == before

    lock_wave(one, **SAID)
    lock_wave(many, **SAID)
    assert (one.size, many.size) == (1, 50)
    assert cost(one) == cost(many)


@pytest.mark.parametrize("role", ["arthur", "alice", "dora"])
def test_whoever_sees_waves_sees_who_is_meant(request, page_of, mixed, role):
    assert page_of(request.getfixturevalue(role), address(mixed(2))).status_code == 200


@pytest.mark.parametrize("name", ["rollout_wave_audience", "rollout_wave_audience_file"])
def test_who_has_no_rights_does_not(page_of, charlie, mixed, name):
    assert page_of(charlie, address(mixed(2), name)).status_code == 403


def test_a_wave_that_is_not_there_is_not_found(page_of, alice, mixed):
    wave = mixed(2)
    wave.pk = 999_999

    assert page_of(alice, address(wave)).status_code == 404


@pytest.mark.parametrize(
    ("audience", "sentence"),
    [
        ('{"limit": 2,}', "Line 1, column 1"),
        ('{"limit": 2,\n "rules": [{"trait": "risk"]}', "Line 2, column 2"),
        ('{"limit": 2, "rules": [{"trait": "risk"}]}', "rules[0]: The rule says nothing of risk."),
        ('{"limit": 2, "rules": [{"trait": "risk", "one_of": ["low", "awful"]}]}', "rules[0].one_of[1]: risk is never 'awful'."),
        ("[]", "It names nobody"),
        ("7", "An audience is an object."),
        ("", "It names nobody"),
    ],
)
def test_the_form_says_where_an_audience_is_wrong(client, alice, phase, audience, sentence):
    client.force_login(alice)
    new = {"phase": phase.pk, "name": "First", "audience": audience, "soak": "24:00:00"}

    shown = client.post(reverse("admin:rollout_wave_add"), new)

    assert sentence in text_of(shown).replace("&#x27;", "'")
    assert not Wave.objects.exists()


def test_with_a_share_the_form_takes_everybody(client, change, alice, phase):
    client.force_login(alice)
    new = {"phase": phase.pk, "name": "First", "audience": "", "share": "40", "soak": "24:00:00"}

    client.post(reverse("admin:rollout_wave_add"), new)

    wave = Wave.objects.get()
    assert (wave.audience, wave.share) == ({}, 40)
    change(alice, wave, share="", audience='{"limit": 2}')
    wave.refresh_from_db()
    assert (wave.audience, wave.share) == ({"limit": 2}, None)


def test_a_share_of_people_who_are_divided_is_refused_on_the_form(client, alice, phase):
    Phase.objects.update(frozen_at=AT, population=10)
    client.force_login(alice)
    new = {"phase": phase.pk, "name": "First", "audience": "", "share": "40", "soak": "24:00:00"}

    shown = client.post(reverse("admin:rollout_wave_add"), new)

    assert "a further share would get nobody. Say whom the wave means without a share" in text_of(shown)
    assert not Wave.objects.exists()


@pytest.fixture
def act_with(client):
    """What does an act that asks for more than a reason."""

    def act(user, name, row, **said):
        client.force_login(user)
        versions = json.dumps({row.pk: type(row).objects.get(pk=row.pk).version})
        return client.post(act_address(name, row), {"reason": "because", "versions": versions, **said}, follow=True)

    return act


@pytest.fixture
@kept
def two(customers, planned):
    """Two locked waves, three days apart."""
    customers(4)
    waves = [planned(limit=2), planned(limit=2)]
    for number, wave in enumerate(waves):
        Wave.objects.filter(pk=wave.pk).update(starts_at=AT + timedelta(days=3 * number))
        wave.refresh_from_db()
        lock_wave(wave, **SAID)
    return waves


def test_somebody_is_deferred_and_comes_back_through_their_page(act_with, act_as, page_of, alice, two):
    first, second = two
    row = first.enrolments.first()
    offered = text_of(page_of(alice, act_address("defer", row)))
    assert f"{second}, 2026-11-26 09:00 UTC" in offered
    assert "the plan allows 1" in offered

    response = act_with(alice, "defer", row, to=second.pk)

    assert f"waits for {second} now." in text_of(response)
    row.refresh_from_db()
    assert row.state == PersonState.DEFERRED
    assert "is back in their wave." in text_of(act_as(alice, "withdraw", row))
    row.refresh_from_db()
    assert row.state == PersonState.ENROLLED


def test_what_the_plan_does_not_allow_is_said_with_its_code(act_with, alice, two):
    first, second = two
    Wave.objects.filter(pk=second.pk).update(starts_at=AT + timedelta(days=40))

    response = act_with(alice, "defer", first.enrolments.first(), to=second.pk)

    assert "DEFERRAL_LIMIT" in text_of(response)


def test_a_wave_of_another_plan_or_one_that_has_told_people_is_not_offered(act_with, alice, two):
    first, second = two
    Wave.objects.filter(pk=second.pk).update(state=WaveState.ANNOUNCED)

    response = act_with(alice, "defer", first.enrolments.first(), to=second.pk)

    assert "Select a valid choice" in text_of(response)
    assert not Enrolment.objects.filter(state=PersonState.DEFERRED).exists()


def test_people_are_left_out_by_name_and_by_rule_through_the_waves_page(act_with, alice, two):
    first, second = two
    name = first.enrolments.first().person.user

    by_name = act_with(alice, "leave-out", first, users=f"{name}\nghost\n", rules="")
    wrong = act_with(alice, "leave-out", second, users="", rules='[{"trait": "internal", "is": "no"}]')
    by_rule = act_with(alice, "leave-out", second, users="", rules='[{"trait": "internal", "is": false}]')
    nobody = act_with(alice, "leave-out", first, users="", rules="[]")

    assert "1 people are left out. Not waiting in it: ghost." in text_of(by_name)
    assert "rules[0].is" in text_of(wrong)
    assert "2 people are left out." in text_of(by_rule)
    assert "AUDIENCE_INVALID" in text_of(nobody)


def test_the_comparison_is_ended_through_the_waves_page(act_as, alice, mixed):
    wave = mixed(10)
    lock_wave(wave, **SAID)

    assert "1 people are free for another wave." in text_of(act_as(alice, "release", wave))


def test_the_page_of_a_person_says_why_they_were_chosen_and_how_often_they_were_deferred(page_of, alice, two):
    first, second = two
    row = first.enrolments.first()
    later = defer_person(row, to=second, **WHY)

    assert "rank 1 of 4 in sticky order" in text_of(page_of(alice, reverse("admin:rollout_enrolment_change", args=[row.pk])))
    assert "deferred from Wave 1" in text_of(page_of(alice, reverse("admin:rollout_enrolment_change", args=[later.pk])))
