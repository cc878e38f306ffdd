"""Windows are of the wall clock where they are, on days when it jumps too."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.errors import WindowInvalid
from rollout.gates import Window, next_opening, state_of

MINUTE = timedelta(minutes=1)
OFF_PEAK = Window("UTC", time(2), time(4))
BERLIN = Window("Europe/Berlin", time(2), time(4))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opened(window, day):
    """Return the interval of the window that opens on the day."""
    noon = datetime.combine(day, time(12), ZoneInfo(window.zone))
    (interval,) = replace(window, days=(day.weekday(),)).openings(noon, 3)
    return interval


@pytest.mark.parametrize(
    ("at", "is_open"),
    [("2026-11-23 01:59:59", False), ("2026-11-23 02:00", True), ("2026-11-23 03:59:59", True), ("2026-11-23 04:00", False)],
)
def test_a_window_is_half_open(at, is_open):
    assert OFF_PEAK.is_open(utc(at)) == is_open


@pytest.mark.parametrize(
    ("window", "day", "start", "end"),
    [
        (BERLIN, "2026-03-28", "2026-03-28 01:00", "2026-03-28 03:00"),  # winter, two hours
        (BERLIN, "2026-03-29", "2026-03-29 01:00", "2026-03-29 02:00"),  # 02:00 is jumped over: from 03:00, one hour
        (BERLIN, "2026-03-30", "2026-03-30 00:00", "2026-03-30 02:00"),  # summer
        (BERLIN, "2026-10-25", "2026-10-25 00:00", "2026-10-25 03:00"),  # 02:00 comes twice: from the first, three hours
        (Window("Europe/Berlin", time(1), time(2, 30)), "2026-03-29", "2026-03-29 00:00", "2026-03-29 01:00"),
        (Window("Europe/Berlin", time(1, 30), time(2, 30)), "2026-10-25", "2026-10-24 23:30", "2026-10-25 00:30"),
        (Window("America/New_York", time(2), time(4)), "2026-03-08", "2026-03-08 07:00", "2026-03-08 08:00"),
        (Window("Australia/Lord_Howe", time(1, 30), time(3)), "2026-10-04", "2026-10-03 15:00", "2026-10-03 16:00"),
        (Window("Asia/Kathmandu", time(2), time(4)), "2026-11-23", "2026-11-22 20:15", "2026-11-22 22:15"),
        (Window("UTC", time(22), time(2)), "2026-11-23", "2026-11-23 22:00", "2026-11-24 02:00"),
    ],
)
def test_windows_follow_the_wall_clock(window, day, start, end):
    assert opened(window, date.fromisoformat(day)) == (utc(start), utc(end))


def test_a_window_that_falls_into_the_hour_that_is_jumped_over_does_not_open():
    window = Window("Europe/Berlin", time(2, 10), time(2, 50))
    day = utc("2026-03-29 00:00")

    assert not any(window.is_open(day + number * MINUTE) for number in range(24 * 60))


def test_the_days_are_those_on_which_it_opens():
    window = Window("UTC", time(22), time(2), days=(4,))  # from Friday night on

    assert window.is_open(utc("2026-11-28 01:00"))
    assert not window.is_open(utc("2026-11-27 01:00"))
    assert next_opening([window], utc("2026-11-28 03:00")) == utc("2026-12-04 22:00")


def test_without_a_window_it_is_always_open_and_with_many_any_is_enough():
    at = utc("2026-11-23 12:00")

    assert state_of([], at)
    assert not state_of([OFF_PEAK], at)
    assert state_of([OFF_PEAK, Window("UTC", time(11), time(13))], at)
    assert next_opening([OFF_PEAK, Window("UTC", time(23), time(0))], at) == utc("2026-11-23 23:00")


@pytest.mark.parametrize(
    ("zone", "opens", "closes", "days"),
    [
        ("Berlin", time(2), time(4), (0,)),
        ("", time(2), time(4), (0,)),
        ("../etc/passwd", time(2), time(4), (0,)),
        ("Europe", time(2), time(4), (0,)),
        ("UTC", time(2), time(2), (0,)),
        ("UTC", time(2, tzinfo=UTC), time(4), (0,)),
        ("UTC", time(2), time(4), ()),
        ("UTC", time(2), time(4), (7,)),
        ("UTC", time(2), time(4), (1, 1)),
    ],
)
def test_what_is_no_window_is_refused(zone, opens, closes, days):
    with pytest.raises(WindowInvalid):
        Window(zone, opens, closes, days)


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu",
     "America/Havana", "Pacific/Apia", "Africa/Casablanca"]
)  # fmt: skip
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31)) | st.sampled_from(
    [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4), date(2026, 10, 25), date(2026, 11, 1)]
)


@given(ZONES, TIMES, TIMES, DAYS)
def test_a_window_is_what_somebody_sees_who_watches_the_clock_on_the_wall(zone, opens, closes, day):
    if opens == closes:
        return
    window = Window(zone, opens, closes, days=(day.weekday(),))
    place = ZoneInfo(zone)
    minute = datetime.combine(day, time(0), UTC) - timedelta(hours=15)
    last = day if closes > opens else day + timedelta(days=1)
    seen = [
        (at, at.astimezone(place).replace(tzinfo=None, fold=0)) for at in (minute + number * MINUTE for number in range(72 * 60))
    ]

    start = next(at for at, wall in seen if wall >= datetime.combine(day, opens))
    end = next(at for at, wall in seen if wall >= datetime.combine(last, closes))

    for at in (start - MINUTE, start, end - MINUTE, end, start + (end - start) / 2):
        assert window.is_open(at) == (start <= at < end), (at, start, end)
