"""Moving a chunk of people: claim, translate, validate, switch; and what goes wrong on the way."""

import threading
import uuid

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from migration.models import Finding
from rollout.actions import chunks
from rollout.actions.chunks import HEARTBEAT, LEASE, ChunkReport, claim, process_chunk, wait_before
from rollout.actions.claims import Lease
from rollout.actions.due import do_what_is_due
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import repin_engine
from rollout.errors import EngineChanged, ReasonMissing
from rollout.models import Enrolment, Event, Snapshot, Wave, standing_of
from rollout.retries import TRIES, Trouble
from rollout.states import PersonState, WaveState
from rollout.waves import System
from slots.actions import import_component, render, set_current_version
from slots.models import SlotConfiguration
from slots.registry import ComponentRecord
from tests.rollout.conftest import AT, CARD, CONTEXT, HOSTILE, SAID, SOURCE

pytestmark = pytest.mark.django_db
MAX_TRIES = TRIES[Trouble.ACCIDENT]


def carry_on(lease, clock):
    """Let a worker go on with a lease, and return its report."""
    report = ChunkReport()
    chunks._Chunk(lease, clock, "worker", report).run()
    return report


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
    assert (row.state, row.code, row.is_live) == (PersonState.VALIDATION_FAILED, "FINDING_OPEN", False)
    assert Finding.objects.blocking().exists()
    assert standing_of(hostile.key).decide().system == System.LEGACY
    assert not Snapshot.objects.filter(person=hostile).exists()


def test_a_person_passes_through_every_state_and_the_record_has_each(customers, started, clock):
    wave = started(*customers(1))

    process_chunk(wave, clock=clock)

    moves = Event.objects.about("enrolment", wave.enrolments.get().pk).values_list("to_state", flat=True)
    assert list(moves) == [
        "notified", "queued", "translating", "translated", "validating", "ready", "switching", "switched",
    ]  # fmt: skip


def test_a_switch_is_written_under_one_act_in_history_and_snapshot(customers, started, clock):
    process_chunk(started(*customers(2)), clock=clock)

    acts = set(SlotConfiguration.history.values_list("act", flat=True))
    assert acts == set(Snapshot.objects.values_list("act", flat=True))
    assert len(acts) == 1


def test_a_chunk_takes_no_more_than_its_size_in_the_order_of_rank(customers, started, clock):
    wave = started(*customers(5))

    report = process_chunk(wave, clock=clock, size=2)

    assert (report.claimed, report.remaining) == (2, 3)
    done = wave.enrolments.filter(state=PersonState.SWITCHED).values_list("pk", flat=True)
    assert list(done) == list(wave.enrolments.order_by("pk").values_list("pk", flat=True)[:2])


def test_two_workers_never_get_the_same_person(customers, started, clock):
    wave = started(*customers(5))

    leases = [claim(wave, size=2, at=clock()) for _ in range(4)]

    claimed = [set(lease.people) for lease in leases[:3]]
    assert [len(each) for each in claimed] == [2, 2, 1]
    assert len(set.union(*claimed)) == 5
    assert leases[3] is None


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_the_same_moment_share_out_the_people(customers, started, clock):
    wave = started(*customers(12))
    Wave.objects.update(max_workers=12)
    claimed, faults, gate = [], [], threading.Barrier(4)

    def work():
        try:
            gate.wait(10)
            while lease := claim(wave, size=2, at=clock()):
                claimed.extend(lease.people)
        except Exception as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert faults == []
    assert sorted(claimed) == sorted(wave.enrolments.values_list("pk", flat=True))


def test_a_worker_that_lost_its_lease_writes_nothing(customers, started, clock):
    wave = started(*customers(2))
    late = claim(wave, size=2, at=clock())
    clock.advance(LEASE.total_seconds() + 1)
    do_what_is_due(at=clock())
    assert [process_chunk(wave, clock=clock).switched for _ in range(2)] == [1, 1]
    before = (list(Enrolment.objects.values()), list(SlotConfiguration.objects.values()), Snapshot.objects.count())

    report = carry_on(late, clock)

    assert (report.switched, report.lost) == (0, 2)
    assert before == (list(Enrolment.objects.values()), list(SlotConfiguration.objects.values()), Snapshot.objects.count())


