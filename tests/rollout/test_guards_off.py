"""Each guard of moving people beside the same act without it: what it keeps from happening does happen then."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction

from rollout.actions import chunks, claims
from rollout.actions.chunks import ChunkReport, _Chunk
from rollout.actions.claims import LEASE, Lease, claim
from rollout.actions.due import do_what_is_due
from rollout.actions.holds import freeze, set_hold
from rollout.actions.proofs import placements_of, translate_people, validate_people
from rollout.actions.snapshots import switch
from rollout.models import Enrolment, Event, Snapshot, Wave
from rollout.states import PersonState
from tests.rollout.conftest import AT, SAID
from tests.rollout.test_interleavings import unconditional_move, without

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "it looks odd"}


def carry_on(lease, clock):
    """Let a worker go on with whom it has claimed, and return its report."""
    report = ChunkReport()
    _Chunk(lease, clock, "worker", report).run()
    return report


def switches(wave):
    """Return how often each person was switched, the highest first."""
    moves = Event.objects.filter(subject="enrolment", to_state=PersonState.SWITCHED, subject_pk__in=wave.enrolments.values("pk"))
    return sorted(Counter(moves.values_list("subject_pk", flat=True)).values(), reverse=True)


# The token of the lease


def one_that_lost_its_lease(wave, clock):
    """Let a worker stall until its lease is over and another one has switched its person; return the late one's report."""
    late = claim(wave, size=1, at=clock())
    clock.advance(LEASE.total_seconds() + 1)
    do_what_is_due(at=clock())
    taken_over = claim(wave, size=1, at=clock())
    carry_on(late, clock)
    return taken_over


def test_a_token_keeps_a_late_worker_from_writing_and_nothing_else_does(customers, started, clock, monkeypatch):
    first, second = customers(2)
    fenced, unfenced = started(first), started(second)

    assert one_that_lost_its_lease(fenced, clock).rows.count() == 1
    assert switches(fenced) == []

    rows = property(lambda lease: Enrolment.objects.filter(pk__in=list(lease.people)))
    with monkeypatch.context() as patch:
        patch.setattr(Lease, "rows", rows)
        taken_over = one_that_lost_its_lease(unfenced, clock)
    assert taken_over.rows.count() == 0  # moved under the hands of the one that has the lease
    assert switches(unfenced) == [1]


# The end of the lease


def test_the_end_of_a_lease_frees_people_and_nothing_else_does(customers, started, clock, monkeypatch):
    wave = started(*customers(2))
    claim(wave, size=2, at=clock())  # the worker dies
    clock.advance(LEASE.total_seconds() + 1)

    with monkeypatch.context() as patch:
        patch.setattr("rollout.models.enrolments.EnrolmentQuerySet.expired", lambda rows, at: rows.none())
        clock.advance(timedelta(days=30).total_seconds())
        do_what_is_due(at=clock())
        assert wave.members_by_state() == {PersonState.TRANSLATING: 2}  # for ever

    do_what_is_due(at=clock())
    assert wave.members_by_state() == {PersonState.QUEUED: 2}


def test_a_lease_that_runs_keeps_others_off_and_nothing_else_does(customers, started, clock, monkeypatch):
    wave = started(*customers(1))
    lease = claim(wave, size=1, at=clock())
    do_what_is_due(at=clock())
    assert claim(wave, size=1, at=clock()) is None

    monkeypatch.setattr("rollout.models.enrolments.EnrolmentQuerySet.expired", lambda rows, at: rows)  # whatever the clock says
    do_what_is_due(at=clock())
    assert wave.members_by_state() == {PersonState.RETRY_WAIT: 1}
    assert carry_on(lease, clock).lost == 1  # a worker that is well has lost its person


# Keys of the database


