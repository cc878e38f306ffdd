"""Match two trees: identities, identical subtrees, parents by what they share, then kids of matched parents in order.

The steps follow GumTree's simple variant (ICSE 2024, doi 10.1145/3597503.3639148) and XyDiff (ICDE 2002):

1. Identities (declared slots, block names, literal ids) that are unique on both sides, and slots by their former names.
2. Identical subtrees that are unique on both sides, the outermost first.
3. Bottom-up: an unmatched container goes with the container that holds most of its matched content.
4. Top-down: kids of matched parents are aligned in order, by equal content, then equal label, then likeness.
5. Steps 2 to 4 once more among what is left.

Ambiguous twins are matched under matched parents only. A condition or a loop is never matched to another one when its own
head exists on the other side: chains of conditions would otherwise shift along, and that is provable but perverse.
Near-linear: every step looks at a node a bounded number of times; alignments are capped (`sequence`, `MAX_TABLE`).
"""

from collections.abc import Hashable, Iterable, Iterator
from math import log
from typing import Final, TypeVar

from slots.markup.declaration import renamed
from slots.markup.match import sequence
from slots.markup.match.likeness import Likeness
from slots.markup.match.prints import Prints, same_shape, shape
from slots.markup.tree import nodes, parse
from slots.markup.tree.nodes import Node, Tree

MIN_ANCHOR: Final = 12  # characters below which a lone leaf or a head is too small to be recognised away from its parent
LEVELS: Final = 6  # how far up the bottom-up step looks for a counterpart
MAX_TABLE: Final = 400  # largest table of likenesses that is worth filling
SAYING: Final = frozenset(
    {nodes.TEXT, nodes.VARIABLE, nodes.TAG, nodes.RAW}
)  # leaves that one operation can make say something else
MUTE: Final = frozenset({nodes.SEPARATOR, nodes.CLOSE})  # leaves that say nothing away from their parent

_SLOT: Final = "slot:"  # what the identity of a declared slot begins with

_Key = TypeVar("_Key", bound=Hashable)


class Matching:
    """Hold pairs of nodes, one to one; `to_right[a]` is the order of the right node that goes with the left node of order
    a, or -1."""

    __slots__ = ("left", "left_prints", "right", "right_prints", "to_left", "to_right")

    def __init__(self, left_prints: Prints, right_prints: Prints) -> None:
        """Start with the roots matched; the table of the right prints holds the numbers of the left ones."""
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
    """Return the matching of two trees; what it has to know of the left one is kept in that tree's memo."""
    known = Prints.of(left)
    matcher = _Matcher(known, Prints(right, known.table.copy()))
    matcher.run()
    return matcher.found


