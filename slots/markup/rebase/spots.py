"""Tell where an insertion goes when its gap is no longer one place.

A fragment between two nodes stands after the left one and before the right one. Where upstream put something between the two,
wrapped one of them or moved it, these are two places, and a diff does not say which one is meant. What may decide is in the
edit itself: a blank line on one side, no white space on one side, a comment that heads the node below it. Nothing else does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from slots.markup import ops
from slots.markup.address import resolve
from slots.markup.canonical import BLOCK_LEVEL
from slots.markup.ops import Operation
from slots.markup.rebase.pairing import Pairing
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree

_BLANK: Final = 2  # line ends in white space that holds a blank line
_ENDING: Final = re.compile(r"(?:<!--|\{#)\s*(?:/|end\b|close\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spaces:
    """Hold the white space that the customization sets in the old base, by the order of the node that it stands before.

    `tails` is that before close tags.
    """

    leads: dict[int, str] = field(default_factory=dict)
    tails: dict[int, str] = field(default_factory=dict)

    def before(self, tree: Tree, parent: Node, index: int) -> str:
        """Return the white space before the kid of that index, or before the close tag."""
        if index < len(parent.kids):
            kid = parent.kids[index]
            return self.leads.get(kid.order, tree.lead(kid))
        return self.tails.get(parent.order, tree.tail(parent))


def spaces_of(tree: Tree, operations: Sequence[Operation]) -> Spaces:
    """Return the white space that operations set."""
    found = Spaces()
    for operation in operations:
        if operation.name != ops.SPACE:
            continue
        parent = resolve(tree, operation.address)
        if not isinstance(parent, Node):
            continue
        for index, text in zip(operation.at, operation.payload, strict=True):
            if index == ops.TAIL:
                found.tails[parent.order] = str(text)
            elif index < len(parent.kids):
                found.leads[parent.kids[index].order] = str(text)
    return found


@dataclass(frozen=True, slots=True)
class Spot:
    """Name a place in the new base: beside a node or at an end of it. Two names can be of one place."""

    anchor: Node
    place: str

    @property
    def parent(self) -> Node:
        """Return the node around the place."""
        return self.anchor if self.place in (ops.PREPEND, ops.APPEND) or self.anchor.parent is None else self.anchor.parent

    @property
    def index(self) -> int:
        """Return the index among the parent's kids that the insertion gets."""
        if self.place == ops.PREPEND:
            return 0
        if self.place == ops.APPEND:
            return len(self.anchor.kids)
        return self.anchor.index + (self.place == ops.AFTER)

    def is_same(self, other: "Spot") -> bool:
        """Tell whether two names are of one place."""
        return self.parent is other.parent and self.index == other.index


@dataclass(frozen=True, slots=True)
class Seat:
    """Hold the place of an insertion in the old base: between two kids of a node, None at an end."""

    pairing: Pairing
    parent: Node
    index: int
    text: str
    spaces: Spaces

    @property
    def left(self) -> Node | None:
        """Return the node before."""
        return self.parent.kids[self.index - 1] if self.index else None

    @property
    def right(self) -> Node | None:
        """Return the node behind."""
        return self.parent.kids[self.index] if self.index < len(self.parent.kids) else None

    def spots(self) -> tuple[Spot | None, Spot | None]:
        """Return the place in the new base as the left and as the right neighbour tell it; None where that one is gone.

        At an end of the parent the parent is the neighbour. A neighbour that is gone leaves the word to the other one, unless
        that one left the parent: then the gap that stayed behind speaks for the one that is gone.
        """
        pairing, around = self.pairing, self.pairing.partner(self.parent)
        before, behind = (pairing.partner(node) if node is not None else around for node in (self.left, self.right))
        one = Spot(before, ops.AFTER if self.left is not None else ops.PREPEND) if before is not None else None
        other = Spot(behind, ops.BEFORE if self.right is not None else ops.APPEND) if behind is not None else None
        if around is None or (one is None) is (other is None):
            return one, other
        known = one or other
        gap = pairing.gap(self.parent, self.index, self.index)
        if known is None or gap is None or known.parent is around:
            return one, other
        stayed = Spot(gap.parent.kids[gap.start - 1], ops.AFTER) if gap.start else Spot(gap.parent, ops.PREPEND)
        return (one or stayed), (other or stayed)

    def preferred(self) -> str:
        """Return which neighbour the edit itself ties the fragment to: `left`, `right`, or empty where it does not say."""
        above, below = self.leading, self.spaces.before(self.pairing.old, self.parent, self.index)
        if (above.count("\n") >= _BLANK) is not (below.count("\n") >= _BLANK):
            return "right" if above.count("\n") >= _BLANK else "left"
        if bool(above) is not bool(below):
            return "right" if above else "left"
        left = self.left
        is_heading = left is not None and left.kind == nodes.COMMENT and not _ENDING.match(self.pairing.old.open(left))
        return "right" if is_heading and self.right is not None else ""

    @property
    def leading(self) -> str:
        """Return the white space that the fragment begins with."""
        return self.text[: len(self.text) - len(self.text.lstrip())]

    def is_torn(self, spot: Spot) -> bool:
        """Tell whether upstream put white space that means something where the fragment is joined to both its neighbours.

        Beside block-level elements it means nothing, and at the ends of a parent that is still there it is layout.
        """
        new, parent = self.pairing.new, spot.parent
        if self.leading or self.spaces.before(self.pairing.old, self.parent, self.index):
            return False
        if (self.left is None or self.right is None) and self.pairing.partner(self.parent) is parent:
            return False
        behind = parent.kids[spot.index] if spot.index < len(parent.kids) else None
        if not (new.lead(behind) if behind is not None else new.tail(parent)):
            return False
        if self.right is not None and self.pairing.partner(self.right) is behind and self.pairing.old.lead(self.right):
            return False  # it stood there before: the edit takes it away itself
        beside = [behind or parent, *self.pairing.fragment(self.text, self.parent).kids[-1:]]
        return not any(node.kind in nodes.TAGGED and node.name in BLOCK_LEVEL for node in beside)

    def says_nothing(self, one: Spot, other: Spot) -> bool:
        """Tell whether two places are the same to a reader of the page: only `load` tags lie between, or nothing is shown there.

        What stands outside of blocks in a template that extends another one is not shown.
        """
        if one.parent is not other.parent:
            return False
        kids = one.parent.kids
        if one.parent.parent is None and any(kid.kind == nodes.TAG and kid.name == "extends" for kid in kids):
            return True
        between = kids[min(one.index, other.index) : max(one.index, other.index)]
        return all(kid.kind == nodes.TAG and kid.name == "load" for kid in between)
