"""One pair of versions of a base, matched once and used for every configuration that moves from the one to the other.

All questions about both versions are answered here: where a node went, whether upstream touched it, what upstream put between
two nodes. Labels and subtrees are compared as numbers first; only where those differ are declared respellings looked at, so
the work follows the size of the change.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

from slots.markup.address import labels
from slots.markup.match import Matching, match
from slots.markup.match.prints import Prints, Table
from slots.markup.rebase import named, spelling
from slots.markup.rebase.difference import Difference
from slots.markup.tree.build import DOCUMENT, Context, context_of, parse, parse_piece
from slots.markup.tree.nodes import Node, Tree

# A label shorter than this is too common to recognise something by.
TELLING: Final = 12
# Fragments that a pairing remembers; the operations of one configuration ask for the same ones again.
REMEMBERED: Final = 64
Key = tuple[str, str]  # kind and key of a node


@dataclass(frozen=True, slots=True)
class Gap:
    """Name a run of kids of one node of the new base: those between `before` and `after`, None at an end."""

    parent: Node
    start: int
    stop: int

    @property
    def kids(self) -> list[Node]:
        """Return the nodes in the gap."""
        return self.parent.kids[self.start : self.stop]


class _Row:
    """Hold where the kids of an old node stand among those of its counterpart; made once, as every operation in it asks.

    Where upstream turned the order round, or took long runs away, looking from kid to kid would be quadratic.
    """

    BLOCK: Final = 128

    def __init__(self, places: Sequence[int]) -> None:
        """Take the index of each kid there, -1 where it is not there."""
        self._places = places
        self._before = [-1, *places]
        for index in range(1, len(self._before)):
            if self._before[index] < 0:
                self._before[index] = self._before[index - 1]
        self._most = [max(places[start : start + self.BLOCK]) for start in range(0, len(places), self.BLOCK)]

    def before(self, index: int) -> int:
        """Return where the nearest kid before `index` stands that is there, -1 without one."""
        return self._before[index]

    def after(self, index: int, place: int) -> int:
        """Return where the first kid from `index` on stands that is there behind `place`, -1 without one."""
        places, block = self._places, self.BLOCK
        while index < len(places):
            if index % block == 0 and self._most[index // block] <= place:
                index += block
            elif places[index] > place:
                return places[index]
            else:
                index += 1
        return -1


class _Beside(dict[Hashable, int]):
    """Give values the numbers that a table knows, and all others numbers below zero, without adding to the table.

    So a pairing does not grow with the configurations that it serves. `Prints` asks by `setdefault` alone.
    """

    def __init__(self, known: Mapping[Hashable, int]) -> None:
        super().__init__()
        self._known = known

    def setdefault(self, value: Hashable, default: int = 0, /) -> int:
        number = self._known.get(value)
        return super().setdefault(value, -1 - len(self)) if number is None else number


class Pairing:
    """Hold the trees of two versions of a base and what goes with what."""

    def __init__(self, old: Tree, new: Tree) -> None:
        """Match two trees."""
        self.old = old
        self.new = new
        self.matching: Matching = match(old, new)
        named.prefer(self.matching)
        self.table = self.matching.right_prints.table
        self.old_prints = self.matching.left_prints
        self.new_prints = self.matching.right_prints
        self._fragments: dict[tuple[str, Context], Fragment] = {}
        self._rows: dict[int, _Row] = {}

    def compare(self) -> None:
        """Find out at once what upstream changed, as the guard asks for it whatever the configuration."""
        changed = self.upstream
        _ = changed.tokens, changed.labels, changed.halves, changed.names, self.new_lines

    def partner(self, node: Node) -> Node | None:
        """Return where a node of the old base is in the new one."""
        return self.matching.partner(node)

    def origin(self, node: Node) -> Node | None:
        """Return where a node of the new base was in the old one; None for what upstream added."""
        return self.matching.source(node)

    def is_added(self, node: Node) -> bool:
        """Tell whether upstream added a node of the new base with all that is in it."""
        return self._known_before[node.order] == self._known_before[node.last + 1]

    @cached_property
    def _known_before(self) -> list[int]:
        """Return how many nodes of the new base before each order were in the old one."""
        return [0, *accumulate(old >= 0 for old in self.matching.to_left)]

    @cached_property
    def keys(self) -> tuple[Mapping[Key, int], Mapping[Key, int]]:
        """Return by kind and key the order of the only node that has them, -1 for several, in the old base and in the new one."""
        return _keys(self.old), _keys(self.new)

    def same_label(self, old: Node, new: Node) -> bool:
        """Tell whether upstream left what the node says by itself, or only respelled it."""
        if self.old_prints.own[old.order] == self.new_prints.own[new.order]:
            return True
        return old.kind == new.kind and self.old_label(old) == self.new_label(new)

    def same_subtree(self, old: Node, new: Node) -> bool:
        """Tell whether upstream left the node and all in it, or only respelled it."""
        return same_subtree(self.old, old, self.old_prints, self.new, new, self.new_prints)

    def is_untouched(self, old: Node, new: Node) -> bool:
        """Tell whether upstream left the node and all in it to the character, white space aside."""
        return self.old_prints.subtree[old.order] == self.new_prints.subtree[new.order]

    def old_label(self, node: Node) -> str:
        """Return the label of a node of the old base."""
        return spelling.label(self.old, node)

    def new_label(self, node: Node) -> str:
        """Return the label of a node of the new base."""
        return spelling.label(self.new, node)

    @cached_property
    def upstream(self) -> Difference:
        """Return what upstream made of the old base."""
        return Difference(self.old, self.new)

    @cached_property
    def new_lines(self) -> frozenset[str]:
        """Return the lines that upstream added and that are long enough to tell something, trimmed."""
        return frozenset(line for line, more in self.upstream.lines.items() if more > 0 and is_telling(line))

    @cached_property
    def came(self) -> Counter[str]:
        """Count the labels of nodes that upstream added."""
        return Counter([self.new_label(self.new.nodes[at]) for at, old in enumerate(self.matching.to_left) if old < 0])

    @cached_property
    def gone(self) -> Counter[str]:
        """Count the labels of nodes that upstream removed."""
        return Counter([self.old_label(self.old.nodes[at]) for at, new in enumerate(self.matching.to_right) if new < 0])

    def fragment(self, text: str, parent: Node | None = None) -> "Fragment":
        """Read a piece of source so that its nodes compare with those of both bases; the same text is read once.

        `parent` is the node of either base that it stands in, None for the document: inside `textarea` markup is text.
        """
        known = text, DOCUMENT if parent is None else context_of(parent)
        found = self._fragments.get(known)
        if found is None:
            if len(self._fragments) >= REMEMBERED:
                self._fragments.clear()
            found = self._fragments[known] = Fragment(parse_piece(*known), self.table)
        return found

    def gap(self, parent: Node, start: int, stop: int) -> Gap | None:
        """Return where the kids `start` to `stop` of an old node stood, as a gap of the new base; None without a parent there.

        The gap lies between the nearest siblings on either side that are still kids of the same parent, in the same order.
        """
        new_parent = self.partner(parent)
        if new_parent is None:
            return None
        row = self._row(parent, new_parent)
        left = row.before(start)
        right = row.after(stop, left)
        return Gap(new_parent, left + 1, right if right >= 0 else len(new_parent.kids))

    def _row(self, parent: Node, new_parent: Node) -> _Row:
        row = self._rows.get(parent.order)
        if row is None:
            found = map(self.partner, parent.kids)
            places = [there.index if there is not None and there.parent is new_parent else -1 for there in found]
            row = self._rows[parent.order] = _Row(places)
        return row

    def added(self, gap: Gap) -> list[Node]:
        """Return the nodes in a gap that upstream added."""
        return [kid for kid in gap.kids if self.origin(kid) is None]


def _keys(tree: Tree) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for node in tree.nodes:
        key = labels.key(tree, node)
        if key:
            found[node.kind, key] = -1 if (node.kind, key) in found else node.order
    return found


class Fragment:
    """Hold the tree of a payload."""

    def __init__(self, tree: Tree, table: Table) -> None:
        """Hold a tree; `table` numbers what the bases say."""
        self.tree = tree
        self._table = table

    @cached_property
    def prints(self) -> Prints:
        """Return the numbers of the nodes; what the bases do not say has numbers below zero."""
        return Prints(self.tree, Table(_Beside(self._table.numbers)))

    @property
    def kids(self) -> list[Node]:
        """Return the outermost nodes."""
        return self.tree.root.kids

    def equals(self, node: Node, tree: Tree, other: Node, prints: Prints) -> bool:
        """Tell whether a node of the fragment is the same as a node of a base, respellings aside."""
        return same_subtree(self.tree, node, self.prints, tree, other, prints)


def same_subtree(left_tree: Tree, left: Node, left_prints: Prints, right_tree: Tree, right: Node, right_prints: Prints) -> bool:
    """Compare two subtrees node by node; white space before nodes does not count."""
    if left_prints.subtree[left.order] == right_prints.subtree[right.order]:
        return True
    stack: list[tuple[Node, Node]] = [(left, right)]
    while stack:
        one, other = stack.pop()
        if left_prints.subtree[one.order] == right_prints.subtree[other.order]:
            continue
        if len(one.kids) != len(other.kids) or one.kind != other.kind:
            return False
        if left_prints.own[one.order] != right_prints.own[other.order] and spelling.label(left_tree, one) != spelling.label(
            right_tree, other
        ):
            return False
        stack.extend(zip(one.kids, other.kids, strict=True))
    return True


def outermost(found: Sequence[Node]) -> list[Node]:
    """Return the nodes of one tree that lie in no other of them, in document order."""
    kept: list[Node] = []
    for node in sorted(found, key=lambda node: node.order):
        if not kept or node.order > kept[-1].last:
            kept.append(node)
    return kept


def covering(around: Iterable[Node]) -> Callable[[Node], bool]:
    """Return what tells whether a node is one of these or below one (all of one tree), without looking at each of them."""
    outer = outermost([*around])
    orders = [node.order for node in outer]

    def covers(node: Node) -> bool:
        at = bisect_right(orders, node.order) - 1
        return at >= 0 and node.order <= outer[at].last

    return covers


def without_holes(pairing: Pairing, targets: Iterable[Node], holes: Sequence[Node]) -> list[Node]:
    """Return the old nodes that go away with the targets: all in them but what holes keep, in document order."""
    kept = {hole.order: hole.last for hole in holes}
    removed: list[Node] = []
    for target in outermost(list(targets)):
        order = target.order
        while order <= target.last:
            if order in kept:
                order = kept[order] + 1
            else:
                removed.append(pairing.old.nodes[order])
                order += 1
    return removed


def labels_of(tree: Tree) -> Counter[str]:
    """Count the labels of a tree's nodes, without separators and close tags; kept in its memo."""
    found = tree.memo.get("rebase.labels")
    if not isinstance(found, Counter):
        said = (spelling.label(tree, node) for node in tree.nodes if node.kind not in spelling.SILENT)
        found = tree.memo["rebase.labels"] = Counter(said)
    return found


def is_telling(label: str) -> bool:
    """Tell whether a label is long enough to recognise a node by."""
    return len(label) >= TELLING


def prepare(old: str | Tree, new: str | Tree) -> Pairing:
    """Read, match and compare two versions of a base; the result serves any number of configurations."""
    pairing = Pairing(*[parse(each) if isinstance(each, str) else each for each in (old, new)])
    pairing.compare()
    return pairing
