"""The canonical tree of a page, read from its canonical text only where somebody looks.

A `Shelf`, which both pages of one comparison share, keeps each subtree once, so that equal ones are one object, on both pages,
and comparing them costs nothing. Small subtrees are known by their text and weighed by counting in it; what they consist of is
read when it is asked for. Large ones are put together at once from those inside, so that no long text is cut out at every level:
linear in the page, but for elements nested within a few thousand characters.
"""

import re
from collections.abc import Sequence
from typing import Final

from migration.engine.compare.attributes import Attributes
from migration.engine.compare.limits import OddNames
from migration.engine.compare.markup import COMMENT
from migration.engine.compare.spelling import PAGE, unspelled

TEXT: Final = "#text"

_LARGE: Final = 16_384  # characters
# What does not weigh as other elements do: parsers put a frame around every fragment, and it weighs its attributes only.
_FRAME: Final = frozenset({"html", "head", "body"})
_ATTRIBUTE: Final = re.compile(' ([^=]+)="([^"]*)"')
_FRAME_ENDS: Final = tuple(f"</{name}>" for name in sorted(_FRAME))

_Span = tuple[int, int, "Node | None"]  # where an element begins, where its end tag begins, and what it is if it is large


class Node:
    """Hold an element, a text or a conditional comment; `label` is the tag in lower case, TEXT or COMMENT.

    Equal subtrees of one shelf are the same object. `own` is the weight of the node itself: of an element 1 and 1 for each
    attribute, of a text 1 and 1 for each word. `weight` adds everything below.
    """

    __slots__ = ("_children", "_shelf", "_spelled", "_weight", "attributes", "label", "own", "text")

    def __init__(
        self,
        label: str,
        own: int,
        *,
        attributes: Attributes = (),
        text: str = "",
        weight: int | None = None,
        children: "Sequence[Node] | None" = (),
        spelled: str = "",
        shelf: "Shelf | None" = None,
    ) -> None:
        """Make a node; where it has no children yet, it has a canonical text and a shelf to make them."""
        self.label = label
        self.own = own
        self.attributes = attributes
        self.text = text
        self._weight = weight
        self._children = children
        self._spelled = spelled
        self._shelf = shelf

    @property
    def children(self) -> "Sequence[Node]":
        """Return what stands directly in the element."""
        if self._children is None and self._shelf is not None:
            self._children = self._shelf.inside(self._spelled)
        return self._children or ()

    @property
    def is_large(self) -> bool:
        """Say whether the node is known by what stands in it, not by its text."""
        return self._weight is None and not self._spelled

    @property
    def weight(self) -> int:
        """Return the weight of the subtree."""
        if self._weight is None:
            self._weight = _weight(self._spelled) if self._spelled else _summed(self)
        return self._weight


