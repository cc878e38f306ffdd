"""Waiting for a later wave: who may, how long and how often; taking it back; what the later wave's end means."""

import uuid
from datetime import timedelta

import pytest

from rollout.actions.chunks import process_chunk
from rollout.actions.deferrals import defer_person, withdraw_deferral
from rollout.actions.people import exclude_person
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import announce_wave, cancel_wave, lock_wave, reopen_wave, reschedule_wave, start_wave
from rollout.errors import AudienceEmpty, DeferralLimit, DeferralMisplaced, DeferralTooLate, MoveRefused, ReasonMissing
from rollout.models import Enrolment, Event, Phase, Plan, Wave
from rollout.states import GONE, WORKING, PersonState, WaveState
from tests.rollout.conftest import AT, SAID
from tests.scenes import kept

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "on holiday"}
DAY = timedelta(days=1)


@pytest.fixture
def dated(planned):
    """What makes a planned wave of the next so many, so many days from now."""

    def make(limit, days):
        wave = planned(limit=limit)
        Wave.objects.filter(pk=wave.pk).update(starts_at=None if days is None else AT + days * DAY)
        wave.refresh_from_db()
        return wave

    return make


@pytest.fixture
@kept
def two(customers, dated):
    """Two locked waves of two people each, a week apart."""
    customers(4)
    first, second = dated(2, 1), dated(2, 8)
    lock_wave(first, **SAID)
    lock_wave(second, **SAID)
    return first, second


def someone(wave):
    return wave.enrolments.order_by("pk").first()


def check_sums():
    """Hold that the members of every wave whose people are fixed sum up to its size, and that a person has one live place."""
    for wave in Wave.objects.filter(size__gt=0):
        assert sum(wave.members_by_state().values()) == wave.size
    live = list(Enrolment.objects.live().values_list("person", flat=True))
    assert len(live) == len(set(live))


def test_a_deferred_person_moves_with_the_later_wave_and_stays_counted_in_the_first(two, clock):
    first, second = two
    row = someone(first)

    later = defer_person(row, to=second, **WHY)

    assert (row.state, row.is_live, row.text) == (PersonState.DEFERRED, False, "on holiday")
    assert (later.state, later.is_live, later.deferrals, later.chosen_for) == ("enrolled", True, 1, "deferred from Wave 1")
    assert first.members_by_state() == {PersonState.ENROLLED: 1, PersonState.DEFERRED: 1}
    assert second.size == 3
    check_sums()
    for wave in two:
        announce_wave(wave, **WHY)
        start_wave(wave, **SAID)
        process_chunk(wave, clock=clock)
    assert first.members_by_state() == {PersonState.SWITCHED: 1, PersonState.DEFERRED: 1}
    assert second.members_by_state() == {PersonState.SWITCHED: 3}


def test_somebody_who_was_told_may_ask_as_well(two):
    first, second = two
    announce_wave(first, **WHY)

    defer_person(someone(first), to=second, **WHY)

    check_sums()


def test_a_wave_whose_people_are_not_chosen_yet_takes_its_own_beside_whom_it_was_given(customers, dated):
    customers(4)
    first, second = dated(2, 1), dated(2, 8)
    lock_wave(first, **SAID)

    defer_person(someone(first), to=second, **WHY)
    assert second.size == 0
    lock_wave(second, **SAID)

    assert second.size == 3
    check_sums()


def test_without_a_reason_nobody_is_deferred(two):
    with pytest.raises(ReasonMissing):
        defer_person(someone(two[0]), to=two[1], **SAID, reason=" ")
    with pytest.raises(ReasonMissing):
        withdraw_deferral(someone(two[0]), **SAID, reason="")


@pytest.mark.parametrize(
    ("days", "fault"),
    [(None, DeferralMisplaced), (1, DeferralMisplaced), (0, DeferralMisplaced), (15, None), (16, DeferralLimit)],
)
def test_the_later_wave_starts_later_but_not_too_late(two, dated, days, fault):
    first, _ = two
    other = dated(2, days)

    if fault is None:
        assert defer_person(someone(first), to=other, **WHY)
        return
    with pytest.raises(fault):
        defer_person(someone(first), to=other, **WHY)
    assert Enrolment.objects.count() == 4


