"""A trend as one small line without axes."""

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 96  # both in the units of its view box
HEIGHT: Final = 24
RIM: Final = 2


def spark(values: Sequence[float]) -> str:
    """Return a trend as the points of a polyline, `RIM` from the edges of its box; empty below two values."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = (WIDTH - 2 * RIM) / (len(values) - 1)
    tall = HEIGHT - 2 * RIM
    return " ".join(
        f"{RIM + index * step:.1f},{RIM + tall - (value - low) / span * tall:.1f}" for index, value in enumerate(values)
    )
