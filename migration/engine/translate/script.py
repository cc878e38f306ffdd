"""Turn a matching of base and customized tree into operations.

Two passes. The first walks over pairs of matched nodes from the roots down and cuts the kids of each pair into what stays
(a longest rising run), and gaps between: nodes of the base that go, nodes of the customized tree that come. What comes is
written out as a fragment; base nodes that were matched to something inside it become holes, and the walk goes on inside
them. Only then is it known which nodes fill holes, so the second pass makes the operations (after Chawathe et al., SIGMOD
1996, doi 10.1145/235968.233366, with a move as one operation).
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from migration.engine.translate import labels
from migration.engine.translate.hunks import Hunks
from migration.engine.translate.maker import Maker
from slots.markup import canonical, ops
from slots.markup.address import Address, describe, outline
from slots.markup.layout import covered
from slots.markup.match import Matching
from slots.markup.match.sequence import rising
from slots.markup.ops import Hole, Operation
from slots.markup.tree.nodes import Node, Tree

MIN_HOLE: Final = 10  # characters of the base below which a fragment spells a node out instead of keeping it as a hole


@dataclass(slots=True)
class Gap:
    """Hold one place where kids of a matched pair go or come; `left` and `right` are the kept base kids around it."""

    parent: Node
    left: Node | None
    right: Node | None
    gone: list[Node]
    come: list[Node]
    pieces: list[str | Node] = field(default_factory=list)


@dataclass(slots=True)
class Pair:
    """Hold two matched nodes whose labels and white space are compared, and the pairs of their kids that stay."""

    base: Node
    custom: Node
    stay: list[tuple[Node, Node]]


class Script:
    """Make the operations that turn the left tree of a matching into the right one."""

    def __init__(self, matching: Matching, hunks: Hunks | None = None) -> None:
        """Prepare; nothing is computed yet."""
        self.matching = matching
        self.base = matching.left
        self.custom = matching.right
        self.maker = Maker(matching.left, matching.right, hunks)
        self.gaps: list[Gap] = []
        self.pairs: list[Pair] = []
        self.holes: set[int] = set()
        self.operations: list[Operation] = []

    def write(self) -> list[Operation]:
        """Return the operations in document order of the base, each with its hunk's index where there is a diff."""
        self._walk()
        for pair in self.pairs:
            self._label(pair.base, pair.custom)
            self._spaces(pair)
        for gap in self.gaps:
            self._structure(gap)
        return _distinct(sorted(self.operations, key=_position))

    @cached_property
    def preserving(self) -> list[bool]:
        """Say for each customized node whether white space directly inside it is kept to the byte."""
        return covered(self.custom, canonical.PRESERVING)

    def _walk(self) -> None:
        """Visit matched pairs from the root down, inside holes as well."""
        stack = [(self.base.root, self.custom.root)]
        while stack:
            base, custom = stack.pop()
            if self._unchanged(base, custom):
                continue
            pair = Pair(base, custom, [])
            self.pairs.append(pair)
            if base.kids or custom.kids:
                stack.extend(reversed(self._cut(pair)))

    def _unchanged(self, base: Node, custom: Node) -> bool:
        """Say whether nothing is left to do in a pair: the same text, matched node by node."""
        length, below = base.end - base.head, base.last - base.order
        if length != custom.end - custom.head or below != custom.last - custom.order:
            return False
        if self.base.source[base.head : base.end] != self.custom.source[custom.head : custom.end]:
            return False
        return not below or self.matching.to_right[base.order : base.last + 1] == [*range(custom.order, custom.last + 1)]

    def _cut(self, pair: Pair) -> list[tuple[Node, Node]]:
        """Cut the kids of a pair into kept ones and gaps; return the pairs to visit next."""
        base, custom = pair.base, pair.custom
        pair.stay = stay = self._staying(base, custom)
        found: list[tuple[Node, Node]] = []
        at_base = at_custom = 0
        before: Node | None = None
        for partner, kid in stay:
            if at_base < partner.index or at_custom < kid.index:
                gap = Gap(base, before, partner, base.kids[at_base : partner.index], custom.kids[at_custom : kid.index])
                found.extend(self._fragment(gap))
            found.append((partner, kid))
            before = partner
            at_base, at_custom = partner.index + 1, kid.index + 1
        if at_base < len(base.kids) or at_custom < len(custom.kids):
            found.extend(self._fragment(Gap(base, before, None, base.kids[at_base:], custom.kids[at_custom:])))
        return found

    def _staying(self, base: Node, custom: Node) -> list[tuple[Node, Node]]:
        """Return the kids that stay kids of a pair in their order: a rising run, the heaviest one where some change places."""
        nodes, to_left = self.base.nodes, self.matching.to_left
        stay: list[tuple[Node, Node]] = []
        for kid in custom.kids:
            number = to_left[kid.order]
            if number >= 0 and (partner := nodes[number]).parent is base:
                stay.append((partner, kid))
        order = [partner.index for partner, _ in stay]
        if order != sorted(order):
            stay = [stay[index] for index in rising(order, [partner.end - partner.head for partner, _ in stay])]
        return stay

    def _fragment(self, gap: Gap) -> list[tuple[Node, Node]]:
        """Note down a gap and write out what comes into it, with holes; return the pairs that fill the holes."""
        self.gaps.append(gap)
        source = self.custom.source
        pieces: list[str | Node] = []
        pairs: list[tuple[Node, Node]] = []
        position = gap.come[0].start if gap.come else 0
        stack = list(reversed(gap.come))
        while stack:
            node = stack.pop()
            partner = self.matching.source(node)
            if partner is not None and partner.end - partner.head >= MIN_HOLE and partner.order not in self.holes:
                self.holes.add(partner.order)
                pairs.append((partner, node))
                if position < node.head:
                    pieces.append(source[position : node.head])
                pieces.append(partner)
                position = node.end
            else:
                stack.extend(reversed(node.kids))
        if gap.come and position < gap.come[-1].end:
            pieces.append(source[position : gap.come[-1].end])
        gap.pieces = pieces
        return pairs

    def _label(self, base: Node, custom: Node) -> None:
        """Compare what a pair says itself: tag, attributes, text, close tag."""
        if base.parent is None:
            return
        left, right = self.base.source, self.custom.source
        opened, wanted = left[base.head : base.open_end], right[custom.head : custom.open_end]
        closed, wanted_close = left[base.close : base.end], right[custom.close : custom.end]
        if opened != wanted or closed != wanted_close:
            self.maker.turn_to(base, custom)
            address = describe(self.base, base)
            self.operations.extend(labels.changes(self.maker, base, address, opened, wanted, closed, wanted_close))

    def _spaces(self, pair: Pair) -> None:
        """Compare the white space before kept kids and before the close tag."""
        base, custom = pair.base, pair.custom
        left, right = self.base.source, self.custom.source
        changed: list[tuple[int, str, str, bool]] = []  # index of the kid, what stood there, what is to stand there, layout
        for partner, kid in pair.stay:
            old, new = left[partner.start : partner.head], right[kid.start : kid.head]
            if old != new:
                free = bool(old and new) or self._free_before(custom, kid)
                changed.append((partner.index, old, new, free and not self.preserving[custom.order]))
        old, new = self.base.tail(base), self.custom.tail(custom)
        if old != new:
            last = custom.kids[-1] if custom.kids else custom
            free = bool(old and new) or canonical.is_block_level(custom) or canonical.is_block_level(last)
            changed.append((ops.TAIL, old, new, free and not self.preserving[custom.order]))
        if changed:
            self.maker.turn_to(base, custom)
            for layout in (False, True):
                self._space(base, [each for each in changed if each[3] is layout], layout=layout)

    def _space(self, base: Node, changed: list[tuple[int, str, str, bool]], *, layout: bool) -> None:
        """Make the operation that changes white space inside a node, if there is any to change."""
        if changed:
            at, old, new, _ = zip(*changed, strict=True)
            address = outline(self.base, base)
            self.operations.append(
                self.maker.make(ops.SET_TEXT, address, new, name=ops.SPACE, at=at, displaced=old, layout=layout)
            )

    def _free_before(self, parent: Node, kid: Node) -> bool:
        """Say whether white space before the kid means nothing in the canonical form."""
        before = parent.kids[kid.index - 1] if kid.index else parent
        return canonical.is_block_level(kid) or canonical.is_block_level(before)

    def _structure(self, gap: Gap) -> None:
        """Make the operation of one gap, if there is anything left to do."""
        gone = [node for node in gap.gone if node.order not in self.holes]
        if not gone and not gap.pieces:
            return
        base = self.base
        holes = [piece for piece in gap.pieces if not isinstance(piece, str)]
        words = any(isinstance(piece, str) and piece.strip() for piece in gap.pieces)
        place = ""
        if gone:
            anchor = gone[0]
            inside = holes and all(any(node.contains(hole) for node in gone) for hole in holes)
            kind = ops.REMOVE if not gap.pieces else ops.UNWRAP if inside and not words else ops.REPLACE
        else:
            here = [hole for hole in holes if hole.parent is gap.parent and any(hole is node for node in gap.gone)]
            if here and words:
                kind, anchor = ops.WRAP, here[0]
            else:
                kind = ops.INSERT if words else ops.MOVE
                anchor, place = _anchor(gap)
        self.maker.turn_to(gap.gone[0] if gap.gone else None, gap.come[0] if gap.come else None)
        self.operations.append(
            self.maker.make(
                kind,
                describe(base, anchor),
                tuple([piece if isinstance(piece, str) else Hole(describe(base, piece)) for piece in gap.pieces]),
                place=place,
                targets=tuple([describe(base, node) for node in gone[1:]]),
                parent=describe(base, gap.parent),
                near=(_maybe(base, gap.left), _maybe(base, gap.right)),
                displaced=tuple([base.text(node) for node in gone]),
            )
        )


def _maybe(tree: Tree, node: Node | None) -> Address | None:
    """Return the address of a node that may be missing."""
    return describe(tree, node) if node is not None else None


def _anchor(gap: Gap) -> tuple[Node, str]:
    """Return what an insertion holds on to, and on which side."""
    if gap.left is not None:
        return gap.left, ops.AFTER
    if gap.right is not None:
        return gap.right, ops.BEFORE
    return gap.parent, ops.APPEND


def _position(operation: Operation) -> tuple[tuple[int, ...], bool]:
    """Order operations by the place in the base, layout last."""
    return operation.address.path, operation.layout


def _distinct(operations: list[Operation]) -> list[Operation]:
    """Return the operations with ids that tell equal ones apart by their order."""
    seen: dict[str, int] = {}
    for index, operation in enumerate(operations):
        count = seen[operation.id] = seen.get(operation.id, 0) + 1
        if count > 1:
            operations[index] = replace(operation, id=operation.identifier(count))
    return operations
