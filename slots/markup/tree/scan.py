"""Cut a source into items: text, template constructs and HTML tags, in order and without gaps.

HTML is recognised the way browsers tokenize it, with template constructs atomic: a `>` or a quote inside `{% … %}` means nothing.
An open tag whose template constructs do not balance inside it is not a tag (its `<name` is text), or a branch would
end in the middle of an attribute. Attempts that fail are charged to a budget proportional to the source, so the scan is linear
for hostile input as well: beyond the budget a doubtful `<` is text.
"""

import re
from bisect import bisect_right
from collections.abc import Generator, Iterator
from functools import cached_property
from operator import attrgetter
from typing import Final

from slots.markup.tree.template import Constructs

OPEN: Final = "open"  # HTML open tag
VOID: Final = "void"  # void element or self-closed tag
CLOSE: Final = "close"  # HTML close tag
TEXT: Final = "text"
RAW: Final = "raw"
COMMENT: Final = "comment"
DOCTYPE: Final = "doctype"
CONSTRUCT: Final = "construct"  # template construct; `construct` is its index

VOID_NAMES: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
RAW_NAMES: Final = frozenset({"script", "style", "textarea", "title"})

# One search finds the next markup and reads it where it is plain: an open tag (groups 1 and 2: name and slash) or a close tag
# (group 3: name) without template parts. Where no group matched, the markup is special or doubtful.
_MARKUP = re.compile(
    r"<(?:"
    r"([a-zA-Z][a-zA-Z0-9:_.-]*+)"
    r"(?:\s++[^\s\"'<>/={}]++(?:\s*+=\s*+(?:\"[^\"{]*+\"|'[^'{]*+'|[^\s\"'=<>`{]++))?+)*+"
    r"\s*+(/?)>"
    r"|/([a-zA-Z][^\s>/{<]*+)[^>{<]*+>"
    r"|[a-zA-Z/!])",
    re.ASCII,
)
LINE = re.compile(r"[^ \t\n\r\f](?:[^\n]*[^ \t\n\r\f])?")
_OPEN_NAME = re.compile(r"<([a-zA-Z][^\s/>{<]*+)", re.ASCII)
_BARE = re.compile(r"[\s>{]", re.ASCII)
_STEP = re.compile(r"[>={]")
_QUOTED = {'"': re.compile(r'["{]'), "'": re.compile(r"['{]")}
_SPACE = re.compile(r"\s*", re.ASCII)
RAW_CLOSE = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in RAW_NAMES}


# One piece of the source: kind, name, where it starts and ends, and the index of its construct (-1 where it is none). White
# space between two pieces is left out.
Item = tuple[str, str, int, int, int]


