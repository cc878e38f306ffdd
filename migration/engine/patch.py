"""Applying a diff to a source: strictly, and the way the old system did.

Lines become code points, so that finding a hunk is `str.find` on a short text: linear in the source and at C speed, whatever
repeats. `apply` takes a hunk at its stated line or at the only other place where it fits. `apply_like_gnu` gives what
GNU patch 2.7 gives under `patch --forward --fuzz=2`, to the byte (tests/migration/engine/test_patch_oracle.py runs both). Where
`apply` succeeds, `apply_like_gnu` gives the same source without fuzz.

Time stamps of file headers are not looked at; GNU patch uses them to tell diffs that create or remove a file, and those
`diff.parse` refuses.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import Final, NamedTuple

from migration.engine.diff import BOM, Diff, Hunk, split_lines
from slots.errors import Refusal
from slots.markup import limits

_CHANGE: Final = re.compile(r"[-+]+")
SHOWN: Final = 80  # characters of a line that a refusal quotes


class Placement(NamedTuple):
    """Say where a hunk went: `hunk` counts from 0, `line` from 1 in the source, `offset` is the distance from the stated line."""

    hunk: int
    line: int
    offset: int
    fuzz: int


class Patched(NamedTuple):
    """Hold the patched source, and the largest fuzz and the largest distance from a stated line that it took."""

    source: str
    fuzz: int
    offset: int
    placements: tuple[Placement, ...]


def apply(source: str, diff: Diff) -> Patched | Refusal:
    """Return the source with the diff applied, every context line exact.

    A hunk goes to its stated line (moved by what the hunk before it was off), else to the only other place that fits. As in
    GNU patch, fewer context lines before than after a change tie a hunk of line 1 to the beginning, fewer after than before
    tie a hunk to the end. A byte order mark that only the source has is set aside and put back; carriage returns that only the
    transport added are dropped.

    Codes: HUNK_DOES_NOT_APPLY, HUNK_AMBIGUOUS, LIMIT_EXCEEDED. Lines in refusals count in the diff.
    """
    refusal = _beyond(source, "source")
    if refusal is not None:
        return refusal
    refusals: list[Refusal] = []
    for prefix, text, strip in _readings(source, diff):
        patched = _apply_strictly(text, diff, strip=strip)
        if isinstance(patched, Patched):
            whole = Patched(prefix + patched.source, patched.fuzz, patched.offset, patched.placements) if prefix else patched
            return _limited(whole)
        refusals.append(patched)
    return refusals[0]


def apply_like_gnu(source: str, diff: Diff, *, fuzz: int = 2) -> Patched | Refusal:
    """Return what GNU patch makes of the source with `--forward` and the given fuzz, or a refusal where a hunk fails.

    Codes: HUNK_DOES_NOT_APPLY, ALREADY_APPLIED (the first hunk does not fit but fits the other way round), LIMIT_EXCEEDED.
    """
    refusal = _beyond(source, "source")
    if refusal is not None:
        return refusal
    patched = _GnuPatch(source, fuzz).run(diff)
    return patched if isinstance(patched, Refusal) else _limited(patched)


class _Lines:
    """Hold the lines of a source, each also as one character of `codes`, so that sequences of lines can be searched as text.

    The codes are made when a search first needs them: most hunks stand on the line that they state.
    """

    def __init__(self, source: str) -> None:
        self.lines = split_lines(source)

    @cached_property
    def codes(self) -> str:
        """Return the source's lines as codes."""
        return self.encoded(self.lines)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {line: number for number, line in enumerate(dict.fromkeys(self.lines), 1)}

    @cached_property
    def _reversed(self) -> str:
        return self.codes[::-1]

    def __len__(self) -> int:
        return len(self.lines)

    def encoded(self, lines: Sequence[str]) -> str:
        """Return the lines as codes; a line that the source does not have becomes NUL, which matches nothing."""
        return "".join([chr(self._numbers.get(line, 0)) for line in lines])

    def first(self, pattern: str, low: int, high: int) -> int:
        """Return the first index from `low` to `high` (both included, from 0) where the pattern begins, or -1."""
        low = max(low, 0)
        return self.codes.find(pattern, low, high + len(pattern)) if low <= high else -1

    def last(self, pattern: str, low: int, high: int) -> int:
        """Return the last such index, or -1. Searched backwards in the reversed text, as `rfind` is quadratic at worst."""
        low = max(low, 0)
        if low > high:
            return -1
        size = len(self.codes)
        found = self._reversed.find(pattern[::-1], size - high - len(pattern), size - low)
        return -1 if found < 0 else size - found - len(pattern)


