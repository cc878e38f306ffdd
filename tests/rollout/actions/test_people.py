"""Support's word on one person; another try; leaving somebody out."""

import pytest

from rollout.actions.chunks import process_chunk
from rollout.actions.people import clear_override, exclude_person, override_person, retry_people
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.rollback import roll_back_person
from rollout.actions.timelines import timeline_of
from rollout.errors import MoveRefused, ProofMissing, ReasonMissing
from rollout.models import FlagOverride, Snapshot, Wave, standing_of
from rollout.states import PersonState, WaveState
from rollout.waves import System
from slots.actions import import_component, set_current_version
from slots.models import SlotConfiguration
from slots.registry import ComponentRecord
from tests.rollout.conftest import AT, CARD, HOSTILE, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "called us"}


@pytest.fixture
def bob(customer):
    person = customer("bob")
    translate_people([person], **SAID)
    validate_people([person], **SAID)
    return person


def sees(person):
    return standing_of(person.key).decide().system


def test_override_to_slots_installs_what_is_proven_after_a_snapshot(bob):
    decision = override_person(bob, system=System.SLOTS, **WHY)

    assert decision.system == System.SLOTS
    assert Snapshot.objects.get().installed[0]["component"] == CARD
    assert Snapshot.objects.get().enrolment is None
    assert SlotConfiguration.history.get().history_user_id == "alice"


def test_override_to_slots_twice_keeps_one_snapshot(bob):
    override_person(bob, system=System.SLOTS, **WHY)
    override_person(bob, system=System.SLOTS, **WHY)

    assert Snapshot.objects.count() == 1


@pytest.mark.parametrize("text", [None, HOSTILE], ids=["not translated yet", "refused by the policy"])
def test_override_to_slots_needs_a_proof(customer, text):
    person = customer("eve", **({"text": text} if text else {}))
    if text:
        translate_people([person], **SAID)
        validate_people([person], **SAID)

    with pytest.raises(ProofMissing):
        override_person(person, system=System.SLOTS, **WHY)

    assert (sees(person), FlagOverride.objects.count(), SlotConfiguration.objects.count()) == (System.LEGACY, 0, 0)


def test_override_to_slots_refuses_a_proof_of_an_older_version(bob):
    done = import_component(ComponentRecord(CARD, "2.0", "<p>new</p>", contract={"names": ["product"]}), at=AT, by="alice")
    set_current_version(done.version.component, done.version, at=AT, by="alice")

    with pytest.raises(ProofMissing):
        override_person(bob, system=System.SLOTS, **WHY)


def test_override_to_legacy_needs_no_proof_and_changes_no_configuration(customers, started, clock):
    (person,) = customers(1)
    process_chunk(started(person), clock=clock)
    before = list(SlotConfiguration.objects.values())

    assert override_person(person, system=System.LEGACY, **WHY).system == System.LEGACY

    assert list(SlotConfiguration.objects.values()) == before
    assert clear_override(person, **WHY).system == System.SLOTS


def test_clearing_takes_off_what_only_support_had_installed(bob):
    override_person(bob, system=System.SLOTS, **WHY)

    assert clear_override(bob, **WHY).system == System.LEGACY

    assert SlotConfiguration.objects.count() == 0
    assert Snapshot.objects.get().restored_at == AT


def test_clearing_where_nothing_was_said_changes_nothing(bob):
    assert clear_override(bob, **WHY).system == System.LEGACY
    assert timeline_of(bob) == []


def test_a_wave_that_reaches_somebody_whom_support_switched_keeps_the_first_snapshot(bob, started, clock):
    override_person(bob, system=System.SLOTS, **WHY)
    first = Snapshot.objects.get()

    process_chunk(started(bob), clock=clock)

    again = Snapshot.objects.get()
    assert (again.pk, again.configurations, again.enrolment.person) == (first.pk, [], bob)
    roll_back_person(bob, **WHY)
    assert SlotConfiguration.objects.count() == 0


def test_every_act_needs_a_reason(bob):
    with pytest.raises(ReasonMissing):
        override_person(bob, system=System.LEGACY, reason="", **SAID)
    with pytest.raises(ReasonMissing):
        clear_override(bob, reason="", **SAID)


def test_people_are_tried_again_in_a_wave_at_work(customers, customer, started, clock):
    hostile = customer("hostile", HOSTILE)
    wave = started(hostile, *customers(2))
    process_chunk(wave, clock=clock, size=3)
    assert wave.enrolments.get(person=hostile).state == PersonState.VALIDATION_FAILED
    with pytest.raises(MoveRefused):  # the wave is watched by now
        retry_people(wave, people=[hostile], **WHY)

    other = started(hostile)
    row = other.enrolments.get()
    type(row).objects.filter(pk=row.pk).update(state=PersonState.NEEDS_ATTENTION, tries=3, code="ACCIDENT")

    assert retry_people(other, people=[hostile], **WHY) == 1
    row.refresh_from_db()
    assert (row.state, row.tries, row.code) == (PersonState.QUEUED, 0, "")


def test_who_is_to_be_tried_again_in_a_wave_that_has_ended_is_told_its_state(customers, started):
    (person,) = customers(1)
    wave = started(person)
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.MONITORING)

    with pytest.raises(MoveRefused, match="is monitoring"):
        retry_people(wave, people=[person], **SAID, reason="once more")


def test_somebody_on_slots_is_not_left_out_but_taken_back(customers, started, clock):
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)

    with pytest.raises(MoveRefused):
        exclude_person(wave.enrolments.get(), **WHY)
