"""Take values out of a table that was read, each with its type, and refuse what is not there, not of it, or not known.

Every refusal names the place as a path, such as `phases[2].waves[0].share`.
"""

import math
from collections.abc import Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from rollout.blueprints.durations import HOW, duration_of
from rollout.errors import BlueprintInvalid

LONGEST = timedelta(days=3_660)


class Table:
    """Hold a table and its place; what was taken is no longer unknown."""

    def __init__(self, data: Any, place: str = "") -> None:
        """Refuse what is no table."""
        if not isinstance(data, Mapping):
            raise BlueprintInvalid(place, "It is a table.")
        self._data = data
        self._place = place
        self._left = dict.fromkeys(data)

    def place(self, key: str = "") -> str:
        """Return the path of the table, or of one of its keys."""
        return f"{self._place}.{key}" if self._place and key else self._place or key

    def has(self, key: str) -> bool:
        """Say whether the key is there."""
        return key in self._data

    def refuse(self, key: str, text: str, step: str = "Correct it there.") -> BlueprintInvalid:
        """Return the refusal of a value."""
        return BlueprintInvalid(self.place(key), text, step)

    def close(self) -> None:
        """Refuse keys that nobody asked for."""
        if unknown := next(iter(self._left), None):
            raise self.refuse(unknown, "There is no such key here.", "Take it out, or see how it is spelled in a template.")

    def raw(self, key: str, default: Any = None) -> Any:
        """Return a value as it is."""
        self._left.pop(key, None)
        return self._data.get(key, default)

    def required(self, key: str) -> Any:
        """Return a value that has to be there."""
        if key not in self._data:
            raise self.refuse(key, "It is missing.", "Add it.")
        return self.raw(key)

    def text(self, key: str, default: str | None = None, *, longest: int = 10_000) -> str:
        """Return a string that is not empty; without a default it is required."""
        value = self.required(key) if default is None else self.raw(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()) or len(value) > longest or "\0" in value:
            raise self.refuse(key, f"It is a text of at most {longest} signs{', and not empty' if default is None else ''}.")
        return value

    def one_of(self, key: str, choices: Mapping[str, Any] | tuple[str, ...], default: str | None = None) -> str:
        """Return one of these words."""
        value = self.required(key) if default is None else self.raw(key, default)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(key, f"It is one of: {', '.join(choices)}.")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.raw(key, default)
        if not isinstance(value, bool):
            raise self.refuse(key, "It is true or false.")
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int = 2_147_483_647) -> int:
        """Return a whole number; without a default it is required."""
        value = self.required(key) if default is None else self.raw(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refuse(key, f"It is a whole number from {least} to {most}.")
        return value

    def number(self, key: str) -> float:
        """Return a finite number that has to be there."""
        value = self.required(key)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not math.isfinite(float(value)):
            raise self.refuse(key, "It is a finite number.")
        return float(value)

    def percent(self, key: str) -> Decimal | None:
        """Return a share in per cent, with at most three places; None where it is left out."""
        value = self.raw(key)
        if value is None:
            return None
        is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool) and Decimal(value).is_finite()
        if not is_number or not 0 < value <= 100:
            raise self.refuse(key, "It is per cent, above 0 and up to 100.")
        if round(Decimal(value), 3) != value:
            raise self.refuse(key, "It has three places at most.")
        return Decimal(value)

    def duration(self, key: str, default: timedelta | None = None, *, is_empty_allowed: bool = True) -> timedelta:
        """Return a length of time; without a default it is required."""
        found = self.maybe_duration(key)
        if found is None and default is None:
            raise self.refuse(key, "It is missing.", "Add it.")
        length = default if found is None else found
        if length is None or (not length and not is_empty_allowed):
            raise self.refuse(key, "It is longer than nothing.")
        return length

    def maybe_duration(self, key: str) -> timedelta | None:
        """Return a length of time; None where it is left out."""
        return self._length(key, self.raw(key)) if self.has(key) else None

    def durations(self, key: str, default: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        """Return a list of lengths of time."""
        if not self.has(key):
            return default
        return tuple(self._length(f"{key}[{number}]", each) for number, each in enumerate(self.listed(key)))

    def wall_time(self, key: str) -> time:
        """Return a local time of day that has to be there."""
        value = self.required(key)
        try:
            found = time.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            found = None
        if not isinstance(found, time) or found.tzinfo is not None:
            raise self.refuse(key, "It is a time of day.", 'Write for example 02:00:00 or "02:00".')
        return found

    def listed(self, key: str) -> list[Any]:
        """Return a list; an empty one where it is left out."""
        value = self.raw(key, [])
        if not isinstance(value, list):
            raise self.refuse(key, "It is a list.")
        return value

    def texts(self, key: str, *, longest: int) -> tuple[str, ...]:
        """Return a list of different texts."""
        found = self.listed(key)
        for number, each in enumerate(found):
            if not isinstance(each, str) or not each.strip() or len(each) > longest:
                raise self.refuse(f"{key}[{number}]", f"It is a text of at most {longest} signs, and not empty.")
            if each in found[:number]:
                raise self.refuse(f"{key}[{number}]", f"{each!r} is named twice.")
        return tuple(found)

    def tables(self, key: str) -> "list[Table]":
        """Return a list of tables; an empty one where it is left out."""
        return [Table(each, f"{self.place(key)}[{number}]") for number, each in enumerate(self.listed(key))]

    def _length(self, key: str, value: Any) -> timedelta:
        found = duration_of(value) if isinstance(value, str) else None
        if found is None or found > LONGEST:
            raise self.refuse(key, "It is a length of time, of ten years at most.", HOW)
        return found
