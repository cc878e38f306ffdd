"""Taking people back: effective by one write, restored exactly, whatever they did in between."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.models import Customization
from migration.states import CustomizationState
from rollout.actions import restorations, rollback
from rollout.actions.chunks import process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.people import clear_override, override_person
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.restorations import restore_people
from rollout.actions.rollback import (
    reconcile_wave,
    revoke_wave,
    roll_back_all,
    roll_back_person,
    roll_back_phase,
    roll_back_wave,
)
from rollout.actions.waves import reopen_wave
from rollout.errors import MoveRefused, NothingToUndo, ReasonMissing
from rollout.models import Enrolment, Event, FlagOverride, Snapshot, Wave, standing_of
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from rollout.switch import is_killed, release_kill_switch
from rollout.waves import System
from slots.actions import import_component, render, save_body
from slots.actions.configurations import Placement, install_configuration
from slots.models import Layer, Origin, SlotConfiguration
from slots.registry import ComponentRecord
from tests.rollout.conftest import AT, CARD, CONTEXT, SAID, bring_to_start

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "it looks odd"}


def rows():
    """Every configuration row, column for column."""
    return list(SlotConfiguration.objects.order_by("pk").values())


def sees(person):
    return standing_of(person.key).decide().system


def page(person):
    return render(CARD, person.key, CONTEXT, at=AT)


@pytest.fixture
def switched(customers, started, clock):
    """What makes a wave whose so many customers are on slots."""

    def make(count):
        people = customers(count)
        wave = started(*people)
        process_chunk(wave, clock=clock)
        wave.refresh_from_db()
        return wave, people

    return make


def test_rolling_a_wave_back_shows_the_legacy_page_to_the_byte(customers, started, clock):
    people = customers(3)
    before = [page(person) for person in people]
    wave = started(*people)
    process_chunk(wave, clock=clock)
    assert {sees(person) for person in people} == {System.SLOTS}

    report = roll_back_wave(wave, **WHY)

    assert (report.total, report.rolled_back, report.edited, report.kept) == (3, 3, (), ())
    assert [page(person) for person in people] == before
    assert wave.state == WaveState.ROLLED_BACK
    assert wave.members_by_state() == {PersonState.ROLLED_BACK: 3}
    assert set(Customization.objects.values_list("state", flat=True)) == {CustomizationState.VALIDATED}


def test_revoking_is_one_update_and_holds_before_anybody_is_restored(switched):
    wave, people = switched(3)

    with CaptureQueriesContext(connection) as queries:
        revoke_wave(wave, **WHY)

    assert [each["sql"].split()[0] for each in queries if "UPDATE" in each["sql"]] == ["UPDATE"]
    assert {sees(person) for person in people} == {System.LEGACY}
    assert Snapshot.objects.standing().count() == 3
    assert wave.state == WaveState.ROLLING_BACK


def test_a_rollback_restores_rows_keys_and_instants_exactly(card, customers, started, clock):
    first, second, third = people = customers(3)
    body = save_body([], at=AT)
    for person, active in ((first, True), (second, False)):
        early = AT - timedelta(days=3)
        own = Placement.for_person(person.key, card, body, origin=Origin.HAND)
        install_configuration(own, by="alice", at=early, reason="by hand")
        SlotConfiguration.objects.filter(key=person.user).update(is_active=active, priority=4, is_pinned=active)
    before = rows()
    wave = started(*people)
    process_chunk(wave, clock=clock)
    assert rows() != before

    roll_back_wave(wave, **WHY)

    assert rows() == before
    assert third.key not in {row["key"] for row in before}


def test_what_people_edited_since_the_switch_is_set_aside_and_flagged(card, switched, customers):
    before = rows()
    wave, (changer, remover, other) = switched(3)
    body = save_body([], at=AT)
    by_hand = Placement.for_person(changer.key, card, body, origin=Origin.HAND)
    install_configuration(by_hand, by="c1", at=AT, reason="I like it so")
    SlotConfiguration.objects.get(key=remover.user).delete()

    report = roll_back_wave(wave, **WHY)

    assert report.edited == (str(changer), str(remover))
    assert rows() == before
    aside = Snapshot.objects.get(person=changer).set_aside
    assert [(each["component"], each["found"]["body_id"]) for each in aside] == [(CARD, body.digest)]
    assert Snapshot.objects.get(person=remover).set_aside[0]["found"] is None
    assert Snapshot.objects.get(person=other).set_aside == []
    assert Enrolment.objects.get(person=changer).code == "EDITED_SINCE_SWITCH"
    assert set(Event.objects.filter(kind="edits_set_aside").values_list("subject_pk", flat=True)) == {changer.pk, remover.pk}
    assert SlotConfiguration.history.filter(key=changer.user, body_id=body.digest).exists()


def test_a_snapshot_of_an_earlier_release_says_nothing_of_pins(card, switched):
    wave, _people = switched(1)
    snapshot = Snapshot.objects.get()
    for each in snapshot.installed:
        del each["is_pinned"]
    snapshot.save()

    assert roll_back_wave(wave, **WHY).edited == ()


def test_a_component_that_the_person_customised_only_since_the_switch_is_an_edit_too(switched, card):
    wave, (bob,) = switched(1)
    other = import_component(ComponentRecord("shop.other", "1.0", "<p>x</p>"), at=AT, by="alice").version
    install_configuration(
        Placement.for_person(bob.key, other, save_body([], at=AT), origin=Origin.HAND), by="c1", at=AT, reason="new"
    )

    report = roll_back_wave(wave, **WHY)

    assert report.edited == (str(bob),)
    assert rows() == []


def test_every_row_that_a_rollback_writes_is_in_the_history_under_one_act(switched):
    wave, people = switched(2)
    added = SlotConfiguration.history.filter(history_type="+").values_list("act", flat=True)

    roll_back_wave(wave, **WHY)

    removed = SlotConfiguration.history.filter(history_type="-")
    assert {(row.key, row.history_user_id, row.history_change_reason) for row in removed} == {
        (person.user, "alice", "it looks odd") for person in people
    }
    assert len(set(removed.values_list("act", flat=True))) == 1
    assert set(added).isdisjoint(removed.values_list("act", flat=True))


def test_rolling_back_twice_changes_nothing_more(switched):
    wave, _ = switched(2)
    roll_back_wave(wave, **WHY)
    before, events = rows(), Event.objects.count()

    report = roll_back_wave(wave, **WHY)

    assert (report.total, report.rolled_back) == (2, 0)
    assert (rows(), Event.objects.count()) == (before, events)


def test_a_rollback_that_stopped_half_way_is_continued(switched):
    wave, people = switched(3)
    revoke_wave(wave, **WHY)
    Enrolment.move_many(wave.enrolments.filter(person=people[0]), to=PersonState.ROLLING_BACK, **SAID)

    report = roll_back_wave(wave, **WHY)

    assert report.rolled_back == 3
    assert wave.state == WaveState.ROLLED_BACK
    assert not Snapshot.objects.standing().exists()


def test_a_rollback_acts_on_a_stale_page_too(switched):
    wave, _ = switched(1)
    stale = type(wave).objects.get(pk=wave.pk)
    type(wave).objects.filter(pk=wave.pk).update(version=99)

    assert roll_back_wave(stale, **WHY).rolled_back == 1


@pytest.mark.parametrize("state", [WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED, WaveState.CANCELLED])
def test_a_wave_that_has_not_started_has_nothing_to_take_back(planned, state):
    wave = planned(limit=1)
    type(wave).objects.update(state=state)

    with pytest.raises(MoveRefused):
        roll_back_wave(wave, **WHY)


def test_rolling_back_stands_those_down_who_wait_and_work(customers, started, clock):
    wave = started(*customers(4))
    process_chunk(wave, clock=clock, size=2)

    report = roll_back_wave(wave, **WHY)

    assert (report.total, report.rolled_back) == (4, 2)
    assert wave.members_by_state() == {PersonState.ENROLLED: 2, PersonState.ROLLED_BACK: 2}
    assert process_chunk(wave, clock=clock).claimed == 0


def test_one_person_is_taken_back_alone(switched):
    wave, (bob, other) = switched(2)

    report = roll_back_person(bob, **WHY)

    assert (report.total, report.rolled_back) == (1, 1)
    assert (sees(bob), sees(other)) == (System.LEGACY, System.SLOTS)
    assert wave.members_by_state() == {PersonState.SWITCHED: 1, PersonState.ROLLED_BACK: 1}
    with pytest.raises(NothingToUndo):
        roll_back_person(bob, **WHY)


def test_a_settled_person_can_be_taken_back(switched):
    wave, (bob,) = switched(1)
    Enrolment.move_many(wave.enrolments.all(), to=PersonState.SETTLED, **SAID)

    assert roll_back_person(bob, **WHY).rolled_back == 1
    assert rows() == []


def test_a_person_whom_support_switched_is_taken_back_with_the_override(customer):
    bob = customer("bob")
    translate_people([bob], **SAID)
    validate_people([bob], **SAID)
    override_person(bob, system=System.SLOTS, **WHY)
    assert sees(bob) == System.SLOTS

    report = roll_back_person(bob, **WHY)

    assert report.rolled_back == 1
    assert (sees(bob), rows(), FlagOverride.objects.count()) == (System.LEGACY, [], 0)


def test_who_is_on_slots_by_supports_word_stays_when_the_wave_goes_back(switched):
    wave, (bob, other) = switched(2)
    override_person(bob, system=System.SLOTS, **WHY)

    report = roll_back_wave(wave, **WHY)

    assert (report.rolled_back, report.kept) == (1, (str(bob),))
    assert (sees(bob), sees(other)) == (System.SLOTS, System.LEGACY)

    clear_override(bob, **WHY)

    assert sees(bob) == System.LEGACY
    assert rows() == []


def test_a_phase_goes_back_with_all_its_waves(customers, started, clock, phase):
    people = customers(4)
    waves = [started(*people[:2]), started(*people[2:])]
    for wave in waves:
        process_chunk(wave, clock=clock)

    report = roll_back_phase(phase, **WHY)

    assert (report.total, report.rolled_back) == (4, 4)
    assert phase.state == PhaseState.ROLLED_BACK
    assert {sees(person) for person in people} == {System.LEGACY}
    assert rows() == []


def test_everybody_goes_back_and_stays_there_until_the_switch_is_released(switched, customer):
    wave, people = switched(2)
    override_person(people[0], system=System.SLOTS, **WHY)

    report = roll_back_all(timer=iter(itertools.count()).__next__, **WHY)

    assert (report.total, report.rolled_back, report.kept) == (2, 2, ())
    assert (report.effective_ms, report.reconciled_ms) == (1000.0, 2000.0)
    assert is_killed()
    release_kill_switch(reason="all is well", **SAID)
    assert {sees(person) for person in people} == {System.LEGACY}
    assert (rows(), FlagOverride.objects.count()) == ([], 0)
    wave.refresh_from_db()
    wave.phase.plan.refresh_from_db()
    assert (wave.state, wave.phase.plan.state) == (WaveState.ROLLED_BACK, PlanState.ROLLED_BACK)


def test_a_wave_that_was_rolled_back_can_be_migrated_again(switched, clock):
    wave, people = switched(3)
    roll_back_wave(wave, **WHY)

    reopen_wave(wave, **WHY)
    assert (wave.state, wave.attempt, wave.revoked_at) == (WaveState.PLANNED, 2, None)
    bring_to_start(wave)
    report = process_chunk(wave, clock=clock)

    assert report.switched == 3
    assert {sees(person) for person in people} == {System.SLOTS}
    assert set(wave.enrolments.values_list("attempt", flat=True)) == {2}
    assert Snapshot.objects.count() == 6


@pytest.mark.parametrize("act", [roll_back_wave, roll_back_person, roll_back_phase])
def test_every_rollback_needs_a_reason(switched, act):
    wave, (bob,) = switched(1)
    subject = {roll_back_wave: wave, roll_back_person: bob, roll_back_phase: wave.phase}[act]

    with pytest.raises(ReasonMissing):
        act(subject, reason=" ", **SAID)
    with pytest.raises(ReasonMissing):
        roll_back_all(reason="", **SAID)
    assert sees(bob) == System.SLOTS


def test_restoring_costs_the_same_queries_for_one_and_for_ten(customers, started, clock):
    counts = []
    people = customers(11)
    for group in (people[:1], people[1:]):
        wave = started(*group)
        process_chunk(wave, clock=clock)
        wave.refresh_from_db()
        revoke_wave(wave, **WHY)
        with CaptureQueriesContext(connection) as queries:
            reconcile_wave(wave, **WHY)
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert not SlotConfiguration.objects.filter(layer=Layer.USER).exists()


def test_one_person_who_cannot_be_restored_keeps_nobody_else_waiting(switched):
    wave, (first, second, third) = switched(3)
    poisoned = Snapshot.objects.filter(person=second)
    poisoned.update(configurations=[{"id": 1, "body_id": None}])

    report = roll_back_wave(wave, **WHY)

    assert (report.rolled_back, report.failed) == (2, (str(second),))
    assert {sees(person) for person in (first, second, third)} == {System.LEGACY}
    assert (wave.state, Enrolment.objects.get(person=second).code) == (WaveState.ROLLING_BACK, "RESTORE_FAILED")

    assert +do_what_is_due(at=AT).failed == Counter(rollback=1)
    poisoned.update(configurations=[])
    assert do_what_is_due(at=AT).done["rollback"] == 1
    wave.refresh_from_db()
    assert (wave.state, rows()) == (WaveState.ROLLED_BACK, [])


def test_whom_the_set_based_way_fails_for_is_restored_row_by_row(switched, monkeypatch):
    wave, (_first, second, _third) = switched(3)
    genuine, asked = restorations.restore_together, []

    def restore_together(snapshots, **said):
        asked.append(sorted(snapshots.values_list("person_id", flat=True)))
        if second.pk in asked[-1]:
            raise KeyError("poison")
        return genuine(snapshots, **said)

    monkeypatch.setattr(restorations, "restore_together", restore_together)

    report = roll_back_wave(wave, **WHY)

    assert (report.rolled_back, report.failed, rows()) == (3, (), [])
    assert [len(each) for each in asked] == [3, 1, 2, 1, 1]
    assert wave.state == WaveState.ROLLED_BACK


def test_a_rollback_that_is_stopped_between_two_chunks_keeps_what_it_did_and_goes_on(switched, monkeypatch):
    wave, people = switched(5)
    genuine, chunks = restorations.restore_together, []

    def restore_together(snapshots, **said):
        chunks.append(snapshots.count())
        if len(chunks) == 2:
            raise KeyboardInterrupt
        return genuine(snapshots, **said)

    monkeypatch.setattr(rollback, "CHUNK", 2)
    monkeypatch.setattr(restorations, "restore_together", restore_together)
    with pytest.raises(KeyboardInterrupt):
        roll_back_wave(wave, **WHY)

    assert {sees(person) for person in people} == {System.LEGACY}
    assert Snapshot.objects.standing().count() == 3
    assert do_what_is_due(at=AT).done["rollback"] == 1
    assert (chunks, rows()) == ([2, 2, 2, 1], [])
    assert SlotConfiguration.history.filter(history_type="-").count() == 5


def test_people_of_a_wave_that_was_reopened_meanwhile_stay_on_slots(switched):
    wave, people = switched(2)

    report = restore_people([person.pk for person in people], wave=wave, **WHY)

    assert (report.rolled_back, len(rows()), Snapshot.objects.standing().count()) == (0, 2, 2)
    assert wave.members_by_state() == {PersonState.SWITCHED: 2}


def test_a_wave_that_goes_back_takes_nobody_along_whom_another_wave_switched(switched):
    wave, people = switched(2)
    wave.step(WaveState.ROLLING_BACK, revoked_at=AT, **WHY)
    Enrolment.objects.filter(person=people[1]).update(wave=another_wave(wave))

    report = restore_people([person.pk for person in people], wave=wave, **WHY)

    assert (report.rolled_back, len(rows())) == (1, 1)
    assert Enrolment.objects.get(person=people[1]).state == PersonState.SWITCHED


def another_wave(wave):
    """A further wave of the phase, at work."""
    return Wave.objects.create(phase=wave.phase, position=wave.position + 1, name="Other", state=WaveState.RUNNING)