class _Output:
    """Write the patched source: source lines up to a change, then the change."""

    def __init__(self, lines: list[str]) -> None:
        self._source = lines
        self._pieces: list[str] = []
        self._ended = True
        self.frozen = 0  # how many lines of the source are written or dropped

    def write_hunk(self, hunk: Hunk, where: int, *, strip: bool) -> bool:
        """Write up to the hunk and the hunk; say False where GNU patch stops.

        It stops where a change begins before what is already written, and where a line goes after output that lacks its line
        feed. `where` counts from 1. Context comes from the source, as fuzz may have let it differ from the hunk's.
        """
        signs = hunk.signs
        place = where - 1
        left = len(signs) - signs.count("+")
        behind = 0  # how many lines of the hunk are dealt with
        for change in _CHANGE.finditer(signs):
            start, end = change.span()
            removed = signs.count("-", start, end)
            place += start - behind
            left -= start - behind + removed
            behind = end
            if place < self.frozen or (removed and not self._ended):
                return False
            self._copy_to(place)
            place += removed
            self.frozen += removed
            added = [line.content for line in hunk.lines[start:end] if line.sign == "+"]
            self._write([_stripped(line) for line in added] if strip else added, mend=not left)
        return True

    def finish(self) -> str:
        """Return the whole patched source."""
        self._copy_to(len(self._source))
        return "".join(self._pieces)

    def _copy_to(self, place: int) -> None:
        lines = self._source[self.frozen : place]
        if lines:
            self._write(lines[:1], mend=True)
            self._pieces += lines[1:]
            self._ended = lines[-1].endswith("\n")
        self.frozen = max(self.frozen, place)

    def _write(self, lines: Sequence[str], *, mend: bool) -> None:
        """Write lines, each after the line feed that the line before lacks.

        Not mended, as in GNU patch, are additions with context after them: they can follow such a line by fuzz only.
        """
        pieces, ended = self._pieces, self._ended
        for line in lines:
            if mend and not ended:
                pieces.append("\n")
            pieces.append(line)
            ended = line[-1:] == "\n"
        self._ended = ended


def _readings(source: str, diff: Diff) -> Iterator[tuple[str, str, bool]]:
    """Yield (text to put back in front, source, whether to drop the diff's carriage returns), the likeliest first."""
    prefixes = ("", BOM) if source.startswith(BOM) else ("",)
    for prefix in prefixes:
        text = source.removeprefix(prefix)
        if not diff.crlf or "\r\n" in text:
            yield prefix, text, False
        if diff.crlf:
            yield prefix, text, True


def _apply_strictly(source: str, diff: Diff, *, strip: bool) -> Patched | Refusal:
    text = _Lines(source)
    output = _Output(text.lines)
    placements: list[Placement] = []
    moved = 0
    for index, hunk in enumerate(diff.hunks):
        where = _place_exactly(text, hunk, moved, output.frozen, strip=strip)
        if isinstance(where, Refusal):
            return where
        if not output.write_hunk(hunk, where, strip=strip):
            return _overlapping(hunk)
        moved = where - _stated(hunk)
        placements.append(Placement(index, where, moved, 0))
    return _patched(output, placements)


