"""Moving a chunk of people: claim, translate, validate, switch."""

import pytest

from rollout.actions.chunks import process_chunk
from rollout.models import Enrolment, Snapshot, standing_of
from rollout.states import PersonState, WaveState
from rollout.waves import System
from slots.actions import render
from tests.rollout.conftest import AT, CARD, CONTEXT, HOSTILE

pytestmark = pytest.mark.django_db


def state_of(person):
    return Enrolment.objects.live().get(person=person).state


def test_process_chunk_puts_people_with_a_proof_on_slots(customers, started, clock):
    people = customers(3)
    wave = started(*people)

    report = process_chunk(wave, clock=clock)

    assert (report.claimed, report.switched, report.failed, report.remaining) == (3, 3, 0, 0)
    assert {standing_of(person.key).decide().system for person in people} == {System.SLOTS}
    assert "Order now" in render(CARD, people[0].key, CONTEXT, at=AT)
    wave.refresh_from_db()
    assert wave.state == WaveState.MONITORING
    assert wave.members_by_state() == {PersonState.SWITCHED: 3}


def test_process_chunk_leaves_people_without_a_proof_on_the_legacy_system(customer, started, clock):
    good, hostile = customer("good"), customer("hostile", HOSTILE)

    report = process_chunk(started(good, hostile), clock=clock)

    assert (report.switched, report.failed) == (1, 1)
    row = Enrolment.objects.get(person=hostile)
    assert (row.state, row.code) == (PersonState.VALIDATION_FAILED, "FINDING_OPEN")
    assert "UNSAFE_HTML" in row.text
    assert standing_of(hostile.key).decide().system == System.LEGACY
    assert not Snapshot.objects.filter(person=hostile).exists()
