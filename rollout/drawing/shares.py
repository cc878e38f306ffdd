"""A bar of parts that sum up: where each part begins and how wide it is, in per cent of the whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Share:
    """Hold one part of a bar that is 100 wide: its name, its count, where it begins and how wide it is."""

    name: str
    count: int
    x: float
    width: float

    @property
    def percent(self) -> str:
        """Return its width in words; who is there is never said to be 0 %."""
        return "under 1 %" if self.count and self.width < 1 else f"{self.width:.0f} %"


def shares(parts: Iterable[tuple[str, int]]) -> list[Share]:
    """Return the parts beside each other, in order; those without anybody have no width. Their widths sum up to 100."""
    listed = list(parts)
    total = sum(count for _, count in listed)
    found, before = [], 0
    for name, count in listed:
        start = WHOLE * before / total if total else 0.0
        before += count
        end = WHOLE * before / total if total else 0.0
        found.append(Share(name, count, round(start, 2), round(end - start, 2)))
    return found
