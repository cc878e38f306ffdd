"""Say how alike two nodes are, in constant time.

Containers are compared by sketches: the smallest numbers of the labels below them under a mixing function, at most `SKETCH`
of each (bottom-k sampling; Broder, SEQUENCES 1997, doi 10.1109/SEQUEN.1997.666900). Leaves are compared by their words.
"""

import re
from typing import Final

from slots.markup.match.prints import Prints
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node

SKETCH: Final = 64
ENOUGH: Final = 0.3  # likeness from which two nodes of one kind may be matched in a gap
RENAMED: Final = 0.55  # shared content from which elements of different names may be
_MIX: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1
_WORD = re.compile(r"\w+|[^\w\s]")
_NAMED_BLOCKS = frozenset({"block", "slot"})


class Likeness:
    """Compare nodes of a left and a right tree."""

    def __init__(self, left: Prints, right: Prints) -> None:
        """Prepare to compare nodes of two sets of prints."""
        self.left = left
        self.right = right
        self.sketches: tuple[dict[int, frozenset[int]], dict[int, frozenset[int]]] = ({}, {})
        self.left_heads: set[int] | None = None
        self.right_heads: set[int] = set()

    def compatible(self, left: int, right: int) -> bool:
        """Say whether nothing forbids to match two nodes of one shape: a head that exists on the other side does."""
        node = self.left.tree.nodes[left]
        if node.kind != nodes.BLOCK or self.left.own[left] == self.right.own[right]:
            return True
        if node.name in _NAMED_BLOCKS:
            return False
        if self.left_heads is None:
            self.left_heads = _heads(self.left)
            self.right_heads = _heads(self.right)
        return self.left.own[left] not in self.right_heads and self.right.own[right] not in self.left_heads

    def of(self, left: Node, right: Node) -> float:
        """Return the likeness from 0 to about 1; 0 means that the two must not be matched."""
        if left.kind != right.kind or (left.close < left.end) != (right.close < right.end):
            return 0.0
        if left.kids or right.kids:
            return self._containers(left, right)
        if self.left.shape[left.order] != self.right.shape[right.order]:
            return 0.0
        if left.kind in (nodes.SEPARATOR, nodes.CLOSE):
            return 0.0
        if left.kind in nodes.CONTAINERS and not self.compatible(left.order, right.order):
            return 0.0
        alike = _words(self.left.tree.open(left), self.right.tree.open(right))
        return alike if alike >= ENOUGH else 0.0

    def _containers(self, left: Node, right: Node) -> float:
        """Compare two nodes of which one has kids at least."""
        same_shape = self.left.shape[left.order] == self.right.shape[right.order]
        if same_shape and not self.compatible(left.order, right.order):
            return 0.0
        a, b = self._sketch(0, left), self._sketch(1, right)
        content = 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
        if not same_shape:
            return content if left.kind == nodes.ELEMENT and content >= RENAMED else 0.0
        alike = 0.5 * content + 0.5 * _words(self.left.tree.open(left), self.right.tree.open(right))
        return alike if alike >= ENOUGH else 0.0

    def _sketch(self, side: int, node: Node) -> frozenset[int]:
        """Return the sketch of the labels below a node."""
        known = self.sketches[side].get(node.order)
        if known is None:
            prints = self.right if side else self.left
            below = set(prints.own[node.order + 1 : min(node.last, node.order + 512) + 1])
            if len(below) > SKETCH:
                below = set(sorted(below, key=_mixed)[:SKETCH])
            known = self.sketches[side][node.order] = frozenset(below)
        return known


def _mixed(number: int) -> int:
    """Return a number that looks unrelated to the given one."""
    return (number * _MIX & _MASK) >> 20


def _heads(prints: Prints) -> set[int]:
    """Return the labels of all blocks of a tree."""
    return {prints.own[node.order] for node in prints.tree.nodes if node.kind == nodes.BLOCK}


def _words(left: str, right: str) -> float:
    """Return the share of words that two short texts have in common."""
    a, b = set(_WORD.findall(left[:400])), set(_WORD.findall(right[:400]))
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
