"""How many people are claimed at a time: rate, workers, batches, trouble; and who is claimed alone."""

from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError

from rollout.actions import chunks
from rollout.actions.accounts import start_chosen_accounts, work_off
from rollout.actions.chunks import process_chunk
from rollout.actions.claims import LEASE, claim, waits_of
from rollout.actions.due import do_what_is_due, waves_to_wake
from rollout.actions.people import retry_people
from rollout.audiences import Audience
from rollout.models import Enrolment, Event, Wave
from rollout.pacing import Kind
from rollout.retries import TRIES, Trouble
from rollout.states import PersonState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db


def limit(wave, **limits):
    Wave.objects.filter(pk=wave.pk).update(**limits)
    wave.refresh_from_db()
    return wave


def kinds(wave, at):
    wave.refresh_from_db()
    return [wait.kind for wait in waits_of(wave, at=at)]


# Rate


def test_a_rate_lets_so_many_be_claimed_a_minute(customers, started, clock):
    wave = limit(started(*customers(40)), rate=20)
    claimed = {}
    for second in (0, 1, 2, *range(3, 121, 3)):
        clock.now = AT + timedelta(seconds=second)
        claimed[second] = process_chunk(wave, clock=clock).claimed

    assert [claimed[second] for second in range(4)] == [5, 0, 0, 1]  # what had gathered, then one every three seconds
    assert sum(claimed[second] for second in claimed if second <= 60) == 25
    assert sum(claimed.values()) == 40
    assert wave.members_by_state() == {PersonState.SWITCHED: 40}


def test_without_the_rate_everybody_is_claimed_at_once(customers, started, clock):
    assert process_chunk(started(*customers(12)), clock=clock).claimed == 12


def test_a_throttled_wave_is_woken_when_its_rate_lets_somebody_through(customers, started, clock):
    wave = limit(started(*customers(5)), rate=4)
    assert process_chunk(wave, clock=clock).claimed == 1
    assert (waves_to_wake(at=clock()), kinds(wave, clock())) == ([], [Kind.RATE])
    until = waits_of(wave, at=clock())[0].until

    assert until - AT == timedelta(seconds=15, microseconds=1)
    clock.now = until
    assert do_what_is_due(at=clock()).wake == [wave.pk]
    assert process_chunk(wave, clock=clock).claimed == 1


def test_a_claim_that_read_the_rate_before_another_one_claims_nobody(customers, started, clock, monkeypatch):
    wave = limit(started(*customers(4)), rate=60)
    genuine = Enrolment.move_many.__func__

    def crossed(cls, rows, **how):
        if how["reason"] == "claimed":
            Wave.objects.update(allowance=0.5, allowed_at=AT)  # as another worker would, were the row not locked
        return genuine(cls, rows, **how)

    monkeypatch.setattr(Enrolment, "move_many", classmethod(crossed))

    assert claim(wave, at=clock()) is None
    assert wave.members_by_state() == {PersonState.QUEUED: 4}


# Workers


def test_no_more_workers_than_the_wave_allows(customers, started, clock):
    wave = limit(started(*customers(9)), max_workers=2)
    leases = [claim(wave, size=2, at=clock()) for _ in range(3)]

    assert [lease and len(lease.people) for lease in leases] == [2, 2, None]
    assert kinds(wave, clock()) == [Kind.WORKERS]
    clock.advance(LEASE.total_seconds() + 1)
    assert kinds(wave, clock()) == []  # who let the lease lapse is at it no more


def test_a_further_worker_is_woken_while_those_at_work_leave_people_over(customers, started, clock):
    wave = limit(started(*customers(9)), batch_size=2, max_workers=2)
    claim(wave, at=clock())
    assert waves_to_wake(at=clock()) == [wave.pk]

    claim(wave, at=clock())
    assert waves_to_wake(at=clock()) == []


# Batches


def slow_by(monkeypatch, clock, seconds):
    genuine = chunks.validate_people

    def validate(people, **said):
        clock.advance(seconds)
        return genuine(people, **said)

    monkeypatch.setattr(chunks, "validate_people", validate)


def test_a_slow_batch_halves_the_next_one_and_quick_ones_grow_again(customers, started, clock, monkeypatch):
    wave = limit(started(*customers(40)), batch_size=8)
    with monkeypatch.context() as patch:
        slow_by(patch, clock, 4)
        assert process_chunk(wave, clock=clock).claimed == 8
    claimed = [process_chunk(wave, clock=clock).claimed for _ in range(4)]

    assert claimed == [4, 5, 7, 9]


def test_an_explicit_size_wins_and_teaches_nothing(customers, started, clock):
    wave = limit(started(*customers(9)), batch_size=2)

    assert process_chunk(wave, clock=clock, size=5).claimed == 5
    wave.refresh_from_db()
    assert wave.batch_size == 2


def test_a_batch_size_that_somebody_set_meanwhile_stays(customers, started, clock, monkeypatch):
    wave = limit(started(*customers(9)), batch_size=2)
    genuine = chunks.translate_people

    def translate(people, **said):
        Wave.objects.update(batch_size=77)
        return genuine(people, **said)

    monkeypatch.setattr(chunks, "translate_people", translate)
    process_chunk(wave, clock=clock)

    wave.refresh_from_db()
    assert wave.batch_size == 77


# Trouble


