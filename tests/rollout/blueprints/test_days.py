"""Days of a plan as dates and instants, right across changes of daylight saving."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.blueprints import Calendar, Day, moved
from rollout.errors import BlueprintInvalid
from rollout.gates import Window

MONDAY = date(2026, 11, 30)
NIGHT = Window("Europe/Berlin", time(2), time(4))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (Day(1, day=1), "2026-11-30"),
        (Day(1, day=7), "2026-12-06"),
        (Day(4, day=3), "2026-12-23"),
        (Day(6, weekday=0), "2027-01-04"),
        (Day(6, weekday=4), "2027-01-08"),
        (Day(8, day=1), "2027-01-18"),
    ],
    ids=str,
)
def test_a_day_is_counted_from_the_start(day, expected):
    assert day.date_from(MONDAY).isoformat() == expected


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(2, 60))
def test_named_days_of_a_week_come_in_order_within_half_a_week_of_the_numbered_ones(starts_on, week):
    dates = [Day(week, weekday=weekday).date_from(starts_on) for weekday in range(7)]

    assert [each.weekday() for each in dates] == list(range(7))
    assert dates == sorted(dates)
    assert abs((dates[0] - Day(week, day=1).date_from(starts_on)).days) <= 3


@pytest.mark.parametrize(
    ("starts_on", "zone", "day", "expected"),
    [
        (MONDAY, "UTC", Day(1, day=1, at=time(9)), "2026-11-30T09:00:00+00:00"),
        (MONDAY, "Europe/Berlin", Day(1, day=1, at=time(9)), "2026-11-30T08:00:00+00:00"),
        (MONDAY, "Asia/Kathmandu", Day(1, day=1), "2026-11-29T18:15:00+00:00"),
        (date(2027, 3, 22), "Europe/Berlin", Day(1, day=6, at=time(2, 30)), "2027-03-27T01:30:00+00:00"),
        (date(2027, 3, 22), "Europe/Berlin", Day(1, day=7, at=time(2, 30)), "2027-03-28T01:00:00+00:00"),  # the hour is left out
        (date(2027, 3, 22), "Europe/Berlin", Day(2, day=1, at=time(2, 30)), "2027-03-29T00:30:00+00:00"),
        (date(2026, 10, 19), "Europe/Berlin", Day(1, day=7, at=time(2, 30)), "2026-10-25T00:30:00+00:00"),  # the first of two
        (date(2026, 10, 19), "America/Sao_Paulo", Day(1, day=1), "2026-10-19T03:00:00+00:00"),
    ],
)
def test_a_wall_time_is_the_instant_at_which_the_clock_there_shows_it(starts_on, zone, day, expected):
    assert Calendar(starts_on, zone).instant(day, place="here").astimezone(UTC).isoformat() == expected


@pytest.mark.parametrize(
    ("starts_on", "expected"),
    [
        (date(2027, 3, 27), "2027-03-27T01:00:00+00:00"),
        (date(2027, 3, 28), "2027-03-28T01:00:00+00:00"),  # 02:00 does not come: the window opens as the clock jumps
        (date(2027, 3, 29), "2027-03-29T00:00:00+00:00"),
    ],
)
def test_a_wave_without_a_time_starts_when_its_window_opens(starts_on, expected):
    found = Calendar(starts_on, "Europe/Berlin").instant(Day(1, day=1), place="here", windows=[NIGHT])

    assert found.isoformat() == expected


def test_a_window_that_opens_as_the_day_begins_counts():
    midnight = Window("UTC", time(0), time(4))

    assert Calendar(MONDAY, "UTC").instant(Day(1, day=1), place="here", windows=[midnight]) == datetime(2026, 11, 30, tzinfo=UTC)


def test_a_time_that_is_said_counts_whatever_the_windows_are():
    found = Calendar(MONDAY, "UTC").instant(Day(1, day=1, at=time(12)), place="here", windows=[NIGHT])

    assert found == datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_a_day_before_the_start_is_refused_with_its_place():
    with pytest.raises(
        BlueprintInvalid, match=r"^phases\[0\]\.starts: Monday of week 1 is 2026-11-30, before .* 2026-12-02"
    ) as refused:
        Calendar(date(2026, 12, 2), "UTC").instant(Day(1, weekday=0), place="phases[0].starts")
    assert refused.value.place == "phases[0].starts"


@given(
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.integers(1, 500),
    st.integers(1, 7),
    st.times().map(lambda each: each.replace(microsecond=0)),
)
def test_an_instant_is_the_day_that_it_came_from(starts_on, zone, week, day, at):
    calendar = Calendar(starts_on, zone)
    instant = calendar.instant(Day(week, day=day, at=at), place="here")

    assert calendar.instant(calendar.day_of(instant), place="here") == instant


def test_moving_by_days_keeps_the_wall_time():
    before = datetime(2027, 3, 27, 1, 0, tzinfo=UTC)  # 02:00 in Berlin, in winter

    assert moved(before, 2, "Europe/Berlin") == before + timedelta(days=2, hours=-1)
    assert moved(before, 2, "UTC") == before + timedelta(days=2)