def _place_exactly(text: _Lines, hunk: Hunk, moved: int, frozen: int, *, strip: bool) -> int | Refusal:
    """Return the line (from 1) where the hunk fits: the stated one, else the only other one."""
    before = _side(hunk.before, strip=strip)
    guess = _stated(hunk) + moved
    if not before:
        if moved or not frozen < guess <= len(text) + 1:
            return Refusal(
                "HUNK_AMBIGUOUS",
                hunk.line,
                "This hunk has no context and the lines around it moved; make the diff again with context (`diff -U3`).",
            )
        return guess
    if guess <= frozen:
        return _overlapping(hunk)
    low, high = frozen, len(text) - len(before)
    leading, trailing = hunk.leading, hunk.trailing
    if leading < trailing and hunk.source_start <= 1:
        high = min(high, 0)
    if trailing < leading:
        low = max(low, len(text) - len(before))
    if low <= guess - 1 <= high and text.lines[guess - 1 : guess - 1 + len(before)] == before:
        return guess
    pattern = text.encoded(before)
    found = text.first(pattern, low, high)
    if found < 0:
        return _not_found(hunk, text.lines, strip=strip)
    if text.first(pattern, found + 1, high) >= 0:
        return Refusal(
            "HUNK_AMBIGUOUS",
            hunk.line,
            f"This hunk does not fit at line {guess} and fits at several others; make the diff again from the recorded base.",
        )
    return found + 1


class _GnuPatch:
    """Place hunks one after the other as GNU patch does; the state is how far the last ones were off."""

    def __init__(self, source: str, fuzz: int) -> None:
        self._text = _Lines(source)
        self._output = _Output(self._text.lines)
        self._fuzz = fuzz
        self._moved = 0

    def run(self, diff: Diff) -> Patched | Refusal:
        placements: list[Placement] = []
        for index, hunk in enumerate(diff.hunks):
            placed = self._place(hunk, first=index == 0, strip=diff.crlf)
            if isinstance(placed, Refusal):
                return placed
            where, fuzz = placed
            if not self._output.write_hunk(hunk, where, strip=diff.crlf):
                return _overlapping(hunk)
            placements.append(Placement(index, where, where - _stated(hunk), fuzz))
        return _patched(self._output, placements)

    def _place(self, hunk: Hunk, *, first: bool, strip: bool) -> tuple[int, int] | Refusal:
        """Return line (from 1) and fuzz; context is given up only after every place was tried with more of it."""
        before = self._text.encoded(_side(hunk.before, strip=strip))
        after = self._text.encoded(_side(hunk.after, strip=strip))
        for fuzz in range(min(self._fuzz, max(hunk.leading, hunk.trailing)) + 1):
            where = self._locate(before, _stated(hunk), hunk, fuzz)
            if where:
                return where, fuzz
            if first and self._locate(after, hunk.target_start + (hunk.target_length == 0), hunk, fuzz):
                return Refusal(
                    "ALREADY_APPLIED",
                    hunk.line,
                    "The source already holds what this hunk makes; the customization is part of this version, archive it.",
                )
        return _not_found(hunk, self._text.lines, strip=strip)

    def _locate(self, pattern: str, stated: int, hunk: Hunk, fuzz: int) -> int:
        """Return the line where the pattern fits with so many context lines given up, 0 for none."""
        guess = stated + self._moved
        if not pattern:
            return guess
        context = max(hunk.leading, hunk.trailing)
        skip, drop = fuzz + hunk.leading - context, fuzz + hunk.trailing - context
        size, frozen = len(self._text), self._output.frozen
        if skip < 0 and stated <= 1:
            fits = frozen <= hunk.leading and self._fits(pattern[: len(pattern) - drop], 0)
            return self._moved_to(1, guess) if fits else 0
        skip = max(skip, 0)
        if drop < 0:
            where = size - len(pattern) + 1
            fits = where > frozen and self._fits(pattern[skip:], where - 1 + skip)
            return self._moved_to(where, guess) if fits else 0
        nearest = self._nearest(pattern[skip : len(pattern) - drop], guess, skip, size - len(pattern) + drop + 1)
        return 0 if nearest is None else self._moved_to(nearest, guess)

    def _nearest(self, pattern: str, guess: int, skip: int, highest: int) -> int | None:
        """Return the fitting line nearest to the guess, the later one of two.

        Where the guess lies among the lines that are already written, GNU patch tries the line as far before the guess as the
        first free one is behind it, then the first free one, then goes upwards from the former.
        """
        lowest = self._output.frozen + 1
        if guess < lowest:
            start = 2 * guess - lowest
            if guess > highest:
                return None
            if not pattern or self._fits(pattern, start - 1 + skip):
                return start
            if self._fits(pattern, lowest - 1 + skip):
                return lowest
            free = self._text.first(pattern, start - 1 + skip, highest - 1 + skip)
            return None if free < 0 else free + 1 - skip
        if not pattern:
            nearest = min(guess, highest)
            return nearest if nearest >= lowest else None
        later = self._text.first(pattern, guess - 1 + skip, highest - 1 + skip)
        earlier = self._text.last(pattern, lowest - 1 + skip, min(guess - 1, highest) - 1 + skip)
        places = [found + 1 - skip for found in (later, earlier) if found >= 0]
        return min(places, key=lambda place: abs(place - guess), default=None)

    def _fits(self, pattern: str, index: int) -> bool:
        return index >= 0 and self._text.codes.startswith(pattern, index)

    def _moved_to(self, where: int, guess: int) -> int:
        self._moved += where - guess
        return where


