"""The members of a wave are proven before it starts; nobody's place changes."""

import pytest

from rollout.actions.chunks import process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.prevalidation import prevalidate_person, prevalidate_wave, readiness_of
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.errors import MoveRefused
from rollout.models import Enrolment, Event, Wave
from rollout.states import PersonState, WaveState
from slots.actions import import_component, set_current_version
from slots.registry import ComponentRecord
from tests.rollout.conftest import AT, CARD, CONTEXT, HOSTILE, SAID, SOURCE

pytestmark = pytest.mark.django_db


@pytest.fixture
def locked(planned):
    """What makes a locked wave of these people."""

    def make(*people):
        wave = planned(*people)
        lock_wave(wave, **SAID)
        return wave

    return make


def test_members_are_proven_or_blocked_by_cause_and_stay_where_they_are(customers, customer, locked):
    wave = locked(*customers(3), customer("hostile", HOSTILE))
    before = (list(Enrolment.objects.values()), Event.objects.exclude(kind="proven_ahead").count())
    assert readiness_of(wave).as_json() == {"members": 4, "proven": 0, "blocked": 0, "open": 4, "causes": {}}

    report = prevalidate_wave(wave, **SAID)

    assert (report.members, report.proven, report.blocked, report.open) == (4, 3, 1, 0)
    assert sum(count for _, count in report.causes) >= 1
    assert (list(Enrolment.objects.values()), Event.objects.exclude(kind="proven_ahead").count()) == before


def test_what_is_proven_ahead_is_not_proven_again_at_the_start(customers, locked, clock, monkeypatch):
    wave = locked(*customers(2))
    prevalidate_wave(wave, **SAID)
    announce_wave(wave, reason="told", **SAID)
    start_wave(wave, **SAID)
    monkeypatch.setattr("migration.actions.validations._compare", None)  # would be called to compare anew

    assert process_chunk(wave, clock=clock).switched == 2


def test_a_call_that_was_cut_short_is_gone_on_with(customers, locked):
    wave = locked(*customers(5))

    opens = [prevalidate_wave(wave, limit=2, **SAID).open for _ in range(3)]

    assert opens == [3, 1, 0]


def test_the_reconciler_proves_some_each_round_the_earliest_wave_first(customers, locked, clock, monkeypatch):
    people = customers(5)
    late, early = locked(*people[:2]), locked(*people[2:])
    early.starts_at = AT
    early.save(update_fields=["starts_at"])
    monkeypatch.setattr("rollout.actions.due.A_ROUND", 4)

    report = do_what_is_due(at=clock())

    assert report.done["proof"] == 4
    assert (readiness_of(early).open, readiness_of(late).open) == (0, 1)
    assert do_what_is_due(at=clock()).done["proof"] == 1
    assert do_what_is_due(at=clock()).done["proof"] == 0


def test_a_new_version_of_the_component_opens_what_was_proven(customers, locked):
    wave = locked(*customers(2))
    prevalidate_wave(wave, **SAID)
    samples = ({"name": "m", "context": CONTEXT},)
    newer = ComponentRecord(CARD, "2.0", SOURCE.replace("card", "tile"), contract={"names": ["product"]}, samples=samples)
    done = import_component(newer, at=AT, by="alice")
    set_current_version(done.version.component, done.version, at=AT, by="alice")
    assert readiness_of(wave).open == 2

    assert prevalidate_wave(wave, **SAID).proven == 2


def test_a_wave_that_is_not_ahead_of_its_start_is_refused(customers, started, planned):
    wave = started(*customers(1))

    with pytest.raises(MoveRefused, match="proven ahead"):
        prevalidate_wave(wave, **SAID)
    assert wave.members_by_state() == {PersonState.QUEUED: 1}


def test_one_person_is_proven_or_told_why_not(customer, locked):
    wave = locked(customer("carla"), customer("hostile", HOSTILE))
    carla, hostile = (wave.enrolments.get(person__user=name) for name in ("carla", "hostile"))

    assert prevalidate_person(carla, **SAID) is None
    assert prevalidate_person(hostile, **SAID).code == "FINDING_OPEN"
    assert (readiness_of(wave).proven, readiness_of(wave).blocked) == (1, 1)


def test_who_asked_for_a_proof_and_why_is_in_the_record(customer, locked):
    wave = locked(customer("carla"))

    prevalidate_wave(wave, **SAID, reason="they start tomorrow")

    (kept,) = Event.objects.filter(subject="wave", subject_pk=wave.pk, kind="proven_ahead")
    assert (kept.by, kept.reason) == (SAID["by"], "they start tomorrow")


def test_one_person_is_proven_ahead_only(customers, started, planned, customer):
    begun = started(*customers(1)).enrolments.get()
    waits = planned(customer("carla"))
    lock_wave(waits, **SAID)
    early = waits.enrolments.get()
    Wave.objects.filter(pk=waits.pk).update(state=WaveState.PLANNED)
    early.wave.refresh_from_db()

    for row in (begun, early):
        with pytest.raises(MoveRefused, match="proven ahead"):
            prevalidate_person(row, **SAID)
