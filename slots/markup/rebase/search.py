"""Look a second time for a node that an operation refers to and that the matching left alone.

The matching is strict because a wrong pair is worse than none. Here the question is smaller: is there one, and only one, node
that can have taken the place of this one? Never asked for nodes that an operation takes away.
"""

from slots.markup.address import labels
from slots.markup.rebase.pairing import Pairing
from slots.markup.tree.nodes import Node


def counterpart(pairing: Pairing, node: Node) -> Node | None:
    """Return the only node that can be what became of an unmatched old node: the same key, else the same gap and shape."""
    return _by_key(pairing, node) or _in_gap(pairing, node)


def _by_key(pairing: Pairing, node: Node) -> Node | None:
    key = labels.key(pairing.old, node)
    if not key:
        return None
    old, new = pairing.keys
    found = new.get((node.kind, key), -1)
    if found < 0 or old[node.kind, key] < 0 or pairing.matching.to_left[found] >= 0:
        return None
    return pairing.new.nodes[found]


def _in_gap(pairing: Pairing, node: Node) -> Node | None:
    """Return the only new node of that shape between the neighbours, where the old node was the only one there too."""
    parent = node.parent
    if parent is None:
        return None
    gap = pairing.gap(parent, node.index, node.index + 1)
    if gap is None:
        return None
    found = [each for each in pairing.added(gap) if (each.kind, each.name) == (node.kind, node.name)]
    if len(found) != 1:
        return None
    start, stop = node.index, node.index + 1
    while start > 0 and pairing.partner(parent.kids[start - 1]) is None:
        start -= 1
    while stop < len(parent.kids) and pairing.partner(parent.kids[stop]) is None:
        stop += 1
    rivals = [each for each in parent.kids[start:stop] if (each.kind, each.name) == (node.kind, node.name)]
    return found[0] if len(rivals) == 1 else None
