"""Count tags that found no partner in their branch: half of something whose other half stands elsewhere, or nowhere."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree
from slots.markup.tree.scan import VOID_NAMES

# Elements whose end tag HTML lets one leave out.
END_MAY_MISS: Final = frozenset("p li option optgroup tr td th tbody thead tfoot colgroup dt dd html head body".split())


def halves(found: Iterable[Node]) -> Counter[str]:
    """Return by name how many more open tags than close tags there are among those nodes that found no partner."""
    counts: Counter[str] = Counter()
    for node in found:
        side = half(node.kind, node.name)
        if side:
            counts[node.name] += side
    return counts


def half(kind: str, name: str) -> int:
    """Return 1 for a node that is an open tag without a partner, -1 for a close tag without one, else 0."""
    if kind == nodes.LOOSE:
        return name not in VOID_NAMES
    return -(kind == nodes.CLOSE or (kind == nodes.TAG and name.startswith("end")))


def are_parted(found: Sequence[Node], tree: Tree) -> bool:
    """Tell whether tags among the nodes, or below them, have their other halves elsewhere in the tree."""
    inside = halves(each for node in found for each in tree.nodes[node.order : node.last + 1])
    if not any(inside.values()):
        return False
    outside = halves(tree.nodes)
    outside.subtract(inside)
    return any(count * outside[name] < 0 for name, count in inside.items() if name not in END_MAY_MISS)
