"""Read a source in one pass, as long as nothing in it is doubtful.

One expression cuts the source into pieces, and blocks are paired as they come by: a tag opens a block when its `end<name>` occurs
at all. That is right as long as all blocks nest, and every `<`, `{%`, `{{` and `{#` becomes what it looks like. At the first
thing that is not so the pass is given up (`parse` returns None): `build.careful`, which looks ahead, then decides alone. So the
two ways agree, and a pass is linear, because no attempt of the expression fails without ending it.
"""

import re
from typing import Final, NamedTuple

from slots.markup.tree import nodes, scan, template
from slots.markup.tree.frames import Frames
from slots.markup.tree.nodes import Node, Tree

_FOLDED: Final = frozenset({template.VERBATIM, template.COMMENT})
_DIVIDING: Final = template.SEPARATORS | _FOLDED
_END = re.compile(r"\{%[^\S\n]*+end([^\s%]*+)")

_NAMES = re.compile(rf"{template.TAG_ATOM}|{template.VARIABLE_ATOM}|{template.NOTE_ATOM}")


def _pieces() -> re.Pattern[str]:
    """Return the expression for one piece with the white space before it.

    A lone sign is a `<` or `{` that begins nothing. A line of text ends where its last character is that is no white space. In an
    open tag constructs are atomic, everywhere; quotes may only stand around values, and a slash that closes the tag is
    never the end of a value without quotes. What no named group takes is the first character of something doubtful. White space
    at the end is before nothing, or each of its characters would be tried again as the first one.
    """
    construct = template.ATOM
    lone = r"(?:<(?![a-zA-Z/!])|\{(?![%{#]))"
    brace = rf"(?:{construct}|\{{(?![%{{#]))"
    rest = r"(?:[^<{\n]*[^<{ \t\n\r\f])?"
    bare = rf"(?:[^ \t\n\r\f\v\"'=<>`{{]++|{brace})++(?=[ \t\n\r\f\v>])"
    value = rf"\"[^\"{{]*+(?:{brace}[^\"{{]*+)*+\"|'[^'{{]*+(?:{brace}[^'{{]*+)*+'|{bare}"
    attributes = rf"(?:[^>=\"'</{{]++|=[ \t\n\r\f\v]*+(?:{value})|{brace}|/(?!>))*+"
    return re.compile(
        r"[ \t\n\r\f]*+(?:"
        rf"(?P<tag>{template.TAG_ATOM})"
        rf"|(?P<text>(?:[^<{{ \t\n\r\f]|{lone}){rest}(?:[ \t\r\f]*+{lone}{rest})*+)"
        rf"|<(?:(?P<open>[a-zA-Z][a-zA-Z0-9:_.-]*+)(?=[ \t\n\r\f\v/>{{]){attributes}(?:(?P<slash>/)>|>)"
        r"|/(?P<close>[a-zA-Z][^ \t\n\r\f\v>/{<]*+)[^>{<]*+>)"
        rf"|(?P<variable>{template.VARIABLE_ATOM})"
        rf"|(?P<note>{template.NOTE_ATOM})"
        r"|(?P<comment><!--[^{-]*+(?:-(?!->)[^{-]*+)*+-->)"
        r"|(?P<mixed><!--[^-]*+(?:-(?!->)[^-]*+)*+-->)"
        r"|(?P<doctype><!(?!--)[^>{]*+>)"
        r"|(?P<doubtful>[<{])"
        r"|(?P<nothing>\Z))"
    )