def test_without_the_fence_the_same_worker_would_write(customers, started, clock, monkeypatch):
    wave = started(*customers(1))
    late = claim(wave, size=1, at=clock())
    clock.advance(LEASE.total_seconds() + 1)
    do_what_is_due(at=clock())
    taken_over = claim(wave, size=1, at=clock())
    monkeypatch.setattr(Lease, "rows", property(lambda lease: Enrolment.objects.filter(pk__in=list(lease.people))))

    carry_on(late, clock)

    monkeypatch.undo()
    assert not taken_over.rows.exists()  # somebody else's person was switched under their hands


def test_a_wave_taken_back_in_the_middle_of_a_chunk_switches_nobody(customers, started, clock):
    wave = started(*customers(2))
    lease = claim(wave, size=2, at=clock())

    roll_back_wave(wave, reason="stop", **SAID)
    report = carry_on(lease, clock)

    assert (report.switched, report.lost) == (0, 2)
    assert wave.members_by_state() == {PersonState.ENROLLED: 2}


def test_a_wave_revoked_just_before_the_switch_switches_nobody(customers, started, clock):
    wave = started(*customers(2))
    lease = claim(wave, size=2, at=clock())
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.ROLLING_BACK, revoked_at=AT)  # the one write, and no more yet

    report = carry_on(lease, clock)

    assert report.switched == 0
    assert wave.members_by_state() == {PersonState.READY: 2}


def test_nobody_is_claimed_from_a_wave_that_is_not_at_work(customers, planned, clock):
    customers(2)
    wave = planned(limit=2)

    assert process_chunk(wave, clock=clock).claimed == 0


def test_a_proof_that_goes_stale_before_the_switch_sends_people_back_to_the_queue(customers, started, clock):
    wave = started(*customers(2))
    lease = claim(wave, size=2, at=clock())
    worker = chunks._Chunk(lease, clock, "worker", ChunkReport())
    worker._in_slices(lambda people: chunks.translate_people(people, at=clock(), by="w"))
    worker._move(PersonState.TRANSLATED, "")
    worker._move(PersonState.VALIDATING, "")
    worker._in_slices(lambda people: chunks.validate_people(people, at=clock(), by="w"))
    worker._judge()
    newer = ComponentRecord(
        CARD, "2.0", SOURCE.replace("card", "tile"), contract={"names": ["product"]}, samples=({"name": "m", "context": CONTEXT},)
    )
    done = import_component(newer, at=AT, by="alice")
    set_current_version(done.version.component, done.version, at=AT, by="alice")

    worker._guarded(list(lease.people), worker._switch)

    assert (worker.report.switched, worker.report.retried) == (0, 2)
    assert wave.members_by_state() == {PersonState.QUEUED: 2}
    assert process_chunk(wave, clock=clock).switched == 2
    assert set(SlotConfiguration.objects.values_list("component_version__version", flat=True)) == {"2.0"}


def test_without_the_check_in_the_switch_a_stale_proof_would_pass(customers, started, clock, monkeypatch):
    """The guard of the test above, switched off: the check is answered from before the new version."""
    wave = started(*customers(1))
    lease = claim(wave, size=1, at=clock())
    worker = chunks._Chunk(lease, clock, "worker", ChunkReport())
    chunks.translate_people(lease.people.values(), at=clock(), by="w")
    chunks.validate_people(lease.people.values(), at=clock(), by="w")
    worker._move(PersonState.TRANSLATED, "")
    worker._move(PersonState.VALIDATING, "")
    worker._judge()
    proofs = chunks.proofs_of(lease.people.values())
    done = import_component(ComponentRecord(CARD, "2.0", "<p>new</p>", contract={"names": ["product"]}), at=AT, by="alice")
    set_current_version(done.version.component, done.version, at=AT, by="alice")
    monkeypatch.setattr(chunks, "proofs_of", lambda people: proofs)

    worker._switch(list(lease.people))

    assert worker.report.switched == 1
    assert SlotConfiguration.objects.get().component_version.version == "1.0"


def test_a_wave_pinned_to_another_engine_claims_nobody_until_it_is_pinned_anew(customers, started, clock):
    wave = started(*customers(1))
    Wave.objects.filter(pk=wave.pk).update(engine_version="of old")

    with pytest.raises(EngineChanged, match="of old"):
        process_chunk(wave, clock=clock)
    with pytest.raises(ReasonMissing):
        repin_engine(wave, reason="", **SAID)
    wave.refresh_from_db()
    repin_engine(wave, reason="the new one was released", **SAID)

    assert process_chunk(wave, clock=clock).switched == 1
    assert Event.objects.get(kind="engine_pinned").data["from"] == "of old"


