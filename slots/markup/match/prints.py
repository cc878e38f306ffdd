"""Number labels and subtrees so that nodes of two trees compare as integers.

Equal numbers mean equal text up to the layout of white space; the numbers are made by a shared table, not by hashing, so
that there are no collisions. Cost: linear in the size of both sources.
"""

from collections.abc import Hashable
from typing import Final

from slots.markup.tree import nodes
from slots.markup.tree.nodes import Tree

# Spellings of one template tag; what counts as one name is a declared table, not a guess.
ALIASES: Final = {"trans": "translate", "blocktrans": "blocktranslate"}


class Table:
    """Give each distinct value the next number."""

    def __init__(self, numbers: dict[Hashable, int] | None = None) -> None:
        """Start with the numbers given, else empty."""
        self.numbers: dict[Hashable, int] = {} if numbers is None else numbers

    def number(self, value: Hashable) -> int:
        """Return the number of a value."""
        return self.numbers.setdefault(value, len(self.numbers))


class Prints:
    """Hold, by the order of a tree's nodes: own label, subtree, shape and weight.

    The shape is kind, name and whether there is a close tag; the weight counts characters without the lead.
    """

    __slots__ = ("own", "shape", "subtree", "table", "tree", "weight")

    def __init__(self, tree: Tree, table: Table) -> None:
        """Number the nodes of one tree."""
        source = tree.source
        number = table.number
        count = len(tree.nodes)
        self.tree = tree
        self.table = table
        self.own: list[int] = [0] * count
        self.subtree: list[int] = [0] * count
        self.shape: list[int] = [0] * count
        self.weight: list[int] = [node.end - node.head for node in tree.nodes]
        own, subtree, shape = self.own, self.subtree, self.shape
        for node in reversed(tree.nodes):
            order, kind, name, kids = node.order, node.kind, node.name, node.kids
            closed = node.close < node.end
            text = " ".join(source[node.head : node.open_end].split())
            own[order] = label = number((kind, text))
            shape[order] = number((kind, ALIASES.get(name, name), closed))
            content = (label, *[subtree[kid.order] for kid in kids]) if kids else (label, closed)
            subtree[order] = number(content)
        shape[0] = own[0] = table.number(nodes.ROOT)
