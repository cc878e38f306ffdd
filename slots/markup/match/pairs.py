"""Match two trees: identities, identical subtrees, parents by what they share, then kids of matched parents in order.

The steps follow GumTree's simple variant (ICSE 2024, doi 10.1145/3597503.3639148) and XyDiff (ICDE 2002):

1. Identities (declared slots, block names, literal ids) that are unique on both sides.
2. Identical subtrees that are unique on both sides, the outermost first.
3. Bottom-up: an unmatched container goes with the container that holds most of its matched content.
4. Top-down: kids of matched parents are aligned in order, by equal content, then equal label, then likeness.
5. Steps 2 to 4 once more among what is left.

Ambiguous twins are matched under matched parents only. A condition or a loop is never matched to another one when its own
head exists on the other side: chains of conditions would otherwise shift along, and that is provable but perverse.
Near-linear: every step looks at a node a bounded number of times; alignments are capped (`sequence`, `MAX_TABLE`).
"""

from collections import Counter
from math import log
from typing import Final

from slots.markup.address import labels
from slots.markup.match import sequence
from slots.markup.match.likeness import Likeness
from slots.markup.match.prints import Prints, Table
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree

MIN_ANCHOR: Final = 12  # characters below which a lone leaf or a head is too small to be recognised away from its parent
LEVELS: Final = 6  # how far up the bottom-up step looks for a counterpart
MAX_TABLE: Final = 400  # largest table of likenesses that is worth filling
SAYING: Final = frozenset(
    {nodes.TEXT, nodes.VARIABLE, nodes.TAG, nodes.RAW}
)  # leaves that one operation can make say something else


class Matching:
    """Hold pairs of nodes, one to one; `to_right[a]` is the order of the right node that goes with the left node of order
    a, or -1."""

    __slots__ = ("left", "left_prints", "right", "right_prints", "to_left", "to_right")

    def __init__(self, left_prints: Prints, right_prints: Prints) -> None:
        """Start with the roots matched; the prints are numbered by one table."""
        self.left_prints = left_prints
        self.right_prints = right_prints
        self.left = left = left_prints.tree
        self.right = right = right_prints.tree
        self.to_right = [-1] * len(left.nodes)
        self.to_left = [-1] * len(right.nodes)
        self.pair(0, 0)

    def pair(self, left: int, right: int) -> None:
        """Match two nodes by their orders; both must be free."""
        self.to_right[left] = right
        self.to_left[right] = left

    def partner(self, node: Node) -> Node | None:
        """Return the right node that goes with a left node."""
        order = self.to_right[node.order]
        return self.right.nodes[order] if order >= 0 else None

    def source(self, node: Node) -> Node | None:
        """Return the left node that goes with a right node."""
        order = self.to_left[node.order]
        return self.left.nodes[order] if order >= 0 else None


def match(left: Tree, right: Tree) -> Matching:
    """Return the matching of two trees."""
    table = Table()
    matcher = _Matcher(Prints(left, table), Prints(right, table))
    matcher.run()
    return matcher.found