def busy_for(monkeypatch, names, error=OperationalError):
    genuine = chunks.validate_people

    def validate(people, **said):
        people = list(people)
        if any(person.user in names for person in people):
            raise error("the database is locked")
        return genuine(people, **said)

    monkeypatch.setattr(chunks, "validate_people", validate)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_busy_database_halves_the_batch_and_lets_claims_wait(customers, started, clock, monkeypatch, error):
    wave = limit(started(*customers(12)), batch_size=8)
    with monkeypatch.context() as patch:
        busy_for(patch, {f"c{number}" for number in range(1, 13)}, error)
        report = process_chunk(wave, clock=clock)

    assert (report.retried, report.troubled, report.switched) == (8, 8, 0)
    assert (kinds(wave, clock()), wave.batch_size) == ([Kind.TROUBLE], 4)
    assert (process_chunk(wave, clock=clock).claimed, waves_to_wake(at=clock())) == (0, [])
    assert waits_of(wave, at=clock())[0].until == AT + timedelta(seconds=30)

    clock.advance(30)
    assert do_what_is_due(at=clock()).wake == [wave.pk]
    assert [process_chunk(wave, clock=clock).switched for _ in range(3)] == [4, 5, 3]


def test_a_little_trouble_stops_nobody(customers, started, clock, monkeypatch):
    wave = started(*customers(12))
    busy_for(monkeypatch, {"c3", "c7"})

    report = process_chunk(wave, clock=clock)

    assert (report.switched, report.troubled, kinds(wave, clock())) == (10, 2, [])


def test_transient_trouble_is_tried_longer_than_what_nobody_foresaw(customers, started, clock, monkeypatch):
    wave = started(*customers(1))
    busy_for(monkeypatch, {"c1"})
    tries = 0
    while process_chunk(wave, clock=clock).claimed:
        tries += 1
        row = wave.enrolments.get()
        clock.now = row.retry_at or clock.now
        do_what_is_due(at=clock())

    assert (tries, row.state, row.code) == (TRIES[Trouble.TRANSIENT], PersonState.NEEDS_ATTENTION, "DATABASE_BUSY")
    assert clock.now - AT == timedelta(seconds=30 + 60 + 120 + 240 + 480 + 900 + 900)


# Poison


def test_who_kills_workers_is_found_and_the_others_of_the_batch_go_on(customers, started, clock):
    wave = started(*customers(5))
    poison = wave.enrolments.get(person__user="c3").pk
    while True:
        lease = claim(wave, at=clock())
        if lease is None:
            clock.advance(LEASE.total_seconds() + 1)
            if not do_what_is_due(at=clock()).wake:
                break
        elif poison not in lease.people:
            chunks._Chunk(lease, clock, "worker", chunks.ChunkReport()).run()
        # else: the worker dies with them in its hands

    row = Enrolment.objects.get(pk=poison)
    assert (row.state, row.code, row.leases_lost) == (PersonState.NEEDS_ATTENTION, "POISON", 2)
    assert "2 workers died or stalled" in row.text
    assert wave.members_by_state() == {PersonState.SWITCHED: 4, PersonState.NEEDS_ATTENTION: 1}


def test_after_a_lost_worker_each_comes_alone_and_behind_the_others(customers, started, clock):
    wave = started(*customers(4))
    lost = set(claim(wave, size=2, at=clock()).people)
    clock.advance(LEASE.total_seconds() + 1)
    do_what_is_due(at=clock())

    claimed = [set(lease.people) for lease in (claim(wave, size=9, at=clock()) for _ in range(4)) if lease]

    assert [len(each) for each in claimed] == [2, 1, 1]
    assert claimed[1] | claimed[2] == lost


def test_somebody_who_retries_gives_the_person_a_new_start(customers, started, clock):
    wave = started(*customers(2))
    Enrolment.objects.filter(person__user="c1").update(leases_lost=2, state=PersonState.NEEDS_ATTENTION)

    retry_people(wave, people=[wave.enrolments.get(person__user="c1").person], reason="the data is mended", **SAID)

    assert process_chunk(wave, clock=clock).switched == 2


# Stale


def test_a_proof_that_keeps_going_stale_needs_somebody_in_the_end(customers, started, clock, monkeypatch):
    wave = started(*customers(1))
    genuine, looked = chunks.proofs_of, []

    def stale_before_the_switch(people):
        looked.append(1)
        found = genuine(people)
        return found if len(looked) % 2 else dict.fromkeys(found)

    monkeypatch.setattr(chunks, "proofs_of", stale_before_the_switch)
    reports = [process_chunk(wave, clock=clock) for _ in range(TRIES[Trouble.STALE] + 1)]

    assert [(each.claimed, each.retried, each.stuck) for each in reports] == [*[(1, 1, 0)] * 4, (1, 0, 1), (0, 0, 0)]
    row = wave.enrolments.get()
    assert (row.state, row.code, row.tries) == (PersonState.NEEDS_ATTENTION, "STALE", 5)
    assert Event.objects.filter(subject_pk=row.pk, reason="the proof went stale").count() == 4


# Accounts that somebody chose


def test_chosen_accounts_wait_for_no_limit(customers, clock):
    customers(3)
    wave, _ = start_chosen_accounts(Audience(users=("c1", "c2", "c3")), reason="support asked", **SAID)
    limit(wave, rate=1, max_workers=1, allowance=0, allowed_at=AT)
    claim(wave, size=1, at=clock())

    assert work_off(wave, clock=clock).switched == 2
