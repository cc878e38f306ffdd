"""How far a wave is: counts that sum up, its pace, its end, and what failed by cause."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollout.actions.chunks import process_chunk
from rollout.actions.progress import causes_of, progress_of
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import lock_wave
from rollout.models import Enrolment, Wave
from rollout.states import GROUPS, PersonState, WaveState
from tests.rollout.conftest import AT, HOSTILE, SAID, WHY

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_every_state_is_in_one_group():
    assert sorted(state for states in GROUPS.values() for state in states) == sorted(PersonState)


def test_counts_sum_up_whatever_states_people_are_in(planned, customers, phase):
    wave = planned(*customers(len(PersonState)))
    lock_wave(wave, **SAID)
    for row, state in zip(wave.enrolments.order_by("pk"), PersonState, strict=True):
        leased = state in GROUPS["working"]
        lease = {"lease_token": "5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10", "lease_until": AT} if leased else {}
        gone = state in {PersonState.EXCLUDED, PersonState.REMOVED}
        Enrolment.objects.filter(pk=row.pk).update(state=state, is_live=not gone, **lease)

    found = progress_of(wave, at=AT)

    assert sum(found.groups.values()) == found.total == found.size == len(PersonState)
    assert found.groups == {name: len(states) for name, states in GROUPS.items()}


def test_the_pace_of_a_wave_at_work_is_that_of_its_last_minutes(started, customers, clock):
    wave = started(*customers(6))
    Wave.objects.update(started_at=AT - timedelta(hours=2))
    wave.refresh_from_db()
    process_chunk(wave, clock=clock, size=2)
    wave.refresh_from_db()

    found = progress_of(wave, at=AT + MINUTE)

    assert (found.left, found.handled, found.pace, found.measured) == (4, 2, 0.4, 5 * MINUTE)
    assert found.ends_at == AT + 11 * MINUTE
    assert progress_of(wave, at=AT + MINUTE, is_held=True).ends_at is None
    assert progress_of(wave, at=AT + 10 * MINUTE).pace is None


def test_a_wave_that_has_just_started_has_no_pace_but_a_rate_says_until_when(started, customers):
    wave = started(*customers(6))
    assert progress_of(wave, at=AT).ends_at is None

    wave.rate = 2

    assert progress_of(wave, at=AT).ends_at == AT + 3 * MINUTE


def test_of_a_wave_whose_people_are_through_the_pace_is_over_all_of_its_work(started, customers, clock):
    wave = started(*customers(4))
    clock.advance(120)
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    assert wave.state == WaveState.MONITORING

    found = progress_of(wave, at=AT + timedelta(hours=9))

    assert (found.left, found.pace, found.measured, found.ends_at, found.success) == (0, 2.0, 2 * MINUTE, None, 1.0)


def test_failures_are_counted_by_cause_and_a_rollback_is_none(started, customers, customer, clock):
    wave = started(*customers(2), customer("h1", HOSTILE), customer("h2", HOSTILE))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()

    (cause,) = causes_of(wave)
    assert (cause.state, cause.people) == (PersonState.VALIDATION_FAILED, 2)
    assert cause.code
    assert cause.example

    roll_back_wave(wave, **WHY)
    assert [each.people for each in causes_of(wave)] == [2]


def test_it_asks_the_same_queries_of_many_people(started, customers, clock):
    people = customers(9)
    counts = []
    for group in (people[:1], people[1:]):
        wave = started(*group)
        process_chunk(wave, clock=clock)
        with CaptureQueriesContext(connection) as queries:
            progress_of(wave, at=AT)
            causes_of(wave)
        counts.append(len(queries))

    assert counts == [4, 4]
