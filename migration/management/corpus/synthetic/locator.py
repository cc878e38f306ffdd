"""Find the elements of a template source whose extent is beyond doubt.

One regular expression cuts the source into tags, one stack pairs them. An element counts when its end tag stands in the same
branch of the same block and nothing in it crosses a block; whatever is open when something crosses is left out. That loses
elements, which does not matter: a case needs one element that both releases surely share, not all of them. Linear.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())
RAW: Final = frozenset({"script", "style", "textarea", "title"})
SEPARATORS: Final = frozenset({"else", "elif", "empty", "plural"})
# An element without id and class is recognised by its content only where there is enough of it.
TELLING: Final = 12

_TEMPLATE: Final = r"\{%[^\n]*?%\}|\{\{[^\n]*?\}\}|\{\#[^\n]*?\#\}"
_TOKEN: Final = re.compile(
    rf"""
      \{{%\s*(?P<skip>comment|verbatim)\b[^\n]*?%\}}.*?\{{%\s*end(?P=skip)\b[^\n]*?%\}}
    | \{{%\s*(?P<word>\w+)[^\n]*?%\}}
    | \{{\{{[^\n]*?\}}\}} | \{{\#[^\n]*?\#\}}
    | <!--.*?--> | <![^>]*>
    | </(?P<close>[a-zA-Z][\w-]*)\s*>
    | <(?P<open>[a-zA-Z][\w-]*)(?P<attributes>(?:{_TEMPLATE}|"(?:{_TEMPLATE}|[^"])*"|'(?:{_TEMPLATE}|[^'])*'|[^<>"'])*)>
    """,
    re.DOTALL | re.VERBOSE,
)
_PART: Final = re.compile(
    rf"""\{{%\s*(?P<word>\w+)[^\n]*?%\}} | {_TEMPLATE}
    | (?P<name>[^\s=>"'{{/]+)(?:\s*=\s*(?P<quote>["'])(?P<value>(?:{_TEMPLATE}|(?!(?P=quote)).)*)(?P=quote))?""",
    re.DOTALL | re.VERBOSE,
)
_WORD: Final = re.compile(r"[^\W\d_]{3,}")


class Attribute(NamedTuple):
    """Hold an attribute that stands in a tag unconditionally; `start` and `end` bound the value in the source."""

    name: str
    value: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Element:
    """Hold where an element stands: `start:inside` is the open tag, `after:end` the close tag, empty for a void element."""

    name: str
    start: int
    inside: int
    after: int
    end: int
    attributes: tuple[Attribute, ...]
    conditional: frozenset[str]

    @property
    def is_void(self) -> bool:
        """Tell whether the element has no content by its nature."""
        return self.name in VOID

    def attribute(self, name: str) -> Attribute | None:
        """Return the unconditional attribute of that name."""
        return next((each for each in self.attributes if each.name == name), None)


class Identity(NamedTuple):
    """Name what an element is recognised by: `kind` is id, class or content."""

    kind: str
    tag: str
    value: str

    @property
    def is_keyed(self) -> bool:
        """Tell whether the author of the template named the element."""
        return self.kind != "content"


class _Open(NamedTuple):
    """Hold what is not closed yet; a block has no name of an element."""

    element: str
    block: str
    start: int
    inside: int
    attributes: str


def elements(source: str) -> list[Element]:
    """Return the elements whose extent is certain, in the order in which they end."""
    words = {found["word"] for found in _TOKEN.finditer(source) if found["word"]}
    blocks = {word.removeprefix("end") for word in words if word.startswith("end")}
    stack: list[_Open] = []
    found: list[Element] = []
    position = 0
    while token := _TOKEN.search(source, position):
        position = token.end()
        if token["open"]:
            position = _take_open(source, token, stack, found)
        elif token["close"]:
            _take_close(source, token, stack, found)
        elif token["word"]:
            _take_word(token["word"], token.end(), blocks, stack)
    return found


@lru_cache(maxsize=512)
def identify(source: str) -> Mapping[Identity, Element]:
    """Return the elements that one identity leads to, each under the first of id, class and content that is its alone."""
    named = [(list(_identities(source, element)), element) for element in elements(source)]
    # Counted over everything that looks like an open tag, so that an element left out still makes its twin ambiguous.
    counts = Counter(identity for identities, _ in named for identity in identities)
    counts.update(_doubtful(source, {element.start for _, element in named}))
    found: dict[Identity, Element] = {}
    for identities, element in named:
        for identity in identities:
            if counts[identity] == 1:
                found[identity] = element
                break
    return found


def _take_open(source: str, token: re.Match[str], stack: list[_Open], found: list[Element]) -> int:
    name = token["open"].lower()
    opened = _Open(name, "", token.start(), token.end(), token["attributes"])
    if name in VOID or token["attributes"].endswith("/"):
        if name in VOID:
            found.append(_element(opened, token.start("attributes"), token.end(), token.end()))
        return token.end()
    if name in RAW:
        close = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(source, token.end())
        if close is None:
            return token.end()
        found.append(_element(opened, token.start("attributes"), close.start(), close.end()))
        return close.end()
    stack.append(opened)
    return token.end()


def _take_close(source: str, token: re.Match[str], stack: list[_Open], found: list[Element]) -> None:
    name = token["close"].lower()
    for index in range(len(stack) - 1, -1, -1):
        opened = stack[index]
        if opened.block:
            break
        if opened.element == name:
            certain = index == len(stack) - 1
            del stack[index:]
            if certain:
                attributes = opened.start + 1 + len(name)
                found.append(_element(opened, attributes, token.start(), token.end()))
            return
    _doubt(stack)


def _take_word(word: str, position: int, blocks: set[str], stack: list[_Open]) -> None:
    if word in blocks:
        stack.append(_Open("", word, position, position, ""))
        return
    if word in SEPARATORS:
        while stack and not stack[-1].block:
            stack.pop()
            _doubt(stack)
        return
    if not word.startswith("end"):
        return
    name = word.removeprefix("end")
    if not any(opened.block == name for opened in stack):
        return
    while stack.pop().block != name:
        _doubt(stack)


def _doubt(stack: list[_Open]) -> None:
    """Take everything that is open for uncertain: an end tag that comes later may be another's."""
    stack[:] = [opened if opened.block else opened._replace(element="?") for opened in stack]


def _element(opened: _Open, offset: int, after: int, end: int) -> Element:
    attributes: list[Attribute] = []
    conditional: set[str] = set()
    depth = 0
    for part in _PART.finditer(opened.attributes):
        word = part["word"]
        if word and word.startswith("end"):
            depth -= 1
        elif word in ("if", "with", "for", "ifequal", "ifchanged", "spaceless", "autoescape", "block"):
            depth += 1
        elif part["name"] and depth:
            conditional.add(part["name"].lower())
        elif part["name"] and part["quote"]:
            start, stop = offset + part.start("value"), offset + part.end("value")
            attributes.append(Attribute(part["name"].lower(), part["value"], start, stop, part["quote"]))
        elif part["name"]:
            conditional.add(part["name"].lower())
    return Element(opened.element, opened.start, opened.inside, after, end, tuple(attributes), frozenset(conditional))


def _identities(source: str, element: Element) -> Iterator[Identity]:
    yield from _keys(element.name, element.attributes)
    content = source[element.start : element.end] if element.is_void else source[element.inside : element.after]
    content = " ".join(content.split())
    if len(content) >= TELLING and _WORD.search(content):
        yield Identity("content", element.name, content)


def _keys(name: str, attributes: Sequence[Attribute]) -> Iterator[Identity]:
    for attribute in attributes:
        value = " ".join(attribute.value.split())
        if attribute.name in ("id", "class") and value and "{" not in value:
            yield Identity(attribute.name, name, value)


def _doubtful(source: str, certain: set[int]) -> Iterator[Identity]:
    """Yield the keys of open tags that belong to no certain element."""
    for token in _TOKEN.finditer(source):
        if token["open"] and token.start() not in certain:
            name = token["open"].lower()
            opened = _Open(name, "", token.start(), token.end(), token["attributes"])
            element = _element(opened, token.start("attributes"), token.end(), token.end())
            yield from _keys(name, element.attributes)
