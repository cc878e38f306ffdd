"""The rollout's pages: who may do what, the effect before the act, constant query counts."""

import json
import re

import pytest
from django.apps.registry import Apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration.models import Person
from rollout.actions.chunks import process_chunk
from rollout.actions.people import override_person
from rollout.models import Enrolment, Event, FlagOverride, Phase, Plan, Snapshot, Wave, standing_of
from rollout.roles import ROLES, ensure_roles
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from rollout.switch import is_killed
from rollout.waves import System
from tests.conftest import person as account
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
LISTS = ("plan", "phase", "wave", "enrolment", "flagoverride", "flag", "snapshot", "event")


@pytest.fixture
def sue(db):
    """Return somebody of support."""
    return account("sue", staff=True, role="support")


@pytest.fixture
def arthur(db):
    """Return an auditor."""
    return account("arthur", staff=True, role="auditor")


@pytest.fixture
def page_of(client):
    """What opens a page as somebody."""

    def open_page(user, address):
        client.force_login(user)
        return client.get(address)

    return open_page


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def act_address(act, *rows):
    model = rows[0]._meta.model_name
    return f"{reverse(f'admin:rollout_{model}_act', args=[act])}?ids={'%2C'.join(str(row.pk) for row in rows)}"


@pytest.fixture
def act_as(client):
    """What does an act on rows through its page, as the page showed them."""

    def act(user, name, *rows, reason="because", versions=None):
        client.force_login(user)
        shown = versions or {row.pk: type(row).objects.get(pk=row.pk).version for row in rows}
        return client.post(act_address(name, *rows), {"reason": reason, "versions": json.dumps(shown)}, follow=True)

    return act


@pytest.fixture
def done(customers, started, clock):
    """A wave with so many people on slots."""

    def make(count):
        wave = started(*customers(count))
        process_chunk(wave, clock=clock)
        wave.refresh_from_db()
        return wave

    return make


def test_the_roles_are_groups_with_fitting_permissions(db):
    held = {
        group.name: {
            f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.select_related("content_type")
        }
        for group in Group.objects.filter(name__in=ROLES)
    }

    assert set(held) == set(ROLES)
    assert "rollout.operate_rollout" in held["operator"]
    assert "rollout.approve_rollout" in held["approver"]
    assert "rollout.operate_rollout" not in held["approver"]
    assert held["support"] == set(ROLES["support"])
    assert all(name.split(".")[1].startswith("view_") for name in held["auditor"])
    assert {"rollout.view_wave", "migration.view_customization", "slots.view_slotconfiguration"} <= held["auditor"]


def test_what_an_administrator_changed_in_a_role_stays(db):
    Group.objects.get(name="support").permissions.clear()
    Group.objects.get(name="auditor").delete()

    ensure_roles()

    assert Group.objects.get(name="support").permissions.count() == 0
    assert Group.objects.get(name="auditor").permissions.count() > 0


def test_roles_wait_where_the_tables_are_not_there_yet(db):
    Group.objects.all().delete()

    ensure_roles(apps=Apps())

    assert not Group.objects.exists()


@pytest.mark.parametrize("name", LISTS)
def test_every_list_and_page_opens_for_an_auditor_and_offers_nothing(page_of, arthur, done, name):
    wave = done(2)
    override_person(wave.enrolments.first().person, system=System.LEGACY, reason="asked", **SAID)

    listing = page_of(arthur, reverse(f"admin:rollout_{name}_changelist"))
    row = listing.context["cl"].queryset.first()
    page = page_of(arthur, reverse(f"admin:rollout_{name}_change", args=[row.pk]))

    assert (listing.status_code, page.status_code) == (200, 200)
    assert page.context.get("acts", []) == []
    assert not any(page.context[f"has_{right}_permission"] for right in ("add", "change", "delete"))


