"""What a caller can do wrong about audiences: rules that cannot be read, or nobody to move."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rollout.errors.fault import RolloutError


class AudienceInvalid(RolloutError):
    """The audience of a wave does not say whom it means; `place` is where, as a path into its JSON."""

    code = "AUDIENCE_INVALID"
    STEP = "Give `internal: true`, `users: [...]`, `rules: [...]` or `limit: N` (or `limit` with one of them)."

    def __init__(self, text: str, *, place: str = "", step: str = STEP) -> None:
        """Keep what is wrong with it, and where."""
        super().__init__(f"{place}: {text} {step}" if place else f"{text} {step}")
        self.text = text
        self.place = place
        self.step = step

    def of(self, wave: str) -> "AudienceInvalid":
        """Return the same with the name of its wave, where several are read."""
        return AudienceInvalid(self.text, place=f"{wave}: {self.place}" if self.place else wave, step=self.step)


class AudienceEmpty(RolloutError):
    """Nobody is left whom the wave could take."""

    code = "AUDIENCE_EMPTY"

    def __init__(self, wave: str, skipped: Sequence[Any]) -> None:
        """Keep the wave and the people who were meant but cannot be taken, each with the reason."""
        super().__init__(
            f"{wave} would have no members: {len(skipped)} people were meant who cannot be taken, and nobody else. "
            "See whom other waves hold, or choose another audience."
        )
        self.wave = wave
        self.skipped = tuple(skipped)


class PopulationFrozen(RolloutError):
    """A wave was to get a share of people who are divided among other waves already."""

    code = "POPULATION_FROZEN"

    def __init__(self, phase: str, at: datetime) -> None:
        """Keep the phase, and when its people were divided."""
        super().__init__(
            f"The people of {phase} were divided on {at:%Y-%m-%d %H:%M} UTC: a further share would get nobody. "
            "Say whom the wave means without a share, or cancel the waves that have one and plan all of them anew."
        )
        self.phase = phase
        self.at = at
