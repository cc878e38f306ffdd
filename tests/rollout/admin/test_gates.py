"""Holds, the freeze, breaches, policies, samples and windows through their pages."""

from datetime import UTC, datetime, time

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rollout.actions.breaches import waive_gate
from rollout.actions.chunks import process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.gates import add_policy, assess
from rollout.actions.holds import add_window, freeze, holds_on, is_frozen, set_hold
from rollout.actions.samples import record_sample
from rollout.gates import Window as Hours
from rollout.models import Alert, Breach, Event, GuardEvaluation, GuardPolicy, Hold, Sample, SignoffRequirement, Waiver, Window
from rollout.states import BreachState, HoldState, PersonState, WaveState
from tests.conftest import person as account
from tests.rollout.actions.test_breaches import FAILURES, NIGHTLY
from tests.rollout.actions.test_gates import SUCCESS, uptime
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT, HOSTILE, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
LISTS = ("guardpolicy", "guardevaluation", "breach", "hold", "sample", "waiver", "window")


@pytest.fixture
def dora(db):
    """Return an approver."""
    return account("dora", staff=True, role="approver")


@pytest.fixture
def breached(customers, customer, started, clock, phase):
    """A wave whose guard tripped, with one row in each list."""
    add_policy(phase.plan, phase=phase, name="Failures", policy=FAILURES, **WHY)
    wave = started(customer("hostile1", HOSTILE), customer("hostile2", HOSTILE), customer("hostile3", HOSTILE))
    process_chunk(wave, clock=clock)
    do_what_is_due(at=clock())
    record_sample(uptime(), **SAID)
    waive_gate(GuardPolicy.objects.get(), wave, **WHY)
    add_window(phase.plan, window=Hours("UTC", *NIGHTLY), **WHY)
    return Breach.objects.get()


def test_every_list_and_page_opens_for_an_auditor_who_changes_nothing(client, page_of, arthur, charlie, breached):
    for name in LISTS:
        listing = page_of(arthur, reverse(f"admin:rollout_{name}_changelist"))
        row = listing.context["cl"].queryset.first()
        address = reverse(f"admin:rollout_{name}_change", args=[row.pk])
        page = page_of(arthur, address)

        assert (listing.status_code, page.status_code) == (200, 200), name
        assert page.context.get("acts", []) == [], name
        assert not any(page.context[f"has_{right}_permission"] for right in ("add", "change", "delete")), name
        assert client.get(reverse(f"admin:rollout_{name}_add")).status_code == 403, name
        assert client.post(address, {}).status_code == 403, name
        assert client.post(reverse(f"admin:rollout_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, name
        assert page_of(charlie, reverse(f"admin:rollout_{name}_changelist")).status_code == 403, name


def test_lists_cost_the_same_queries_for_one_and_for_many(client, alice, breached, phase, planned):
    def count(name):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"admin:rollout_{name}_changelist")).status_code == 200
        return len(queries)

    client.force_login(alice)
    for name in LISTS:
        count(name)
    one = {name: count(name) for name in LISTS}
    for number in range(5):
        policy = add_policy(phase.plan, phase=phase, name=f"P{number}", policy=FAILURES, **WHY)
        Breach.objects.create(policy=policy, evaluation=assess(policy, at=AT), opened_at=AT, wave=breached.wave)
        waive_gate(policy, breached.wave, **WHY)
        set_hold(phase.plan, **WHY)
        record_sample(uptime(phase=phase), **SAID)
        add_window(phase.plan, phase=phase, window=Hours("UTC", *NIGHTLY), **WHY)

    assert {name: count(name) for name in LISTS} == one


def test_looking_at_an_act_writes_nothing_and_needs_the_right(admin_client, page_of, charlie, breached):
    for row in (breached, Hold.objects.get()):
        for act in admin.site._registry[type(row)].acts:
            with CaptureQueriesContext(connection) as queries:
                assert admin_client.get(act_address(act.name, row)).status_code == 200
            assert {each["sql"].split()[0] for each in queries} & {"INSERT", "UPDATE", "DELETE"} == set()
    for row in (breached, Hold.objects.get()):
        for act in admin.site._registry[type(row)].acts:
            assert page_of(charlie, act_address(act.name, row)).status_code == 403


