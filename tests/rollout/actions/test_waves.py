"""Waves from their audience to their end; plans up to the point where waves may start."""

from datetime import timedelta

import pytest

from migration.models import Customization, Person
from rollout.actions.audiences import preview_audience
from rollout.actions.chunks import process_chunk
from rollout.actions.people import exclude_person, override_person
from rollout.actions.plans import PhaseDraft, approve_plan, create_plan, open_phase, submit_plan
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.reopening import reopen_plan
from rollout.actions.rollback import roll_back_person, roll_back_wave
from rollout.actions.waves import (
    advance_wave,
    announce_wave,
    cancel_wave,
    finish_wave,
    lock_wave,
    reopen_wave,
    require_nobody_at_work,
    reschedule_wave,
    start_wave,
)
from rollout.audiences import Audience, in_order
from rollout.errors import ApproverIsAuthor, AudienceEmpty, AudienceInvalid, MoveRefused, PhaseClosed, ReasonMissing
from rollout.models import Enrolment, Event, Phase, Plan, Wave
from rollout.states import PersonState, PhaseState, WaveState
from rollout.waves import System
from tests.rollout.conftest import AT, HOSTILE, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}


def users_of(wave):
    return list(wave.enrolments.order_by("pk").values_list("person__user", flat=True))


def test_locking_takes_the_first_so_many_in_sticky_order(customers, planned):
    people = customers(6)
    wave = planned(limit=4)

    done = lock_wave(wave, **SAID)

    assert users_of(wave) == in_order("salt", [person.user for person in people])[:4]
    assert (done.size, wave.size, wave.state) == (4, 4, WaveState.LOCKED)


def test_the_next_wave_takes_the_next_people(customers, planned):
    people = customers(5)
    first, second = planned(limit=3), planned(limit=3)
    lock_wave(first, **SAID)

    lock_wave(second, **SAID)

    assert users_of(first) + users_of(second) == in_order("salt", [person.user for person in people])


def test_only_internal_accounts_are_taken_where_only_they_are_meant(customer, planned):
    customer("one", is_internal=True)
    customer("two")
    wave = planned(limit=1)
    Wave.objects.filter(pk=wave.pk).update(audience=Audience(internal=True).as_json())
    wave.refresh_from_db()

    lock_wave(wave, **SAID)

    assert users_of(wave) == ["one"]


def test_people_are_named_with_their_tenant_where_it_is_not_the_default(customer, planned):
    customer("bob", tenant="north")
    Customization.objects.update(external_id="n")
    customer("bob")
    customer("a/b")

    wave = planned("north/bob", "a/b")
    lock_wave(wave, **SAID)

    assert {str(row.person) for row in wave.enrolments.all()} == {"north/bob", "a/b"}


def test_whom_a_wave_cannot_take_is_named_with_the_reason(customer, customers, planned, started, clock):
    customers(3)
    customer("bare", None)
    other = started("c1", "c2")
    process_chunk(other, clock=clock, size=1)

    skipped = preview_audience(planned("c1", "c2", "c3", "bare", "ghost"), at=AT).skipped

    assert {each.user: each.code for each in skipped} == {
        "ghost": "PERSON_UNKNOWN",
        "bare": "NOT_CUSTOMISED",
        "c1": "ON_SLOTS_ALREADY" if other.enrolments.get(person__user="c1").state == "switched" else "IN_ANOTHER_WAVE",
        "c2": "ON_SLOTS_ALREADY" if other.enrolments.get(person__user="c2").state == "switched" else "IN_ANOTHER_WAVE",
    }
    assert sorted(each.code for each in skipped)[:2] == ["IN_ANOTHER_WAVE", "NOT_CUSTOMISED"]


def test_who_was_put_on_slots_by_support_is_taken_only_by_name(customers, planned, clock):
    bob, other = customers(2)
    translate_people([bob], **SAID)
    validate_people([bob], **SAID)
    override_person(bob, system=System.SLOTS, **WHY)

    assert preview_audience(planned(limit=9), at=AT).users == [other.user]
    assert preview_audience(planned(bob), at=AT).users == [bob.user]


