"""Find elements that a customization leaves open, or closes, where its base does not.

Browsers carry an open `<a>` through the rest of the page, so what a component opens it must close, whichever branches are taken.
A self-closed `<a/>` opens one too: HTML knows no such thing outside of `svg` and `math`. Two ends belong together when they
stand in branches of the same conditions, loops and bindings.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from slots.markup.policy import rules
from slots.markup.tree import Node, Tree, nodes
from slots.markup.tree.scan import VOID_NAMES


class End(NamedTuple):
    """Hold one open or close tag without its partner, and the number of the conditions around it (0: none)."""

    is_open: bool
    branch: int


def changed_ends(base: Tree, tree: Tree) -> Iterator[Node]:
    """Yield one node for each element name whose ends are not those of the base and do not pair."""
    conditions: dict[tuple[int, str], int] = {}
    before = _ends(base, conditions)
    for name, found in _ends(tree, conditions).items():
        ends = [end for end, _ in found]
        if ends != [end for end, _ in before.get(name, [])] and not _pair(name, ends):
            known = Counter(end for end, _ in before.get(name, []))
            yield next((node for end, node in found if not _take(known, end)), found[-1][1])


def _pair(name: str, ends: list[End]) -> bool:
    """Say whether every open tag is followed by its close tag under the same conditions."""
    if name in rules.SELF_CLOSING and all(end.is_open for end in ends):
        return True
    depth: Counter[int] = Counter()
    for end in ends:
        depth[end.branch] += 1 if end.is_open else -1
        if depth[end.branch] < 0:
            return False
    return not any(depth.values())


def _ends(tree: Tree, conditions: dict[tuple[int, str], int]) -> dict[str, list[tuple[End, Node]]]:
    """Return the ends of a source by element name, in order; `conditions` numbers what follows what, and grows."""
    found: dict[str, list[tuple[End, Node]]] = {}
    branches = [0] * len(tree.nodes)
    foreign = [False] * len(tree.nodes)
    for node in tree.nodes:
        branch = inner = branches[node.order]
        if node.kind == nodes.BLOCK and node.name not in rules.SHOWN_ONCE:
            inner = _number(conditions, inner, tree.open(node))
        for kid in node.kids:
            if kid.kind == nodes.SEPARATOR:
                inner = _number(conditions, inner, tree.open(kid))
            branches[kid.order] = inner
            foreign[kid.order] = foreign[node.order] or (node.kind == nodes.ELEMENT and node.name in ("svg", "math"))
        is_solo = node.kind == nodes.ELEMENT and not tree.closing(node) and node.name not in VOID_NAMES
        if node.kind in (nodes.LOOSE, nodes.CLOSE) or (is_solo and not foreign[node.order]):
            end = End(node.kind != nodes.CLOSE, branch)
            found.setdefault(node.name, []).append((end, node))
    return found


def _number(conditions: dict[tuple[int, str], int], around: int, text: str) -> int:
    return conditions.setdefault((around, " ".join(text.split())), len(conditions) + 1)


def _take(known: Counter[End], end: End) -> bool:
    known[end] -= 1
    return known[end] >= 0
