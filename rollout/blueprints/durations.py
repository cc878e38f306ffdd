"""Lengths of time as people write them: `7 days`, `48 hours`, `1 hour 30 minutes`."""

import re
from datetime import timedelta
from typing import Final

UNITS: Final = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "microsecond": timedelta(microseconds=1),
}
PART: Final = re.compile(r"(\d{1,15}) (day|hour|minute|second|microsecond)s?", re.ASCII)
HOW: Final = "Write for example `7 days`, `48 hours` or `1 hour 30 minutes`."


def duration_of(text: str) -> timedelta | None:
    """Return the length of time that a text says; None where it says none, or one that is too long to count."""
    parts = [PART.fullmatch(part) for part in re.findall(r"\S+ \S+", text)] if re.fullmatch(r"\S+ \S+( \S+ \S+)*", text) else []
    total = timedelta()
    try:
        for part in parts:
            if part is None:
                return None
            total += int(part[1]) * UNITS[part[2]]
    except OverflowError:
        return None
    return total if parts else None


def duration_text(length: timedelta) -> str:
    """Return a length of time, not negative, in the largest units that fit: what `duration_of` reads."""
    words = []
    for name, unit in UNITS.items():
        count, length = length // unit, length % unit
        if count:
            words.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(words) or "0 seconds"
