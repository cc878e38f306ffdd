"""Prove a list of operations, and make it coarser until it can be proven.

Proven means: the canonical form of `compose(base, operations)` equals that of the customized source, both with and without
the operations on layout; with them the bytes are equal as well. The proof goes the whole way that a configuration goes:
addresses are resolved, nothing is taken from the matching.
"""

from dataclasses import dataclass

from slots.markup import canonical, layout
from slots.markup.compose import compose_both
from slots.markup.layout import Respelling
from slots.markup.match import Matching
from slots.markup.ops import Operation
from slots.markup.tree import Tree
from slots.markup.tree.nodes import Node


@dataclass(frozen=True, slots=True)
class Proof:
    """Hold what composing gave: `exact` says that it is the source; `bare`, that it is its form without layout operations too."""

    exact: bool
    bare: bool

    @property
    def holds(self) -> bool:
        """Say whether everything was as it must be."""
        return self.exact and self.bare


def prove(base: Tree, custom: Tree, operations: list[Operation]) -> Proof:
    """Compose the operations onto the base and compare with the customized source."""
    composed, respellings = compose_both(base, operations)
    exact = composed.source == custom.source and not composed.issues
    return Proof(exact, exact and _is_layout(custom, respellings))


def _is_layout(custom: Tree, respellings: list[Respelling]) -> bool:
    """Say whether the customized source, respelled, has the same canonical form."""
    return layout.is_layout(custom, respellings) or canonical.equal(layout.respell(custom.source, respellings), custom)


def coarsen(matching: Matching, composed: str) -> bool:
    """Take back the matching of the smallest node that holds everything that went wrong; say whether there was one below
    the root.

    What went wrong lies between the first and the last character in which the composition differs from the customized source. The
    node is then written out as a whole by the next script.
    """
    custom = matching.right
    wanted = custom.source
    first = _common(wanted, composed)
    last = max(len(wanted) - _common(wanted[first:][::-1], composed[first:][::-1]), first)
    node = custom.root
    while True:
        inside = next((kid for kid in node.kids if kid.start <= first and last <= kid.end), None)
        if inside is None:
            break
        node = inside
    while node.parent is not None and matching.to_left[node.order] < 0:
        node = node.parent
    if node.parent is None:
        return False
    _unmatch(matching, node)
    return True


def _unmatch(matching: Matching, node: Node) -> None:
    """Free the node and everything in it, and its partner with everything in that."""
    partner = matching.to_left[node.order]
    for order in range(node.order, node.last + 1):
        other = matching.to_left[order]
        if other >= 0:
            matching.to_left[order] = matching.to_right[other] = -1
    for order in range(partner, matching.left.nodes[partner].last + 1):
        other = matching.to_right[order]
        if other >= 0:
            matching.to_right[order] = matching.to_left[other] = -1


def _common(left: str, right: str) -> int:
    """Return the length of the common start, by halving."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