def test_a_person_who_was_left_behind_is_free_for_a_wave_that_names_them(customers, planned, started, clock):
    people = customers(3)
    first = started(*people)
    process_chunk(first, clock=clock)
    roll_back_person(people[0], **WHY)

    assert preview_audience(planned(limit=9), at=AT).users == []
    second = started(people[0])

    assert process_chunk(second, clock=clock).switched == 1
    assert first.members_by_state() == {PersonState.SWITCHED: 2, PersonState.ROLLED_BACK: 1}
    assert Enrolment.objects.live().get(person=people[0]).wave == second


def test_a_wave_without_anybody_is_not_locked(card, planned):
    wave = planned("ghost")

    with pytest.raises(AudienceEmpty) as nobody:
        lock_wave(wave, **SAID)

    assert [each.code for each in nobody.value.skipped] == ["PERSON_UNKNOWN"]
    assert Wave.objects.get(pk=wave.pk).state == WaveState.PLANNED


def test_a_wave_whose_audience_says_nothing_is_not_locked(customers, planned):
    customers(1)
    wave = planned(limit=1)
    Wave.objects.update(audience={})
    wave.refresh_from_db()

    with pytest.raises(AudienceInvalid):
        lock_wave(wave, **SAID)


def test_a_wave_does_not_start_in_a_phase_that_is_not_open(customers, planned, phase):
    customers(1)
    wave = planned(limit=1)
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    Phase.objects.update(state=PhaseState.PENDING)

    with pytest.raises(PhaseClosed):
        start_wave(wave, **SAID)

    assert wave.members_by_state() == {PersonState.NOTIFIED: 1}


def test_starting_twice_starts_once(customers, planned):
    customers(2)
    wave = planned(limit=2)
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    second_page = Wave.objects.get(pk=wave.pk)

    assert start_wave(wave, **SAID) == 2
    with pytest.raises(MoveRefused):
        start_wave(second_page, **SAID)

    assert Event.objects.filter(subject="wave", to_state="running").count() == 1
    assert wave.engine_version


def test_announcing_opening_and_the_like_need_a_reason(customers, planned, phase):
    customers(1)
    wave = planned(limit=1)
    lock_wave(wave, **SAID)

    for act in (announce_wave, cancel_wave, reschedule_wave, reopen_wave, finish_wave):
        with pytest.raises(ReasonMissing):
            act(wave, reason="  ", **SAID)
    with pytest.raises(ReasonMissing):
        open_phase(phase, reason="", **SAID)


def test_a_rescheduled_wave_keeps_its_people_and_tells_them_again(customers, planned):
    customers(3)
    wave = planned(limit=2)
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    before = users_of(wave)

    reschedule_wave(wave, **WHY)

    assert (wave.state, wave.schedule_version, wave.members_by_state()) == (WaveState.PLANNED, 2, {PersonState.ENROLLED: 2})
    lock_wave(wave, **SAID)
    assert users_of(wave) == before


@pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "planned"])
def test_a_wave_is_rescheduled_to_another_instant(customers, planned, is_locked):
    customers(1)
    wave = planned(limit=1)
    if is_locked:
        lock_wave(wave, **SAID)
    stale = Wave.objects.get(pk=wave.pk)

    reschedule_wave(wave, starts_at=AT + timedelta(days=3), **WHY)

    assert (wave.state, wave.starts_at) == (WaveState.PLANNED, AT + timedelta(days=3))
    assert wave.schedule_version == (2 if is_locked else 1), "nobody was told of a schedule that was only planned"
    event = Event.objects.get(kind="rescheduled")
    assert (event.subject_pk, event.data) == (wave.pk, {"from": None, "to": "2026-11-26T09:00:00+00:00"})
    with pytest.raises(MoveRefused):
        reschedule_wave(stale, starts_at=AT, **WHY)


def test_a_wave_that_is_planned_already_is_rescheduled_to_an_instant_or_not_at_all(planned):
    with pytest.raises(MoveRefused):
        reschedule_wave(planned(limit=1), **WHY)


def test_a_cancelled_wave_frees_its_people(customers, planned):
    customers(2)
    wave, later = planned(limit=2), planned(limit=2)
    lock_wave(wave, **SAID)

    assert cancel_wave(wave, **WHY) == 2

    assert lock_wave(later, **SAID).size == 2
    assert wave.members_by_state() == {PersonState.REMOVED: 2}


