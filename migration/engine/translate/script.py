"""Turn a matching of base and customized tree into operations.

Two passes. The first walks over pairs of matched nodes from the roots down and cuts the kids of each pair into what stays
(a longest rising run), and gaps between: nodes of the base that go, nodes of the customized tree that come. What comes is
written out as a fragment; base nodes that were matched to something inside it become holes, and the walk goes on inside
them. Only then is it known which nodes fill holes, so the second pass makes the operations (after Chawathe et al., SIGMOD
1996, doi 10.1145/235968.233366, with a move as one operation).
"""

from dataclasses import dataclass, field
from typing import Final

from migration.engine.translate import labels
from migration.engine.translate.hunks import Hunks
from slots.markup import canonical, ops
from slots.markup.address import Address, describe, outline
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


class Script:
    """Make the operations that turn the left tree of a matching into the right one."""

    def __init__(self, matching: Matching) -> None:
        """Prepare; nothing is computed yet."""
        self.matching = matching
        self.base = matching.left
        self.custom = matching.right
        self.preserving = _preserving(matching.right)
        self.gaps: list[Gap] = []
        self.pairs: list[tuple[Node, Node]] = []  # pairs whose labels and white space are compared
        self.holes: set[int] = set()
        self.operations: list[Operation] = []
        self.bound: list[int | None] = []  # the hunk of each
        self.reached: dict[int, Node] = {}  # customized node by order -> base node, for the pairs above

    def write(self, hunks: Hunks | None = None) -> list[tuple[Operation, int | None]]:
        """Return the operations in document order of the base, each with its hunk's index where there is a diff."""
        self._walk()
        for base, custom in self.pairs:
            self._label(base, custom)
            if base.kids or custom.kids or base.close < base.end or base.parent is None:
                self._spaces(base, custom)
            self._bind(hunks.of_custom(custom.head) if hunks is not None else None)
        for gap in self.gaps:
            self._structure(gap)
            if hunks is None:
                self._bind(None)
            else:
                self._bind(hunks.of_custom(gap.come[0].head) if gap.come else hunks.of_base(gap.gone[0].head))
        return sorted(zip(self.operations, self.bound, strict=True), key=_position)

    def _bind(self, hunk: int | None) -> None:
        """Note the hunk of the operations that were made last."""
        self.bound.extend([hunk] * (len(self.operations) - len(self.bound)))

    def _walk(self) -> None:
        """Visit matched pairs from the root down, inside holes as well."""
        stack = [(self.base.root, self.custom.root)]
        while stack:
            base, custom = stack.pop()
            self.reached[custom.order] = base
            if self._unchanged(base, custom):
                continue
            self.pairs.append((base, custom))
            if base.kids or custom.kids:
                stack.extend(reversed(self._cut(base, custom)))

    def _unchanged(self, base: Node, custom: Node) -> bool:
        """Say whether nothing is left to do in a pair: the same text, matched node by node."""
        if base.end - base.head != custom.end - custom.head or base.last - base.order != custom.last - custom.order:
            return False
        images = self.matching.to_right[base.order : base.last + 1]
        return self.base.text(base) == self.custom.text(custom) and images == [*range(custom.order, custom.last + 1)]

    def _cut(self, base: Node, custom: Node) -> list[tuple[Node, Node]]:
        """Cut the kids of a pair into kept ones and gaps; return the pairs to visit next."""
        matching = self.matching
        known = ((matching.source(kid), kid) for kid in custom.kids)
        stay = [(partner, kid) for partner, kid in known if partner is not None and partner.parent is base]
        order = [partner.index for partner, _ in stay]
        if any(order[index] > order[index + 1] for index in range(len(order) - 1)):
            stay = [stay[index] for index in rising(order, [partner.end - partner.head for partner, _ in stay])]
        found: list[tuple[Node, Node]] = []
        at_base = at_custom = 0
        before: Node | None = None
        ends: list[tuple[Node | None, Node | None]] = [*stay, (None, None)]
        for partner, kid in ends:
            stop_base = partner.index if partner is not None else len(base.kids)
            stop_custom = kid.index if kid is not None else len(custom.kids)
            if at_base < stop_base or at_custom < stop_custom:
                gap = Gap(base, before, partner, base.kids[at_base:stop_base], custom.kids[at_custom:stop_custom])
                self.gaps.append(gap)
                found.extend(self._fragment(gap))
            if partner is not None and kid is not None:
                found.append((partner, kid))
                before = partner
                at_base, at_custom = stop_base + 1, stop_custom + 1
        return found

    def _fragment(self, gap: Gap) -> list[tuple[Node, Node]]:
        """Write out what comes into a gap, with holes; return the pairs that fill the holes."""
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
        opened, wanted = self.base.open(base), self.custom.open(custom)
        closed, wanted_close = self.base.closing(base), self.custom.closing(custom)
        if opened != wanted or closed != wanted_close:
            address = describe(self.base, base)
            self.operations.extend(labels.changes(base, address, opened, wanted, closed, wanted_close))

    def _spaces(self, base: Node, custom: Node) -> None:
        """Compare the white space before kept kids and before the close tag."""
        preserving = self.preserving[custom.order]
        kinds: tuple[list[tuple[int, str, str]], list[tuple[int, str, str]]] = ([], [])
        for kid in custom.kids:
            partner = self.reached.get(kid.order)
            if partner is None or partner.parent is not base or partner.order in self.holes:
                continue
            old, new = self.base.lead(partner), self.custom.lead(kid)
            if old != new:
                means = preserving or (not (old and new) and not self._free_before(custom, kid))
                kinds[not means].append((partner.index, old, new))
        old, new = self.base.tail(base), self.custom.tail(custom)
        if old != new:
            last = custom.kids[-1] if custom.kids else None
            free = canonical.is_block_level(custom) or (last is not None and canonical.is_block_level(last))
            kinds[not (preserving or (not (old and new) and not free))].append((ops.TAIL, old, new))
        for layout, changes in enumerate(kinds):
            if changes:
                self.operations.append(
                    Operation(
                        ops.SET_TEXT,
                        outline(self.base, base),
                        tuple(new for _, _, new in changes),
                        name=ops.SPACE,
                        at=tuple(index for index, _, _ in changes),
                        displaced=tuple(old for _, old, _ in changes),
                        layout=bool(layout),
                    )
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
        pieces = tuple(piece if isinstance(piece, str) else Hole(describe(base, piece)) for piece in gap.pieces)
        holes = [piece for piece in gap.pieces if not isinstance(piece, str)]
        words = any(isinstance(piece, str) and piece.strip() for piece in gap.pieces)
        place = ""
        if gone:
            anchor = gone[0]
            inside = holes and all(any(node.contains(hole) for node in gone) for hole in holes)
            kind = ops.REMOVE if not pieces else ops.UNWRAP if inside and not words else ops.REPLACE
        else:
            here = [hole for hole in holes if hole.parent is gap.parent and any(hole is node for node in gap.gone)]
            if here and words:
                kind, anchor = ops.WRAP, here[0]
            else:
                kind = ops.INSERT if words else ops.MOVE
                anchor, place = _anchor(gap)
        self.operations.append(
            Operation(
                kind,
                describe(base, anchor),
                pieces,
                place=place,
                targets=tuple(describe(base, node) for node in gone[1:]),
                parent=describe(base, gap.parent),
                near=(_maybe(base, gap.left), _maybe(base, gap.right)),
                displaced=tuple(base.text(node) for node in gone),
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


def _preserving(tree: Tree) -> list[bool]:
    """Say for each node whether white space directly inside it is kept to the byte."""
    found = [False] * len(tree.nodes)
    for node in tree.nodes:
        around = node.parent is not None and found[node.parent.order]
        found[node.order] = around or node.name in canonical.PRESERVING
    return found


def _position(item: tuple[Operation, int | None]) -> tuple[tuple[int, ...], bool]:
    """Order operations by the place in the base, layout last."""
    return item[0].address.path, item[0].layout
