"""The next step of a wave and the instants of its notices: tables over dates, windows, freezes and daylight saving."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.gates import Window
from rollout.states import WaveState
from rollout.timetable import (
    Promise,
    Schedule,
    StepKind,
    free_from,
    in_words,
    is_in_time,
    next_step,
    sendings,
    told_by,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
START = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
NIGHT = Window("UTC", time(2), time(4))
BERLIN = ZoneInfo("Europe/Berlin")


def schedule(state, **changes):
    return Schedule(**{"state": state, "starts_at": START, "lock_lead": 8 * DAY, **changes})


@pytest.mark.parametrize(
    ("case", "kind", "at"),
    [
        (schedule(WaveState.PLANNED), StepKind.LOCK, START - 8 * DAY),
        (schedule(WaveState.PLANNED, starts_at=None), StepKind.NOTHING, None),
        (schedule(WaveState.LOCKED), StepKind.ANNOUNCE, START),
        (schedule(WaveState.LOCKED, waits_for=("A week before", START - 7 * DAY)), StepKind.ANNOUNCE, START - 7 * DAY),
        (schedule(WaveState.ANNOUNCED), StepKind.START, START),
        (schedule(WaveState.ANNOUNCED, windows=[NIGHT]), StepKind.START, START),
        (schedule(WaveState.ANNOUNCED, starts_at=START + 3 * HOUR, windows=[NIGHT]), StepKind.START, START + DAY),
        (schedule(WaveState.ANNOUNCED, freezes=[(START - HOUR, START + 3 * DAY)]), StepKind.START, START + 3 * DAY),
        (schedule(WaveState.ANNOUNCED, holds=["paused"]), StepKind.START, None),
        (schedule(WaveState.ANNOUNCED, windows=[Window("UTC", time(2), time(4), (0,))]), StepKind.START, START + 6 * DAY),
        (schedule(WaveState.RUNNING), StepKind.NOTHING, None),
        (schedule(WaveState.CANCELLED), StepKind.NOTHING, None),
        (schedule(WaveState.ROLLED_BACK), StepKind.NOTHING, None),
    ],
)
def test_each_state_has_its_next_step_and_instant(case, kind, at):
    step = next_step(case, at=START - 10 * DAY)

    assert (step.kind, step.at) == (kind, at)


def test_what_has_passed_is_due_at_once_and_what_is_to_come_is_not():
    assert next_step(schedule(WaveState.PLANNED), at=START).is_due(START)
    assert not next_step(schedule(WaveState.PLANNED), at=START - 9 * DAY).is_due(START - 9 * DAY)
    assert next_step(schedule(WaveState.ANNOUNCED), at=START + 5 * DAY).at == START + 5 * DAY


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        # 29 March 2026: the clock jumps from 02:00 to 03:00, so the window opens at the jump
        (datetime(2026, 3, 29, 0, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 23, 0, tzinfo=BERLIN), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        # 25 October 2026: 02:30 comes twice; the window opens at the first and is open at the second
        (datetime(2026, 10, 25, 0, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 0, 0, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        # the night before and after as in any other week
        (datetime(2026, 3, 28, 0, 30, tzinfo=BERLIN), datetime(2026, 3, 28, 1, 0, tzinfo=UTC)),
        (datetime(2026, 3, 30, 0, 30, tzinfo=BERLIN), datetime(2026, 3, 30, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_start_waits_for_the_window_in_weeks_of_daylight_saving(wall, utc):
    night = Window("Europe/Berlin", time(2), time(4))

    assert free_from([night], [], wall).astimezone(UTC) == utc


@pytest.mark.parametrize("hours", [23, 24, 25])
def test_a_date_in_a_night_that_lacks_the_hour_starts_when_the_window_opens(hours):
    starts_at = datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN)  # there is no such time; it is read as 01:30 UTC
    case = schedule(WaveState.ANNOUNCED, starts_at=starts_at.astimezone(UTC), windows=[Window("Europe/Berlin", time(2), time(4))])

    step = next_step(case, at=starts_at.astimezone(UTC) - hours * HOUR)

    assert step.at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_freezes_and_windows_are_tried_in_turn():
    freezes = [(START, START + HOUR), (START + HOUR, START + 10 * HOUR), (START + DAY, START + DAY + HOUR)]

    assert free_from([NIGHT], freezes, START) == START + DAY + HOUR


def test_where_no_window_ever_opens_there_is_no_instant():
    assert free_from([], [(START + k * HOUR, START + (k + 1) * HOUR) for k in range(200)], START) is None


def told(promises, at):
    return [
        (each.promise.key, each.due_at, each.is_late, each.overtaken_by) for each in sendings(promises, starts_at=START, at=at)
    ]


WEEK = Promise(1, "email", 7 * DAY)
TWO_DAYS = Promise(2, "email", 2 * DAY)
ONE_HOUR = Promise(3, "email", HOUR)
SHOWN = Promise(4, "in_app", 7 * DAY)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (8 * DAY, [(1, START - 7 * DAY, False, None), (2, START - 2 * DAY, False, None), (3, START - HOUR, False, None)]),
        (7 * DAY, [(1, START - 7 * DAY, False, None), (2, START - 2 * DAY, False, None), (3, START - HOUR, False, None)]),
        (
            3 * DAY,
            [(1, START - 3 * DAY, True, None), (2, START - 2 * DAY, False, None), (3, START - HOUR, False, None)],
        ),
        (DAY, [(1, START - DAY, True, 2), (2, START - DAY, True, None), (3, START - HOUR, False, None)]),
        (MINUTE, [(1, START - MINUTE, True, 3), (2, START - MINUTE, True, 3), (3, START - MINUTE, True, None)]),
        (-HOUR, [(1, START + HOUR, True, 3), (2, START + HOUR, True, 3), (3, START + HOUR, True, None)]),
    ],
)
def test_of_the_notices_that_come_too_late_only_the_latest_is_sent(before, expected):
    assert told([ONE_HOUR, WEEK, TWO_DAYS], START - before) == expected


def test_a_late_notice_is_overtaken_by_one_of_its_own_channel_only():
    assert told([WEEK, SHOWN], START - DAY) == [(1, START - DAY, True, None), (4, START - DAY, True, None)]


@pytest.mark.parametrize(
    ("lead", "late_by", "in_time"),
    [
        (7 * DAY, timedelta(), True),
        (7 * DAY, 16 * HOUR, True),
        (7 * DAY, 17 * HOUR, False),
        (2 * DAY, 4 * HOUR, True),
        (2 * DAY, 5 * HOUR, False),
        (HOUR, 15 * MINUTE, True),
        (HOUR, 16 * MINUTE, False),
    ],
)
def test_a_notice_may_come_a_tenth_of_its_lead_later(lead, late_by, in_time):
    assert is_in_time(lead, starts_at=START, sent_at=START - lead + late_by) is in_time


@given(st.lists(st.integers(0, 20_000), unique=True, max_size=6), st.integers(-5_000, 25_000))
def test_no_notice_is_sent_before_people_are_frozen_and_at_most_one_late_one(leads, before):
    at = START - before * MINUTE
    found = sendings([Promise(key, "email", lead * MINUTE) for key, lead in enumerate(leads)], starts_at=START, at=at)
    sent = [each for each in found if each.overtaken_by is None]

    assert len(found) == len(leads)
    assert all(each.due_at >= at for each in found)
    assert sum(each.due_at == at and START - each.promise.lead < at for each in sent) <= 1
    assert {each.overtaken_by for each in found} - {None} <= {each.promise.key for each in sent}


@pytest.mark.parametrize(
    ("lead", "text"),
    [
        (7 * DAY, "7 days"),
        (48 * HOUR, "2 days"),
        (HOUR, "1 hour"),
        (DAY + HOUR + MINUTE, "1 day 1 hour"),
        (90 * MINUTE, "1 hour 30 minutes"),
        (timedelta(), "0 minutes"),
        (-HOUR, "0 minutes"),
    ],
)
def test_a_lead_is_said_in_words(lead, text):
    assert in_words(lead) == text


def test_the_last_instant_in_time_is_after_the_promised_one():
    assert told_by(10 * DAY, starts_at=START) == START - 9 * DAY
