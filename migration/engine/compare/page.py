"""The canonical tree of a rendered page.

A reader (`readers.py`) tells a builder what it sees: start tags, text, comments, end tags. The builder brings it into canonical
form in one pass without recursion: white space that no browser shows is dropped, adjacent text is joined. Each node that
closes gets a BLAKE2b digest over its own label and its children's digests, so that equal digests mean equal subtrees.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from html import unescape
from typing import Final, NamedTuple

from migration.engine.compare.attributes import WHITE, Attributes, Mask, canonical_attributes, preserves_white_space

MAX_PAGE_NODES: Final = 100_000

TEXT: Final = "#text"
COMMENT: Final = "#comment"
PAGE: Final = "#page"

DIGEST_BYTES: Final = 16
_RUN: Final = re.compile(f"[{WHITE}]+")
_ATTRIBUTE: Final = re.compile(r'\s([^\s"=>]+)="([^"]*)"')
_CONDITIONAL: Final = re.compile(r"\s*\[(?:if\b|endif\])|.*<!\[endif\]\s*$", re.DOTALL | re.IGNORECASE)
_FRAME: Final = frozenset({"html", "head", "body"})
_PRESERVING: Final = frozenset({"pre", "textarea", "listing", "plaintext", "xmp", "script", "style"})
_DROPS_FIRST_LINE_FEED: Final = frozenset({"pre", "textarea", "listing"})
# White space beside the edges of these shows nothing: they are laid out as blocks, as parts of tables or lists, or not at all.
_BLOCKS: Final = frozenset(
    "address article aside blockquote body br caption center col colgroup dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li listing main menu nav ol optgroup option "
    "p plaintext pre search section summary table tbody td tfoot th thead title tr ul xmp".split()
)
_STAYS_IN_ROWS: Final = frozenset({"tr", "script", "style", "template"})


class TooManyNodes(Exception):
    """A page has more nodes than the comparison takes."""

    def __init__(self) -> None:
        """Say so with a code."""
        super().__init__(f"LIMIT_EXCEEDED: a page has over {MAX_PAGE_NODES:,} nodes; compare smaller pages.")


class Element(NamedTuple):
    """Hold what a start tag says, in canonical form; elements that are spelled alike share one.

    `header` is an unambiguous encoding. `weight` is 1 and 1 for each attribute; the frame of a page, which parsers put around
    every fragment, weighs its attributes only. `block` and `preserving` are about white space.
    """

    tag: str
    attributes: Attributes
    masked: int
    header: bytes
    weight: int
    block: bool
    preserving: bool


class Node:
    """Hold an element, a text or a conditional comment; `label` is the tag in lower case, TEXT or COMMENT.

    `own` is the weight of the node itself: of a text 1 and 1 for each word. `weight` adds everything below.
    """

    __slots__ = ("attributes", "children", "digest", "label", "own", "text", "weight")

    def __init__(self, label: str, attributes: Attributes, text: str, own: int) -> None:
        """Make a node without children."""
        self.label = label
        self.attributes = attributes
        self.text = text
        self.own = self.weight = own
        self.children: list[Node] = []
        self.digest = b""


class Labels:
    """Bring each start tag into canonical form once, however often it occurs."""

    def __init__(self, masks: Sequence[Mask]) -> None:
        """Take the masks."""
        self._masks = masks
        self._parsed: dict[tuple[str, tuple[tuple[str, str], ...]], Element] = {}
        self._spelled: dict[tuple[str, str], Element] = {}

    def parsed(self, tag: str, items: tuple[tuple[str, str], ...]) -> Element:
        """Return the element of a start tag, given its attributes in source order."""
        element = self._parsed.get((tag, items))
        if element is None:
            element = self._parsed[tag, items] = _element(tag.lower(), items, self._masks)
        return element

    def spelled(self, tag: str, attributes: str) -> Element:
        """Return the element of a start tag, given its attributes as ` name="value"` and so on, entities unresolved."""
        element = self._spelled.get((tag, attributes))
        if element is None:
            items = [(name, unescape(value)) for name, value in _ATTRIBUTE.findall(attributes)]
            element = self._spelled[tag, attributes] = self.parsed(tag, tuple(items))
        return element


class Builder:
    """Build the canonical tree of one page; `masked` counts the values that masks replaced."""

    def __init__(self, labels: Labels, kind: Attributes) -> None:
        """Take the labels that this page shares with others, and what is to be said of the whole page."""
        self.labels = labels
        self.masked = 0
        self._open: list[Element] = [_ROOT]
        self._stack = [Node(PAGE, kind, "", 1)]
        self._headers = [_encoded(PAGE, kind)]
        self._preserving = 0  # how many open elements keep white space
        self._text: list[str] = []
        self._at_edge = True  # nothing shown stands between here and the edge of a block
        self._begun = False  # something stands between here and the last start tag
        self._nodes = 0

    def start(self, element: Element) -> None:
        """Take a start tag, as the shared labels have it."""
        if self._text:
            self._end_text(edge=element.block)
        parent = self._open[-1]
        if parent is _IMPLIED_BODY and element.tag not in _STAYS_IN_ROWS:
            self._shut()
        elif element.tag == "tr" and parent.tag == "table":
            self._push(_IMPLIED_BODY)
        self.masked += element.masked
        self._push(element)

    def end(self) -> None:
        """Take the end of the element that was started last and is still open."""
        if self._open[-1] is _IMPLIED_BODY:
            self._shut()
        self._shut()

    def text(self, text: str) -> None:
        """Take a piece of text, entities resolved."""
        self._text.append(text)

    def comment(self, text: str) -> None:
        """Take a comment; all but conditional ones vanish."""
        if _CONDITIONAL.match(text):
            self._end_text(edge=False)
            self._put(COMMENT, text)

    def finish(self) -> Node:
        """Return the root, sealed with its digest."""
        self._end_text(edge=True)
        self._seal()
        return self._stack[0]

    def _push(self, element: Element) -> None:
        self._count()
        self._open.append(element)
        self._preserving += element.preserving
        self._at_edge = element.block
        self._begun = False
        self._add_start(element)

    def _shut(self) -> None:
        element = self._open[-1]
        if self._text:
            self._end_text(edge=element.block)
        self._open.pop()
        self._preserving -= element.preserving
        self._add_end(dropped=not self._begun and element.tag == "head" and not element.attributes)
        self._at_edge = element.block
        self._begun = True

    def _end_text(self, *, edge: bool) -> None:
        """Put the text that was collected; `edge` says that the edge of a block follows."""
        text = self._text[0] if len(self._text) == 1 else "".join(self._text)
        self._text.clear()
        tag = self._open[-1].tag
        if self._preserving:
            if tag in _DROPS_FIRST_LINE_FEED and not self._begun:
                text = text.removeprefix("\n")
        else:
            text = _RUN.sub(" ", text)
            if self._at_edge:
                text = text.removeprefix(" ")
            if edge or tag == "head":
                text = text.removesuffix(" ")
        if text:
            self._put(TEXT, text)

    def _put(self, label: str, text: str) -> None:
        self._count()
        self._at_edge = False
        self._begun = True
        self._add_leaf(label, text)

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_PAGE_NODES:
            raise TooManyNodes

    def _add_start(self, element: Element) -> None:
        node = Node(element.tag, element.attributes, "", element.weight)
        self._stack[-1].children.append(node)
        self._stack.append(node)
        self._headers.append(element.header)

    def _add_end(self, *, dropped: bool) -> None:
        self._seal()
        self._headers.pop()
        node = self._stack.pop()
        if dropped:
            self._stack[-1].children.pop()
        else:
            self._stack[-1].weight += node.weight

    def _add_leaf(self, label: str, text: str) -> None:
        node = Node(label, (), text, 2 + text.strip().count(" "))
        node.digest = blake2b(_encoded(label, text), digest_size=DIGEST_BYTES).digest()
        parent = self._stack[-1]
        parent.children.append(node)
        parent.weight += node.own

    def _seal(self) -> None:
        """Give the innermost open node its digest."""
        node = self._stack[-1]
        digests = [child.digest for child in node.children]
        node.digest = blake2b(b"".join([self._headers[-1], *digests]), digest_size=DIGEST_BYTES).digest()


def _element(tag: str, items: tuple[tuple[str, str], ...], masks: Sequence[Mask]) -> Element:
    attributes, masked = canonical_attributes(tag, items, masks)
    return Element(
        tag=tag,
        attributes=attributes,
        masked=masked,
        header=_encoded(tag, attributes),
        weight=(tag not in _FRAME) + len(attributes),
        block=tag in _BLOCKS,
        preserving=tag in _PRESERVING or preserves_white_space(attributes),
    )


def _encoded(label: str, what: Attributes | str) -> bytes:
    """Return label and content as bytes that begin with their length, so that no two sequences of them are alike."""
    data = f"{label} {what!r}".encode(errors="surrogatepass")
    return b"%d:%b" % (len(data), data)


_ROOT: Final = _element("#page", (), ())._replace(block=True)
_IMPLIED_BODY: Final = _element("tbody", (), ())
