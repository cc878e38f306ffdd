"""Putting a page together from tokens: start tags, texts, comments, end tags, and elements that hold a text only in one piece.

Tokens are spelled as in canonical XML: void elements have end tags, text is escaped everywhere, `>` stands in no text. What a
run of tokens becomes depends on itself and on whether an element around it keeps white space. So each is worked out once for all
pages that share a vocabulary; what repeats costs a look-up. Linear in the tokens, without recursion.
"""

import re
from collections.abc import Iterable
from html import unescape
from typing import Final

from migration.engine.compare.attributes import Attributes
from migration.engine.compare.page import PAGE, Element, Node, Shelf, contents

MAX_PAGE_NODES: Final = 100_000
MAX_PAGE_DEPTH: Final = 1_000

START: Final = r'<[^\s/>!?]++(?:\s[^\s"=>]++="[^"]*+")*+>'
_START: Final = re.compile(START)
_ATTRIBUTE: Final = re.compile(r'\s([^\s"=>]+)="([^"]*)"')
_NAME_ENDS: Final = re.compile(r"[\s>]")


class Unreadable(Exception):
    """A parser cannot give the whole page; the message is a code, a colon and a sentence."""


class TooManyNodes(Exception):
    """A page has more nodes than the comparison takes."""

    def __init__(self) -> None:
        """Say so with a code."""
        super().__init__(f"LIMIT_EXCEEDED: a page has over {MAX_PAGE_NODES:,} nodes; compare smaller pages.")


class Start:
    """Hold a start tag that waits for its end; `preserving`: white space counts inside; `known`: what tokens mean there."""

    __slots__ = ("element", "end", "known", "preserving")

    def __init__(self, element: Element, end: str, known: "Known", *, preserving: bool) -> None:
        """Take the canonical tag, the token that ends it, and what is known of tokens inside."""
        self.element = element
        self.end = end
        self.known = known
        self.preserving = preserving


Known = dict[str, Start | Node | str]


class Vocabulary:
    """Know what tokens mean, where white space counts (True) and where it does not."""

    def __init__(self, shelf: Shelf) -> None:
        """Take the shelf for the nodes."""
        self._shelf = shelf
        self._known: dict[bool, Known] = {False: {}, True: {}}
        self._made: dict[tuple[Start | Node | str, ...], Node] = {}
        self._masked: dict[str, int] = {}

    def register(self, tag: str, items: Iterable[tuple[str, str]]) -> tuple[str, str]:
        """Return a start and an end token for a tag that cannot be spelled."""
        items = tuple(items)
        start, end = f"< {tag} {items!r}>", f"</ {tag}>"
        for preserving in (False, True):
            self._start(start, tag, end, items, preserving=preserving)
        return start, end

    def read(self, tokens: list[str], kind: Attributes) -> tuple[Node, int]:
        """Return the canonical page and how many values are masked; `kind` is what is to be said of the whole page.

        Raises:
            Unreadable: if the tokens are not balanced, or nested too deeply.
            TooManyNodes: if there are too many nodes.
        """
        top = Start(self._shelf.element(PAGE, ()), "", self._known[False], preserving=False)
        opened = [top]
        begins: list[int] = []
        items: list[Start | Node | str] = []
        known, made = top.known, self._made
        for token in tokens:
            if token[0] != "<":
                items.append(token)
            elif token[1] == "/":
                start = opened.pop()
                if start.end != token:
                    raise Unreadable("PARSER_LIMIT: a tag of the page cannot be read back; check names of tags and attributes.")
                begin = begins.pop()
                content = (start, *items[begin:])
                del items[begin:]
                node = made.get(content)
                if node is None:
                    node = made[content] = self._close(start, content[1:])  # type: ignore[arg-type]  # no start is left there
                items.append(node)
                known = opened[-1].known
            else:
                found = known.get(token)
                if found is None:
                    found = known[token] = self._learn(token, preserving=opened[-1].preserving)
                if found.__class__ is Start:
                    opened.append(found)
                    begins.append(len(items))
                    known = found.known
                else:
                    items.append(found)
                    continue
                if len(opened) > MAX_PAGE_DEPTH:
                    raise Unreadable(f"LIMIT_EXCEEDED: elements are nested deeper than {MAX_PAGE_DEPTH:,}; close them.")
        if len(opened) > 1:
            raise Unreadable("PARSER_LIMIT: a tag of the page is never closed; check names of tags and attributes.")
        root = self._shelf.page(kind, contents(self._shelf, top.element, items, preserving=False))  # type: ignore[arg-type]
        if root.size - 1 > MAX_PAGE_NODES:
            raise TooManyNodes
        masked = self._masked
        return root, sum([masked[token] for token in tokens if token in masked]) if masked else 0

    def _learn(self, token: str, *, preserving: bool) -> Start | Node | str:
        """Return what a token stands for: a start, a whole node, or nothing (an empty text)."""
        if token[1] in "!?":
            return (token.startswith("<!--") and self._shelf.comment(token[4:-3])) or ""
        cut = token.rfind("</")
        begin = token.rfind(">", 0, cut) + 1 if cut > 0 else 0
        if not begin or ('"' in token[cut:] and _START.fullmatch(token)):  # the value of an attribute may hold what ends elements
            return self._opening(token, preserving=preserving)
        opening = token[:begin]
        start = self._known[preserving].get(opening)
        if start.__class__ is not Start:
            start = self._known[preserving][opening] = self._opening(opening, preserving=preserving)
        if token[cut:] != start.end:
            raise Unreadable("PARSER_LIMIT: a tag of the page cannot be read back; check names of tags and attributes.")
        if start.element.masked:
            self._masked[token] = start.element.masked
        return self._close(start, (token[begin:cut],))

    def _opening(self, token: str, *, preserving: bool) -> Start:
        name = token[1 : _NAME_ENDS.search(token).start()]  # type: ignore[union-attr]  # a token ends with `>`
        items = [(key, unescape(value) if "&" in value else value) for key, value in _ATTRIBUTE.findall(token, len(name) + 1)]
        return self._start(token, name, f"</{name}>", items, preserving=preserving)

    def _start(self, token: str, name: str, end: str, items: Iterable[tuple[str, str]], *, preserving: bool) -> Start:
        element = self._shelf.element(name, items)
        inside = preserving or element.preserving
        start = self._known[preserving][token] = Start(element, end, self._known[inside], preserving=inside)
        if element.masked:
            self._masked[token] = element.masked
        return start

    def _close(self, start: Start, items: tuple[Node | str, ...]) -> Node:
        element = start.element
        return self._shelf.branch(element, contents(self._shelf, element, items, preserving=start.preserving))
