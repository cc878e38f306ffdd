"""Decide what becomes of somebody who could not be moved, by the class of what went wrong.

| class | what it is | what follows |
| --- | --- | --- |
| transient | a busy database, a connection or a worker lost once | another try after 30 s, then twice as long, at most 15 min |
| accident | what nobody foresaw | the same, with fewer tries |
| data | what the person's data or the caller made wrong | no other try would help: somebody has to look |
| stale | what was proven changed before the switch | queued again at once, a few times |
| poison | workers died with this person in hand | tried alone after the first, nobody after the second |

Pure: class and counts in, step out.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)
POISONOUS: Final = 2  # workers lost with one person in hand


class Trouble(StrEnum):
    """The class of what went wrong."""

    TRANSIENT = "transient"
    ACCIDENT = "accident"
    DATA = "data"
    STALE = "stale"
    POISON = "poison"


# How often somebody is claimed before another try is given up.
TRIES: Final = {Trouble.TRANSIENT: 8, Trouble.ACCIDENT: 3, Trouble.DATA: 0, Trouble.STALE: 5, Trouble.POISON: 0}


@dataclass(frozen=True, slots=True)
class Step:
    """Say what follows: another try after `wait` (none where that is zero: queued at once), or, without it, somebody looks."""

    wait: timedelta | None

    @property
    def is_final(self) -> bool:
        """Say whether there is no other try."""
        return self.wait is None


def next_step(trouble: Trouble, tries: int) -> Step:
    """Return what follows for somebody who was claimed `tries` times, this one included."""
    if tries >= TRIES[trouble]:
        return Step(None)
    return Step(timedelta() if trouble == Trouble.STALE else wait_before(tries))


def after_lost_lease(lost: int, tries: int) -> tuple[Trouble, Step]:
    """Return class and step for somebody whose worker let the lease lapse, for the `lost`-th time."""
    trouble = Trouble.POISON if lost >= POISONOUS else Trouble.TRANSIENT
    return trouble, next_step(trouble, tries)


def wait_before(tries: int) -> timedelta:
    """Return how long somebody waits who was tried so often: twice as long each time, up to a bound."""
    factor: int = 2 ** min(max(tries, 1) - 1, 16)  # far beyond the bound, and no overflow
    return min(FIRST_WAIT * factor, LONGEST_WAIT)
