"""The reconciler: finds by row state what is due, does it, and may run twice."""

from datetime import timedelta

import pytest

from rollout.actions.chunks import LEASE, claim, process_chunk
from rollout.actions.due import do_what_is_due, waves_to_wake
from rollout.actions.people import override_person
from rollout.actions.rollback import revoke_wave
from rollout.models import Enrolment, FlagOverride, Snapshot, Wave
from rollout.retries import POISONOUS
from rollout.states import PersonState, WaveState
from rollout.waves import System
from slots.models import SlotConfiguration
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "it looks odd"}


def test_a_killed_workers_people_are_queued_again_when_the_lease_is_over(customers, started, clock):
    wave = started(*customers(3))
    claim(wave, size=2, at=clock())
    assert do_what_is_due(at=clock()).done.total() == 0

    clock.advance(LEASE.total_seconds() + 1)
    report = do_what_is_due(at=clock())

    assert (report.due["lease"], report.done["lease"], report.done["retry"]) == (2, 2, 2)
    assert wave.members_by_state() == {PersonState.QUEUED: 3}
    assert report.wake == [wave.pk]
    assert [process_chunk(wave, clock=clock).switched for _ in range(3)] == [1, 1, 1]  # those of the killed worker come alone


def test_who_loses_a_second_worker_needs_somebody(customers, started, clock):
    wave = started(*customers(1))
    for _ in range(POISONOUS):
        claim(wave, size=1, at=clock())
        clock.advance(LEASE.total_seconds() + 1)
        do_what_is_due(at=clock())

    row = wave.enrolments.get()
    assert (row.state, row.code, row.leases_lost) == (PersonState.NEEDS_ATTENTION, "POISON", POISONOUS)
    wave.refresh_from_db()
    assert wave.state == WaveState.COMPLETED_WITH_EXCEPTIONS


def test_a_second_reconciler_finds_nothing_left(customers, started, clock):
    wave = started(*customers(2))
    claim(wave, size=2, at=clock())
    clock.advance(LEASE.total_seconds() + 1)

    do_what_is_due(at=clock())
    again = do_what_is_due(at=clock())

    assert (again.done.total(), again.wake) == (0, [wave.pk])


def test_a_tick_with_nothing_to_do_asks_little(customers, started, clock, django_assert_max_num_queries):
    wave = started(*customers(2))
    claim(wave, size=2, at=clock())
    do_what_is_due(at=clock())

    with django_assert_max_num_queries(45):
        assert do_what_is_due(at=clock()).done.total() == 0


def test_a_wave_that_is_worked_on_is_not_woken(customers, started, clock):
    wave = started(*customers(3))
    claim(wave, size=1, at=clock())

    assert waves_to_wake(at=AT) == []


def test_a_wave_pinned_to_another_engine_is_not_woken(customers, started):
    wave = started(*customers(1))
    Wave.objects.filter(pk=wave.pk).update(engine_version="of old")

    assert waves_to_wake(at=AT) == []


def test_a_rollback_that_died_is_finished(customers, started, clock):
    wave = started(*customers(3))
    process_chunk(wave, clock=clock)
    revoke_wave(wave, **WHY)

    report = do_what_is_due(at=clock())

    wave.refresh_from_db()
    assert report.done["rollback"] == 1
    assert (wave.state, wave.members_by_state()) == (WaveState.ROLLED_BACK, {PersonState.ROLLED_BACK: 3})
    assert not SlotConfiguration.objects.exists()


def test_a_person_whose_rollback_died_is_restored(customers, started, clock):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    Enrolment.move_many(wave.enrolments.filter(person__user="c1"), to=PersonState.ROLLING_BACK, **SAID)

    do_what_is_due(at=clock())

    assert wave.members_by_state() == {PersonState.SWITCHED: 1, PersonState.ROLLED_BACK: 1}
    assert set(SlotConfiguration.objects.values_list("key", flat=True)) == {"c2"}


def test_a_snapshot_that_nothing_keeps_standing_is_restored(customers, started, clock):
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    override_person(wave.enrolments.get().person, system=System.SLOTS, **WHY)
    revoke_wave(wave, **WHY)
    do_what_is_due(at=clock())
    assert Snapshot.objects.standing().exists()

    FlagOverride.objects.all().delete()
    report = do_what_is_due(at=clock())

    assert report.done["snapshot"] == 1
    assert not SlotConfiguration.objects.exists()


def test_people_settle_when_they_were_watched_long_enough_and_the_wave_completes(customers, started, clock):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)

    clock.advance(timedelta(hours=23, minutes=59).total_seconds())
    do_what_is_due(at=clock())
    assert wave.members_by_state() == {PersonState.SWITCHED: 2}

    clock.advance(61)
    do_what_is_due(at=clock())

    wave.refresh_from_db()
    assert (wave.state, wave.members_by_state()) == (WaveState.COMPLETED, {PersonState.SETTLED: 2})
    assert wave.finished_at > AT