def test_the_page_of_a_breach_names_the_failed_and_what_was_done(page_of, arthur, breached):
    Breach.objects.update(respond_by=datetime(2020, 1, 2, tzinfo=UTC))

    page = page_of(arthur, reverse("admin:rollout_breach_change", args=[breached.pk]))
    shown = text_of(page)

    assert '<span class="badge badge-bad">open</span>' in page.context["overview"].badge
    assert "3 of the people whom it affects failed" in shown
    assert "hostile2" in shown
    assert "FINDING_OPEN" in shown
    assert "Pilot is held." in shown
    assert "The time to respond is over." in shown


def test_what_a_guard_holds_leads_to_its_breach(page_of, arthur, breached):
    phase = breached.wave.phase

    shown = page_of(arthur, reverse("admin:rollout_phase_change", args=[phase.pk])).context["overview"].kept

    kept = {each.said.code: each.address for each in shown}
    assert kept["HOLD_GUARD"] == reverse("admin:rollout_breach_change", args=[breached.pk])


def test_the_page_of_a_breach_says_who_was_told_and_who_could_not_be(page_of, arthur, breached):
    response = breached.responses.get(action="alert")
    same = {"response": response, "role": "operator", "due_at": AT}
    Alert.objects.create(name="alice", address="a@example.org", state="sent", sent_at=AT, **same)
    Alert.objects.create(name="otto", address="o@example.org", state="failed", error="550", **same)
    Alert.objects.create(
        name="zoe", address="z@example.org", state="sent", sent_at=AT, subject="[Phoenix] high", body="It <broke>.\nNow.", **same
    )

    shown = text_of(page_of(arthur, reverse("admin:rollout_breach_change", args=[breached.pk])))

    assert "alice operator alert sent 2026-11-23" in shown
    assert "otto operator alert failed: 550 due 2026-11-23" in shown
    assert "[Phoenix] high It &lt;broke&gt;. Now." in shown


def test_an_approver_waives_a_breach_and_an_operator_does_not(client, act_as, page_of, alice, dora, breached):
    assert page_of(alice, act_address("waive", breached)).status_code == 403
    shown = text_of(page_of(dora, act_address("waive", breached)))
    assert "Autumn / Pilot is no longer held by it." in shown

    act_as(dora, "waive", breached)

    breached.refresh_from_db()
    assert (breached.state, breached.closed_by, breached.closed_reason) == (BreachState.WAIVED, "dora", "because")


def test_an_operator_validates_again_and_is_told_that_it_is_not_enough(act_as, page_of, alice, breached):
    shown = text_of(page_of(alice, act_address("revalidate", breached)))
    assert "3 people are translated and validated again" in shown
    assert "above 0.98" in shown

    said = text_of(act_as(alice, "revalidate", breached))

    assert "is open. Migration success is 0, beyond 0.95. (CROSSED)" in said
    assert "Validated again alice because" in said


def test_a_guards_hold_says_how_it_ends(act_as, page_of, alice, breached):
    hold = Hold.objects.get()
    assert "when its breach is cleared by a re-validation, or waived by name" in text_of(
        page_of(alice, act_address("clear", hold))
    )

    assert "HOLD_BOUND" in text_of(act_as(alice, "clear", hold))
    assert Hold.objects.get().state == HoldState.STANDING


def test_a_wave_is_paused_and_resumed_through_its_page(act_as, page_of, alice, customers, started, clock):
    wave = started(*customers(2))
    assert "Nobody of 2 who wait is claimed" in text_of(page_of(alice, act_address("pause", wave)))
    act_as(alice, "pause", wave)
    freeze(**WHY)
    assert process_chunk(wave, clock=clock).claimed == 0
    said = text_of(page_of(alice, reverse("admin:rollout_wave_change", args=[wave.pk])))
    assert "Paused by somebody: “because”." in said
    assert "Everything is frozen: “because”." in said

    assert "It stays held all the same: everything" in text_of(page_of(alice, act_address("resume", wave)))
    assert "is still held: everything: everything is frozen" in text_of(act_as(alice, "resume", wave))
    freeze_hold = Hold.objects.standing().get()
    assert "The freeze is taken off by its own switch" in text_of(page_of(alice, act_address("clear", freeze_hold)))


