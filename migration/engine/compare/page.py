"""The canonical tree of a rendered page.

A `Node` is a canonical subtree. A `Shelf`, which all pages of one comparison share, keeps each subtree once, so that equal ones
are one object, on both pages, and comparing them costs nothing. Children are put together by `Contents`: white space that no
browser shows is dropped, adjacent text is joined. Digests are BLAKE2b over an unambiguous encoding, from the leaves up.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from html import unescape
from typing import Final, NamedTuple

from migration.engine.compare.attributes import WHITE, Attributes, Mask, canonical_attributes, preserves_white_space

TEXT: Final = "#text"
COMMENT: Final = "#comment"
PAGE: Final = "#page"

DIGEST_BYTES: Final = 16
_SPELT_OUT: Final = 2_048  # bytes; a longer encoding is replaced by its hash, so that the work stays linear in the page
_HASH_BYTES: Final = 32
_RUN: Final = re.compile(f"[{WHITE}]+")
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


class Element(NamedTuple):
    """Hold what a start tag says, in canonical form.

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

    Equal subtrees of one shelf are the same object. `own` is the weight of the node itself: of a text 1 and 1 for each word.
    `weight` adds everything below, `size` counts the nodes. `encoded` says what the subtree is, at length or as a hash.
    """

    __slots__ = ("attributes", "block", "children", "encoded", "label", "own", "size", "text", "weight")

    def __init__(
        self,
        label: str,
        attributes: Attributes,
        text: str,
        own: int,
        encoded: bytes,
        children: Sequence["Node"],
        block: bool,
    ) -> None:
        """Make a node above its children; `block` says that white space beside it shows nothing."""
        self.label = label
        self.attributes = attributes
        self.text = text
        self.encoded = encoded
        self.children = children
        self.block = block
        self.own = self.weight = own
        self.size = 1
        for child in children:
            self.weight += child.weight
            self.size += child.size

    @property
    def digest(self) -> bytes:
        """Return the digest of the subtree."""
        return blake2b(self.encoded, digest_size=DIGEST_BYTES).digest()


class Shelf:
    """Keep each canonical subtree once."""

    def __init__(self, masks: Sequence[Mask]) -> None:
        """Take the masks."""
        self._masks = masks
        self._elements: dict[bytes, Node] = {}
        self._texts: dict[str, Node] = {}
        self._comments: dict[str, Node] = {}

    def element(self, tag: str, items: Iterable[tuple[str, str]]) -> Element:
        """Return a start tag in canonical form, given its attributes in source order, entities resolved."""
        return _element(tag.lower(), items, self._masks)

    def text(self, text: str) -> Node:
        """Return a text."""
        node = self._texts.get(text)
        if node is None:
            own = 2 + text.strip().count(" ")
            node = self._texts[text] = Node(TEXT, (), text, own, _encoded(f"{TEXT} {text}"), (), False)
        return node

    def comment(self, text: str) -> Node | None:
        """Return a conditional comment; all others vanish."""
        if not _CONDITIONAL.match(text):
            return None
        if text not in self._comments:
            own = 2 + text.strip().count(" ")
            self._comments[text] = Node(COMMENT, (), text, own, _encoded(f"{COMMENT} {text}"), (), False)
        return self._comments[text]

    def branch(self, element: Element, children: list[Node]) -> Node:
        """Return an element with its children."""
        encoded = b"%b%b)" % (element.header, b"".join([child.encoded for child in children]))
        if len(encoded) > _SPELT_OUT:
            encoded = b"#" + blake2b(encoded, digest_size=_HASH_BYTES).digest()
        node = self._elements.get(encoded)
        if node is None:
            tag, attributes, _masked, _header, weight, block, _preserving = element
            node = self._elements[encoded] = Node(tag, attributes, "", weight, encoded, children, block)
        return node

    def page(self, kind: Attributes, children: list[Node]) -> Node:
        """Return the root of a page, given what is to be said of the whole page."""
        root = _element(PAGE, (), ())._replace(attributes=kind, header=_header(PAGE, kind), weight=1)
        return self.branch(root, children)


def contents(shelf: Shelf, element: Element, items: Sequence[str | Node], *, preserving: bool) -> list[Node]:
    """Return the canonical children of an element.

    `items` are nodes and pieces of text, entities unresolved; `preserving` says that the element or one around it keeps white
    space.
    """
    if len(items) == 1 and isinstance(items[0], str):
        edge = element.block
        text = _shown(element, items[0], preserving=preserving, at_edge=edge, edge=edge, begun=False)
        return [shelf.text(text)] if text else []
    children: list[Node] = []
    rows: list[Node] | None = None  # what stands in a <tbody> that nobody wrote
    pieces = ""
    at_edge = element.block  # nothing shown stands between here and the edge of a block
    begun = False  # something stands between here and the start tag
    for item in (*items, None):
        if isinstance(item, str):
            pieces += item
            continue
        edge = element.block if item is None else item.block
        if pieces and edge and at_edge and not preserving and not pieces.strip(WHITE):
            pieces = ""
        if pieces:
            text = _shown(
                element if rows is None else IMPLIED_BODY, pieces, preserving=preserving, at_edge=at_edge, edge=edge, begun=begun
            )
            pieces = ""
            if text:
                (children if rows is None else rows).append(shelf.text(text))
                at_edge, begun = False, True
        if item is None:
            break
        is_element = item.label != COMMENT
        if rows is not None and is_element and item.label not in _STAYS_IN_ROWS:
            children.append(shelf.branch(IMPLIED_BODY, rows))
            rows = None
        elif rows is None and item.label == "tr" and element.tag == "table":
            rows = []
        if item.label != "head" or item.children or item.attributes:  # an empty one is added by parsers and says nothing
            (children if rows is None else rows).append(item)
        at_edge, begun = item.block, True
    if rows is not None:
        children.append(shelf.branch(IMPLIED_BODY, rows))
    return children


def _shown(element: Element, text: str, *, preserving: bool, at_edge: bool, edge: bool, begun: bool) -> str:
    """Return a text as its element shows it; an edge of a block may stand before it and after it."""
    if "&" in text:
        text = unescape(text)
    if preserving:
        return text.removeprefix("\n") if element.tag in _DROPS_FIRST_LINE_FEED and not begun else text
    if "  " in text or not text.isprintable():
        text = _RUN.sub(" ", text)
    if at_edge:
        text = text.removeprefix(" ")
    if edge or element.tag == "head":
        text = text.removesuffix(" ")
    return text


def _element(tag: str, items: Iterable[tuple[str, str]], masks: Sequence[Mask]) -> Element:
    attributes, masked = canonical_attributes(tag, items, masks) if items else ((), 0)
    return Element(
        tag=tag,
        attributes=attributes,
        masked=masked,
        header=_header(tag, attributes),
        weight=(tag not in _FRAME) + len(attributes),
        block=tag in _BLOCKS or tag == PAGE,
        preserving=tag in _PRESERVING or preserves_white_space(attributes),
    )


def _header(tag: str, attributes: Attributes) -> bytes:
    return b"(" + _encoded(f"{tag} {attributes!r}" if attributes else tag)


def _encoded(what: str) -> bytes:
    """Return a text as bytes that begin with their length, so that no two sequences of them are alike."""
    data = what.encode(errors="surrogatepass")
    return b"%d:%b" % (len(data), data)


IMPLIED_BODY: Final = _element("tbody", (), ())
