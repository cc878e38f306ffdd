"""The virtual clock: it jumps from one due instant to the next, and goes on while work is done."""

import random
from datetime import datetime, timedelta
from typing import Final

LOOKS: Final = 2.0  # how often a chunk asks for the time for one person, about; see `process_chunk`


class VirtualClock:
    """Tell an instant that only the rehearsal moves."""

    def __init__(self, at: datetime) -> None:
        """Stand at an instant."""
        self.at = at

    def __call__(self) -> datetime:
        """Return the instant."""
        return self.at

    def jump(self, to: datetime) -> None:
        """Go to a later instant; an earlier one changes nothing."""
        self.at = max(self.at, to)


class WorkClock:
    """Be the clock of a worker: each time it is asked, a little of the work is done, so the virtual clock has gone on."""

    def __init__(self, clock: VirtualClock, chance: random.Random, *, per_look: float) -> None:
        """Take the clock that it moves, and how many seconds pass from one look to the next, on average."""
        self._clock = clock
        self._chance = chance
        self._per_look = per_look

    def __call__(self) -> datetime:
        """Return the instant, and let some time pass."""
        at = self._clock.at
        seconds = self._per_look * self._chance.uniform(0.5, 1.5)
        self._clock.jump(at + timedelta(seconds=round(seconds, 3)))
        return at