@pytest.mark.parametrize("of", ["phase", "plan"])
def test_a_phase_and_a_plan_are_paused_through_their_pages(act_as, page_of, alice, arthur, customers, started, phase, clock, of):
    wave = started(*customers(1))
    row = phase if of == "phase" else phase.plan
    assert "No wave of it starts or claims anybody" in text_of(page_of(alice, act_address("pause", row)))
    assert page_of(arthur, act_address("pause", row)).status_code == 403

    act_as(alice, "pause", row)

    assert process_chunk(wave, clock=clock).claimed == 0
    act_as(alice, "clear", Hold.objects.get())
    assert process_chunk(wave, clock=clock).switched == 1


def test_clearing_a_hold_shows_which_waves_go_on_and_which_do_not(act_as, page_of, alice, customers, started):
    people = customers(2)
    first, second = started(people[0]), started(people[1])
    hold = set_hold(first.phase, **WHY)
    set_hold(second, **WHY)

    shown = text_of(page_of(alice, act_address("clear", hold)))
    assert f"{first} goes on claiming people." in shown
    assert f"{second} stays held: {second}: paused by somebody" in shown
    act_as(alice, "clear", hold)

    assert [holds_on(wave, at=AT) == [] for wave in (first, second)] == [True, False]


def test_the_freeze_is_one_switch_with_a_reason(client, page_of, alice, arthur, customers, started):
    started(*customers(1))
    address = reverse("admin:rollout_freeze")
    client.force_login(alice)
    assert "1 waves at work claim nobody from now on" in text_of(client.get(address))

    client.post(address, {"to": "on", "reason": ""})
    assert not is_frozen()
    client.post(address, {"to": "on", "reason": "holidays"})
    assert is_frozen()
    assert "Every plan is frozen" in text_of(client.get(address))
    client.post(address, {"to": "off", "reason": "back"})
    assert not is_frozen()

    assert page_of(arthur, address).status_code == 403
    assert f'action="{address}"' in page_of(alice, reverse("admin:rollout_stop")).content.decode()


def test_starting_shows_what_would_refuse_it_and_an_approver_waives_the_gate(
    act_as, page_of, alice, dora, customers, customer, started, planned, clock, phase
):
    add_policy(phase.plan, phase=phase, name="Success", policy=SUCCESS, **WHY)
    process_chunk(started(customer("hostile", HOSTILE), *customers(1)), clock=clock)
    customer("late")
    wave = planned("late")
    for act in ("lock", "announce"):
        act_as(alice, act, wave)
    hold = set_hold(wave, **WHY)
    GuardEvaluation.objects.all().delete()

    shown = text_of(page_of(alice, act_address("start", wave)))
    assert "Refused now (WAVE_HELD): " in shown
    assert "Refused now (GATE_HELD): Success: " in shown
    assert not GuardEvaluation.objects.exists()
    refused = text_of(act_as(alice, "start", wave))
    assert "GATE_HELD: " in refused
    assert "Besides: Pilot / Wave 2: paused by somebody" in refused
    assert page_of(alice, act_address("waive", wave)).status_code == 403
    assert "It may start though Success does not pass" in text_of(page_of(dora, act_address("waive", wave)))
    act_as(dora, "waive", wave)
    assert "WAVE_HELD" in text_of(act_as(alice, "start", wave))
    act_as(alice, "clear", hold)
    act_as(alice, "start", wave)

    wave.refresh_from_db()
    assert (wave.state, Waiver.objects.get().by) == (WaveState.RUNNING, "dora")
    assert wave.members_by_state() == {PersonState.QUEUED: 1}


POLICY = {
    "phase": "", "name": "Uptime", "purpose": "guard", "metric": "uptime", "compare": "absolute", "trip": "0.99",
    "clear": "0.999", "window": "1 00:00:00", "min_sample": "20", "sustained": "0", "no_data": "hold",
    "severity": "high", "respond_within": "",
    "responses": '[{"action": "pause", "after_s": 0}]',
}  # fmt: skip


def test_an_operator_adds_a_policy_that_can_be_decided_by(client, alice, phase):
    client.force_login(alice)
    address = reverse("admin:rollout_guardpolicy_add")
    new = {**POLICY, "plan": phase.plan_id}

    assert "better side" in text_of(client.post(address, {**new, "clear": "0.9"}))
    assert "A response is" in text_of(client.post(address, {**new, "responses": '["pause"]'}))
    client.post(address, new)

    row = GuardPolicy.objects.get()
    assert (row.made_by, row.value().responses[0].action) == ("alice", "pause")
    assert Event.objects.about("policy", row.pk).get().by == "alice"
    assert client.post(reverse("admin:rollout_guardpolicy_change", args=[row.pk]), new).status_code == 403


