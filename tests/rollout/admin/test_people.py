"""Support's switch of one person, the acts on one place, and the kill switch; the console has `test_support.py`."""

import pytest
from django.urls import reverse

from rollout.actions.chunks import process_chunk
from rollout.actions.waves import lock_wave
from rollout.models import Event, FlagOverride, standing_of
from rollout.states import PersonState
from rollout.switch import is_killed
from rollout.waves import System
from tests.rollout.admin.conftest import text_of
from tests.rollout.conftest import HOSTILE, SAID

pytestmark = pytest.mark.django_db


def switch(client, user, person, system, reason="called us"):
    client.force_login(user)
    return client.post(reverse("admin:rollout_person", args=[person.pk]), {"system": system, "reason": reason}, follow=True)


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


def test_an_operator_proves_one_person_ahead_or_is_told_why_not(act_as, alice, customer, planned):
    wave = planned(customer("carla"), customer("hostile", HOSTILE))
    lock_wave(wave, **SAID)
    carla, hostile = (wave.enrolments.get(person__user=name) for name in ("carla", "hostile"))

    assert "is proven." in text_of(act_as(alice, "prevalidate", carla))
    kept = Event.objects.get(kind="proven_ahead", subject="enrolment", subject_pk=carla.pk)
    assert (kept.by, bool(kept.reason)) == ("alice", True)
    shown = text_of(act_as(alice, "prevalidate", hostile))

    assert "is not proven." in shown and "(FINDING_OPEN)" in shown
    assert wave.members_by_state() == {PersonState.ENROLLED: 2}


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
