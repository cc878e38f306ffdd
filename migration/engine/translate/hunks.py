"""Say which hunk of a diff an operation comes from."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from migration.engine.diff import Diff


class Hunks:
    """Find hunks by offsets into the base or the customized source."""

    def __init__(self, diff: Diff, base: str, custom: str) -> None:
        """Prepare the line tables of both sources."""
        self.base_lines = _starts(base)
        self.custom_lines = _starts(custom)
        hunks = diff.hunks
        self.base_ranges = [_range(hunk.source_start, hunk.source_length) for hunk in hunks]
        self.custom_ranges = [_range(hunk.target_start, hunk.target_length) for hunk in hunks]

    def of_base(self, offset: int) -> int | None:
        """Return the index of the hunk around an offset of the base, the nearest where none covers it, None without hunks."""
        return _nearest(self.base_ranges, bisect_right(self.base_lines, offset))

    def of_custom(self, offset: int) -> int | None:
        """Return the index of the hunk around an offset of the customized source."""
        return _nearest(self.custom_ranges, bisect_right(self.custom_lines, offset))


def _starts(source: str) -> list[int]:
    """Return the offset at which each line starts."""
    return [0, *accumulate(len(line) + 1 for line in source.split("\n")[:-1])]


def _range(start: int, length: int) -> tuple[int, int]:
    """Return the first line of a hunk side and the line after its last, counted from 1."""
    return (start, start + length) if length else (start, start + 1)


def _nearest(ranges: Sequence[tuple[int, int]], line: int) -> int | None:
    """Return the range that holds the line, else the one that ends or starts nearest to it."""
    if not ranges:
        return None
    after = bisect_right(ranges, (line, float("inf")))
    if after == 0:
        return 0
    if after == len(ranges) or line < ranges[after - 1][1]:
        return after - 1
    return after if ranges[after][0] - line < line - ranges[after - 1][1] + 1 else after - 1
