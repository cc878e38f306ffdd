"""Read an open tag as a list of parts, so that one attribute can change while template constructs stand beside it.

`join(read(text)) == text` for every open tag. A part is an attribute (its name and value may contain template constructs)
or a chunk: a lone construct, or a block construct up to its closing tag (`{% if x %} id="a"{% endif %}` is one chunk).
Cost: linear.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from slots.markup.tree import template
from slots.markup.tree.template import Constructs

_NAME = re.compile(r"<[^\s/>{<]*", re.ASCII)
_SPACE = re.compile(r"\s*", re.ASCII)
_PLAIN = re.compile(r"(\s*)([^\s\"'<>/={}]+)(?:(\s*=\s*)(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?", re.ASCII)
_WORD = re.compile(r"[^\s>={]+", re.ASCII)
_VALUE = re.compile(r"[^\s>{]+", re.ASCII)
_EQUALS = re.compile(r"\s*=\s*", re.ASCII)
_WHITE: Final = " \t\n\r\f\v"
_OUTSIDE = re.compile(rf"({template.LOOSE_ATOM})|[^{{]+")
_NONE: Final = Constructs([], [])


class Part(NamedTuple):
    """Hold one part of an open tag.

    `name` is the attribute's name as written, or the whole text of a chunk (then `chunk` is true). `value` is None for an
    attribute without `=`; `quote` is `"`, `'` or empty; `equals` is the `=` with the white space around it; `space` stands
    before.
    """

    space: str
    name: str
    equals: str = ""
    quote: str = ""
    value: str | None = None
    chunk: bool = False

    @property
    def key(self) -> str:
        """Return what identifies the part in its tag: the lower-cased name, or a chunk's text with white space collapsed.

        Template constructs in a name keep their case.
        """
        if self.chunk:
            return " ".join(self.name.split())
        return self.name.lower() if "{" not in self.name else _OUTSIDE.sub(lambda found: found[1] or found[0].lower(), self.name)

    @property
    def text(self) -> str:
        """Return the part as written, without the space before it."""
        return self.name if self.value is None else f"{self.name}{self.equals}{self.quote}{self.value}{self.quote}"


class OpenTag(NamedTuple):
    """Hold an open tag: `<name`, its parts and what closes it (white space, `/`, `>`)."""

    name: str
    parts: tuple[Part, ...]
    closing: str

    def find(self, key: str) -> Part | None:
        """Return the first part with that key, as browsers take the first of equal attributes."""
        for part in self.parts:
            if part.key == key:
                return part
        return None

    def static(self, key: str) -> str | None:
        """Return the value of an attribute that holds no template construct, else None."""
        part = self.find(key)
        if part is None or part.chunk or part.value is None or "{{" in part.value or "{%" in part.value:
            return None
        return part.value

    def with_part(self, part: Part, after: str | None) -> "OpenTag":
        """Return the tag with the part put in place of the one with its key, else after the one with key `after`, else last.

        An empty `after` means first.
        """
        parts = list(self.parts)
        key = part.key
        for index, old in enumerate(parts):
            if old.key == key:
                parts[index] = Part(old.space, *part[1:])
                return OpenTag(self.name, tuple(parts), self.closing)
        at = len(parts)
        if after == "":
            at = 0
        elif after is not None:
            at = next((index + 1 for index, old in enumerate(parts) if old.key == after), at)
        parts.insert(at, part)
        return OpenTag(self.name, tuple(parts), self.closing)

    def without(self, key: str) -> "OpenTag":
        """Return the tag without the first part of that key."""
        parts = list(self.parts)
        for index, old in enumerate(parts):
            if old.key == key:
                del parts[index]
                break
        return OpenTag(self.name, tuple(parts), self.closing)


def bare(name: str) -> Part:
    """Return the part that a name without a value makes: an attribute, or a chunk where it is nothing but template constructs."""
    parts = read(f"<a {name}>").parts
    return parts[0] if len(parts) == 1 and parts[0].name == name else Part(" ", name)


def join(tag: OpenTag) -> str:
    """Return the open tag as source text."""
    return "".join([f"<{tag.name}", *[part.space + part.text for part in tag.parts], tag.closing])


@lru_cache(maxsize=2048)
def read(text: str) -> OpenTag:
    """Read `text`, the source of one HTML open tag; what was read last is remembered, as proofs read tags again."""
    named = _NAME.match(text)
    start = named.end() if named else 0
    end = _end(text, start)
    parts = _plain(text, start, end) if "{" not in text else None
    if parts is None:
        parts, end = _templated(text, start, end)
    if parts and text[end:] == "/>" and parts[-1].value is not None and not parts[-1].quote:
        parts[-1] = parts[-1]._replace(value=f"{parts[-1].value}/")  # without quotes the slash belongs to the value
        end += 1
    return OpenTag(text[1:start], tuple(parts), text[end:])


def _end(text: str, start: int) -> int:
    """Return where what closes the tag begins: white space, a slash, `>`."""
    if not text.endswith(">", start):
        return len(text)
    content = text[start:-1]
    return start + len(content.removesuffix("/").rstrip(_WHITE))


def _plain(text: str, position: int, end: int) -> list[Part] | None:
    """Return the parts of a tag without template constructs, None where it is odd."""
    parts: list[Part] = []
    while position < end:
        match = _PLAIN.match(text, position, end)
        if match is None:
            return None
        space, name, equals, double, single, bare = match.groups()
        if equals is None:
            parts.append(Part(space, name))
        elif double is not None:
            parts.append(Part(space, name, equals, '"', double))
        elif single is not None:
            parts.append(Part(space, name, equals, "'", single))
        else:
            parts.append(Part(space, name, equals, "", bare))
        position = match.end()
    return parts


def _templated(text: str, position: int, end: int) -> tuple[list[Part], int]:
    """Return the parts of any tag, and where its closing text starts."""
    found = template.constructs(text)
    by_start = {item.start: index for index, item in enumerate(found.items)}
    parts: list[Part] = []
    while position < end:
        space = _run(_SPACE, text, position, end)
        start = position + len(space)
        if start >= end:
            return parts, position
        index = by_start.get(start)
        if index is not None and found.partner[index] > index:
            position = found.items[found.partner[index]].end
            parts.append(Part(space, text[start:position], chunk=True))
            continue
        name_end = _through(_WORD, text, start, end, found, by_start)
        equals = _run(_EQUALS, text, name_end, end)
        name = text[start:name_end]
        if not equals:
            parts.append(Part(space, name, chunk=index is not None and found.items[index].end == name_end))
            position = name_end
            continue
        at = name_end + len(equals)
        quote = text[at : at + 1]
        if quote in ('"', "'"):
            stop = _closing_quote(text, at + 1, end, quote, found, by_start)
            if stop >= 0:
                parts.append(Part(space, name, equals, quote, text[at + 1 : stop]))
                position = stop + 1
                continue
        position = _through(_VALUE, text, at, end, found, by_start) if at < end else at
        parts.append(Part(space, name, equals, "", text[at:position]))
    return parts, max(position, end)


def _run(pattern: re.Pattern[str], text: str, position: int, end: int) -> str:
    """Return what the pattern matches at the position, empty where nothing."""
    match = pattern.match(text, position, end)
    return match.group() if match else ""


def _through(pattern: re.Pattern[str], text: str, position: int, end: int, found: Constructs, by_start: dict[int, int]) -> int:
    """Return the end of a run of characters of the pattern and template constructs; at least one character is taken."""
    start = position
    while position < end:
        index = by_start.get(position)
        if index is not None:
            other = found.partner[index]
            if other > index and position > start:
                position = found.items[other].end
            elif other >= 0:
                break
            else:
                position = found.items[index].end
            continue
        match = pattern.match(text, position, end)
        if match is not None:
            position = match.end()
        elif text[position] == "{":
            position += 1
        else:
            break
    return position if position > start else min(start + 1, end)


def _closing_quote(text: str, position: int, end: int, quote: str, found: Constructs, by_start: dict[int, int]) -> int:
    """Return where the quote closes, -1 where it does not; quotes inside template constructs do not count."""
    while position < end:
        character = text[position]
        if character == quote:
            return position
        index = by_start.get(position) if character == "{" else None
        position = position + 1 if index is None else found.items[index].end
    return -1


@lru_cache(maxsize=2048)
def _split(value: str, separator: re.Pattern[str]) -> tuple[str, ...]:
    """Split at the separator outside template constructs and outside blocks that are complete inside the value."""
    found = template.constructs(value)
    pieces: list[str] = []
    start = position = 0
    covered: list[tuple[int, int]] = []
    skip = -1
    for index, item in enumerate(found.items):
        if item.start < skip:
            continue
        other = found.partner[index]
        skip = found.items[other].end if other > index else item.end
        covered.append((item.start, skip))
    current = 0
    for match in separator.finditer(value):
        while current < len(covered) and covered[current][1] <= match.start():
            current += 1
        if current < len(covered) and covered[current][0] < match.end():
            continue
        pieces.append(value[start : match.start()])
        start = position = match.end()
    pieces.append(value[max(start, position) :])
    return tuple(pieces)


_SPACES = re.compile(r"\s+", re.ASCII)
_SEMICOLON = re.compile(r";", re.ASCII)


def class_tokens(value: str) -> list[str]:
    """Return the tokens of a class value in order; a token holds its template constructs, blocks with all their content."""
    if "{" not in value:
        return value.split()
    return [token for token in _split(value, _SPACES) if token]


def declarations(value: str) -> list[tuple[str, str]]:
    """Return the declarations of a style value as (property, value), in order; one without a colon has the value empty.

    The property is lower-cased unless it holds a template construct; neither side has white space at its ends.
    """
    found: list[tuple[str, str]] = []
    for piece in _split(value, _SEMICOLON) if "{" in value else value.split(";"):
        bare = piece.strip()
        if not bare:
            continue
        if bare.startswith("{"):
            found.append((bare, ""))
            continue
        name, colon, rest = bare.partition(":")
        found.append((name.strip().lower() if "{" not in name else name.strip(), rest.strip() if colon else ""))
    return found