def ready(source: str) -> Tree:
    """Return the tree of a source that others are to be matched with; what matching has to know of it is found at once."""
    tree = parse(source)
    Prints.of(tree)
    return tree


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
        self.tried: dict[int, int] = {}  # by first kid on the left: how many kids were free when they were aligned last

    def run(self) -> None:
        """Do all steps."""
        if self.left.subtree[0] == self.right.subtree[0]:
            self.to_right[:] = self.to_left[:] = range(len(self.to_right))
            return
        self._identities()
        to_left, to_right = self.to_left, self.to_right
        free_left = [order for order, other in enumerate(to_right) if other < 0]
        free_right = [order for order, other in enumerate(to_left) if other < 0]
        for _ in range(2):
            if not free_left or not free_right:
                return
            self._unique_subtrees(free_left, free_right)
            free_left = [order for order in free_left if to_right[order] < 0]
            free_right = [order for order in free_right if to_left[order] < 0]
            self._parents(free_left)
            self._unique_heads(free_left, free_right)
            self._kids()
            free_left = [order for order in free_left if to_right[order] < 0]
            free_right = [order for order in free_right if to_left[order] < 0]

    def _identities(self) -> None:
        """Match nodes whose identity is unique on both sides; then slots that one side says the other knew by another name."""
        mine, others = _once(self.left.named), _once(self.right.named)
        for name, order in mine.items():
            other = others.get(name, -1)
            if order >= 0 and other >= 0 and same_shape(self.left.tree.nodes[order], self.right.tree.nodes[other]):
                self.found.pair(order, other)
        for left, right in self._renamed(mine, others):
            if self.to_right[left] < 0 and self.to_left[right] < 0:
                self.found.pair(left, right)

    def _renamed(self, mine: dict[str, int], others: dict[str, int]) -> Iterator[tuple[int, int]]:
        """Yield the orders of slots that have another name on the other side, by what that side declares."""
        for name in (name for name in mine if name not in others):
            if mine[name] >= 0 and name.startswith(_SLOT):
                node = renamed(self.right.tree).get(name.removeprefix(_SLOT))
                if node is not None:
                    yield mine[name], node.order
        for name in (name for name in others if name not in mine):
            if others[name] >= 0 and name.startswith(_SLOT):
                node = renamed(self.left.tree).get(name.removeprefix(_SLOT))
                if node is not None:
                    yield node.order, others[name]

    def _unique_subtrees(self, free_left: list[int], free_right: list[int]) -> None:
        """Match whole identical subtrees that occur once among the unmatched nodes of either side, outermost first."""
        left, right = self.left.subtree, self.right.subtree
        holders = _once(zip([left[order] for order in free_left], free_left, strict=True))
        right_nodes = self.right.tree.nodes
        paired = -1  # the last node of the subtree that was paired last
        for number, order in _once(zip([right[order] for order in free_right], free_right, strict=True)).items():
            holder = holders.get(number, -1)
            if holder < 0 or order <= paired:
                continue
            node = right_nodes[order]
            if node.kids:
                self._pair_subtrees(holder, order)
                paired = node.last
            elif node.end - node.head >= MIN_ANCHOR and node.kind not in MUTE and self._same_block(holder, order):
                self.to_right[holder] = order
                self.to_left[order] = holder

    def _same_block(self, left: int, right: int) -> bool:
        """Say whether the named blocks around two leaves go together; `{{ block.super }}` elsewhere is something else."""
        return self.to_right[self.left.blocks[left]] == self.right.blocks[right]

    def _unique_heads(self, free_left: list[int], free_right: list[int]) -> None:
        """Match containers whose open tag occurs once among the unmatched ones of either side."""
        heads = _once(_heads(self.left, free_left, self.to_right))
        if not heads:
            return
        others = _once(_heads(self.right, free_right, self.to_left))
        for number, order in heads.items():
            other = others.get(number, -1)
            if order >= 0 and other >= 0 and self._same_block(order, other):
                self.found.pair(order, other)

    def _pair_subtrees(self, left: int, right: int) -> None:
        """Match two identical subtrees node by node where both are free."""
        to_left, to_right = self.to_left, self.to_right
        for offset in range(self.right.tree.nodes[right].last - right + 1):
            if to_right[left + offset] < 0 and to_left[right + offset] < 0:
                to_right[left + offset] = right + offset
                to_left[right + offset] = left + offset

    def _parents(self, free_left: list[int]) -> None:
        """Match containers by the weight of the matched content that they share, the best pairs of the whole tree first.

        Innermost first would let a small container take the counterpart of the larger one around it.
        """
        to_right = self.to_right
        left_nodes, right_nodes = self.left.tree.nodes, self.right.tree.nodes
        content: dict[int, tuple[int, int]] = {}  # by unmatched left node: matched characters below, where the heaviest went
        offers: list[tuple[float, int, int]] = []
        for order in reversed(free_left):
            kids = left_nodes[order].kids
            if not kids or to_right[order] >= 0:
                continue
            total = heaviest = 0
            image = -1
            votes: dict[int, int] = {}
            for kid in kids:
                other = to_right[kid.order]
                carried, target = (kid.end - kid.head, other) if other >= 0 else content.get(kid.order, (0, -1))
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
            other = self.right.tree.nodes[candidate]
            if self.to_left[candidate] >= 0 or not same_shape(node, other):
                continue
            if not self.likeness.compatible(order, candidate):
                continue
            share = 2 * common / (node.end - node.head + other.end - other.head)
            if self.left.own[order] == self.right.own[candidate]:
                share += 0.2
            if share >= 1 / (1 + log(2 + node.last - node.order + other.last - other.order)):
                found.append((share, order, candidate))
        return found

    def _kids(self) -> None:
        """Align the kids of matched parents, from the root down; a pair made here is visited in the same pass."""
        left_nodes = self.left.tree.nodes
        to_left = self.to_left
        same_last, same_offset = -1, 0  # the identical subtree that was paired last: nothing is left to do in it
        for node in self.right.containers:
            order = node.order
            partner = to_left[order]
            if partner < 0 or (order <= same_last and partner - order == same_offset):
                continue
            kids = left_nodes[partner].kids
            if not kids:
                continue
            if self.left.subtree[partner] == self.right.subtree[order]:
                self._pair_subtrees(partner, order)
                same_last, same_offset = node.last, partner - order
            else:
                self._align(kids, node.kids)

    def _align(self, left: list[Node], right: list[Node]) -> None:
        """Match free kids of one pair of parents in order."""
        to_left, to_right = self.to_left, self.to_right
        images = [to_right[kid.order] for kid in left]
        if -1 not in images:
            return
        sources = [to_left[kid.order] for kid in right]
        if -1 not in sources:
            return
        state = images.count(-1) + sources.count(-1)
        if self.tried.get(left[0].order) == state:  # kids are never freed: it was in vain, and nothing has changed since
            return
        self.tried[left[0].order] = state
        start = 0
        stop_left, stop_right = len(left), len(right)
        while start < stop_left and start < stop_right and self._anchor(left[start], right[start]):
            start += 1
        while stop_left > start and stop_right > start and self._anchor(left[stop_left - 1], right[stop_right - 1]):
            stop_left -= 1
            stop_right -= 1
        if -1 in images[start:stop_left] and -1 in sources[start:stop_right]:
            self._between(left[start:stop_left], right[start:stop_right])

    def _anchor(self, left: Node, right: Node) -> bool:
        """Say whether two kids are a pair, or two free ones with equal content, which then become a pair."""
        a, b = left.order, right.order
        image = self.to_right[a]
        if image >= 0:
            return image == b
        if self.to_left[b] >= 0 or self.left.subtree[a] != self.right.subtree[b]:
            return False
        self._pair_subtrees(a, b)
        return True

    def _between(self, left: list[Node], right: list[Node]) -> None:
        """Match kids that differ at both ends: equal content and pairs first, then what lies between those."""
        if len(left) == len(right) == 1:
            self._one(left[0], right[0])
            return
        to_left, to_right = self.to_left, self.to_right
        a, b = self.left.subtree, self.right.subtree
        left_values = [a[kid.order] if to_right[kid.order] < 0 else -1 - to_right[kid.order] for kid in left]
        right_values = [b[kid.order] if to_left[kid.order] < 0 else -1 - kid.order for kid in right]
        previous_left = previous_right = 0
        for i, j in [*sequence.common(left_values, right_values), (len(left), len(right))]:
            free_left = [kid for kid in left[previous_left:i] if to_right[kid.order] < 0]
            free_right = [kid for kid in right[previous_right:j] if to_left[kid.order] < 0]
            if free_left and free_right:
                self._gap(free_left, free_right)
            if i < len(left) and to_right[left[i].order] < 0:
                self._pair_subtrees(left[i].order, right[j].order)
            previous_left, previous_right = i + 1, j + 1

    def _gap(self, left: list[Node], right: list[Node]) -> None:
        """Match what lies between two anchors: equal labels first, then what is alike enough."""
        if len(left) == len(right) == 1:
            self._one(left[0], right[0])
            return
        a, b = self.left.own, self.right.own
        own = sequence.common([a[kid.order] for kid in left], [b[kid.order] for kid in right])
        previous_left = previous_right = 0
        for i, j in [*own, (len(left), len(right))]:
            if i > previous_left and j > previous_right:
                self._alike(left[previous_left:i], right[previous_right:j])
            if i < len(left):
                self.found.pair(left[i].order, right[j].order)
            previous_left, previous_right = i + 1, j + 1

    def _one(self, left: Node, right: Node) -> None:
        """Match two free nodes that may only go with each other, if at all."""
        same = self.left.own[left.order] == self.right.own[right.order]
        if same or _replaceable(left, right) or self.likeness.of(left, right):
            self.found.pair(left.order, right.order)

    def _alike(self, left: list[Node], right: list[Node]) -> None:
        """Match nodes in order so that the sum of their likenesses is greatest; leaves one by one where their kinds agree."""
        if len(left) == len(right) and all(map(_replaceable, left, right)):
            for a, b in zip(left, right, strict=True):
                self.found.pair(a.order, b.order)
            return
        rows, columns = len(left), len(right)
        if rows * columns > MAX_TABLE:
            self._alike_by_shape(left, right)
            return
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

    def _alike_by_shape(self, left: list[Node], right: list[Node]) -> None:
        """Match long runs by kind and name where the pair is alike; the table would cost too much."""
        shapes = sequence.common([shape(kid) for kid in left], [shape(kid) for kid in right])
        for i, j in shapes:
            if self.likeness.of(left[i], right[j]):
                self.found.pair(left[i].order, right[j].order)


def _replaceable(left: Node, right: Node) -> bool:
    """Say whether two leaves differ in nothing but what they say."""
    return left.kind == right.kind and left.kind in SAYING and not left.kids and not right.kids and same_shape(left, right)


def _once(found: Iterable[tuple[_Key, int]]) -> dict[_Key, int]:
    """Return orders by key, -1 for a key that occurs more than once."""
    orders: dict[_Key, int] = {}
    for key, order in found:
        orders[key] = -1 if key in orders else order
    return orders


def _heads(side: Prints, free: list[int], pairs: list[int]) -> list[tuple[str, int]]:
    """Return label and order of each container that is still unmatched and whose open tag is long enough."""
    known = side.tree.nodes
    return [
        (side.own[order], order)
        for order in free
        if known[order].kids and pairs[order] < 0 and known[order].open_end - known[order].head >= MIN_ANCHOR
    ]
