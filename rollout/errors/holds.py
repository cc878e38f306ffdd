"""What a caller can do wrong about holds."""

from collections.abc import Sequence

from rollout.errors.fault import RolloutError


class WaveHeld(RolloutError):
    """A wave was to start while something holds it."""

    code = "WAVE_HELD"

    def __init__(self, wave: str, reasons: Sequence[str]) -> None:
        """Keep the wave and every reason as a sentence."""
        super().__init__(f"{wave} is held: {' '.join(reasons)} Clear what holds it, or wait until it is over.")
        self.wave = wave
        self.reasons = tuple(reasons)


class HoldBound(RolloutError):
    """A hold was to be cleared or set by hand that follows from something else."""

    code = "HOLD_BOUND"

    def __init__(self, hold: str, way: str) -> None:
        """Keep the hold, and what ends it."""
        super().__init__(f"{hold} is not set or cleared by hand. {way}")
        self.hold = hold
        self.way = way