def _stated(hunk: Hunk) -> int:
    """Return the line (from 1) where the hunk says that it begins; an empty side names the line before it."""
    return hunk.source_start + (hunk.source_length == 0)


def _side(lines: Sequence[str], *, strip: bool) -> list[str]:
    return [_stripped(line) for line in lines] if strip else list(lines)


def _stripped(line: str) -> str:
    """Return the line without the carriage return that the transport put before its line feed."""
    return line[:-2] + "\n" if line.endswith("\r\n") else line.removesuffix("\r")


def _patched(output: _Output, placements: list[Placement]) -> Patched:
    fuzz = max([placement.fuzz for placement in placements])
    offset = max([abs(placement.offset) for placement in placements])
    return Patched(output.finish(), fuzz, offset, tuple(placements))


def _not_found(hunk: Hunk, lines: Sequence[str], *, strip: bool) -> Refusal:
    """Say where the source first differs from what the hunk expects at its stated place."""
    start = max(_stated(hunk), 1)
    there = lines[start - 1 : start - 1 + len(hunk.before)]
    pairs = zip_longest(_side(hunk.before, strip=strip), there)
    number, expected, found = next(
        ((start + index, *pair) for index, pair in enumerate(pairs) if pair[0] != pair[1]), (start, None, None)
    )
    differs = f" (line {number} is expected to be {_shown(expected)} and is {_shown(found)})" if expected else ""
    return Refusal(
        "HUNK_DOES_NOT_APPLY",
        hunk.line,
        f"The lines that this hunk expects at line {hunk.source_start} are not there{differs}; "
        "make the diff again from this version.",
    )


def _shown(line: str | None) -> str:
    """Return a line as a refusal shows it, cut where it is long."""
    if line is None:
        return "missing"
    text = line.rstrip("\r\n")
    return f"“{text[:SHOWN]}{'…' if len(text) > SHOWN else ''}”"


def _overlapping(hunk: Hunk) -> Refusal:
    return Refusal(
        "HUNK_DOES_NOT_APPLY",
        hunk.line,
        "This hunk begins before the end of the one above it; put the hunks in order, or make the diff again.",
    )


def _limited(patched: Patched) -> Patched | Refusal:
    return _beyond(patched.source, "patched source") or patched


def _beyond(source: str, name: str) -> Refusal | None:
    return limits.retold(limits.text_refusal(source, name=name), name)