@pytest.mark.parametrize("name", LISTS)
def test_who_has_no_rights_sees_nothing(page_of, charlie, name):
    assert page_of(charlie, reverse(f"admin:rollout_{name}_changelist")).status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_nobody_deletes_and_the_record_is_append_only(admin_client, done, name):
    done(1)
    row = admin_client.get(reverse(f"admin:rollout_{name}_changelist")).context["cl"].queryset.first()
    if row is None:
        return

    assert admin_client.post(reverse(f"admin:rollout_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    if name in ("event", "snapshot", "flag", "flagoverride", "enrolment"):
        assert admin_client.get(reverse(f"admin:rollout_{name}_add")).status_code == 403
        assert admin_client.post(reverse(f"admin:rollout_{name}_change", args=[row.pk]), {}).status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_lists_cost_the_same_queries_for_one_and_for_ten(client, alice, done, customers, planned, name):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"admin:rollout_{name}_changelist")).status_code == 200
        return len(queries)

    client.force_login(alice)
    first = done(1)
    FlagOverride.objects.create(person=first.enrolments.get().person, system="legacy", reason="asked", by="sue", at=AT)
    client.get(reverse(f"admin:rollout_{name}_changelist"))
    one = count()

    for number in range(9):
        plan = Plan.objects.create(name=f"Plan {number}", salt="s", author="a", created_at=AT)
        phase = Phase.objects.create(plan=plan, position=1, name=f"Phase {number}")
        wave = Wave.objects.create(phase=phase, position=1, name=f"Wave {number}")
        person = Person.objects.create(user=f"d{number}")
        row = Enrolment.objects.create(plan=plan, wave=wave, person=person, updated_at=AT)
        Snapshot.objects.create(person=person, enrolment=row, act="5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10", digest="d", taken_at=AT)
        FlagOverride.objects.create(person=person, system="legacy", reason="asked", by="sue", at=AT)
        Event.objects.create(subject="wave", subject_pk=wave.pk, kind="made", by="alice", at=AT)

    assert count() == one


def test_the_waves_page_costs_the_same_queries_for_one_member_and_for_ten(client, alice, customers, started, clock):
    people = customers(11)
    counts = []
    client.force_login(alice)
    for group in (people[:1], people[1:]):
        wave = started(*group)
        process_chunk(wave, clock=clock)
        client.get(reverse("admin:rollout_wave_change", args=[wave.pk]))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("admin:rollout_wave_change", args=[wave.pk]))
        counts.append(len(queries))

    assert counts[0] == counts[1]


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


@pytest.mark.parametrize("ids", ["", "x", "9" * 30, "9" * 5000, "-1", "1,,2"])
def test_rows_that_are_not_there_are_no_trouble(page_of, alice, planned, ids):
    address = act_address("lock", planned(limit=1)).partition("?")[0]

    assert page_of(alice, f"{address}?ids={ids}").status_code == 200


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


def test_several_waves_are_taken_back_from_the_list(client, act_as, alice, customers, started, clock):
    people = customers(4)
    waves = [started(*people[:2]), started(*people[2:])]
    for wave in waves:
        process_chunk(wave, clock=clock)
    client.force_login(alice)
    chosen = {"action": "rollback", "_selected_action": [wave.pk for wave in waves]}
    asked = client.post(reverse("admin:rollout_wave_changelist"), chosen)
    assert asked["Location"] == act_address("rollback", *waves)

    act_as(alice, "rollback", *waves)

    assert set(Wave.objects.values_list("state", flat=True)) == {WaveState.ROLLED_BACK}


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


def test_a_wave_is_planned_and_changed_in_the_admin_until_it_has_members(client, act_as, alice, phase, customers):
    customers(3)
    client.force_login(alice)
    new = {"phase": phase.pk, "name": "First", "audience": '{"limit": 2}', "soak": "24:00:00"}

    refused = client.post(reverse("admin:rollout_wave_add"), {**new, "audience": '{"limit": -2}'})
    assert "a whole number from 1" in text_of(refused)
    client.post(reverse("admin:rollout_wave_add"), new)
    wave = Wave.objects.get(name="First")
    client.post(reverse("admin:rollout_wave_change", args=[wave.pk]), {**new, "audience": '{"limit": 3}'})
    act_as(alice, "lock", wave)

    wave.refresh_from_db()
    assert (wave.position, wave.size, wave.state) == (1, 3, WaveState.LOCKED)
    assert client.post(reverse("admin:rollout_wave_change", args=[wave.pk]), new).status_code == 403


