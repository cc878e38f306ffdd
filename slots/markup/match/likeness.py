"""Say how alike two nodes are, in constant time.

Containers are compared by the labels below them; of more than `SKETCH` labels by a sketch, those with the smallest checksums
(bottom-k sampling; Broder, SEQUENCES 1997, doi 10.1109/SEQUEN.1997.666900). Leaves are compared by their words.
"""

import re
from typing import Final
from zlib import crc32

from slots.markup.match.prints import Prints, same_shape
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node

SKETCH: Final = 64
ENOUGH: Final = 0.3  # likeness from which two nodes of one kind may be matched in a gap
RENAMED: Final = 0.55  # shared content from which elements of different names may be
_WORD = re.compile(r"\w+|[^\w\s]")
_NAMED_BLOCKS = frozenset({"block", "slot"})


class Likeness:
    """Compare nodes of a left and a right tree."""

    def __init__(self, left: Prints, right: Prints) -> None:
        """Prepare to compare nodes of two sets of prints."""
        self.left = left
        self.right = right
        self.sketches: tuple[dict[int, frozenset[str]], dict[int, frozenset[str]]] = ({}, {})
        self.words: dict[str, frozenset[str]] = {}  # by label
        self.left_heads: set[str] | None = None
        self.right_heads: set[str] = set()

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
        if not same_shape(left, right):
            return 0.0
        if left.kind in (nodes.SEPARATOR, nodes.CLOSE):
            return 0.0
        if left.kind in nodes.CONTAINERS and not self.compatible(left.order, right.order):
            return 0.0
        alike = self._words(left, right)
        return alike if alike >= ENOUGH else 0.0

    def _containers(self, left: Node, right: Node) -> float:
        """Compare two nodes of which one has kids at least."""
        alike_in_shape = same_shape(left, right)
        if alike_in_shape and not self.compatible(left.order, right.order):
            return 0.0
        a, b = self._sketch(0, left), self._sketch(1, right)
        content = 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
        if not alike_in_shape:
            return content if left.kind == nodes.ELEMENT and content >= RENAMED else 0.0
        alike = 0.5 * content + 0.5 * self._words(left, right)
        return alike if alike >= ENOUGH else 0.0

    def _words(self, left: Node, right: Node) -> float:
        """Return the share of words that the open texts of two nodes have in common."""
        sets: list[frozenset[str]] = []
        for prints, node in ((self.left, left), (self.right, right)):
            own = prints.own[node.order]
            known = self.words.get(own)
            if known is None:
                known = self.words[own] = frozenset(_WORD.findall(prints.tree.open(node)[:400]))
            sets.append(known)
        a, b = sets
        return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0

    def _sketch(self, side: int, node: Node) -> frozenset[str]:
        """Return the sketch of the labels below a node."""
        known = self.sketches[side].get(node.order)
        if known is None:
            prints = self.right if side else self.left
            known = frozenset(prints.own[node.order + 1 : min(node.last, node.order + 512) + 1])
            if len(known) > SKETCH:
                known = frozenset(sorted(known, key=_checksum)[:SKETCH])
            self.sketches[side][node.order] = known
        return known


def _checksum(label: str) -> tuple[int, str]:
    """Return what orders labels by nothing but themselves, so that two trees keep the same ones."""
    return crc32(label.encode("utf-8", "surrogatepass")), label


def _heads(prints: Prints) -> set[str]:
    """Return the labels of all blocks of a tree."""
    return {prints.own[node.order] for node in prints.tree.nodes if node.kind == nodes.BLOCK}
