"""Decide when a person is looked at after the switch.

Pure: a wave's list of checks and instants in, the next instant out. The last look is at the end of the soak, whatever the list
says beyond it; looks that were missed are caught up by one, not by as many.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Due:
    """Say how many of a person's checks are done, and when the next one is; None where there is none any more."""

    done: int
    next_at: datetime | None


def schedule(checks: Iterable[object], soak: timedelta) -> tuple[timedelta, ...]:
    """Return when somebody is looked at, counted from the switch: as listed (in seconds) within the soak, and at its end.

    Without a soak nobody is watched. What is no number of seconds in a list that somebody edited is passed over.
    """
    numbers = [each for each in checks if isinstance(each, int | float) and math.isfinite(each) and each <= soak.total_seconds()]
    listed = {timedelta(seconds=each) for each in numbers}
    return tuple(sorted(each for each in {*listed, soak} if timedelta() < each <= soak))


def due_after(switched_at: datetime, plan: tuple[timedelta, ...], at: datetime) -> Due:
    """Return what is still to come of a plan at an instant, whatever of it was missed before."""
    to_come = [each for each in plan if switched_at + each > at]
    return Due(len(plan) - len(to_come), switched_at + to_come[0] if to_come else None)
