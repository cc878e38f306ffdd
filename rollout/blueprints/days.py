"""Days of a plan that has no dates yet, and the instants that they are once it has a start and a zone.

Weeks are counted from 1. A numbered day is counted from the first day of its week, so day 1 of week 1 is the first of the plan. A
named day is counted from the Monday that is nearest to that first day: Monday, Wednesday and Friday of one week come in
this order whatever day the plan starts on. Wall times become instants as those of windows do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from rollout.errors import BlueprintInvalid, WindowInvalid
from rollout.gates import Window, next_opening
from rollout.gates.windows import first_instant

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_WEEK: Final = 520
WEEK: Final = timedelta(weeks=1)
HALF: Final = 3  # from Friday on the next Monday is nearer than the last
MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Day:
    """Name a day of a plan: `day` (1 to 7) or `weekday` (0 is Monday) of a week, and a wall time where one is said."""

    week: int
    day: int | None = None
    weekday: int | None = None
    at: time | None = None

    def __str__(self) -> str:
        """Return the day in words."""
        day = f"day {self.day}" if self.weekday is None else WEEKDAYS[self.weekday].capitalize()
        return f"{day} of week {self.week}" + (f", {self.at:%H:%M}" if self.at else "")

    def date_from(self, starts_on: date) -> date:
        """Return the date of the day in a plan that starts on a date."""
        first = starts_on + (self.week - 1) * WEEK
        if self.weekday is None:
            return first + timedelta(days=(self.day or 1) - 1)
        monday = first - timedelta(days=first.weekday()) + (WEEK if first.weekday() > HALF else timedelta())
        return monday + timedelta(days=self.weekday)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Turn days of a plan into instants: it starts on a date in an IANA zone."""

    starts_on: date
    zone: str

    def instant(self, day: Day, *, place: str, windows: Sequence[Window] = ()) -> datetime:
        """Return the instant of a day in UTC: at its wall time, or else when the first window opens on it, or as it begins.

        Raises:
            BlueprintInvalid: it lies before the start (`place` says which), or no window opens within two weeks.
        """
        found = day.date_from(self.starts_on)
        if found < self.starts_on:
            raise BlueprintInvalid(
                place, f"{day} is {found}, before the plan starts on {self.starts_on}.", "Start on a Monday, or count days."
            )
        if day.at is not None or not windows:
            return first_instant(datetime.combine(found, day.at or time()), ZoneInfo(self.zone))
        begins = first_instant(datetime.combine(found, time()), ZoneInfo(self.zone))
        opens = next_opening(windows, begins - MOMENT)
        if opens is None:
            raise BlueprintInvalid(
                place, f"No window opens within two weeks of {found}.", "Give the day a time, or other windows."
            )
        return opens

    def day_of(self, instant: datetime) -> Day:
        """Return the numbered day and wall time that an instant is; of an hour that comes twice, the first is meant."""
        local = instant.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        week, day = divmod((local.date() - self.starts_on).days, 7)
        return Day(week=week + 1, day=day + 1, at=local.time())

    def local_date(self, instant: datetime) -> date:
        """Return the date that an instant has in the zone."""
        return instant.astimezone(ZoneInfo(self.zone)).date()


def is_zone(name: str) -> bool:
    """Say whether a name is an IANA zone's."""
    try:
        Window(name, time(0), time(1))
    except WindowInvalid:
        return False
    return True


def moved(instant: datetime, days: int, zone: str) -> datetime:
    """Return the instant so many days later at the same wall time of a zone, right across changes of daylight saving."""
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return first_instant(local + timedelta(days=days), ZoneInfo(zone)).astimezone(UTC)
