"""Acts on plans, phases and waves: the effect before the act, the right, the reason, the stale page."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rollout.actions.chunks import process_chunk
from rollout.actions.plans import PhaseDraft, create_plan
from rollout.models import Enrolment, Event, Phase, Plan, Wave
from rollout.states import PhaseState, PlanState, WaveState
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db


def test_a_wave_goes_from_plan_to_rollback_through_its_pages(act_as, alice, customers, planned, clock):
    customers(3)
    wave = planned(limit=2)

    for act, state in [("lock", WaveState.LOCKED), ("announce", WaveState.ANNOUNCED), ("start", WaveState.RUNNING)]:
        act_as(alice, act, wave)
        wave.refresh_from_db()
        assert wave.state == state
    process_chunk(wave, clock=clock)
    response = act_as(alice, "rollback", wave)

    wave.refresh_from_db()
    assert wave.state == WaveState.ROLLED_BACK
    assert "2 of 2 people are back." in text_of(response)
    events = Event.objects.about("wave", wave.pk).filter(by="alice", reason="because")
    assert set(events.values_list("to_state", flat=True)) >= {"locked", "announced", "running", "rolling_back"}


def test_the_page_of_an_act_shows_the_effect_and_does_nothing(page_of, alice, done):
    wave = done(3)

    response = page_of(alice, act_address("rollback", wave))

    assert "3 people on slots see the legacy system from their next page on" in text_of(response)
    wave.refresh_from_db()
    assert wave.state == WaveState.MONITORING


def test_an_act_without_a_selection_says_that_it_takes_a_hundred(client, alice, phase):
    made = [Plan(name=f"Plan {number:03}", salt="s", author="a", created_at=AT) for number in range(101)]
    Plan.objects.bulk_create(made)
    client.force_login(alice)
    checked = {"action": "cancel", "_selected_action": [phase.plan_id], "select_across": "1", "index": 0}

    page = client.post(reverse("admin:rollout_plan_changelist"), checked, follow=True)
    by_address = client.get(act_address("cancel", *Plan.objects.all()))
    of_a_hundred = client.get(act_address("cancel", *Plan.objects.all()[:100]))

    for each in (page, by_address):
        assert "Only the first 100 of the chosen rows are taken; choose the others afterwards." in text_of(each)
        assert len(each.context["rows"]) == 100
    assert "Only the first" not in text_of(of_a_hundred)


PLACES = {"plan": Plan, "phase": Phase, "wave": Wave, "enrolment": Enrolment}


def every_act():
    """Return the address of every act there is, each on a row of its kind."""
    return [act_address(act.name, model.objects.first()) for model in PLACES.values() for act in admin.site._registry[model].acts]


def test_looking_at_an_act_writes_nothing(admin_client, done):
    done(2)

    for address in every_act():
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(address).status_code == 200
        written = {each["sql"].split()[0] for each in queries} & {"INSERT", "UPDATE", "DELETE"}
        assert (address, written) == (address, set())


def test_no_act_without_its_right_or_without_the_token_of_the_page(client, charlie, admin_user, done):
    done(2)
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(admin_user)
    client.force_login(charlie)
    before = Event.objects.count()

    for address in every_act():
        assert (client.get(address).status_code, client.post(address, {"reason": "because"}).status_code) == (403, 403)
        assert careful.post(address, {"reason": "because", "versions": "{}"}).status_code == 403

    assert Event.objects.count() == before


@pytest.mark.parametrize("ids", ["", "x", "9" * 30, "9" * 5000, "-1", "99999,,99998"])
def test_rows_that_are_not_there_are_no_trouble(page_of, alice, planned, ids):
    address = act_address("lock", planned(limit=1)).partition("?")[0]

    answer = page_of(alice, f"{address}?ids={ids}")

    assert answer["Location"] == reverse("admin:rollout_wave_changelist")
    assert "NOT_FOUND: None of these rows is there any more." in text_of(page_of(alice, answer["Location"]))


def test_locking_is_previewed_with_names_and_reasons(page_of, alice, customer, planned, done):
    done(1)
    customer("bare", None)
    wave = planned("c1", "bare", "ghost")

    shown = text_of(page_of(alice, act_address("lock", wave)))

    assert "0 people are frozen as its members" in shown
    assert "c1 (ON_SLOTS_ALREADY)" in shown
    assert "bare (NOT_CUSTOMISED)" in shown
    assert "ghost (PERSON_UNKNOWN)" in shown


def test_an_act_needs_a_reason(act_as, alice, done):
    wave = done(1)

    response = act_as(alice, "rollback", wave, reason="")

    assert "This field is required." in text_of(response)
    wave.refresh_from_db()
    assert wave.state == WaveState.MONITORING


def test_an_act_from_a_stale_page_is_refused_and_shows_the_present_state(act_as, alice, customers, planned):
    customers(1)
    wave = planned(limit=1)
    act_as(alice, "lock", wave)

    response = act_as(alice, "cancel", wave, versions={wave.pk: 1})

    assert "MOVE_REFUSED" in text_of(response)
    wave.refresh_from_db()
    assert wave.state == WaveState.LOCKED


def test_several_plans_are_acted_on_from_the_list(client, act_as, alice):
    plans = [create_plan(name, phases=[PhaseDraft("One")], **SAID) for name in ("North", "South")]
    client.force_login(alice)
    chosen = {"action": "cancel", "_selected_action": [plan.pk for plan in plans]}
    asked = client.post(reverse("admin:rollout_plan_changelist"), chosen)
    assert asked["Location"] in (act_address("cancel", *plans), act_address("cancel", *reversed(plans)))

    act_as(alice, "cancel", *plans)

    assert set(Plan.objects.values_list("state", flat=True)) == {PlanState.CANCELLED}


@pytest.mark.parametrize("role", ["sue", "arthur", "dora", "charlie"])
def test_only_operators_act_on_waves(request, act_as, page_of, done, role):
    wave = done(1)
    user = request.getfixturevalue(role)

    assert act_as(user, "rollback", wave).status_code == 403
    assert page_of(user, act_address("rollback", wave)).status_code == 403
    wave.refresh_from_db()
    assert wave.state == WaveState.MONITORING


def test_an_unknown_act_is_not_found(page_of, alice, planned):
    assert page_of(alice, act_address("explode", planned(limit=1))).status_code == 404


def test_a_plan_is_written_by_one_and_approved_by_another(client, act_as, alice, dora):
    client.force_login(alice)
    client.post(reverse("admin:rollout_plan_add"), {"name": "Winter"})
    plan = Plan.objects.get(name="Winter")
    phase = plan.phases.get()
    act_as(alice, "submit", plan)

    alice.groups.add(Group.objects.get(name="approver"))
    refused = act_as(User.objects.get(pk=alice.pk), "approve", plan)
    assert "APPROVER_IS_AUTHOR" in text_of(refused)

    act_as(dora, "approve", plan)
    act_as(alice, "schedule", plan)
    act_as(dora, "open", phase)

    plan.refresh_from_db()
    phase.refresh_from_db()
    assert (plan.state, plan.approved_by, phase.state) == (PlanState.RUNNING, "dora", PhaseState.OPEN)


def test_a_wave_is_planned_and_its_audience_changed_in_the_admin_until_it_has_members(
    client, act_as, change, alice, phase, customers
):
    customers(3)
    client.force_login(alice)
    new = {"phase": phase.pk, "name": "First", "audience": '{"limit": 2}', "soak": "24:00:00"}

    refused = client.post(reverse("admin:rollout_wave_add"), {**new, "audience": '{"limit": -2}'})
    assert "a whole number from 1" in text_of(refused)
    client.post(reverse("admin:rollout_wave_add"), new)
    wave = Wave.objects.get(name="First")
    change(alice, wave, audience='{"limit": 3}')
    act_as(alice, "lock", wave)

    wave.refresh_from_db()
    assert (wave.position, wave.size, wave.state) == (1, 3, WaveState.LOCKED)
    change(alice, wave, audience='{"limit": 1}')
    assert Wave.objects.get(pk=wave.pk).audience == {"limit": 3}


def test_the_waves_page_shows_members_that_sum_up(page_of, alice, done):
    shown = text_of(page_of(alice, reverse("admin:rollout_wave_change", args=[done(3).pk])))

    assert "switched 3" in shown
    assert "3 of 3 when it was locked" in shown
