"""The maintenance calendar: a freeze holds like a closed window, of one plan or of all, and never a rollback."""

from datetime import UTC, datetime

import pytest

from rollout.actions.calendar import add_freeze, freezes_from, remove_freeze
from rollout.actions.chunks import claim, process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.holds import holds_on
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.errors import FreezeInvalid, ReasonMissing, WaveHeld
from rollout.models import Event, Freeze, HoldKind, Plan
from rollout.states import PersonState, PlanState
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, HOUR, MINUTE

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "Christmas"}


def frozen(plan=None, start=AT, end=AT + DAY):
    return add_freeze(starts_at=start, ends_at=end, plan=plan, **WHY)


def test_a_freeze_that_two_take_off_is_taken_off_once(phase):
    row = frozen(phase.plan)
    other = Freeze.objects.get(pk=row.pk)

    remove_freeze(row, **WHY)
    remove_freeze(other, **WHY)

    assert Event.objects.filter(kind="freeze_removed").count() == 1


@pytest.mark.parametrize("of_all", [True, False])
def test_while_it_lasts_nobody_is_claimed_and_it_ends_by_itself(customers, started, clock, phase, of_all):
    wave = started(*customers(2))
    frozen(None if of_all else phase.plan)

    (held,) = holds_on(wave, at=AT)
    assert (held.kind, held.hold) == (HoldKind.FREEZE, None)
    assert held.text == "The calendar has a freeze until 2026-11-24T09:00:00+00:00 (“Christmas”, alice)."
    assert process_chunk(wave, clock=clock).claimed == 0
    assert do_what_is_due(at=AT).wake == []

    clock.now = AT + DAY  # half-open
    assert holds_on(wave, at=clock()) == []
    assert process_chunk(wave, clock=clock).switched == 2


def test_without_the_guard_people_would_be_claimed(customers, started, clock, monkeypatch):
    wave = started(*customers(2))
    frozen()
    monkeypatch.setattr("rollout.actions.holds._frozen", lambda _wave, _at: [])

    assert process_chunk(wave, clock=clock).claimed == 2


def test_a_freeze_that_is_still_to_come_and_one_of_another_plan_hold_nobody(customers, started):
    wave = started(*customers(1))
    frozen(start=AT + MINUTE)
    frozen(Plan.objects.create(name="Other", salt="s", author="a", created_at=AT))

    assert holds_on(wave, at=AT) == []


def test_nothing_starts_in_it(customers, planned):
    wave = planned(*customers(1))
    lock_wave(wave, **SAID)
    announce_wave(wave, reason="by letter", **SAID)
    frozen()

    with pytest.raises(WaveHeld, match="Christmas"):
        start_wave(wave, **SAID)


def test_who_is_in_flight_finishes_and_going_back_is_not_held(customers, started, clock):
    wave = started(*customers(2))
    assert process_chunk(wave, clock=clock, size=1).switched == 1
    claim(wave, size=1, at=clock())
    frozen()

    wave.refresh_from_db()
    roll_back_wave(wave, **WHY)

    assert wave.members_by_state() == {PersonState.ENROLLED: 1, PersonState.ROLLED_BACK: 1}


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [
        (AT, AT, FreezeInvalid),
        (AT + DAY, AT, FreezeInvalid),
        (AT - DAY, AT, FreezeInvalid),
        (datetime(2026, 12, 1), datetime(2026, 12, 2), FreezeInvalid),  # noqa: DTZ001  # what is refused
        (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2), FreezeInvalid),  # noqa: DTZ001
    ],
)
def test_what_is_no_span_is_refused(start, end, error):
    with pytest.raises(error):
        add_freeze(starts_at=start, ends_at=end, **WHY)

    assert Freeze.objects.count() == 0


def test_both_acts_need_a_reason_and_are_in_the_record_of_every_plan_that_goes_on(phase):
    Plan.objects.create(name="Over", salt="s", author="a", created_at=AT, state=PlanState.CANCELLED)
    with pytest.raises(ReasonMissing):
        add_freeze(starts_at=AT, ends_at=AT + DAY, by="alice", at=AT, reason=" ")
    row = frozen()
    with pytest.raises(ReasonMissing):
        remove_freeze(row, by="alice", at=AT, reason="")

    remove_freeze(row, by="bea", at=AT + HOUR, reason="it snows")

    assert [(each.subject_pk, each.kind, each.by, each.reason) for each in Event.objects.filter(kind__startswith="freeze")] == [
        (phase.plan_id, "freeze_added", "alice", "Christmas"),
        (phase.plan_id, "freeze_removed", "bea", "it snows"),
    ]


def test_the_calendar_of_a_plan_is_its_own_freezes_and_those_of_all(phase):
    other = Plan.objects.create(name="Other", salt="s", author="a", created_at=AT)
    mine, theirs, all_of_us = frozen(phase.plan), frozen(other), frozen(start=AT + DAY, end=AT + 2 * DAY)

    assert list(freezes_from(AT)) == [mine, theirs, all_of_us]
    assert list(freezes_from(AT, phase.plan)) == [mine, all_of_us]
    assert list(freezes_from(AT + DAY)) == [all_of_us]
