"""Decide how many people a wave may claim now, how many its next batch takes, and when trouble lets nobody be claimed.

Pure: columns and counts in, numbers out. The rate is a token bucket: it fills with `rate` people a minute up to a quarter of
that, so that over any stretch of t minutes at most rate × (t + 1/4) people are claimed; a slow rate lets one gather.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil, floor, inf
from typing import Final

MINUTE: Final = timedelta(minutes=1)
BURST: Final = 0.25  # minutes: what gathers between two rounds of the reconciler, so that a wave reaches its rate
TARGET: Final = timedelta(seconds=10)  # a batch that takes longer halves the next one
SLOWER: Final = 2
GROWTH: Final = 1.25
LEAST_TROUBLED: Final = 5  # fewer people in trouble say nothing about the database
LARGE_SHARE: Final = 0.5


class Kind(StrEnum):
    """Why nobody is claimed though nothing holds the wave."""

    RATE = "rate"
    WORKERS = "workers"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Wait:
    """Say why nobody is claimed right now, as a kind and a sentence; `until` is when to look again, None where nobody knows."""

    kind: Kind
    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """Hold how many people may be claimed: `allowance` of them at `at`; without a rate, any number."""

    rate: int | None
    allowance: float = 0.0
    at: datetime | None = None

    @property
    def capacity(self) -> float:
        """Return how many people it holds at most: a quarter of a minute's, and one at least."""
        return inf if self.rate is None else max(1.0, self.rate * BURST)

    def filled(self, at: datetime) -> float:
        """Return how many people may be claimed at an instant; a bucket that nobody has used yet is full."""
        if self.rate is None or self.at is None:
            return self.capacity
        elapsed = max(at - self.at, timedelta())  # a clock that was set back takes nothing away
        return min(self.capacity, self.allowance + self.rate * (elapsed / MINUTE))

    def fitting(self, wanted: int, at: datetime) -> int:
        """Return how many of those wanted may be claimed at an instant."""
        return wanted if self.rate is None else min(wanted, floor(self.filled(at)))

    def without(self, count: int, at: datetime) -> "Bucket":
        """Return the bucket after so many people were claimed."""
        return self if self.rate is None else replace(self, allowance=self.filled(at) - count, at=max(at, self.at or at))

    def next_at(self, at: datetime) -> datetime:
        """Return from when on it holds at least one person, to the microsecond above."""
        missing = 1.0 - self.filled(at)
        if self.rate is None or missing <= 0:
            return at
        return at + timedelta(microseconds=ceil(missing / self.rate * MINUTE / timedelta(microseconds=1)) + 1)


def next_batch_size(
    size: int, took: timedelta, target: timedelta, trouble: bool, *, largest: int, claimed: int | None = None
) -> int:
    """Return how many people the next batch takes: half as many after a slow or troubled one, a quarter more after any other.

    A batch that had fewer people than it might have had (`claimed`) shows no more than that those were quick: it does not grow.
    """
    if trouble or took > target:
        return max(1, min(size // SLOWER, largest))
    grown = ceil(size * GROWTH) if claimed is None or claimed >= size else size
    return max(1, min(grown, largest))


def is_pressed(troubled: int, passed: int) -> bool:
    """Say whether so many people wait out a busy database or a lost worker that claiming others would add to it.

    `passed` are those who came through since the first of the `troubled` had to wait.
    """
    return troubled >= LEAST_TROUBLED and troubled > LARGE_SHARE * (troubled + passed)


def time_left(left: int, pace: float | None, rate: int | None = None) -> timedelta | None:
    """Return how long so many people take at `pace` a minute, and no faster than `rate`; None where nothing says how fast."""
    if left <= 0:
        return timedelta()
    limits = [each for each in (pace, rate) if each is not None]
    slowest = min(limits, default=0.0)
    return left / slowest * MINUTE if slowest > 0 else None