_PIECE = _pieces()
_GROUP: Final = _PIECE.groupindex
_TAG: Final = _GROUP["tag"]
_NAME: Final = _TAG + 1
_OPEN: Final = _GROUP["open"]
_SLASH: Final = _GROUP["slash"]
_OPENING: Final = (_OPEN, _SLASH)  # the last group of an open tag, without and with a slash that closes it
_CLOSE: Final = _GROUP["close"]
_MIXED: Final = _GROUP["mixed"]
_NOTHING: Final = _GROUP["nothing"]
_LEAVES: Final = {
    _GROUP["text"]: (nodes.TEXT, ""),
    _GROUP["variable"]: (nodes.VARIABLE, "{{"),
    _GROUP["note"]: (nodes.COMMENT, "{#"),
    _GROUP["comment"]: (nodes.COMMENT, "<!--"),
    _GROUP["doctype"]: (nodes.DOCTYPE, "!"),
}
_PLAIN: Final = "read in one pass"
_IN_RAW: Final = {template.VARIABLE: (nodes.VARIABLE, "{{"), template.NOTE: (nodes.COMMENT, "{#")}


class _DoubtfulError(Exception):
    """Say that the source must be read with care."""


def parse(source: str) -> Tree | None:
    """Return the tree of a source without anything doubtful, None for any other one."""
    reader = _Reader(source)
    position = 0
    try:
        while position >= 0:
            position = reader.read(position)
    except _DoubtfulError:
        return None
    if len(reader.frames.segments) > 1:
        return None
    tree = reader.frames.tree(source)
    tree.memo[_PLAIN] = True
    return tree


def is_plain(tree: Tree) -> bool:
    """Say whether the tree was read in one pass, because nothing in its source is doubtful."""
    return _PLAIN in tree.memo


class Form(NamedTuple):
    """Say what a tag is read as: its kind, its name, the names of the template tags in it, and what those end."""

    kind: str
    name: str
    tags: tuple[str, ...]
    ends: tuple[str, ...]


def form(text: str) -> Form | None:
    """Return the form of one tag, None for any other text. Tags of one form give the same nodes wherever they stand."""
    match = _PIECE.fullmatch(text)
    if match is None or not text.startswith(("<", "{")):
        return None
    which = match.lastindex
    names, ends = tuple(_NAMES.findall(text)), tuple(_END.findall(text))
    if which == _TAG:
        return Form(nodes.TAG, match[_NAME], names, ends)
    if which == _CLOSE:
        return Form(nodes.CLOSE, match[_CLOSE].lower(), names, ends)
    if which in _OPENING:
        name = match[_OPEN].lower()
        opens = which == _OPEN and name not in scan.VOID_NAMES
        return Form(nodes.LOOSE if opens else nodes.ELEMENT, name, names, ends)
    return None


