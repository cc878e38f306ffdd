"""A rollback is measured on the real people and leaves no trace but its certificate."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from migration.models import Customization
from rollout.actions import certifying
from rollout.actions.certificates import roster_digest, roster_of, why_uncertified
from rollout.actions.certifying import certify_rollback
from rollout.actions.contents import edit_content
from rollout.actions.holds import freeze, set_hold
from rollout.actions.people import override_person
from rollout.actions.plans import PhaseDraft, WaveDraft, add_phase, open_phase
from rollout.actions.prevalidation import prevalidate_wave
from rollout.actions.readiness import what_keeps
from rollout.actions.rollback import roll_back_all, roll_back_person, roll_back_phase, roll_back_wave
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.audiences import Audience
from rollout.errors import AudienceEmpty, CertificateMissing, MoveRefused, NobodyProven
from rollout.models import Enrolment, Event, FlagOverride, Phase, RollbackCertificate, Snapshot, Wave
from rollout.states import PersonState, WaveState
from rollout.switch import is_killed
from rollout.waves import System
from slots.models import SlotConfiguration
from tests.rollout.conftest import AT, HOSTILE, SAID, WHY

pytestmark = pytest.mark.django_db
TABLES = (
    Enrolment, Snapshot, SlotConfiguration, SlotConfiguration.history.model, Customization, Wave, Phase, FlagOverride,
)  # fmt: skip


def everything():
    """Return every row that a measurement could leave something in, and how many events there are."""
    return {kind.__name__: list(kind.objects.order_by("pk").values()) for kind in TABLES}, Event.objects.count()


def certify(subject, at=AT, **options):
    phase, wave = (subject.phase, subject) if isinstance(subject, Wave) else (subject, None)
    return certify_rollback(phase, wave=wave, by="alice", at=at, timer=time.perf_counter, **options)


@pytest.fixture
def demanding(phase):
    """The open phase, which demands a certificate."""
    edit_content(phase, needs_certificate=True, **WHY)
    return phase


def test_members_are_switched_and_taken_back_and_nothing_of_it_stays(locked):
    wave = locked(3)
    before, events = everything()

    made = certify(wave)

    assert (made.people, made.roster, made.is_exact, made.engine_version) == (3, 3, True, "1")
    assert made.text == "3 of 3 people were switched and taken back."
    assert made.roster_digest == roster_digest(roster_of(wave))
    assert 0 < made.effective_ms < made.reconciled_ms
    assert made.projected_s == pytest.approx(made.reconciled_ms / 1000, abs=0.001)
    after, events_after = everything()
    assert after == before
    assert events_after == events + 1
    assert Event.objects.get(kind="rollback_measured").data == {"certificate": made.pk, "is_exact": True, "people": 3}


def test_it_takes_the_way_that_a_real_rollback_takes(locked, monkeypatch):
    wave, seen = locked(2), []

    def watched(wave, **options):
        seen.append(Enrolment.objects.filter(state=PersonState.SWITCHED).count())
        seen.append(SlotConfiguration.objects.filter(is_active=True).count())
        report = roll_back_wave(wave, **options)
        seen.extend([report.rolled_back, wave.state])
        return report

    monkeypatch.setattr(certifying, "roll_back_wave", watched)
    certify(wave)

    assert seen == [2, 2, 2, WaveState.ROLLED_BACK]


def test_before_anybody_is_enrolled_those_who_would_be_are_measured(proven, planned, phase):
    proven(4)
    wave = planned(limit=3)
    before, _ = everything()

    of_wave, of_phase = certify(wave), certify(phase)

    assert (of_wave.people, of_wave.roster, of_wave.is_exact) == (3, 3, True)
    assert of_phase.roster_digest == of_wave.roster_digest
    assert everything()[0] == before
    lock_wave(wave, **SAID)
    assert roster_digest(roster_of(wave)) == of_wave.roster_digest


def test_a_part_of_many_is_measured_and_the_rest_projected(locked):
    made = certify(locked(6), limit=2)

    assert (made.people, made.roster) == (2, 6)
    assert made.projected_s == pytest.approx(3 * made.reconciled_ms / 1000, abs=0.001)


def test_a_phase_is_measured_wave_by_wave(proven, planned, phase):
    people = proven(4)
    for part in (people[:2], people[2:]):
        lock_wave(planned(*part), **SAID)

    made = certify(phase)

    assert (made.people, made.roster, made.is_exact, made.wave) == (4, 4, True, None)


def test_what_is_not_as_before_is_not_exact(locked, monkeypatch):
    wave = locked(2)

    def careless(wave, **options):
        report = roll_back_wave(wave, **options)
        Customization.objects.filter(person__user="c2").update(diff_digest="0" * 64)
        return report

    monkeypatch.setattr(certifying, "roll_back_wave", careless)
    made = certify(wave)

    assert not made.is_exact
    assert made.text == "2 of 2 people were switched and taken back. Not as before: c2."
    assert not Customization.objects.filter(diff_digest="0" * 64).exists()


def test_who_is_left_on_slots_is_not_exact(locked, monkeypatch):
    def half(wave, **options):
        wave.enrolments.filter(person__user="c1").update(state=PersonState.NOTIFIED)
        return roll_back_wave(wave, **options)

    monkeypatch.setattr(certifying, "roll_back_wave", half)

    assert "Not as before: c1." in certify(locked(2)).text


def test_who_is_not_proven_is_left_out_and_said(locked, customer, planned):
    people = [each.person for each in locked(1).enrolments.all()]
    Wave.objects.update(state=WaveState.CANCELLED)
    Enrolment.objects.update(state=PersonState.REMOVED, is_live=False)
    wave = planned(*people, customer("hostile", HOSTILE))
    lock_wave(wave, **SAID)

    made = certify(wave)

    assert (made.people, made.roster) == (1, 2)
    assert "1 of those looked at had no proof yet: " in made.text


def test_where_nobody_is_proven_it_says_so(customers, planned):
    wave = planned(*customers(2))
    lock_wave(wave, **SAID)
    before, events = everything()

    with pytest.raises(NobodyProven) as refused:
        certify(wave)

    assert refused.value.code == "NOBODY_PROVEN"
    assert "Of 2 people of Pilot / Wave 1 nobody could be switched" in str(refused.value)
    assert (everything(), RollbackCertificate.objects.count()) == ((before, events), 0)


def test_the_next_step_that_it_names_leads_to_a_measurement(customers, planned, phase):
    wave = planned(*customers(2))
    with pytest.raises(NobodyProven) as before:
        certify(phase)
    assert f"Lock the wave (`manage.py rollout lock {wave.pk}`). Prove its people ahead" in str(before.value)

    lock_wave(wave, **SAID)
    with pytest.raises(NobodyProven) as locked:
        certify(phase)
    assert "Lock the wave" not in str(locked.value)
    assert f"Prove its people ahead (`manage.py rollout prevalidate {wave.pk}`), then measure." in str(locked.value)
    prevalidate_wave(wave, **SAID)

    assert certify(phase).people == 2


def test_whom_support_put_on_slots_is_left_where_they_are(proven, planned):
    people = proven(2)
    override_person(people[0], system=System.SLOTS, **WHY)
    wave = planned(*people)
    lock_wave(wave, **SAID)
    before, _ = everything()

    assert certify(wave).people == 1
    assert everything()[0] == before


def test_a_wave_that_has_started_is_not_measured(locked):
    wave = locked(1)
    announce_wave(wave, **WHY)
    start_wave(wave, **SAID)

    with pytest.raises(MoveRefused):
        certify(wave)


def test_nobody_is_not_measured(phase):
    add_phase(phase.plan, draft=PhaseDraft("Empty", [WaveDraft("W", Audience(limit=1))]), **SAID)

    with pytest.raises(AudienceEmpty):
        certify(Phase.objects.get(name="Empty"))


def announced(wave):
    announce_wave(wave, **WHY)
    return wave


def test_a_wave_starts_only_with_a_rollback_measured_on_its_people(locked, demanding):
    wave = announced(locked(2))

    with pytest.raises(CertificateMissing) as refused:
        start_wave(wave, **SAID)
    assert refused.value.code == "CERTIFICATE_MISSING"
    assert "No rollback of Pilot / Wave 1 was measured." in str(refused.value)
    assert [each.code for each in what_keeps(wave, at=AT)] == ["CERTIFICATE_MISSING"]

    certify(wave)
    assert start_wave(wave, **SAID) == 2


def test_one_of_the_whole_phase_counts_for_each_of_its_waves(proven, planned, demanding):
    people = proven(2)
    waves = [planned(each) for each in people]
    for wave in waves:
        lock_wave(wave, **SAID)
    certify(demanding)

    assert [start_wave(announced(wave), **SAID) for wave in waves] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "later", "why"),
    [
        ({"is_exact": False}, timedelta(), "was not exact."),
        ({"people": 0}, timedelta(), "took nobody back."),
        ({"engine_version": "0"}, timedelta(), "was measured with engine 0; this is 1."),
        ({"roster_digest": "0" * 64}, timedelta(), "was measured on other people than are members now."),
        ({}, timedelta(days=7), "counted for 7 days, 0:00:00 and is over."),
        ({}, -timedelta(seconds=1), "counted for 7 days, 0:00:00 and is over."),
        ({}, timedelta(days=7) - timedelta(seconds=1), ""),
    ],
)
def test_a_certificate_counts_while_people_engine_and_time_are_the_same(locked, demanding, changes, later, why):
    wave = locked(1)
    made = certify(wave)
    RollbackCertificate.objects.filter(pk=made.pk).update(**changes)

    found = why_uncertified(wave, at=AT + later)

    assert why in found
    assert bool(found) == bool(why)


def test_a_person_less_makes_it_one_of_other_people(locked, demanding):
    wave = locked(2)
    certify(wave)
    Enrolment.objects.filter(person__user="c1").update(state=PersonState.EXCLUDED, is_live=False)

    assert "other people" in why_uncertified(wave, at=AT)


def test_an_earlier_one_counts_though_a_later_one_failed_to_be_about_these_people(locked, demanding):
    wave = locked(1)
    certify(wave)
    later = certify(wave)
    RollbackCertificate.objects.filter(pk=later.pk).update(roster_digest="0" * 64)

    assert why_uncertified(wave, at=AT) == ""


def test_the_people_of_the_phase_are_read_only_where_a_certificate_is_about_all_of_them(locked, demanding):
    wave = locked(2)
    certify(wave)

    def looks():
        with CaptureQueriesContext(connection) as queries:
            assert why_uncertified(wave, at=AT) == ""
        return sum('FROM "rollout_enrolment"' in each["sql"] for each in queries)

    assert looks() == 1
    certify(demanding)
    assert looks() == 2


def test_a_phase_whose_people_are_known_opens_only_with_a_certificate(proven, phase):
    later = add_phase(phase.plan, draft=PhaseDraft("Beta", [WaveDraft("W", Audience(limit=2))]), **SAID)
    edit_content(later, needs_certificate=True, **WHY)
    proven(2)
    assert why_uncertified(later, at=AT) == ""
    wave = later.waves.get()
    lock_wave(wave, **SAID)

    with pytest.raises(CertificateMissing):
        open_phase(later, **WHY)
    later.refresh_from_db()
    certify(wave)

    open_phase(later, **WHY)


def test_without_the_check_a_wave_would_start_unmeasured(locked, demanding, monkeypatch):
    wave = announced(locked(1))
    with pytest.raises(CertificateMissing):
        start_wave(wave, **SAID)
    monkeypatch.setattr("rollout.actions.readiness.why_uncertified", lambda wave, at: "")

    assert start_wave(wave, **SAID) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_enrolled", [True, False])
def test_no_protective_act_waits_for_a_measurement(proven, planned, phase, is_enrolled):
    """In the middle of the measurement, before it is undone, everything that protects people is done by others."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one lock for every writer")
    people = proven(4)
    running, other = planned(people[0]), planned(*people[1:3])
    for act in (lock_wave, lambda wave, **said: announce_wave(wave, reason="told", **said), start_wave):
        act(running, **SAID)
    if is_enrolled:
        lock_wave(other, **SAID)
    inside, go_on, made = threading.Event(), threading.Event(), []

    def timer():
        inside.set()
        assert go_on.wait(60)
        return time.perf_counter()

    def measure():
        try:
            made.append(certify_rollback(phase, wave=other, by="alice", at=AT, timer=timer))
        finally:
            connections.close_all()

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        assert inside.wait(60)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")  # whoever has to wait fails
        freeze(**WHY)
        set_hold(other, **WHY)
        roll_back_person(people[0], **WHY)
        roll_back_wave(running, **WHY)
        roll_back_phase(phase, **WHY)
        roll_back_all(**WHY)
        assert is_killed()
        assert thread.is_alive()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        go_on.set()
        thread.join(60)
    assert made[0].is_exact
