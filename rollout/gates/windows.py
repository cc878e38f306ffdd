"""When people may be moved: windows in local wall time, right across changes of daylight saving.

A window of a day opens at the first instant at which the wall clock there shows its start or later, and closes at the first at
which it shows its end or later. Where the clock jumps over the start, the window opens at the jump; where an hour comes twice, it
opens and closes at the first of both. The cost is a constant number of conversions for each day looked at; the zone database is
the one thing that is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rollout.errors import WindowInvalid

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LOOK_AHEAD = 16  # days: two weeks, since a night may lack the hour of a weekly window, and one on each side
ALL_DAYS = tuple(range(7))


@dataclass(frozen=True, slots=True)
class Window:
    """State a time of day, half-open, on days (0 is Monday) in an IANA zone; an end up to the start is of the next day."""

    zone: str
    opens: time
    closes: time
    days: tuple[int, ...] = ALL_DAYS

    def __post_init__(self) -> None:
        """Refuse what is no window.

        Raises:
            WindowInvalid: with what is wrong in words.
        """
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as unknown:  # no such key, no such form, a folder of keys
            raise WindowInvalid(f"{self.zone!r} is no IANA zone, such as Europe/Berlin or UTC.") from unknown
        if self.opens == self.closes:
            raise WindowInvalid("A window opens and closes at different times of day.")
        if self.opens.tzinfo or self.closes.tzinfo:
            raise WindowInvalid("The times are local; the zone is named beside them.")
        if not self.days or len(set(self.days)) < len(self.days) or not set(self.days) <= set(ALL_DAYS):
            raise WindowInvalid("The days are some of 0 (Monday) to 6, each once.")

    def is_open(self, at: datetime) -> bool:
        """Say whether it is open at an instant."""
        return any(start <= at < end for start, end in self.openings(at, 2))

    def openings(self, at: datetime, count: int = LOOK_AHEAD) -> Iterator[tuple[datetime, datetime]]:
        """Return the intervals of the days from the day before `at` there, so many days on, in UTC; empty ones are left out."""
        zone = ZoneInfo(self.zone)
        first = at.astimezone(zone).date() - DAY
        for number in range(count):
            day = first + number * DAY
            if day.weekday() in self.days:
                start, end = self._of(day, zone)
                if start < end:
                    yield start, end

    def _of(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        last = day if self.closes > self.opens else day + DAY
        return first_instant(datetime.combine(day, self.opens), zone), first_instant(datetime.combine(last, self.closes), zone)


def state_of(windows: Sequence[Window], at: datetime) -> bool:
    """Say whether any of the windows is open; where there is none, it always is."""
    return not windows or any(window.is_open(at) for window in windows)


def next_opening(windows: Sequence[Window], at: datetime) -> datetime | None:
    """Return when one of the windows opens next after `at`; None where none does within two weeks."""
    starts = (start for window in windows for start, _ in window.openings(at) if start > at)
    return min(starts, default=None)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant, in UTC, at which the wall clock shows this time or, where it jumps over it, a later one."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(first, zone) == wall:
        return first
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first  # the jump lies between
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        before, after = (before, middle) if _wall(middle, zone) >= wall else (middle, after)
    return after


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
