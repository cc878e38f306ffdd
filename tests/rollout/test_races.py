"""The same act by many at once has exactly one effect; everybody gets a clear answer."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from rollout.actions.chunks import LEASE, claim, process_chunk
from rollout.actions.deferrals import defer_person
from rollout.actions.due import do_what_is_due
from rollout.actions.gates import add_policy
from rollout.actions.holds import freeze
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.errors import DeferralMisplaced, MoveRefused
from rollout.gates import Action, Metric, Policy, Response
from rollout.models import Breach, BreachResponse, Enrolment, Event, Hold, Snapshot, Wave
from rollout.states import PersonState, WaveState
from rollout.switch import engage_kill_switch
from slots.models import SlotConfiguration
from tests.rollout.conftest import AT, HOSTILE, SAID

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def at_once(act, count=AT_ONCE):
    """Let so many threads, each with its own connection, do the act at one moment; return what they got."""
    gate, answers = threading.Barrier(count), []

    def run():
        try:
            gate.wait(20)
            answers.append(act())
        except Exception as fault:
            answers.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == count
    return answers


def test_a_wave_started_by_many_starts_once(customers, planned):
    customers(3)
    wave = planned(limit=3)
    lock_wave(wave, **SAID)
    announce_wave(wave, reason="told", **SAID)
    pages = iter([Wave.objects.get(pk=wave.pk) for _ in range(AT_ONCE)])

    answers = at_once(lambda: start_wave(next(pages), **SAID))

    assert answers.count(3) == 1
    assert sum(isinstance(each, MoveRefused) for each in answers) == AT_ONCE - 1
    assert Event.objects.filter(subject="wave", to_state="running").count() == 1
    assert wave.members_by_state() == {PersonState.QUEUED: 3}


def test_a_population_frozen_by_the_locks_of_all_its_waves_at_once_is_frozen_once(customers, planned):
    customers(12)
    waves = [planned(limit=1) for _ in range(4)]
    Wave.objects.update(share=25, audience={})
    pages = iter([Wave.objects.get(pk=wave.pk) for wave in waves for _ in range(2)])

    answers = at_once(lambda: lock_wave(next(pages), **SAID))

    assert sorted(each.size for each in answers if not isinstance(each, MoveRefused)) == [3, 3, 3, 3]
    assert Event.objects.filter(kind="population_frozen").count() == 1
    assert Enrolment.objects.count() == Enrolment.objects.values("person").distinct().count() == 12


def test_a_person_deferred_by_many_waits_once(customers, planned):
    customers(4)
    first, second = planned(limit=2), planned(limit=2)
    for wave in (first, second):
        lock_wave(wave, **SAID)
    Wave.objects.filter(pk=second.pk).update(starts_at=AT + timedelta(days=3))
    row = first.enrolments.first()
    pages = iter([Enrolment.objects.get(pk=row.pk) for _ in range(AT_ONCE)])

    answers = at_once(lambda: defer_person(next(pages), to=Wave.objects.get(pk=second.pk), reason="holiday", **SAID))

    assert sum(isinstance(each, Enrolment) for each in answers) == 1
    assert sum(isinstance(each, MoveRefused | DeferralMisplaced) for each in answers) == AT_ONCE - 1
    second.refresh_from_db()
    assert second.size == second.enrolments.count() == 3


def test_a_wave_taken_back_by_many_is_restored_once(customers, started, clock):
    wave = started(*customers(4))
    process_chunk(wave, clock=clock)

    answers = at_once(lambda: roll_back_wave(Wave.objects.get(pk=wave.pk), reason="smoke", **SAID))

    assert [each for each in answers if isinstance(each, Exception)] == []
    assert sum(each.rolled_back for each in answers) == 4
    assert Event.objects.filter(subject="wave", to_state="rolling_back").count() == 1
    assert SlotConfiguration.history.filter(history_type="-").count() == 4
    wave.refresh_from_db()
    assert (wave.state, wave.members_by_state()) == (WaveState.ROLLED_BACK, {PersonState.ROLLED_BACK: 4})


def test_the_kill_switch_engaged_by_many_is_one_event(db):
    answers = at_once(lambda: engage_kill_switch(reason="smoke", **SAID))

    assert sorted(answers) == [False] * (AT_ONCE - 1) + [True]
    assert Event.objects.filter(kind="kill_switch_engaged").count() == 1


def test_reconcilers_that_run_at_once_do_everything_once(customers, started, clock):
    wave = started(*customers(6))
    claim(wave, size=6, at=clock())
    clock.advance(LEASE.total_seconds() + 1)

    answers = at_once(lambda: do_what_is_due(at=clock()), count=3)

    assert sum(each.done["lease"] for each in answers) == 6
    assert sum(each.done["retry"] for each in answers) == 6
    assert Event.objects.filter(subject="enrolment", to_state="retry_wait").count() == 6
    assert wave.members_by_state() == {PersonState.QUEUED: 6}


def test_people_are_in_one_wave_though_two_lock_at_the_same_moment(customers, planned):
    customers(6)
    waves = [planned(limit=6), planned(limit=6)]
    numbers = iter(waves)

    at_once(lambda: lock_wave(next(numbers), **SAID), count=2)

    assert Enrolment.objects.live().count() == 6
    assert sum(wave.enrolments.count() for wave in waves) == 6
    for wave in waves:
        wave.refresh_from_db()
        assert wave.state == WaveState.PLANNED or sum(wave.members_by_state().values()) == wave.size


def test_workers_and_a_rollback_at_the_same_moment_leave_nobody_on_slots(customers, started, clock):
    wave = started(*customers(12))
    turns = iter([True, False, False, False])

    def act():
        if next(turns):
            return roll_back_wave(Wave.objects.get(pk=wave.pk), reason="smoke", **SAID)
        while (report := process_chunk(wave, clock=clock, size=2)).claimed:
            pass
        return report

    answers = at_once(act, count=4)
    do_what_is_due(at=clock())

    assert [each for each in answers if isinstance(each, Exception)] == []
    wave.refresh_from_db()
    assert wave.state == WaveState.ROLLED_BACK
    assert set(wave.members_by_state()) <= {PersonState.ENROLLED, PersonState.ROLLED_BACK}
    assert (SlotConfiguration.objects.count(), Snapshot.objects.standing().count()) == (0, 0)


def test_reconcilers_that_run_at_once_open_one_breach_and_answer_it_once(customers, customer, started, clock, phase):
    policy = Policy(
        Metric.MIGRATION_SUCCESS,
        0.95,
        0.98,
        timedelta(days=1),
        min_sample=2,
        responses=(Response(Action.PAUSE), Response(Action.ROLL_BACK, timedelta(hours=4))),
    )
    add_policy(phase.plan, phase=phase, name="Failures", policy=policy, **SAID)
    wave = started(*customers(2), customer("hostile", HOSTILE))
    process_chunk(wave, clock=clock)

    at_once(lambda: do_what_is_due(at=clock()), count=4)
    assert (Breach.objects.count(), Hold.objects.count(), BreachResponse.objects.filter(done_at=clock()).count()) == (1, 1, 1)
    clock.advance(4 * 3600)
    at_once(lambda: do_what_is_due(at=clock()), count=4)
    do_what_is_due(at=clock())  # finishes what one of them had to leave

    wave.refresh_from_db()
    assert wave.state == WaveState.ROLLED_BACK
    assert Event.objects.filter(subject="wave", to_state="rolling_back").count() == 1
    assert Event.objects.filter(kind="response_done").count() == 2


def test_the_freeze_by_many_is_one_hold(db):
    answers = at_once(lambda: freeze(reason="smoke", **SAID))

    assert sorted(answers) == [False] * (AT_ONCE - 1) + [True]
    assert Hold.objects.count() == 1
