"""Find the template constructs of a source and pair the tags that open and close blocks.

A construct is what Django's lexer takes for one: `{% … %}`, `{{ … }}` and `{# … #}` on one line, leftmost first. Django's own
expression is quadratic on a long line of `{%`; this scanner remembers the next closer of each kind and the next line end, all
of which only move forward, so it is linear. `verbatim` and `comment` blocks become one construct each.
"""

import re
from typing import Final, NamedTuple

TAG: Final = "%"
VARIABLE: Final = "{"
NOTE: Final = "#"
VERBATIM: Final = "verbatim"
COMMENT: Final = "comment"

SEPARATORS: Final = frozenset({"else", "elif", "empty", "plural"})

# One whole construct, by its kind; what closes it is never searched for twice. In a tag the first group is its name.
TAG_ATOM: Final = r"\{%[^\S\n]*+([^\s%]*+)[^%\n]*+(?:%(?!\})[^%\n]*+)*+%\}"
VARIABLE_ATOM: Final = r"\{\{[^}\n]*+(?:\}(?!\})[^}\n]*+)*+\}\}"
NOTE_ATOM: Final = r"\{#[^#\n]*+(?:#(?!\})[^#\n]*+)*+#\}"
ATOM: Final = rf"(?:\{{%[^%\n]*+(?:%(?!\}})[^%\n]*+)*+%\}}|{VARIABLE_ATOM}|{NOTE_ATOM})"  # without groups
# The same where constructs are looked for one by one in a text: none holds an opener, so a run of openers is read once.
LOOSE_ATOM: Final = (
    r"(?:\{%[^\n{%]*+(?:(?:\{(?!%)|%(?!\}))[^\n{%]*+)*+%\}|\{\{[^\n{}]*+(?:(?:\{(?!\{)|\}(?!\}))[^\n{}]*+)*+\}\}"
    r"|\{#[^\n{#]*+(?:(?:\{(?!#)|#(?!\}))[^\n{#]*+)*+#\})"
)
# The next construct: group 1 is a tag's name, group `UNCLOSED` matches where something opens that does not close on its line.
CONSTRUCT: Final = re.compile(rf"{TAG_ATOM}|{VARIABLE_ATOM}|{NOTE_ATOM}|(\{{[%{{#])")
UNCLOSED: Final = 2

_OPENER = re.compile(r"\{(?:%[^\S\n]*+([^\s%]*+)|[{#])")
_CLOSERS: Final = {"%": "%}", "{": "}}", "#": "#}"}


class Construct(NamedTuple):
    """Name one template construct: its kind, its span and, for a tag, its name."""

    kind: str
    start: int
    end: int
    name: str


class Constructs(NamedTuple):
    """Hold the constructs of a source in order.

    `partner[i]` is the index of the end tag of an opener or of the opener of an end tag; for a separator the index of the opener
    of the block that it divides; -1 for everything else.
    """

    items: list[Construct]
    partner: list[int]


def _lex(source: str) -> list[Construct]:
    """Return the constructs as Django's lexer sees them, before blocks are looked at."""
    found: list[Construct] = []
    construct = tuple.__new__  # what the class itself does around this call takes longer than the search
    for match in CONSTRUCT.finditer(source):
        if match.lastindex == UNCLOSED:
            return _lex_unclosed(source)
        start, end = match.span()
        found.append(construct(Construct, (source[start + 1], start, end, match[1] or "")))
    return found


def _lex_unclosed(source: str) -> list[Construct]:
    """Return the same for a source in which some openers do not close on their line."""
    found: list[Construct] = []
    next_close = {"%": 0, "{": 0, "#": 0}
    line_end = -2
    length = len(source)
    position = 0
    search = _OPENER.search
    while (opener := search(source, position)) is not None:
        start = opener.start()
        kind = source[start + 1]
        close = next_close[kind]
        if close < start + 2:
            close = source.find(_CLOSERS[kind], start + 2)
            next_close[kind] = close = length if close < 0 else close
        if line_end < start and line_end != length:
            line_end = source.find("\n", start)
            line_end = length if line_end < 0 else line_end
        if close >= line_end:
            position = start + 1
            continue
        position = close + 2
        found.append(Construct(kind, start, position, opener.group(1) or ""))
    return found


def _fold(source: str, lexed: list[Construct]) -> list[Construct]:
    """Join `verbatim … endverbatim` and `comment … endcomment` to one construct each; unclosed ones stay plain tags."""
    if VERBATIM not in source and COMMENT not in source:
        return lexed
    ends: dict[str, list[int]] = {}
    for index in range(len(lexed) - 1, -1, -1):
        item = lexed[index]
        if item.name.startswith("end"):
            key = source[item.start + 2 : item.end - 2].strip() if item.name == "endverbatim" else item.name
            ends.setdefault(key, []).append(index)
    folded: list[Construct] = []
    index = 0
    while index < len(lexed):
        item = lexed[index]
        index += 1
        if item.name in (VERBATIM, COMMENT):
            content = source[item.start + 2 : item.end - 2].strip()
            stack = ends.get(f"end{content}" if item.name == VERBATIM else "endcomment", [])
            while stack and stack[-1] < index:
                stack.pop()
            if stack:
                last = stack.pop()
                item = Construct(item.name, item.start, lexed[last].end, item.name)
                index = last + 1
        folded.append(item)
    return folded


def _pair(items: list[Construct]) -> list[int]:
    """Return the partner of each construct; a tag opens a block when its `end<name>` follows at the right depth."""
    partner = [-1] * len(items)
    names = {item.name for item in items if item.kind == TAG}
    openers = {name for name in names if f"end{name}" in names}
    if not openers:
        return partner
    stack: list[int] = []
    waiting = dict.fromkeys(openers, 0)
    separators: list[int] = []  # those whose block has not ended yet
    for index, item in enumerate(items):
        if item.kind != TAG:
            continue
        name = item.name
        if name in openers:
            stack.append(index)
            waiting[name] += 1
        elif name in SEPARATORS:
            separators.append(index)
        elif name.startswith("end") and waiting.get(name[3:], 0):
            while True:  # what an opener without an end seems to divide divides the block around it
                opener = stack.pop()
                other = items[opener].name
                waiting[other] -= 1
                if other == name[3:]:
                    break
            partner[opener] = index
            partner[index] = opener
            while separators and separators[-1] > opener:
                partner[separators.pop()] = opener
    return partner


def constructs(source: str) -> Constructs:
    """Find and pair the template constructs of `source`; linear, never fails."""
    found = items(source)
    return Constructs(found, _pair(found))


def items(source: str) -> list[Construct]:
    """Find the template constructs of `source` in order, without saying which belong together."""
    return _fold(source, _lex(source))
