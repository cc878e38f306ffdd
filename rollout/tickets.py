"""Decide, from values alone, by when a ticket has to be answered, and when that is near.

A severity has a response time; the deadline is that long after the person began to wait, which is the report or the last
reopening. Exactly at the deadline is in time. It is near once half of the time is over, and at the latest a quarter of an hour
before: of a critical ticket from the beginning. Instants are subtracted, never wall times, so no change of clocks matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from rollout.gates import Severity
from rollout.timetable import in_words

RESPONSE: Final[Mapping[Severity, timedelta]] = {
    Severity.CRITICAL: timedelta(minutes=15),
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=24),
}
LEAST_NOTICE: Final = timedelta(minutes=15)
MINUTE: Final = timedelta(minutes=1)


class Urgency(StrEnum):
    """How pressing an answer is."""

    AHEAD = "ahead"
    NEAR = "near"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Hold by when somebody has to answer, how long that still is (negative once it is over), and how pressing that makes it."""

    at: datetime
    left: timedelta
    urgency: Urgency

    @property
    def in_words(self) -> str:
        """Return how long is left, or for how long it has been over."""
        span = abs(self.left)
        said = in_words(span) if span >= MINUTE else "less than a minute"
        return f"overdue by {said}" if self.urgency == Urgency.OVERDUE else f"{said} left"


def respond_by(severity: Severity, waiting_since: datetime) -> datetime:
    """Return by when somebody has to answer who has waited since then."""
    return waiting_since + RESPONSE[severity]


def notice_of(severity: Severity) -> timedelta:
    """Return how long before its deadline a ticket of this severity is near."""
    return max(RESPONSE[severity] / 2, LEAST_NOTICE)


def deadline(severity: Severity, due_at: datetime, *, at: datetime) -> Deadline:
    """Return how pressing an answer due at `due_at` is now."""
    left = due_at - at
    if left < timedelta():
        return Deadline(due_at, left, Urgency.OVERDUE)
    return Deadline(due_at, left, Urgency.NEAR if left <= notice_of(severity) else Urgency.AHEAD)
