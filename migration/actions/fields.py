"""Reading the fields of one record: each with its type, its limit and the sentence that says what is wrong with it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NoReturn
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from slots.errors import Refusal

_ABSENT: Final = object()


class FieldRefused(Exception):
    """Carry the refusal of a field up to where its record is put aside."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the refusal."""
        super().__init__(str(refusal))
        self.refusal = refusal


class Fields:
    """Read the fields of one record; `line` is where the record stands.

    Every reader raises `FieldRefused` with FIELD_MISSING, FIELD_INVALID or LIMIT_EXCEEDED. A field that is absent or null is
    missing; where a default is given, the default stands for it.
    """

    def __init__(self, data: Mapping[str, Any], line: int) -> None:
        """Keep the record and remember which of its fields are read."""
        self._data = data
        self._line = line
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Say whether the record names the field, even as null."""
        return name in self._data

    def ignored(self) -> list[str]:
        """Return the fields that nobody asked for."""
        return sorted(set(self._data) - self._read)

    def text(self, name: str, *, limit: int | None, default: str | None = None, blank: bool = False) -> str:
        """Return a text of at most `limit` characters that a database can hold.

        Without a default it must be there, and must not be blank where `blank` does not allow it.
        """
        value = self._value(name, default)
        if not isinstance(value, str):
            self._invalid(name, f"must be a text, not {_kind(value)}")
        if default is None and not blank and not value.strip():
            self._invalid(name, "must not be blank")
        if limit is not None and len(value) > limit:
            self.refuse("LIMIT_EXCEEDED", f"The field {name!r} has {len(value):,} characters; the limit is {limit:,}.")
        if "\0" in value:
            self._invalid(name, "holds a NUL character, which no database text can hold")
        if any("\ud800" <= character <= "\udfff" for character in value):
            self._invalid(name, "holds half of a surrogate pair; export the record again as UTF-8")
        return value

    def name(self, name: str, *, limit: int, default: str | None = None) -> str:
        """Return a text that names something: printable, without white space at its ends."""
        value = self.text(name, limit=limit, default=default)
        if not value.isprintable() or value != value.strip():
            self._invalid(name, "must be printable and have no white space at its ends")
        return value

    def email(self, name: str) -> str:
        """Return an e-mail address, or an empty text."""
        value = self.text(name, limit=254, default="")
        try:
            if value:
                validate_email(value)
        except ValidationError:
            self._invalid(name, "is no e-mail address")
        return value

    def time_zone(self, name: str) -> str:
        """Return the name of an IANA time zone, or an empty text."""
        value = self.text(name, limit=64, default="")
        if value and value not in _time_zones():
            self._invalid(name, "is no IANA time zone such as Europe/Berlin")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            self._invalid(name, f"must be true or false, not {_kind(value)}")
        return value

    def share(self, name: str) -> float | None:
        """Return a number from 0 to 1, None where it is unknown."""
        value = self._value(name, None, optional=True)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._invalid(name, f"must be a number, not {_kind(value)}")
        if not 0 <= value <= 1:
            self._invalid(name, "must be from 0 to 1")
        return float(value)

    def instant(self, name: str) -> datetime | None:
        """Return an instant with its offset, None where it is unknown."""
        value = self._value(name, None, optional=True)
        if value is None:
            return None
        if not isinstance(value, str):
            self._invalid(name, f"must be a text such as 2026-10-01T09:00:00Z, not {_kind(value)}")
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self._invalid(name, "is no instant such as 2026-10-01T09:00:00Z")
        if found.tzinfo is None:
            self._invalid(name, "lacks its offset from UTC; write it as 2026-10-01T09:00:00Z")
        try:
            found.astimezone(UTC)
        except (OverflowError, ValueError):
            self._invalid(name, "lies outside the years 1 to 9999 in UTC")
        return found

    def objects(self, name: str) -> "list[Fields]":
        """Return the objects of a list, each to be read by its fields; none where the field is absent."""
        value = self._value(name, [])
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            self._invalid(name, "must be a list of objects")
        return [Fields(item, self._line) for item in value]

    def refuse(self, code: str, text: str) -> NoReturn:
        """Refuse the record."""
        raise FieldRefused(Refusal(code, self._line, text))

    def _value(self, name: str, default: Any, *, optional: bool = False) -> Any:
        self._read.add(name)
        value = self._data.get(name, _ABSENT)
        if value is not _ABSENT and value is not None:
            return value
        if default is None and not optional:
            self.refuse("FIELD_MISSING", f"The record has no {name!r}; add the field and import the record again.")
        return default

    def _invalid(self, name: str, what: str) -> NoReturn:
        self.refuse("FIELD_INVALID", f"The field {name!r} {what}; correct it and import the record again.")


def _kind(value: object) -> str:
    return {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}.get(
        type(value), "a text"
    )


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of all zones, looked up once: the look-up walks the zone files and takes 5 ms."""
    return frozenset(available_timezones())
