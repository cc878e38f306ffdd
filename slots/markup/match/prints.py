"""Give labels and subtrees prints, so that nodes of two trees compare without being read again.

Equal prints mean equal text up to the layout of white space. A label is its own print; a subtree with kids is numbered by a
table that both trees share, not hashed, so there are no collisions. Cost: linear in the size of both sources.
"""

from collections.abc import Hashable
from functools import lru_cache
from typing import Final

from slots.markup.address import labels
from slots.markup.tree.nodes import Node, Tree

# Spellings of one template tag; what counts as one name is a declared table, not a guess.
ALIASES: Final = {"trans": "translate", "blocktrans": "blocktranslate"}


def shape(node: Node) -> Hashable:
    """Return kind, name and whether there is a close tag: what one operation on a node leaves as it is."""
    return node.kind, ALIASES.get(node.name, node.name), node.close < node.end


def same_shape(left: Node, right: Node) -> bool:
    """Say whether two nodes have one shape."""
    if left.kind != right.kind or (left.close < left.end) != (right.close < right.end):
        return False
    return left.name == right.name or ALIASES.get(left.name, left.name) == ALIASES.get(right.name, right.name)


@lru_cache(maxsize=8192)
def _label(kind: str, name: str, text: str) -> tuple[str, str]:
    """Return label and identity of a node; bases are matched again and again, so what was read last is remembered."""
    identity = labels.identity_of(kind, name, text) if kind in labels.NAMED else ""
    return f"{kind} {' '.join(text.split())}", identity


class Table:
    """Give each distinct value the next number."""

    def __init__(self, numbers: dict[Hashable, int] | None = None) -> None:
        """Start with the numbers given, else empty."""
        self.numbers: dict[Hashable, int] = {} if numbers is None else numbers

    def number(self, value: Hashable) -> int:
        """Return the number of a value."""
        return self.numbers.setdefault(value, len(self.numbers))

    def copy(self) -> "Table":
        """Return a table that begins with the same numbers."""
        return Table(self.numbers.copy())


class Prints:
    """Hold, by the order of a tree's nodes, label and print of the subtree; and which nodes have an identity.

    `own` holds labels (kind and open text), `subtree` the label of a leaf and a number for anything else. `named` are pairs of
    identity and order, `containers` the nodes with kids, both in document order.
    """

    __slots__ = ("_blocks", "containers", "named", "own", "subtree", "table", "tree")

    def __init__(self, tree: Tree, table: Table) -> None:
        """Read the nodes of one tree."""
        source, number = tree.source, table.number
        own: list[str] = []
        named: list[tuple[str, int]] = []
        for node in tree.nodes:
            label, identity = _label(node.kind, node.name, source[node.head : node.open_end])
            own.append(label)
            if identity:
                named.append((identity, node.order))
        subtree: list[Hashable] = [*own]
        containers = [node for node in tree.nodes if node.kids]
        for node in reversed(containers):
            subtree[node.order] = number((own[node.order], *[subtree[kid.order] for kid in node.kids]))
        self.tree = tree
        self.table = table
        self.own = own
        self.named = named
        self.subtree = subtree
        self.containers = containers
        self._blocks: list[int] | None = None

    @classmethod
    def of(cls, tree: Tree) -> "Prints":
        """Return the prints of a tree by a table of its own; kept in the tree's memo."""
        found = tree.memo.get("prints")
        if not isinstance(found, cls):
            tree.memo["prints"] = found = cls(tree, Table())
        return found

    @property
    def blocks(self) -> list[int]:
        """Return for each node the order of the nearest `block` or `slot` around it, 0 (the root) where there is none."""
        if self._blocks is None:
            self._blocks = self._named_blocks()
        return self._blocks

    def _named_blocks(self) -> list[int]:
        found: list[int] = []
        around = [self.tree.root]
        for identity, order in self.named:
            if identity.startswith("id:"):
                continue
            while around[-1].last < order:
                block = around.pop()
                found += [block.order] * (block.last + 1 - len(found))
            found += [around[-1].order] * (order + 1 - len(found))
            around.append(self.tree.nodes[order])
        for block in reversed(around):
            found += [block.order] * (block.last + 1 - len(found))
        return found