class _Matcher:
    """Carry the state of one matching from step to step."""

    def __init__(self, left: Prints, right: Prints) -> None:
        """Prepare to match the trees of two sets of prints."""
        self.left = left
        self.right = right
        self.found = Matching(left, right)
        self.to_right = self.found.to_right
        self.to_left = self.found.to_left
        self.likeness = Likeness(left, right)
        self.blocks = (_named_blocks(left.tree), _named_blocks(right.tree))

    def run(self) -> None:
        """Do all steps."""
        if self.left.subtree[0] == self.right.subtree[0]:
            for order in range(1, len(self.to_right)):
                self.found.pair(order, order)
            return
        self._identities()
        for _ in range(2):
            if -1 not in self.to_right or -1 not in self.to_left:
                return
            self._unique_subtrees()
            self._parents()
            self._unique_heads()
            self._kids()

    def _identities(self) -> None:
        """Match nodes whose identity is unique on both sides."""
        left, right = (_unique_identities(side.tree) for side in (self.left, self.right))
        for name, node in left.items():
            other = right.get(name)
            if node is not None and other is not None and self.left.shape[node.order] == self.right.shape[other.order]:
                self.found.pair(node.order, other.order)

    def _unique_subtrees(self) -> None:
        """Match whole identical subtrees that occur once among the unmatched nodes of either side, outermost first."""
        holders = _single(self.left.subtree, self.to_right)
        right_nodes = self.right.tree.nodes
        weight = self.right.weight
        paired = -1  # the last node of the subtree that was paired last
        for number, order in _single(self.right.subtree, self.to_left).items():
            holder = holders.get(number)
            if holder is None or order <= paired:
                continue
            node = right_nodes[order]
            if node.kind not in (nodes.SEPARATOR, nodes.CLOSE) and (
                node.kids or (weight[order] >= MIN_ANCHOR and self._same_block(holder, order))
            ):
                self._pair_subtrees(holder, order)
                paired = node.last

    def _same_block(self, left: int, right: int) -> bool:
        """Say whether the named blocks around two leaves go together; `{{ block.super }}` elsewhere is something else."""
        around, other = self.blocks[0][left], self.blocks[1][right]
        return self.to_right[around] == other

    def _unique_heads(self) -> None:
        """Match containers whose open tag occurs once among the unmatched ones of either side."""
        heads = tuple(self._free_heads(side, pairs) for side, pairs in ((self.left, self.to_right), (self.right, self.to_left)))
        for number, order in heads[0].items():
            other = heads[1].get(number, -1)
            if order >= 0 and other >= 0 and self._same_block(order, other):
                self.found.pair(order, other)

    def _free_heads(self, side: Prints, pairs: list[int]) -> dict[int, int]:
        """Return the unmatched containers by the number of their open tag; -1 for one that occurs more than once."""
        found: dict[int, int] = {}
        for node, other in zip(side.tree.nodes, pairs, strict=True):
            if other < 0 and node.kids and node.open_end - node.head >= MIN_ANCHOR:
                number = side.own[node.order]
                found[number] = -1 if number in found else node.order
        return found

    def _pair_subtrees(self, left: int, right: int) -> None:
        """Match two identical subtrees node by node where both are free."""
        to_left, to_right = self.to_left, self.to_right
        for offset in range(self.right.tree.nodes[right].last - right + 1):
            if to_right[left + offset] < 0 and to_left[right + offset] < 0:
                to_right[left + offset] = right + offset
                to_left[right + offset] = left + offset

    def _parents(self) -> None:
        """Match containers by the weight of the matched content that they share, the best pairs of the whole tree first.

        Innermost first would let a small container take the counterpart of the larger one around it.
        """
        to_right = self.to_right
        right_nodes = self.right.tree.nodes
        weight = self.left.weight
        content: dict[int, tuple[int, int]] = {}  # by unmatched left node: matched characters below, where the heaviest went
        offers: list[tuple[float, int, int]] = []
        for order in range(len(to_right) - 1, -1, -1):
            kids = self.left.tree.nodes[order].kids
            if not kids or to_right[order] >= 0:
                continue
            total = heaviest = 0
            image = -1
            votes: dict[int, int] = {}
            for kid in kids:
                other = to_right[kid.order]
                carried, target = (weight[kid.order], other) if other >= 0 else content.get(kid.order, (0, -1))
                if not carried:
                    continue
                total += carried
                if carried > heaviest:
                    heaviest, image = carried, target
                up = right_nodes[target].parent
                for _ in range(LEVELS):
                    if up is None or up.parent is None:
                        break
                    votes[up.order] = votes.get(up.order, 0) + carried
                    up = up.parent
            if total:
                content[order] = (total, image)
                offers.extend(self._offers(order, votes))
        offers.sort(reverse=True)
        for _, left, right in offers:
            if to_right[left] < 0 and self.to_left[right] < 0:
                self.found.pair(left, right)

    def _offers(self, order: int, votes: dict[int, int]) -> list[tuple[float, int, int]]:
        """Return the free right containers that could go with a left one, with the share of content in common."""
        node = self.left.tree.nodes[order]
        found: list[tuple[float, int, int]] = []
        for candidate, common in votes.items():
            if self.to_left[candidate] >= 0 or self.right.shape[candidate] != self.left.shape[order]:
                continue
            if not self.likeness.compatible(order, candidate):
                continue
            other = self.right.tree.nodes[candidate]
            share = 2 * common / (self.left.weight[order] + self.right.weight[candidate])
            if self.left.own[order] == self.right.own[candidate]:
                share += 0.2
            if share >= 1 / (1 + log(2 + node.last - node.order + other.last - other.order)):
                found.append((share, order, candidate))
        return found

    def _kids(self) -> None:
        """Align the kids of matched parents, from the root down, until no new pair appears."""
        left_nodes = self.left.tree.nodes
        to_left = self.to_left
        same_last, same_offset = -1, 0  # the identical subtree that was paired last: nothing is left to do in it
        for order, node in enumerate(self.right.tree.nodes):  # document order: a pair made here is visited in the same pass
            partner = to_left[order]
            if partner < 0 or not node.kids or (order <= same_last and partner - order == same_offset):
                continue
            kids = left_nodes[partner].kids
            if kids and self.left.subtree[partner] != self.right.subtree[order]:
                self._align(kids, node.kids)
            elif kids:
                self._pair_subtrees(partner, order)
                same_last, same_offset = node.last, partner - order

    def _align(self, left: list[Node], right: list[Node]) -> None:
        """Match free kids of one pair of parents in order."""
        to_left, to_right = self.to_left, self.to_right
        if all(to_right[kid.order] >= 0 for kid in left) or all(to_left[kid.order] >= 0 for kid in right):
            return
        parent = right[0].parent
        left_values = [
            self.left.subtree[kid.order] * 2
            if to_right[kid.order] < 0
            else to_right[kid.order] * 2 + 1
            if self.right.tree.nodes[to_right[kid.order]].parent is parent
            else -1
            for kid in left
        ]
        right_values = [self.right.subtree[kid.order] * 2 if to_left[kid.order] < 0 else kid.order * 2 + 1 for kid in right]
        anchors = sequence.common(left_values, right_values)
        for i, j in anchors:
            if to_right[left[i].order] < 0:
                self._pair_subtrees(left[i].order, right[j].order)
        previous_left = previous_right = 0
        for i, j in [*anchors, (len(left), len(right))]:
            if i > previous_left and j > previous_right:
                free_left = [kid for kid in left[previous_left:i] if to_right[kid.order] < 0]
                free_right = [kid for kid in right[previous_right:j] if to_left[kid.order] < 0]
                if free_left and free_right:
                    self._gap(free_left, free_right)
            previous_left, previous_right = i + 1, j + 1

    def _gap(self, left: list[Node], right: list[Node]) -> None:
        """Match what lies between two anchors: equal labels first, then what is alike enough."""
        own = sequence.common([self.left.own[kid.order] for kid in left], [self.right.own[kid.order] for kid in right])
        previous_left = previous_right = 0
        for i, j in [*own, (len(left), len(right))]:
            if i > previous_left and j > previous_right:
                self._alike(left[previous_left:i], right[previous_right:j])
            if i < len(left):
                self.found.pair(left[i].order, right[j].order)
            previous_left, previous_right = i + 1, j + 1

    def _alike(self, left: list[Node], right: list[Node]) -> None:
        """Match nodes in order so that the sum of their likenesses is greatest; leaves one by one where their kinds agree."""
        if len(left) == len(right) and all(self._replaceable(a, b) for a, b in zip(left, right, strict=True)):
            for a, b in zip(left, right, strict=True):
                self.found.pair(a.order, b.order)
            return
        if len(left) * len(right) > MAX_TABLE:
            self._alike_by_shape(left, right)
            return
        rows, columns = len(left), len(right)
        score = [[0.0] * (columns + 1) for _ in range(rows + 1)]
        value = [[0.0] * columns for _ in range(rows)]
        for i in range(rows - 1, -1, -1):
            row, below, values = score[i], score[i + 1], value[i]
            for j in range(columns - 1, -1, -1):
                values[j] = alike = self.likeness.of(left[i], right[j])
                row[j] = max(below[j], row[j + 1], below[j + 1] + alike if alike else 0.0)
        i = j = 0
        while i < rows and j < columns:
            alike = value[i][j]
            if alike and score[i][j] == score[i + 1][j + 1] + alike:
                self.found.pair(left[i].order, right[j].order)
                i += 1
                j += 1
            elif score[i][j] == score[i + 1][j]:
                i += 1
            else:
                j += 1

    def _replaceable(self, left: Node, right: Node) -> bool:
        """Say whether two leaves differ in nothing but what they say."""
        return (
            left.kind in SAYING
            and not left.kids
            and not right.kids
            and self.left.shape[left.order] == self.right.shape[right.order]
        )

    def _alike_by_shape(self, left: list[Node], right: list[Node]) -> None:
        """Match long runs by kind and name where the pair is alike; the table would cost too much."""
        shapes = sequence.common([self.left.shape[kid.order] for kid in left], [self.right.shape[kid.order] for kid in right])
        for i, j in shapes:
            if self.likeness.of(left[i], right[j]):
                self.found.pair(left[i].order, right[j].order)


def _single(numbers: list[int], pairs: list[int]) -> dict[int, int]:
    """Return the orders of the unmatched nodes whose number occurs once among them, by number, in document order."""
    free = [order for order, other in enumerate(pairs) if other < 0]
    counts = Counter([numbers[order] for order in free])
    return {numbers[order]: order for order in free if counts[numbers[order]] == 1}


def _named_blocks(tree: Tree) -> list[int]:
    """Return for each node the order of the nearest `block` or `slot` around it, 0 (the root) where there is none."""
    found = [0] * len(tree.nodes)
    for node in tree.nodes:
        parent = node.parent
        if parent is not None:
            named = parent.kind == nodes.BLOCK and parent.name in ("block", labels.DECLARING)
            found[node.order] = parent.order if named else found[parent.order]
    return found


def _unique_identities(tree: Tree) -> dict[str, Node | None]:
    """Return the nodes by identity; None for one that occurs more than once."""
    found: dict[str, Node | None] = {}
    for node in tree.nodes:
        if node.kind in (nodes.BLOCK, nodes.ELEMENT, nodes.LOOSE):
            name = labels.identity(tree, node)
            if name:
                found[name] = None if name in found else node
    return found