class Shelf:
    """Keep each canonical subtree once."""

    def __init__(self) -> None:
        """Begin empty."""
        self._texts: dict[str, Node] = {}
        self._small: dict[str, Node] = {}
        self._large: dict[tuple[str | Node, ...], Node] = {}
        self._tags: dict[str, tuple[str, Attributes, int]] = {}

    def page(self, text: str) -> Node:
        """Return the tree of a page.

        Raises:
            OddNames: if its tags are not balanced.
        """
        opened: list[int] = []
        closed: list[_Span] = []  # in the order of their ends; what is in a large element is taken out again
        position = 0
        for piece in text.split("<")[1:]:
            if piece[0] != "/":
                opened.append(position)
            elif opened:
                begin = opened.pop()
                is_large = position - begin > _LARGE and opened and not text.startswith(f"<{COMMENT}>", begin)
                closed.append((begin, position, self._large_node(text, begin, position, closed) if is_large else None))
            else:
                raise OddNames
            position += len(piece) + 1
        if opened or not closed or closed[-1][0]:
            raise OddNames
        _begin, end, _node = closed.pop()
        attributes = self._tag(text)[1]
        children = self._children(text, 0, end, closed)
        return Node(PAGE, 1, attributes=attributes, children=children, weight=_weight(text) - len(attributes))

    def inside(self, spelled: str) -> "list[Node]":
        """Return what stands directly in a small element."""
        closed: list[_Span] = []
        depth = begin = position = 0
        for piece in spelled.split("<")[1:]:
            if piece[0] != "/":
                depth += 1
                if depth == 2:
                    begin = position
            else:
                if depth == 2:
                    closed.append((begin, position, None))
                depth -= 1
            position += len(piece) + 1
        return self._children(spelled, 0, position - len(piece) - 1, closed)

    def _large_node(self, text: str, begin: int, end: int, closed: "list[_Span]") -> Node:
        children = self._children(text, begin, end, closed)
        opening = text[begin : text.index(">", begin) + 1]
        key: tuple[str | Node, ...] = (opening, *children)
        node = self._large.get(key)
        if node is None:
            label, attributes, own = self._tag(opening)
            node = self._large[key] = Node(label, own, attributes=attributes, children=children)
        return node

    def _children(self, text: str, begin: int, end: int, closed: "list[_Span]") -> list[Node]:
        """Take what stands in an element, given where its tags begin, out of `closed`, and return its children."""
        inside: list[_Span] = []
        place = end
        while closed and closed[-1][0] > begin:
            span = closed.pop()
            if span[0] < place:  # else it stands in the one before
                inside.append(span)
                place = span[0]
        position = text.index(">", begin) + 1
        children: list[Node] = []
        for start, stop, node in reversed(inside):
            if start > position:
                children.append(self._text(text[position:start]))
            position = text.index(">", stop) + 1
            children.append(node or self._element(text[start:position]))
        if end > position:
            children.append(self._text(text[position:end]))
        return children

    def _element(self, spelled: str) -> Node:
        node = self._small.get(spelled)
        if node is None:
            opening = spelled[: spelled.index(">") + 1]
            label, attributes, own = self._tag(opening)
            if label == COMMENT:
                node = _text(COMMENT, spelled[len(opening) : spelled.index("</")])
            else:
                node = Node(label, own, attributes=attributes, children=None, spelled=spelled, shelf=self)
            self._small[spelled] = node
        return node

    def _text(self, spelled: str) -> Node:
        node = self._texts.get(spelled)
        if node is None:
            node = self._texts[spelled] = _text(TEXT, spelled)
        return node

    def _tag(self, spelled: str) -> tuple[str, Attributes, int]:
        """Return label, attributes and weight of the tag that begins the text."""
        opening = spelled[1 : spelled.index(">")]
        known = self._tags.get(opening)
        if known is None:
            name, _, rest = opening.partition(" ")
            attributes = tuple((unspelled(key), unspelled(value)) for key, value in _ATTRIBUTE.findall(f" {rest}"))
            known = self._tags[opening] = (unspelled(name), attributes, (name not in _FRAME) + len(attributes))
        return known


def _summed(root: Node) -> int:
    """Return the weight of a large element, whose children are there, without recursion."""
    total = 0
    waiting = [root]
    while waiting:
        node = waiting.pop()
        total += node.own
        for child in node.children:
            if child.is_large:
                waiting.append(child)
            else:
                total += child.weight
    return total


def _text(label: str, spelled: str) -> Node:
    own = 2 + spelled.count(" ") - spelled.startswith(" ") - spelled.endswith(" ") + (spelled == " ")
    return Node(label, own, text=unspelled(spelled), weight=own)


def _weight(spelled: str) -> int:
    """Return the weight of an element, counted in its canonical text."""
    elements = spelled.count("</") - sum([spelled.count(end) for end in _FRAME_ENDS]) - spelled.count(f"<{COMMENT}>")
    texts = spelled.count(">") - spelled.count("><") - 1
    blanks = spelled.count(" ")  # one before each attribute, and those in texts, of which the outer ones part no words
    blanks -= spelled.count("> ") + spelled.count(" <") - spelled.count("> <")
    return elements + 2 * texts + blanks