def test_the_waves_page_shows_members_that_sum_up(page_of, alice, done):
    shown = text_of(page_of(alice, reverse("admin:rollout_wave_change", args=[done(3).pk])))

    assert "switched 3" in shown
    assert "3 of 3 when it was locked" in shown


def switch(client, user, person, system, reason="called us"):
    client.force_login(user)
    return client.post(reverse("admin:rollout_person", args=[person.pk]), {"system": system, "reason": reason}, follow=True)


def test_support_finds_a_person_and_sees_which_system_and_why(page_of, sue, done):
    person = done(1).enrolments.get().person

    found = page_of(sue, f"{reverse('admin:rollout_find_person')}?q={person.user}")
    shown = text_of(page_of(sue, reverse("admin:rollout_person", args=[person.pk])))

    assert reverse("admin:rollout_person", args=[person.pk]) in found.content.decode()
    assert "slots because the person's wave switched them to slots" in shown.replace("&#x27;", "'")
    assert "switching → switched" in shown


def test_support_switches_a_person_either_way_and_back_to_the_wave(client, sue, done):
    person = done(1).enrolments.get().person

    switch(client, sue, person, "legacy")
    assert standing_of(person.key).decide().system == System.LEGACY
    switch(client, sue, person, "slots")
    assert standing_of(person.key).decide().system == System.SLOTS
    switch(client, sue, person, "legacy")
    response = switch(client, sue, person, "wave")

    assert standing_of(person.key).decide().system == System.SLOTS
    assert "is on slots" in text_of(response)
    kinds = Event.objects.about("person", person.pk).values_list("kind", "by", "reason")
    assert list(kinds) == [("override_set", "sue", "called us")] * 3 + [("override_cleared", "sue", "called us")]


def test_support_cannot_put_somebody_on_slots_without_a_proof(client, sue, customer):
    person = customer("bob")

    response = switch(client, sue, person, "slots")

    assert "PROOF_MISSING" in text_of(response)
    assert standing_of(person.key).decide().system == System.LEGACY
    assert not FlagOverride.objects.exists()


def test_only_support_switches_people(client, page_of, arthur, charlie, customer):
    person = customer("bob")

    assert page_of(arthur, reverse("admin:rollout_person", args=[person.pk])).status_code == 200
    assert switch(client, arthur, person, "legacy").status_code == 403
    assert switch(client, charlie, person, "legacy").status_code == 403
    assert page_of(charlie, reverse("admin:rollout_person", args=[person.pk])).status_code == 403
    assert page_of(charlie, reverse("admin:rollout_find_person")).status_code == 403


def test_an_operator_takes_one_person_back_tries_again_and_leaves_out(act_as, alice, customers, started, clock):
    wave = started(*customers(3))
    process_chunk(wave, clock=clock, size=1)
    first, second, _ = wave.enrolments.order_by("pk")

    act_as(alice, "rollback", first)
    first.refresh_from_db()
    assert first.state == PersonState.ROLLED_BACK

    act_as(alice, "retry", first)
    act_as(alice, "exclude", second)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.is_live) == (PersonState.QUEUED, PersonState.EXCLUDED, False)


def test_the_kill_switch_is_engaged_and_released_with_a_reason(client, page_of, alice, sue):
    address = reverse("admin:rollout_kill_switch")
    client.force_login(alice)

    client.post(address, {"to": "engage", "reason": ""})
    assert not is_killed()
    client.post(address, {"to": "engage", "reason": "smoke"})
    assert is_killed()
    assert "everybody sees the legacy system" in text_of(client.get(address))
    client.post(address, {"to": "release", "reason": "put out"})

    assert not is_killed()
    assert page_of(sue, address).status_code == 403
