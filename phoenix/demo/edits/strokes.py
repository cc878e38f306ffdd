"""Single strokes of an edit: functions from template source to template source.

A stroke names the line it works on by a piece of its text. It changes one place or raises `StrokeDoesNotFit`; it never guesses
and never does nothing. Strokes are how the sample customers' edits are written, so that one edit can be made against
several versions of a component, as different people did at different times.
"""

from collections.abc import Callable, Sequence

Stroke = Callable[[str], str]
Anchor = str | tuple[str, ...]


class StrokeDoesNotFit(Exception):
    """The source has no line, or several lines, that the stroke could mean."""

    def __init__(self, anchor: Anchor, found: int) -> None:
        """Keep what was looked for and how often it was found."""
        super().__init__(f"{anchor!r} occurs {found} times; a stroke needs exactly one place.")
        self.anchor = anchor
        self.found = found


def swap(old: Anchor, new: str) -> Stroke:
    """Return a stroke that replaces the only occurrence of `old` (of the first alternative that fits) by `new`."""

    def stroke(source: str) -> str:
        return source.replace(_only(old, source), new)

    return stroke


def insert_before(anchor: Anchor, *lines: str) -> Stroke:
    """Return a stroke that adds lines above the line with `anchor`, at its indentation."""
    return _around(anchor, above=lines, below=())


def insert_after(anchor: Anchor, *lines: str) -> Stroke:
    """Return a stroke that adds lines below the line with `anchor`, at its indentation."""
    return _around(anchor, above=(), below=lines)


def drop(first: Anchor, last: str = "") -> Stroke:
    """Return a stroke that removes the block from the line with `first` to the closing line `last`."""
    return replace_block(first, last)


def replace_block(first: Anchor, last: str, *lines: str) -> Stroke:
    """Return a stroke that puts `lines` where the block was, at the indentation of its first line.

    The block ends with the first line from there on that has the same indentation and contains `last`; an empty `last`
    means one line.
    """

    def stroke(source: str) -> str:
        rows = source.split("\n")
        start, end = _block(rows, first, last)
        rows[start:end] = _indented(lines, rows[start])
        return "\n".join(rows)

    return stroke


def wrap_block(first: Anchor, last: str, opening: str, closing: str) -> Stroke:
    """Return a stroke that encloses the block in an opening and a closing line and indents it."""

    def stroke(source: str) -> str:
        rows = source.split("\n")
        start, end = _block(rows, first, last)
        inner = ["  " + row if row else row for row in rows[start:end]]
        rows[start:end] = [*_indented([opening], rows[start]), *inner, *_indented([closing], rows[start])]
        return "\n".join(rows)

    return stroke


def move_block(first: Anchor, last: str, *, before: Anchor) -> Stroke:
    """Return a stroke that moves the block above the line with `before`, at that line's indentation."""

    def stroke(source: str) -> str:
        rows = source.split("\n")
        start, end = _block(rows, first, last)
        taken, rest = rows[start:end], rows[:start] + rows[end:]
        target = _line(rest, before)
        margin = len(taken[0]) - len(taken[0].lstrip())
        rest[target:target] = _indented([row[margin:] for row in taken], rest[target])
        return "\n".join(rest)

    return stroke


def rewrite(source: str) -> Stroke:
    """Return a stroke that throws the template away for another one."""

    def stroke(_source: str) -> str:
        return source

    return stroke


def _around(anchor: Anchor, *, above: Sequence[str], below: Sequence[str]) -> Stroke:
    def stroke(source: str) -> str:
        rows = source.split("\n")
        line = _line(rows, anchor)
        rows[line : line + 1] = [*_indented(above, rows[line]), rows[line], *_indented(below, rows[line])]
        return "\n".join(rows)

    return stroke


def _only(anchor: Anchor, source: str) -> str:
    """Return the first alternative that occurs exactly once."""
    alternatives = (anchor,) if isinstance(anchor, str) else anchor
    for each in alternatives:
        if source.count(each) == 1:
            return each
    raise StrokeDoesNotFit(anchor, max(source.count(each) for each in alternatives))


def _line(rows: Sequence[str], anchor: Anchor) -> int:
    """Return the index of the only line that contains the anchor."""
    text = _only(anchor, "\n".join(rows))
    return next(index for index, row in enumerate(rows) if text in row)


def _block(rows: Sequence[str], first: Anchor, last: str) -> tuple[int, int]:
    """Return the half-open interval of lines from the anchor to its closing line."""
    start = _line(rows, first)
    if not last:
        return start, start + 1
    margin = len(rows[start]) - len(rows[start].lstrip())
    for index in range(start, len(rows)):
        if last in rows[index] and len(rows[index]) - len(rows[index].lstrip()) == margin:
            return start, index + 1
    raise StrokeDoesNotFit(last, 0)


def _indented(lines: Sequence[str], model: str) -> list[str]:
    margin = model[: len(model) - len(model.lstrip())]
    return [margin + line if line else line for line in lines]