def test_a_wave_with_somebody_left_behind_completes_with_exceptions(customers, customer, started, clock):
    wave = started(*customers(1), customer("hostile", HOSTILE))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()

    assert finish_wave(wave, **WHY) == WaveState.COMPLETED_WITH_EXCEPTIONS
    assert wave.members_by_state() == {PersonState.SETTLED: 1, PersonState.VALIDATION_FAILED: 1}


def test_a_wave_with_people_at_work_is_not_finished(customers, started):
    wave = started(*customers(1))

    with pytest.raises(MoveRefused):
        finish_wave(wave, **WHY)
    assert advance_wave(wave, at=AT) == []


def test_a_wave_of_which_somebody_is_still_going_back_is_not_finished(customers, started, clock):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    advance_wave(wave, at=clock())
    wave.enrolments.filter(pk=wave.enrolments.first().pk).update(state=PersonState.ROLLING_BACK)

    with pytest.raises(MoveRefused):
        require_nobody_at_work(wave)  # what the preview goes by
    with pytest.raises(MoveRefused):
        finish_wave(wave, **WHY)

    wave.refresh_from_db()
    assert wave.state == WaveState.MONITORING


def test_an_excluded_person_is_free_and_does_not_count_as_an_exception(customers, started, clock):
    wave = started(*customers(2))
    exclude_person(wave.enrolments.first(), **WHY)
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()

    assert finish_wave(wave, **WHY) == WaveState.COMPLETED
    assert sum(wave.members_by_state().values()) == wave.size == 2


def test_reopening_marks_whom_another_wave_has_taken(customers, customer, started, clock):
    hostile = customer("hostile", HOSTILE)
    wave = started(*customers(2), hostile)
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    roll_back_wave(wave, **WHY)
    other = started(hostile)

    reopen_wave(wave, **WHY)

    assert wave.members_by_state() == {PersonState.ENROLLED: 2, PersonState.REMOVED: 1}
    assert Enrolment.objects.live().get(person=hostile).wave == other
    lock_wave(wave, **SAID)
    assert wave.size == 3


def test_a_wave_that_was_taken_back_is_reopened_before_it_is_rescheduled(customers, started, clock):
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    roll_back_wave(wave, **WHY)

    with pytest.raises(MoveRefused, match="before it is reopened"):
        reschedule_wave(wave, starts_at=AT + timedelta(days=1), **WHY)

    assert (wave.state, wave.starts_at, wave.schedule_version) == (WaveState.ROLLED_BACK, None, 1)


@pytest.mark.parametrize("is_announced", [False, True])
def test_only_a_wave_that_was_taken_back_is_reopened(customers, planned, is_announced):
    wave = planned(*customers(1))
    lock_wave(wave, **SAID)
    if is_announced:
        announce_wave(wave, **WHY)
    state = wave.state

    with pytest.raises(MoveRefused, match="a further attempt"):
        reopen_wave(wave, **WHY)

    wave.refresh_from_db()
    assert (wave.state, wave.attempt) == (state, 1)


def test_only_a_plan_that_was_taken_back_is_reopened(phase):
    plan = create_plan("Winter", phases=[], **SAID)
    submit_plan(plan, **SAID)

    with pytest.raises(MoveRefused, match="cannot become reopened"):
        reopen_plan(plan, **WHY)

    plan.refresh_from_db()
    assert plan.state == "in_review"


def test_who_wrote_a_plan_does_not_approve_it(db):
    plan = create_plan("Winter", phases=[PhaseDraft("One")], **SAID)
    submit_plan(plan, **SAID)

    with pytest.raises(ApproverIsAuthor):
        approve_plan(plan, **SAID)

    assert Plan.objects.get(pk=plan.pk).state == "in_review"


def test_a_phase_of_a_plan_that_nobody_scheduled_does_not_open(db):
    plan = create_plan("Winter", phases=[PhaseDraft("One")], **SAID)

    with pytest.raises(MoveRefused):
        open_phase(plan.phases.get(), **WHY)

    assert Phase.objects.get(plan=plan).state == PhaseState.PENDING


def test_naming_two_thousand_people_is_no_trouble(card, planned):
    names = [f"u{number}" for number in range(2000)]
    Person.objects.bulk_create([Person(user=name) for name in names])

    skipped = preview_audience(planned(*names), at=AT).skipped

    assert len(skipped) == 2000
