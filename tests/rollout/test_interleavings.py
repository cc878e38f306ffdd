"""Two acts that cross each other at the worst moment, step by step; and what each guard is there for, shown without it."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from migration.models import Customization, Person
from migration.states import CustomizationState
from rollout.actions import restorations, rollback, snapshots
from rollout.actions.chunks import ChunkReport, _Chunk, claim, process_chunk
from rollout.actions.due import do_what_is_due, orphans
from rollout.actions.people import clear_override, override_person
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.restorations import restore_all
from rollout.actions.rollback import revoke_wave, roll_back_all, roll_back_person, roll_back_phase, roll_back_wave
from rollout.actions.waves import announce_wave, finish_wave, lock_wave, reopen_wave, repin_engine, start_wave
from rollout.errors import MoveRefused, PhaseClosed
from rollout.models import Enrolment, Event, FlagOverride, Phase, Snapshot, Wave, standing_of
from rollout.states import PersonState, PhaseState, WaveState
from rollout.waves import System
from slots.actions import import_component, set_current_version
from slots.models import SlotConfiguration
from slots.registry import ComponentRecord
from tests.rollout.conftest import AT, CONTEXT, GOOD, SAID, SOURCE, bring_to_start

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "it looks odd"}


def sees(person):
    return standing_of(person.key).decide().system


def prove(people, clock):
    """Bring people to a proof without moving their rows."""
    translate_people(people, by="w", at=clock())
    validate_people(people, by="w", at=clock())


@pytest.fixture
def just_before(monkeypatch):
    """What lets somebody else act once, just before a function of `module` does its work."""

    def arrange(module, name, act):
        genuine, waiting = getattr(module, name), [act]

        def crossed(*args, **kwargs):
            if waiting:
                waiting.pop()()
            return genuine(*args, **kwargs)

        monkeypatch.setattr(module, name, crossed)

    return arrange


# A rollback and an act that comes in between


@pytest.mark.parametrize("act", [roll_back_phase, roll_back_all])
def test_a_wave_that_starts_amid_the_rollback_of_its_phase_goes_back_too(customers, planned, just_before, clock, act):
    people = customers(4)
    first, late = planned(*people[:2]), planned(*people[2:])
    process_chunk(bring_to_start(first), clock=clock)
    lock_wave(late, **SAID)
    announce_wave(late, reason="told", **SAID)

    def start():
        start_wave(late, **SAID)
        process_chunk(late, clock=clock)

    just_before(Phase, "move_many", start)
    report = act(*([late.phase] if act is roll_back_phase else []), **WHY)

    assert report.rolled_back == 4
    assert set(Wave.objects.values_list("state", flat=True)) == {WaveState.ROLLED_BACK}
    assert Phase.objects.get().state == PhaseState.ROLLED_BACK
    assert (Snapshot.objects.standing().count(), SlotConfiguration.objects.count()) == (0, 0)


def test_a_phase_that_is_taken_back_starts_no_wave(customers, planned, started):
    wave, late = started(*customers(1)), planned(limit=1)
    Wave.objects.filter(pk=late.pk).update(state=WaveState.ANNOUNCED)
    roll_back_phase(wave.phase, **WHY)
    late.refresh_from_db()

    with pytest.raises(PhaseClosed):
        start_wave(late, **SAID)


def test_a_phase_of_which_nothing_has_started_has_nothing_to_take_back(phase, planned):
    planned(limit=1)
    Phase.objects.update(state=PhaseState.PENDING)

    with pytest.raises(MoveRefused, match="is pending"):
        roll_back_phase(phase, **WHY)


def test_a_rollback_that_wakes_up_late_leaves_the_next_attempt_alone(customers, started, clock, just_before):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    revoke_wave(wave, **WHY)
    asleep = Wave.objects.get(pk=wave.pk)

    def meanwhile():
        roll_back_wave(wave, **WHY)
        reopen_wave(wave, **WHY)
        process_chunk(bring_to_start(wave), clock=clock)

    just_before(rollback, "restore_whom_possible", meanwhile)
    rollback.reconcile_wave(asleep, **WHY)

    assert wave.members_by_state() == {PersonState.SWITCHED: 2}
    assert Snapshot.objects.standing().count() == 2


def test_support_that_switches_amid_a_persons_rollback_has_the_last_word(customers, started, clock, just_before):
    (person,) = customers(1)
    process_chunk(started(person), clock=clock)

    just_before(rollback, "restore_whom_possible", lambda: override_person(person, system=System.SLOTS, **WHY))
    report = roll_back_person(person, **WHY)

    assert (report.rolled_back, report.kept) == (0, (str(person),))
    assert sees(person) == System.SLOTS
    clear_override(person, **WHY)
    assert (sees(person), SlotConfiguration.objects.count()) == (System.LEGACY, 0)


def test_a_snapshot_that_a_wave_took_up_meanwhile_is_no_orphan_any_more(customers, started, clock, just_before):
    (person,) = customers(1)
    wave = started(person)
    lease = claim(wave, size=1, at=clock())
    worker = _Chunk(lease, clock, "worker", ChunkReport())
    prove([person], clock)
    override_person(person, system=System.SLOTS, **WHY)
    override_person(person, system=System.LEGACY, **WHY)
    assert orphans().count() == 1

    just_before(restorations, "restore_whom_possible", worker.run)
    restore_all(orphans(), **WHY)

    assert wave.members_by_state() == {PersonState.SWITCHED: 1}
    assert Snapshot.objects.standing().count() == SlotConfiguration.objects.count() == 1


# Waves that meet the same person again


def test_a_member_whom_another_wave_had_and_let_go_is_started_again(customers, started, clock):
    (person,) = customers(1)
    first = started(person)
    roll_back_person(person, **WHY)  # stood down before a worker came
    second = started(person)
    process_chunk(second, clock=clock)
    roll_back_wave(second, **WHY)
    Enrolment.objects.filter(wave=second).update(is_live=False)
    roll_back_wave(first, **WHY)

    reopen_wave(first, **WHY)
    bring_to_start(first)

    assert process_chunk(first, clock=clock).switched == 1
    assert sees(person) == System.SLOTS


def test_a_diff_that_came_after_supports_switch_goes_back_with_the_others(customers, started, clock, card):
    (person,) = customers(1)
    prove([person], clock)
    override_person(person, system=System.SLOTS, **WHY)
    samples = ({"name": "mug", "context": CONTEXT},)
    other = import_component(ComponentRecord("shop.b", "1.0", SOURCE, contract={"names": ["product"]}, samples=samples), **SAID)
    set_current_version(other.version.component, other.version, **SAID)
    diff = Customization.objects.get()
    Customization.objects.create(
        external_id="b", person=person, component_key="shop.b", base_version="1.0", component=other.version.component,
        base=other.version, diff=GOOD, diff_digest=diff.diff_digest, imported_at=AT,
    )  # fmt: skip
    process_chunk(started(person), clock=clock)
    assert set(Customization.objects.values_list("state", flat=True)) == {CustomizationState.MIGRATED}

    roll_back_person(person, **WHY)

    assert set(Customization.objects.values_list("state", flat=True)) == {CustomizationState.VALIDATED}
    assert SlotConfiguration.objects.count() == 0


# Deploys and stale pages


def test_a_worker_of_the_old_engine_switches_nobody_once_another_is_pinned(customers, started, clock):
    wave = started(*customers(2))
    lease = claim(wave, size=2, at=clock())
    Wave.objects.update(engine_version="the next one")

    report = ChunkReport()
    _Chunk(lease, clock, "worker", report).run()

    assert (report.switched, report.lost) == (0, 2)
    assert (Snapshot.objects.count(), SlotConfiguration.objects.count()) == (0, 0)


@pytest.mark.parametrize("act", [finish_wave, repin_engine])
def test_an_act_on_a_wave_that_moved_since_it_was_read_is_refused(customers, started, clock, act):
    wave = started(*customers(1))
    if act is finish_wave:
        process_chunk(wave, clock=clock)
    stale = Wave.objects.get(pk=wave.pk)
    Wave.objects.update(version=F("version") + 1)
    before = Event.objects.count()

    with pytest.raises(MoveRefused):
        act(stale, **WHY)

    assert Event.objects.count() == before


def test_no_engine_is_pinned_to_a_wave_that_is_not_at_work(customers, planned):
    customers(1)

    with pytest.raises(MoveRefused, match="is planned and cannot become pinned"):
        repin_engine(planned(limit=1), **WHY)


# The guards, and what happens without them


def without(constraint):
    """Take a unique key off the database, until the test is undone."""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP INDEX "{constraint}"')


def two_places(planned, person):
    for wave in (planned(limit=1), planned(limit=1)):
        Enrolment.objects.create(plan=wave.phase.plan, wave=wave, person=person, updated_at=AT)


def two_snapshots(person):
    for _ in range(2):
        Snapshot.objects.create(person=person, act="5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10", digest="d", taken_at=AT)


def test_the_database_holds_one_live_place_for_a_person_and_nothing_else_does(planned, customer):
    person = customer("bob")
    with pytest.raises(IntegrityError), transaction.atomic():
        two_places(planned, person)

    without("rollout_one_live_enrolment")
    two_places(planned, person)

    assert Enrolment.objects.live().filter(person=person).count() == 2


def test_the_database_holds_one_standing_snapshot_for_a_person_and_nothing_else_does(customer):
    person = customer("bob")
    with pytest.raises(IntegrityError), transaction.atomic():
        two_snapshots(person)

    without("rollout_one_standing_snapshot")
    two_snapshots(person)

    assert Snapshot.objects.standing().filter(person=person).count() == 2


def start_from_two_pages(wave):
    """Let two operators, who both see the wave announced, start it; return how many were refused."""
    refused = 0
    for page in [Wave.objects.get(pk=wave.pk), Wave.objects.get(pk=wave.pk)]:
        try:
            start_wave(page, **SAID)
        except MoveRefused:
            refused += 1
    return refused


def unconditional_move(model):
    """Return `move` as it would be without its condition."""

    def move(pk, *, to, at, version, by, reason="", **changes):
        state = model.objects.values_list("state", flat=True).get(pk=pk)
        model.objects.filter(pk=pk).update(state=to, version=F("version") + 1, **changes)
        Event.objects.create(subject=model.SUBJECT, subject_pk=pk, kind="moved", from_state=state, to_state=to, by=by, at=at)
        return True

    return staticmethod(move)


def test_a_conditional_move_starts_a_wave_once_and_nothing_else_does(customers, planned, monkeypatch):
    customers(2)
    waves = [planned("c1"), planned("c2")]
    for wave in waves:
        lock_wave(wave, **SAID)
        announce_wave(wave, reason="told", **SAID)

    monkeypatch.setattr(Wave, "require_as_read", lambda wave, to: None)  # both looked before either of them moved
    assert start_from_two_pages(waves[0]) == 1
    monkeypatch.setattr(Wave, "move", unconditional_move(Wave))
    assert start_from_two_pages(waves[1]) == 0

    starts = Event.objects.filter(subject="wave", to_state=WaveState.RUNNING)
    assert [starts.filter(subject_pk=wave.pk).count() for wave in waves] == [1, 2]


def test_rows_that_may_not_move_are_left_alone_by_the_table_and_nothing_else(customers, started, clock, monkeypatch):
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    assert Enrolment.move_many(wave.enrolments.all(), to=PersonState.NOTIFIED, **SAID) == []

    monkeypatch.setattr("rollout.models.events.sources_of", lambda table, to: tuple(table))
    assert len(Enrolment.move_many(wave.enrolments.all(), to=PersonState.NOTIFIED, **SAID)) == 1


def test_a_database_error_amid_a_switch_undoes_all_of_it(customers, started, clock, just_before):
    people = customers(3)
    wave = started(*people)

    def fail():
        raise IntegrityError("the disk is full")

    just_before(snapshots, "install_configurations", fail)
    report = process_chunk(wave, clock=clock)

    assert (report.switched, report.accidents) == (3, [])  # together it failed, each alone it went
    assert Snapshot.objects.standing().count() == SlotConfiguration.objects.count() == 3
    assert SlotConfiguration.history.count() == 3


def test_a_round_of_the_reconciler_does_not_undo_what_support_decided(customers, started, clock):
    first, second = customers(2)
    process_chunk(started(first, second), clock=clock)
    override_person(first, system=System.LEGACY, **WHY)
    override_person(second, system=System.SLOTS, **WHY)

    do_what_is_due(at=clock())

    assert (sees(first), sees(second)) == (System.LEGACY, System.SLOTS)
    assert Snapshot.objects.standing().count() == 2
    assert FlagOverride.objects.count() == Person.objects.count() == 2