def test_a_wave_without_a_date_counts_from_now(customers, dated):
    customers(4)
    first, second, third = dated(2, None), dated(2, 14), dated(2, 15)
    lock_wave(first, **SAID)

    with pytest.raises(DeferralLimit):
        defer_person(someone(first), to=third, **WHY)
    assert defer_person(someone(first), to=second, **WHY)


def test_the_plan_says_how_often(two, dated):
    first, second = two
    third = dated(2, 12)
    later = defer_person(someone(first), to=second, **WHY)

    with pytest.raises(DeferralLimit) as refused:
        defer_person(later, to=third, **WHY)
    assert (refused.value.code, "1 times" in str(refused.value)) == ("DEFERRAL_LIMIT", True)
    Plan.objects.update(max_deferrals=2)

    assert defer_person(later, to=third, **WHY).deferrals == 2
    check_sums()


def test_nobody_is_deferred_to_their_own_wave_or_to_another_plans(two):
    first, second = two
    with pytest.raises(DeferralMisplaced):
        defer_person(someone(first), to=first, **WHY)
    plan = Plan.objects.create(name="Other", salt="s", author="a", created_at=AT)
    Wave.objects.filter(pk=second.pk).update(phase=Phase.objects.create(plan=plan, position=1, name="One"))

    with pytest.raises(DeferralMisplaced):
        defer_person(someone(first), to=second, **WHY)


BACK = {WaveState.ROLLING_BACK, WaveState.ROLLED_BACK}


@pytest.mark.parametrize("state", sorted(set(WaveState) - BACK - {WaveState.PLANNED, WaveState.LOCKED}))
def test_the_later_wave_has_told_nobody_yet(two, state):
    first, second = two
    Wave.objects.filter(pk=second.pk).update(state=state)

    with pytest.raises(DeferralTooLate):
        defer_person(someone(first), to=second, **WHY)


@pytest.mark.parametrize("state", sorted(set(PersonState) - {PersonState.ENROLLED, PersonState.NOTIFIED}))
def test_only_who_has_not_begun_is_deferred(two, state):
    row = someone(two[0])
    lease = {"lease_token": uuid.uuid4(), "lease_until": AT} if state in WORKING else {}
    Enrolment.objects.filter(pk=row.pk).update(state=state, is_live=state not in GONE, **lease)
    row.refresh_from_db()

    with pytest.raises(MoveRefused):
        defer_person(row, to=two[1], **WHY)
    assert Enrolment.objects.count() == 4


def test_once_the_wave_has_started_it_is_too_late(two):
    first, second = two
    announce_wave(first, **WHY)
    row = someone(first)
    start_wave(first, **SAID)

    with pytest.raises(DeferralTooLate):
        defer_person(row, to=second, **WHY)


def test_two_who_ask_at_once_for_one_person_are_answered_once(two):
    first, second = two
    one, other = someone(first), someone(first)
    defer_person(one, to=second, **WHY)
    Plan.objects.update(max_deferrals=9)
    Enrolment.objects.filter(wave=second, person=one.person_id).update(wave=first.phase.waves.create(position=9, name="x"))

    with pytest.raises(MoveRefused):
        defer_person(other, to=second, **WHY)


def test_a_withdrawn_deferral_gives_the_place_back(two):
    first, second = two
    row = someone(first)
    later = defer_person(row, to=second, **WHY)

    withdraw_deferral(row, **WHY)

    later.refresh_from_db()
    assert (row.state, row.is_live, row.code, row.deferrals) == (PersonState.ENROLLED, True, "", 1)
    assert (later.state, later.is_live) == (PersonState.REMOVED, False)
    assert second.size == 3
    check_sums()
    with pytest.raises(DeferralLimit):
        defer_person(row, to=second, **WHY)
    Plan.objects.update(max_deferrals=2)
    with pytest.raises(DeferralMisplaced):
        defer_person(row, to=second, **WHY)


def test_who_comes_back_to_an_announced_wave_starts_with_it(two):
    first, second = two
    row = someone(first)
    defer_person(row, to=second, **WHY)
    announce_wave(first, **WHY)

    withdraw_deferral(row, **WHY)

    assert row.state == PersonState.NOTIFIED
    assert start_wave(first, **SAID) == 2