def break_for(monkeypatch, name, error):
    """Let validation fail for one person, as if their data were poison."""
    genuine = chunks.validate_people

    def validate(people, **said):
        people = list(people)
        if any(person.user == name for person in people):
            raise error
        return genuine(people, **said)

    monkeypatch.setattr(chunks, "validate_people", validate)


def test_one_persons_accident_costs_nobody_else_anything(customers, started, clock, monkeypatch):
    wave = started(*customers(4))
    break_for(monkeypatch, "c2", KeyError("poison"))

    report = process_chunk(wave, clock=clock)

    assert (report.switched, report.retried, len(report.accidents)) == (3, 1, 1)
    row = wave.enrolments.get(person__user="c2")
    assert (row.state, row.code, row.text, row.retry_at) == (
        PersonState.RETRY_WAIT, "ACCIDENT", "KeyError: 'poison'", AT + wait_before(1),
    )  # fmt: skip


def test_an_accident_that_comes_again_and_again_needs_somebody(customers, started, clock, monkeypatch):
    wave = started(*customers(1))
    break_for(monkeypatch, "c1", KeyError("poison"))

    for tries in range(1, MAX_TRIES + 1):
        assert process_chunk(wave, clock=clock).claimed == 1
        clock.advance(wait_before(tries).total_seconds())
        do_what_is_due(at=clock())

    row = wave.enrolments.get()
    assert (row.state, row.code, row.tries) == (PersonState.NEEDS_ATTENTION, "ACCIDENT", MAX_TRIES)
    assert process_chunk(wave, clock=clock).claimed == 0


def test_a_fault_is_not_tried_again(customers, started, clock, monkeypatch):
    wave = started(*customers(2))
    break_for(monkeypatch, "c1", EngineChanged("w", "a", "b"))

    report = process_chunk(wave, clock=clock)

    assert (report.switched, report.stuck, report.accidents) == (1, 1, [])
    assert wave.enrolments.get(person__user="c1").code == "ENGINE_CHANGED"


def test_waits_double():
    assert [wait_before(tries).total_seconds() for tries in (1, 2, 3)] == [30, 60, 120]


def test_a_worker_that_takes_long_keeps_its_people_by_heartbeats(customers, started, clock, monkeypatch):
    wave = started(*customers(12))
    genuine = chunks.validate_people

    def slowly(people, **said):
        clock.advance(HEARTBEAT.total_seconds() + 1)
        do_what_is_due(at=clock())  # a reconciler looks on
        return genuine(people, **said)

    monkeypatch.setattr(chunks, "validate_people", slowly)
    report = process_chunk(wave, clock=clock)

    assert clock.now - AT > LEASE
    assert (report.switched, report.lost) == (12, 0)


def test_people_who_each_take_long_are_all_moved_at_the_first_try(customers, started, clock, monkeypatch):
    wave = started(*customers(12))
    genuine = chunks.translate_people

    def slowly(people, **said):
        people = list(people)
        clock.advance(5 * len(people))  # ten of them would outlast the lease
        do_what_is_due(at=clock())
        return genuine(people, **said)

    monkeypatch.setattr(chunks, "translate_people", slowly)
    report = process_chunk(wave, clock=clock)

    assert (report.switched, report.lost) == (12, 0)
    assert set(wave.enrolments.values_list("tries", flat=True)) == {1}


def test_without_heartbeats_the_same_worker_would_lose_them(customers, started, clock, monkeypatch):
    wave = started(*customers(12))
    monkeypatch.setattr(chunks._Chunk, "_beat", lambda self: None)

    def slowly(people, **said):
        clock.advance(HEARTBEAT.total_seconds() + 6)
        do_what_is_due(at=clock())

    monkeypatch.setattr(chunks, "validate_people", slowly)

    assert process_chunk(wave, clock=clock).lost > 0


def test_a_lease_names_a_token_of_its_own(customers, started, clock):
    wave = started(*customers(2))

    first, second = claim(wave, size=1, at=clock()), claim(wave, size=1, at=clock())

    assert isinstance(first.token, uuid.UUID)
    assert first.token != second.token
    assert first.until == AT + LEASE


def test_switching_ten_costs_no_more_queries_than_switching_one(customers, started, clock, monkeypatch):
    monkeypatch.setattr(chunks, "SLICE", 10)
    people = customers(11)
    chunks.translate_people(people, **SAID)
    chunks.validate_people(people, **SAID)
    counts = []
    for group in (people[:1], people[1:2], people[2:]):  # the first composes what all share
        wave = started(*group)
        with CaptureQueriesContext(connection) as queries:
            process_chunk(wave, clock=clock)
        counts.append(len(queries))

    assert counts[1] == counts[2]