def switch_twice(person, clock):
    """Switch one person by two acts that each saw nobody switched yet."""
    proofs = chunks.proofs_of([person])
    placements = placements_of([person], proofs)
    for act in ("5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10", "5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a11"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("rollout.models.enrolments.SnapshotQuerySet.standing", lambda rows: rows.none())
            switch(placements, enrolments={}, act=act, **WHY)


def proven(people):
    translate_people(people, **SAID)
    validate_people(people, **SAID)
    return people


def test_one_standing_snapshot_keeps_the_first_state_and_nothing_else_does(customers, clock):
    (person,) = proven(customers(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        switch_twice(person, clock)
    assert Snapshot.objects.count() == 0

    without("rollout_one_standing_snapshot")
    switch_twice(person, clock)

    first, second = Snapshot.objects.order_by("pk")
    assert (first.configurations, len(second.configurations)) == ([], 1)  # what came before slots is not what the later one holds


def test_one_live_place_keeps_a_person_in_one_wave_and_nothing_else_does(customers, planned, started, clock):
    (person,) = customers(1)
    wave, other = started(person), planned(person)
    place = {"plan": wave.phase.plan, "wave": other, "person": person, "updated_at": AT, "state": PersonState.QUEUED}
    with pytest.raises(IntegrityError), transaction.atomic():
        Enrolment.objects.create(**place)

    without("rollout_one_live_enrolment")
    Enrolment.objects.create(**place)
    Wave.objects.filter(pk=other.pk).update(state=wave.state, engine_version=wave.engine_version, size=1)
    reports = [chunks.process_chunk(each, clock=clock) for each in (wave, other)]

    assert [report.switched for report in reports] == [1, 1]  # one person, switched by two waves


# Conditional moves


def test_a_conditional_move_claims_a_person_once_and_nothing_else_does(customers, started, clock, monkeypatch):
    wave = started(*customers(1))
    seen = list(wave.enrolments.values_list("pk", "person_id"))
    assert claim(wave, size=1, at=clock()) is not None

    monkeypatch.setattr(claims, "_next_in_line", lambda wave, count: dict(seen))  # read before the other one claimed
    assert claim(wave, size=1, at=clock()) is None

    monkeypatch.setattr("rollout.models.events.sources_of", lambda table, to: tuple(table))
    assert claim(wave, size=1, at=clock()) is not None  # two workers hold one person
    claims_of_one = Event.objects.filter(subject_pk=seen[0][0], to_state=PersonState.TRANSLATING)
    assert claims_of_one.count() == 2


def test_a_conditional_move_of_a_wave_is_refused_when_stale_and_nothing_else_does(customers, started, monkeypatch):
    wave = started(*customers(1))
    stale = {"to": "draining", "at": AT, "by": "late", "version": wave.version - 1}
    assert not Wave.move(wave.pk, **stale)

    monkeypatch.setattr(Wave, "move", unconditional_move(Wave))
    assert Wave.move(wave.pk, **stale)


# Holds


@pytest.mark.parametrize("hold", [lambda wave: freeze(**WHY), lambda wave: set_hold(wave, **WHY)])
def test_a_hold_stops_claims_and_nothing_else_does(customers, started, clock, monkeypatch, hold):
    wave = started(*customers(2))
    hold(wave)
    assert claim(wave, at=clock()) is None

    monkeypatch.setattr(claims, "holds_on", lambda wave, at: [])
    assert len(claim(wave, at=clock()).people) == 2


@pytest.mark.parametrize("hold", [lambda wave: freeze(**WHY), lambda wave: set_hold(wave.phase, **WHY)])
def test_a_hold_stops_the_switch_of_those_in_work_and_nothing_else_does(customers, started, clock, monkeypatch, hold):
    first, second = customers(2)
    waves = [started(first), started(second)]
    leases = [claim(wave, at=clock()) for wave in waves]
    hold(waves[0])

    assert (carry_on(leases[0], clock).switched, switches(waves[0])) == (0, [])
    monkeypatch.setattr(chunks, "holds_on", lambda wave, at: [])
    assert (carry_on(leases[1], clock).switched, switches(waves[1])) == (1, [1])


# The lock under which a claim looks at its limits


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, and waits for it")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False])
def test_the_lock_of_the_wave_keeps_workers_to_their_number_and_nothing_else_does(
    customers, started, clock, monkeypatch, is_locked
):
    wave = started(*customers(8))
    Wave.objects.update(max_workers=1)
    looked = threading.Barrier(2 if not is_locked else 1)
    genuine = claims._next_in_line

    def meet(wave, count):
        looked.wait(10)
        return genuine(wave, count)

    monkeypatch.setattr(claims, "_next_in_line", meet)
    if not is_locked:
        monkeypatch.setattr("rollout.models.plans.WaveQuerySet.select_for_update", lambda rows, **how: rows, raising=False)
    got = []

    def work():
        got.append(claim(wave, size=2, at=clock()))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(lease is not None for lease in got) == ([False, True] if is_locked else [True, True])


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, and waits for it")
@pytest.mark.django_db(transaction=True)
def test_a_claim_passes_over_people_whom_another_act_has_locked(customers, started, clock):
    wave = started(*customers(3))
    held, done = threading.Event(), threading.Event()
    first = wave.enrolments.order_by("pk").first().pk

    def hold_one():
        with transaction.atomic():
            list(Enrolment.objects.filter(pk=first).order_by("pk").select_for_update())  # by its own row alone
            held.set()
            done.wait(20)
        connections.close_all()

    thread = threading.Thread(target=hold_one)
    thread.start()
    assert held.wait(10)
    lease = claim(wave, size=9, at=clock())
    done.set()
    thread.join(20)

    assert sorted(lease.people) == sorted(set(wave.enrolments.values_list("pk", flat=True)) - {first})