class Scanner:
    """Walk over one source once; `items` returns its pieces."""

    def __init__(self, source: str, found: Constructs) -> None:
        """Prepare to scan `source`, whose template constructs are `found`."""
        self.source = source
        self.found = found
        self.budget = 8 * len(source) + 1024
        self.absent: set[str] = set()  # raw elements whose close tag does not occur any more
        self.closers: dict[str, int] = {}  # where `-->` and `>` occur next
        self.bare = -1  # where the last value without quotes ended

    @cached_property
    def by_start(self) -> dict[int, int]:
        """Return the indexes of the constructs by where they start."""
        return {construct.start: index for index, construct in enumerate(self.found.items)}

    def items(self) -> Iterator[Item]:
        """Yield the pieces in order."""
        source = self.source
        constructs = self.found.items
        count = len(constructs)
        length = len(source)
        position = text_start = current = 0
        following = constructs[0].start if constructs else length
        markup, match = -1, None
        while True:
            if markup < position:
                match = _MARKUP.search(source, position)
                markup = match.start() if match is not None else length
            if following < markup:
                if text_start < following:
                    for line in LINE.finditer(source, text_start, following):
                        yield TEXT, "", line.start(), line.end(), -1
                construct = constructs[current]
                yield CONSTRUCT, construct.name, following, construct.end, current
                current += 1
                position = text_start = construct.end
                following = constructs[current].start if current < count else length
                continue
            if match is None:
                break
            tag = self._plain(match, current) if match.lastindex else self._special(markup, current)
            if tag is None:
                position = markup + 1
                continue
            kind, name, end, after = tag
            if text_start < markup:
                for line in LINE.finditer(source, text_start, markup):
                    yield TEXT, "", line.start(), line.end(), -1
            yield kind, name, markup, end, -1
            if kind == OPEN and name in RAW_NAMES:
                stop = self._raw_end(name, end)
                if stop >= 0:
                    after = yield from self._raw(end, stop, after)
                    end = stop
            position = text_start = end
            if after != current:
                current = after
                following = constructs[current].start if current < count else length
        for line in LINE.finditer(source, text_start, length):
            yield TEXT, "", line.start(), line.end(), -1

    def raw_items(self) -> Iterator[Item]:
        """Yield the pieces of a source that is the content of a raw element."""
        yield from self._raw(0, len(self.source), 0)

    def _raw(self, start: int, end: int, current: int) -> Generator[Item, None, int]:
        """Yield lines and template constructs of a raw element's content; return the construct after it."""
        source = self.source
        constructs = self.found.items
        while current < len(constructs) and constructs[current].start < end:
            construct = constructs[current]
            if construct.end > end:  # a close tag inside a construct does not close; `_raw_end` skips those
                break
            for line in LINE.finditer(source, start, construct.start):
                yield RAW, "", line.start(), line.end(), -1
            yield CONSTRUCT, construct.name, construct.start, construct.end, current
            start = construct.end
            current += 1
        for line in LINE.finditer(source, start, end):
            yield RAW, "", line.start(), line.end(), -1
        return current

    def _raw_end(self, name: str, position: int) -> int:
        """Return where the close tag of a raw element starts, -1 where there is none."""
        if name in self.absent:
            return -1
        match = RAW_CLOSE[name].search(self.source, position)
        while match is not None and self._inside_construct(match.start()):
            match = RAW_CLOSE[name].search(self.source, match.end())
        if match is None:
            self.absent.add(name)
            return -1
        return match.start()

    def _inside_construct(self, position: int) -> bool:
        """Say whether a template construct covers the position."""
        index = bisect_right(self.found.items, position, key=attrgetter("start")) - 1
        return index >= 0 and self.found.items[index].end > position

    def _plain(self, match: re.Match[str], current: int) -> tuple[str, str, int, int]:
        """Return kind, name, end and the next construct of a tag without template parts."""
        name, slash, closed = match.groups()
        if name is None:
            return CLOSE, closed.lower(), match.end(), current
        name = name.lower()
        return (VOID if slash or name in VOID_NAMES else OPEN), name, match.end(), current

    def _special(self, position: int, current: int) -> tuple[str, str, int, int] | None:
        """Return the same for markup of any other form, None where it is text."""
        following = self.source[position + 1]
        if following == "!":
            return self._declaration(position, current)
        return None if following == "/" else self._templated_open(position, current)

    def _declaration(self, position: int, current: int) -> tuple[str, str, int, int] | None:
        """Read a comment, a doctype or another declaration."""
        source = self.source
        if source.startswith("<!--", position):
            end = self._next("-->", position + 4)
            if end < 0:
                return (COMMENT, "<!--", position + 4, current)
            after = self._balanced(current, end + 3)
            if after < 0:
                return (COMMENT, "<!--", position + 4, current)
            return (COMMENT, "<!--", end + 3, after)
        end = self._next(">", position)
        if end < 0:
            return None
        after = self._balanced(current, end + 1)
        return None if after < 0 else (DOCTYPE, "!", end + 1, after)

    def _next(self, closer: str, position: int) -> int:
        """Return where the closer occurs next, -1 where it does not; positions only grow, so the last answer may still hold."""
        known = self.closers.get(closer, -2)
        if known == -2 or 0 <= known < position:
            known = self.closers[closer] = self.source.find(closer, position)
        return known

    def _templated_open(self, position: int, current: int) -> tuple[str, str, int, int] | None:
        """Read an open tag that the plain expression does not cover: template parts, stray quotes, odd values."""
        source = self.source
        named = _OPEN_NAME.match(source, position)
        if named is None or self.budget <= 0:
            return None
        end = self._tag_end(named.end())
        after = self._balanced(current, end) if end >= 0 else -1
        if after < 0:
            self.budget -= (len(source) if end < 0 else end) - position
            return None
        name = named.group(1).lower()
        void = name in VOID_NAMES or (source[end - 2] == "/" and self.bare != end - 1)
        return (VOID if void else OPEN, name, end, after)

    def _tag_end(self, position: int) -> int:
        """Return the offset after the `>` that ends the tag, -1 where the source ends first."""
        source = self.source
        by_start = self.by_start
        constructs = self.found.items
        while (step := _STEP.search(source, position)) is not None:
            character = step.group()
            position = step.end()
            if character == ">":
                return position
            if character == "{":
                index = by_start.get(position - 1)
                if index is not None:
                    position = constructs[index].end
                continue
            space = _SPACE.match(source, position)
            position = space.end() if space else position
            quote = source[position : position + 1]
            if quote not in _QUOTED or not quote:
                position = self._bare_end(position)
                continue
            position += 1
            while True:
                stop = _QUOTED[quote].search(source, position)
                if stop is None:
                    return -1
                position = stop.end()
                if stop.group() == quote:
                    break
                index = by_start.get(position - 1)
                if index is not None:
                    position = constructs[index].end
        return -1

    def _bare_end(self, position: int) -> int:
        """Return where a value without quotes ends, and remember it: a slash at its end belongs to the value."""
        while True:
            stop = _BARE.search(self.source, position)
            if stop is None:
                return len(self.source)
            position = stop.start()
            index = self.by_start.get(position) if stop.group() == "{" else None
            if index is not None:
                position = self.found.items[index].end
            elif stop.group() == "{":
                position += 1
            else:
                self.bare = position
                return position

    def _balanced(self, current: int, end: int) -> int:
        """Return the first construct from `end` on if those before it pair among themselves, else -1."""
        constructs = self.found.items
        partner = self.found.partner
        first = current
        if self.budget <= 0 and current < len(constructs) and constructs[current].start < end:
            return -1
        while current < len(constructs) and constructs[current].start < end:
            construct = constructs[current]
            if construct.end > end:
                return -1
            other = partner[current]
            if other >= 0 and (other < first or constructs[other].start >= end):
                self.budget -= 8 * (current - first)
                return -1
            current += 1
        return current