class _Reader:
    """Carry the frames over the pieces of one source."""

    def __init__(self, source: str) -> None:
        """Look which tags may open a block."""
        self.source = source
        self.frames = Frames()
        self.openers = set(_END.findall(source))
        self.special = _DIVIDING.union(self.openers, [f"end{name}" for name in self.openers])

    def read(self, start: int) -> int:
        """Read pieces from `start` on; return where to go on after content that has rules of its own, -1 at the end.

        The loop is long because a call for each piece would cost as much as the piece.
        """
        source, special, frames = self.source, self.special, self.frames
        made, opened = frames.nodes, frames.open
        for match in _PIECE.finditer(source, start):
            which = match.lastindex
            if which in _LEAVES:
                kind, name = _LEAVES[which]
                head, end = match.span(which)
            elif which == _TAG:
                head, end = match.span(_TAG)
                name = match[_NAME]
                if name in special:
                    after = self._special(name, start, head, end)
                    if after != end:
                        return after
                    start = end
                    continue
                kind = nodes.TAG
            elif which in _OPENING:
                head, end = match.span(_OPEN)
                name = source[head:end].lower()
                head -= 1
                end = match.end()
                if source.find("{%", head, end) >= 0:
                    names = _NAMES.findall(source, head, end)
                    if not special.isdisjoint(names):
                        self._paired(names)
                if which == _OPEN and name not in scan.VOID_NAMES:
                    frames.open_element(name, start, head, end)
                    if name in scan.RAW_NAMES:
                        return self._raw(name, end)
                    start = end
                    continue
                kind = nodes.ELEMENT
            elif which == _CLOSE:
                end = match.end()
                frames.close_element(match[_CLOSE].lower(), start, match.start(_CLOSE) - 2, end)
                start = end
                continue
            elif which == _NOTHING:
                break
            else:
                if which != _MIXED:
                    raise _DoubtfulError
                kind, name = nodes.COMMENT, "<!--"
                head, end = match.span(_MIXED)
                self._mixed(head, end)
            node = Node(kind, name, start, head, end)
            made.append(node)
            opened[-1].kids.append(node)
            start = end
        return -1

    def _special(self, name: str, start: int, head: int, end: int) -> int:
        """Take a tag that opens, divides or closes a block, or hides what follows; return where to go on."""
        frames = self.frames
        if name in _FOLDED:
            if name in self.openers:
                end = self._folded(name, end)
                frames.add(nodes.COMMENT, name, start, head, end)
            else:
                frames.add(nodes.TAG, name, start, head, end)
        elif name in self.openers:
            frames.open_block(name, start, head, end)
        elif len(frames.segments) == 1:  # outside of all blocks a separator is a tag like any other
            if name not in template.SEPARATORS:
                raise _DoubtfulError
            frames.add(nodes.TAG, name, start, head, end)
        elif name in template.SEPARATORS:
            frames.end_segment()
            frames.add(nodes.SEPARATOR, name, start, head, end)
        elif frames.open[frames.segments[-1]].name == name[3:]:
            frames.close_block(head, end)
        else:
            raise _DoubtfulError
        return end

    def _folded(self, name: str, position: int) -> int:
        """Return where a `comment` block ends; a `verbatim` block is matched by what stands in its tag, so it is doubtful."""
        if name == template.COMMENT:
            for construct in template.CONSTRUCT.finditer(self.source, position):
                if construct.lastindex == template.UNCLOSED:
                    break
                if construct[1] == "endcomment":
                    return construct.end()
        raise _DoubtfulError

    def _paired(self, names: list[str]) -> None:
        """See that the tags of these names, all inside one HTML tag or comment, pair among themselves."""
        inside: list[str] = []
        for name in names:
            if name in _FOLDED:
                raise _DoubtfulError
            if name in self.openers:
                inside.append(name)
            elif name in template.SEPARATORS:
                if not inside:
                    raise _DoubtfulError
            elif name in self.special and (not inside or inside.pop() != name[3:]):
                raise _DoubtfulError
        if inside:
            raise _DoubtfulError

    def _mixed(self, start: int, end: int) -> None:
        """See that the constructs in a comment are whole and pair in it."""
        names: list[str] = []
        for construct in template.CONSTRUCT.finditer(self.source, start, end):
            if construct.lastindex == template.UNCLOSED:  # a second one would be looked through to the end of the line again
                raise _DoubtfulError
            names.append(construct[1] or "")
        self._paired(names)

    def _raw(self, name: str, start: int) -> int:
        """Read the content of a raw element line by line; return where its last piece ends."""
        source, frames = self.source, self.frames
        closing = scan.RAW_CLOSE[name].search(source, start)
        if closing is None:
            raise _DoubtfulError
        position = start
        for construct in template.CONSTRUCT.finditer(source, position, closing.start()):
            if construct.lastindex == template.UNCLOSED:
                raise _DoubtfulError
            head, end = construct.span()
            start = self._lines(position, head)
            opener = source[head + 1]
            if opener != template.TAG:
                frames.add(*_IN_RAW[opener], start, head, end)
            elif construct[1] not in self.special:
                frames.add(nodes.TAG, construct[1], start, head, end)
            elif self._special(construct[1], start, head, end) != end:
                raise _DoubtfulError
            position = end
        return self._lines(position, closing.start())

    def _lines(self, start: int, stop: int) -> int:
        """Add the lines of raw text between two offsets; return where the last one ends."""
        for line in scan.LINE.finditer(self.source, start, stop):
            head, end = line.span()
            self.frames.add(nodes.RAW, "", start, head, end)
            start = end
        return start