def test_a_deferral_is_not_withdrawn_once_either_wave_has_begun(two):
    first, second = two
    row = someone(first)
    later = defer_person(row, to=second, **WHY)
    for wave in two:
        announce_wave(wave, **WHY)
    start_wave(second, **SAID)
    with pytest.raises(DeferralTooLate):
        withdraw_deferral(row, **WHY)
    start_wave(first, **SAID)
    with pytest.raises(DeferralTooLate):
        withdraw_deferral(row, **WHY)

    later.refresh_from_db()
    assert (row.state, later.state) == (PersonState.DEFERRED, PersonState.QUEUED)


@pytest.mark.parametrize("state", sorted(set(PersonState) - {PersonState.DEFERRED}))
def test_only_a_deferral_is_withdrawn(two, state):
    row = someone(two[0])
    row.state = state

    with pytest.raises(MoveRefused):
        withdraw_deferral(row, **WHY)


def test_a_later_wave_that_is_cancelled_sends_people_back_where_their_wave_has_not_started(two):
    first, second = two
    row = someone(first)
    defer_person(row, to=second, **WHY)

    assert cancel_wave(second, **WHY) == 2

    row.refresh_from_db()
    assert (row.state, row.is_live, row.deferrals) == (PersonState.ENROLLED, True, 0)
    assert second.members_by_state() == {PersonState.REMOVED: 3}
    check_sums()


def test_a_later_wave_that_is_cancelled_frees_whose_first_wave_has_started(two, planned):
    first, second = two
    row = someone(first)
    defer_person(row, to=second, **WHY)
    announce_wave(first, **WHY)
    start_wave(first, **SAID)

    assert cancel_wave(second, **WHY) == 3

    row.refresh_from_db()
    assert (row.state, row.is_live) == (PersonState.DEFERRED, False)
    third = planned(limit=9)
    assert lock_wave(third, **SAID).size == 3
    check_sums()


def test_of_two_deferrals_the_last_place_comes_back(two, dated):
    Plan.objects.update(max_deferrals=2)
    first, second = two
    third = dated(2, 12)
    row = someone(first)
    middle = defer_person(row, to=second, **WHY)
    defer_person(middle, to=third, **WHY)

    cancel_wave(third, **WHY)

    row.refresh_from_db()
    middle.refresh_from_db()
    assert (row.state, middle.state) == (PersonState.DEFERRED, PersonState.ENROLLED)
    check_sums()


def test_who_left_the_later_wave_otherwise_does_not_come_back_with_its_end(two):
    first, second = two
    row = someone(first)
    exclude_person(defer_person(row, to=second, **WHY), **WHY)

    cancel_wave(second, **WHY)

    row.refresh_from_db()
    assert row.state == PersonState.DEFERRED


def test_a_first_wave_that_is_set_back_reopened_or_cancelled_leaves_the_deferral_alone(two, clock):
    first, second = two
    row = someone(first)
    later = defer_person(row, to=second, **WHY)

    reschedule_wave(first, **WHY)
    lock_wave(first, **SAID)
    announce_wave(first, **WHY)
    start_wave(first, **SAID)
    process_chunk(first, clock=clock)
    first.refresh_from_db()
    roll_back_wave(first, **WHY)
    reopen_wave(first, **WHY)
    cancel_wave(first, **WHY)

    row.refresh_from_db()
    later.refresh_from_db()
    assert (row.state, row.is_live, later.state, later.is_live) == (PersonState.DEFERRED, False, PersonState.ENROLLED, True)
    check_sums()


def test_a_wave_all_of_whose_people_were_deferred_is_not_locked_again(two):
    first, second = two
    for row in first.enrolments.all():
        defer_person(row, to=second, **WHY)
    reschedule_wave(first, **WHY)

    with pytest.raises(AudienceEmpty):
        lock_wave(first, **SAID)


def test_a_place_is_of_the_attempt_that_its_wave_is_at(two):
    first, second = two
    Wave.objects.update(attempt=3)
    row = someone(first)

    later = defer_person(row, to=second, **WHY)
    withdraw_deferral(row, **WHY)

    assert (later.attempt, row.attempt) == (3, 3)


def test_every_step_of_a_deferral_is_in_the_record(two):
    row = someone(two[0])
    later = defer_person(row, to=two[1], **WHY)
    withdraw_deferral(row, **WHY)

    moves = Event.objects.about("enrolment", row.pk, later.pk).values_list("subject_pk", "to_state", "by", "reason")
    assert list(moves) == [
        (row.pk, "deferred", "alice", "on holiday"),
        (later.pk, "removed", "alice", "on holiday"),
        (row.pk, "enrolled", "alice", "on holiday"),
    ]