def test_an_operator_enters_a_measurement_and_no_nonsense(client, alice, phase):
    client.force_login(alice)
    address = reverse("admin:rollout_sample_add")
    new = {
        "metric": "satisfaction", "arm": "treated", "plan": phase.plan_id, "phase": phase.pk, "numerator": "45",
        "denominator": "50", "count": "50", "taken_at_0": "2020-01-02", "taken_at_1": "10:00:00", "source": "survey", "key": "",
        "note": "",
    }  # fmt: skip

    assert "A part is not larger than the whole" in text_of(client.post(address, {**new, "numerator": "51"}))
    assert "not in the future" in text_of(client.post(address, {**new, "taken_at_0": "2099-01-02"}))
    client.post(address, new)

    row = Sample.objects.get()
    assert (row.numerator, row.by, row.phase) == (45, "alice", phase)


def test_an_operator_adds_a_window_and_takes_it_off(client, alice, phase):
    client.force_login(alice)
    address = reverse("admin:rollout_window_add")
    new = {"plan": phase.plan_id, "phase": "", "zone": "Europe/Berlin", "opens": "02:00", "closes": "04:00", "days": "[0, 1]"}

    assert "is no IANA zone" in text_of(client.post(address, {**new, "zone": "Berlin"}))
    client.post(address, new)
    row = Window.objects.get()
    assert (row.days, row.zone) == ([0, 1], "Europe/Berlin")
    client.post(reverse("admin:rollout_window_delete", args=[row.pk]), {"post": "yes"})

    assert not Window.objects.exists()
    kinds = Event.objects.about("plan", phase.plan_id).filter(kind__startswith="window").values_list("kind", "by")
    assert list(kinds) == [("window_added", "alice"), ("window_removed", "alice")]


def test_the_record_links_to_breaches_holds_and_policies(page_of, arthur, breached):
    shown = page_of(arthur, reverse("admin:rollout_event_changelist")).content.decode()

    for row in (breached, Hold.objects.get(), GuardPolicy.objects.get()):
        name = row._meta.model_name
        assert reverse(f"admin:rollout_{name}_change", args=[row.pk]) in shown


def test_the_page_of_a_policy_shows_what_happened_to_it(client, alice, phase):
    row = add_policy(phase.plan, phase=phase, name="Failures", policy=FAILURES, **WHY)
    client.force_login(alice)

    page = text_of(client.get(reverse("admin:rollout_guardpolicy_change", args=[row.pk])))

    assert "UTC Made alice because" in page
    assert "because" in page
    assert "Nothing has happened yet" not in page


def test_a_page_without_a_record_of_its_own_shows_no_empty_one(client, alice, phase):
    row = add_policy(phase.plan, name="Uptime", policy=FAILURES, **WHY)
    verdict = assess(row, at=AT)
    client.force_login(alice)

    assert "Timeline" not in text_of(client.get(reverse("admin:rollout_guardevaluation_change", args=[verdict.pk])))


def test_a_demand_that_came_too_late_is_refused_as_a_sentence(client, alice, started, customers, phase):
    started(*customers(1))
    SignoffRequirement.objects.create(plan=phase.plan, role="CTO")
    client.force_login(alice)
    hours = {"plan": phase.plan_id, "zone": "UTC", "opens": "02:00", "closes": "04:00", "days": "[0]"}

    page = client.post(reverse("admin:rollout_window_add"), hours, follow=True)

    assert "CONTENT_FROZEN" in text_of(page)
    assert not Window.objects.exists()


def test_a_window_that_came_with_a_signed_plan_is_not_taken_off_later(client, alice, started, customers, phase):
    window = add_window(phase.plan, window=Hours("UTC", time(0), time(23), (0, 1, 2, 3, 4, 5, 6)), **WHY)
    started(*customers(1))
    SignoffRequirement.objects.create(plan=phase.plan, role="CTO")
    client.force_login(alice)

    page = client.post(reverse("admin:rollout_window_delete", args=[window.pk]), {"post": "yes"}, follow=True)
    chosen = {"action": "delete_selected", "_selected_action": [window.pk], "post": "yes"}
    listed = client.post(reverse("admin:rollout_window_changelist"), chosen, follow=True)

    assert "CONTENT_FROZEN" in text_of(page)
    assert "CONTENT_FROZEN" in text_of(listed)
    assert Window.objects.exists()
