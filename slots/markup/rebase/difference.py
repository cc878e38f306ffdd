"""What one version of a template says more often than another one, and what less often.

Two versions of one template share almost all nodes. So nodes are counted by kind, name and text, which is one look at each; only
those that one version has more often are cut into tokens, labels and names. What a node says by itself follows from those three,
so the difference is that of full counts. Cost: linear in both sources with a small factor, then the size of the change.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeVar

from slots.markup.address import labels
from slots.markup.rebase import spelling, tokens
from slots.markup.rebase.halves import half
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Tree

Key = tuple[str, str, str]  # kind, name and text of a node
# How much more often something is said, without zeros; less often is below zero. No Counter: that costs more to make.
Changes = Mapping[str, int]
# What a node of that kind, name and text says by itself, without its kids.
Reading = Callable[[str, str, str], Iterable[str]]
_T = TypeVar("_T")
_BLOCK_IN_TAG: Final = re.compile(r"\{%\s*block\s+(\w+)")
_ID_ARGUMENT: Final = re.compile(r"\sid=[\"']([\w-]+)[\"']")


class Difference:
    """Hold how much more often one tree says something than another (below zero: less often).

    What both say as often is left out, so every count here is of one change and small.
    """

    def __init__(self, before: Tree, after: Tree) -> None:
        """Compare two trees, as far as somebody asks."""
        self.before = before
        self.after = after

    @cached_property
    def nodes(self) -> Mapping[Key, int]:
        """Return the difference in nodes, by kind, name and text."""
        return {} if self.before is self.after else _changed(nodes_of(self.before), nodes_of(self.after))

    @cached_property
    def tokens(self) -> Changes:
        """Return the difference in tokens."""
        return summed(self.nodes, tokens.of_text)

    @cached_property
    def labels(self) -> Changes:
        """Return the difference in labels."""
        return summed(self.nodes, label)

    @cached_property
    def halves(self) -> Changes:
        """Return by name the difference in how many more open tags than close tags found no partner."""
        sums: dict[str, int] = {}
        for (kind, name, _), more in self.nodes.items():
            side = half(kind, name)
            if side:
                sums[name] = sums.get(name, 0) + side * more
        return {name: more for name, more in sums.items() if more}

    @cached_property
    def names(self) -> Changes:
        """Return the difference in names that may stand once."""
        return summed(self.nodes, names)

    @cached_property
    def lines(self) -> Changes:
        """Return the difference in lines, trimmed."""
        if self.before is self.after:
            return {}
        sums: dict[str, int] = {}
        for line, more in _changed(_lines(self.before), _lines(self.after)).items():
            bare = line.strip()
            sums[bare] = sums.get(bare, 0) + more
        return {line: more for line, more in sums.items() if more}


def _changed(was: Counter[_T], now: Counter[_T]) -> dict[_T, int]:
    """Return how much more of each thing there is now; sets of items are what Python compares fastest."""
    return {key: now[key] - was[key] for key, _ in was.items() ^ now.items()}


def summed(changed: Mapping[Key, int], reading: Reading) -> Changes:
    """Return what a difference in nodes makes in what a reading finds in them."""
    sums: dict[str, int] = {}
    for key, more in changed.items():
        for text in reading(*key):
            sums[text] = sums.get(text, 0) + more
    return {text: more for text, more in sums.items() if more}


def nodes_of(tree: Tree) -> Counter[Key]:
    """Count the nodes of a tree by kind, name and text; kept in its memo."""
    found: Counter[Key] | None = tree.memo.get("rebase.nodes")
    if found is None:
        source = tree.source
        found = Counter([(node.kind, node.name, source[node.head : node.open_end]) for node in tree.nodes])
        tree.memo["rebase.nodes"] = found
    return found


def _lines(tree: Tree) -> Counter[str]:
    """Count the lines of a source; kept in the tree's memo."""
    found: Counter[str] | None = tree.memo.get("rebase.lines")
    if found is None:
        found = tree.memo["rebase.lines"] = Counter(tree.source.split("\n"))
    return found


def label(kind: str, name: str, text: str) -> Sequence[str]:
    """Return the label of a node that says something by itself: not of separators, close tags and the root."""
    return () if kind in spelling.SILENT else (spelling.label_of(kind, text),)


def names(kind: str, name: str, text: str) -> Sequence[str]:
    """Return names that may stand once: ids, blocks and slots, blocks inside open tags, ids that template tags are given."""
    if kind in nodes.TAGGED:
        found = [f"block:{each}" for each in _BLOCK_IN_TAG.findall(text)] if "{%" in text else []
    elif kind in (nodes.BLOCK, nodes.TAG):
        found = [f"id:{each}" for each in _ID_ARGUMENT.findall(text)] if "id=" in text else []
    else:
        return ()
    identity = labels.identity_of(kind, name, text) if kind in labels.NAMED else ""
    return (*found, identity) if identity else found
