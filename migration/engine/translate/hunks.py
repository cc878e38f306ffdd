"""Say which hunk of a diff an operation comes from."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate

from migration.engine.diff import Diff
from migration.engine.patch import Placement


class Hunks:
    """Find hunks by offsets into the base or the customized source; the line tables are made where there is a choice."""

    def __init__(self, diff: Diff, placements: Iterable[Placement], base: str, custom: str) -> None:
        """Keep the sources and the lines that the hunks cover, where they went and not where they say."""
        self._base = base
        self._custom = custom
        self._base_ranges: list[tuple[int, int]] = []
        self._custom_ranges: list[tuple[int, int]] = []
        grown = 0
        for hunk, placement in zip(diff.hunks, placements, strict=True):
            first = placement.line
            self._base_ranges.append((first, first + max(hunk.source_length, 1)))
            self._custom_ranges.append((first + grown, first + grown + max(hunk.target_length, 1)))
            grown += hunk.target_length - hunk.source_length

    def of_base(self, offset: int) -> int | None:
        """Return the index of the hunk around an offset of the base, the nearest where none covers it, None without hunks."""
        if len(self._base_ranges) < 2:
            return 0 if self._base_ranges else None
        return _nearest(self._base_ranges, bisect_right(self._base_lines, offset))

    def of_custom(self, offset: int) -> int | None:
        """Return the index of the hunk around an offset of the customized source."""
        if len(self._custom_ranges) < 2:
            return 0 if self._custom_ranges else None
        return _nearest(self._custom_ranges, bisect_right(self._custom_lines, offset))

    @cached_property
    def _base_lines(self) -> list[int]:
        return _starts(self._base)

    @cached_property
    def _custom_lines(self) -> list[int]:
        return _starts(self._custom)


def _starts(source: str) -> list[int]:
    """Return the offset at which each line starts."""
    return [0, *accumulate([len(line) + 1 for line in source.split("\n")[:-1]])]


def _nearest(ranges: Sequence[tuple[int, int]], line: int) -> int:
    """Return the range that holds the line, else the one that ends or starts nearest to it."""
    after = bisect_right(ranges, (line, float("inf")))
    if after == 0:
        return 0
    if after == len(ranges) or line < ranges[after - 1][1]:
        return after - 1
    return after if ranges[after][0] - line < line - ranges[after - 1][1] + 1 else after - 1
