"""Compose a base with operations: splice into the base's own text and touch nothing else.

Every address is resolved first; what cannot be applied becomes an issue and the rest goes on. Then one walk writes the
result: what no operation touches is copied as one slice. A hole takes its node away from where it stood. Should a hole come
to contain its own place (an upstream restructuring can do that), it would never be written: such an operation is left out,
with an issue, and the text is written again. Cost: linear in base and payloads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from slots.errors import Issue, IssueCode
from slots.markup import address, ops, tags
from slots.markup.ops import Hole, Operation
from slots.markup.tree import Node, Tree, parse

Piece = str | Node


@dataclass(frozen=True, slots=True)
class Composed:
    """Hold the composed source and what could not be applied."""

    source: str
    issues: tuple[Issue, ...] = ()


def compose(base: str | Tree, operations: Iterable[Operation], *, layout: bool = True) -> Composed:
    """Return the base with the operations applied in order.

    Without `layout` the operations on white space are left out: the result has the same canonical form, in the base's own
    layout. Never raises for operations that `ops.loads` accepts.
    """
    tree = parse(base) if isinstance(base, str) else base
    chosen = [operation for operation in operations if layout or not operation.layout]
    issues: list[Issue] = []
    for operation in reversed(chosen):
        if operation.kind == ops.REPLACE_SOURCE:
            return Composed(operation.text)
    plan = _Plan(tree, issues)
    for operation in chosen:
        plan.add(operation)
    while True:
        source, unreached = plan.write()
        if not unreached:
            plan.report_shadowed()
            return Composed(source, tuple(issues))
        plan.leave_out(unreached)


@dataclass(slots=True)
class _Gap:
    """Hold one structural operation with its nodes resolved."""

    operation: Operation
    node: Node
    targets: list[Node]
    pieces: list[Piece]
    holes: list[Node]


@dataclass(slots=True)
class _Placed:
    """Hold the fragments around and in place of one node."""

    before: list[_Gap] = field(default_factory=list)
    instead: list[_Gap] = field(default_factory=list)
    after: list[_Gap] = field(default_factory=list)
    prepend: list[_Gap] = field(default_factory=list)
    append: list[_Gap] = field(default_factory=list)


class _Plan:
    """Collect resolved operations, then write the result."""

    def __init__(self, tree: Tree, issues: list[Issue]) -> None:
        """Start with nothing planned."""
        self.tree = tree
        self.issues = issues
        self.gaps: list[_Gap] = []
        self.labels: dict[int, list[Operation]] = {}  # operations on the open tag or the text of a node
        self.closes: dict[int, Operation] = {}
        self.leads: dict[int, str] = {}
        self.tails: dict[int, str] = {}
        self.holder: dict[int, _Gap] = {}  # the gap that a node fills as a hole
        self.dropped: dict[int, _Gap] = {}
        self.placed: dict[int, _Placed] = {}
        self.dirty: set[int] = set()
        self.written: set[int] = set()  # dirty nodes that the last walk came to
        self.planned: list[tuple[Operation, int]] = []  # operations with the node that must be written for them to show

    def _resolve(self, operation: Operation, wanted: address.Address) -> Node | None:
        """Return the node, or record why there is none."""
        found = address.resolve(self.tree, wanted)
        if isinstance(found, Node):
            return found
        self._issue(operation, found.code, found.text, found.suggestion)
        return None

    def _issue(self, operation: Operation, code: IssueCode, text: str, suggestion: str) -> None:
        """Record an issue of an operation."""
        self.issues.append(Issue(code, text, operation.address.name, operation.id, suggestion))

    def add(self, operation: Operation) -> None:
        """Resolve one operation and plan it."""
        node = self._resolve(operation, operation.address)
        if node is None:
            return
        if operation.kind in ops.STRUCTURAL:
            self._add_gap(operation, node)
        elif operation.name == ops.SPACE and operation.kind == ops.SET_TEXT:
            for index, text in zip(operation.at, operation.payload, strict=True):
                if index == ops.TAIL:
                    self.tails[node.order] = str(text)
                elif index < len(node.kids):
                    self.leads[node.kids[index].order] = str(text)
                    self._touch(node.kids[index])
            self._touch(node)
            self.planned.append((operation, node.order))
        else:
            if operation.name == ops.CLOSE:
                self.closes[node.order] = operation
            else:
                self.labels.setdefault(node.order, []).append(operation)
            self._touch(node)
            self.planned.append((operation, node.order))

    def _touch(self, node: Node | None) -> None:
        """Mark a node and all around it as not to be copied whole."""
        while node is not None and node.order not in self.dirty:
            self.dirty.add(node.order)
            node = node.parent

    def _add_gap(self, operation: Operation, node: Node) -> None:
        """Plan a structural operation, all of it or nothing."""
        found = [self._resolve(operation, target) for target in operation.targets]
        targets = [target for target in found if target is not None]
        pieces: list[Piece] = []
        holes: list[Node] = []
        for piece in operation.payload:
            if isinstance(piece, Hole):
                hole = self._resolve(operation, piece.address)
                if hole is None:
                    return
                holes.append(hole)
                pieces.append(hole)
            else:
                pieces.append(piece)
        if len(targets) < len(found):
            return
        taken = [hole for hole in holes if hole.order in self.holder]
        if taken or len({hole.order for hole in holes}) < len(holes) or (node.parent is None and not operation.place):
            self._issue(
                operation,
                IssueCode.WRAP_CONFLICT,
                "A place that this operation moves is moved by another one as well.",
                "Keep one of the two operations.",
            )
            return
        if not operation.place and any(item.order in self.dropped for item in (node, *targets)):
            self._shadowed(operation)
            return
        gap = _Gap(operation, node, targets, pieces, holes)
        self.gaps.append(gap)
        inside = node if operation.place in (ops.PREPEND, ops.APPEND) else node.parent or node
        self._touch(inside)
        self.planned.append((operation, inside.order))
        for hole in holes:
            self.holder[hole.order] = gap
        self._place(gap)

    def _place(self, gap: _Gap) -> None:
        """Hang a gap at its node and drop what it displaces."""
        node = gap.node
        placed = self.placed.setdefault(node.order, _Placed())
        if gap.operation.place:
            getattr(placed, gap.operation.place).append(gap)
        else:
            placed.instead.append(gap)
            for target in (node, *gap.targets):
                self.dropped.setdefault(target.order, gap)
                self._touch(target)
        self._touch(node)
        for hole in gap.holes:
            self._touch(hole.parent)

    def _shadowed(self, operation: Operation) -> None:
        """Record that another operation takes the place away that this one changes."""
        self._issue(
            operation,
            IssueCode.OP_SHADOWED,
            f"Another operation replaces or removes {operation.address.name}.",
            "Remove one of the two operations.",
        )

    def report_shadowed(self) -> None:
        """Report operations on nodes that are not in the result."""
        said = {issue.operation for issue in self.issues}
        for operation, order in self.planned:
            if order not in self.written and not operation.layout and (not operation.id or operation.id not in said):
                self._shadowed(operation)

    def leave_out(self, gaps: Sequence[_Gap]) -> None:
        """Take back gaps that can never be written and say so."""
        for gap in gaps:
            self._issue(
                gap.operation,
                IssueCode.WRAP_CONFLICT,
                "What this operation moves would end up inside itself, or in a place that another operation removes.",
                "Carry the change over by hand.",
            )
        left = {id(gap) for gap in gaps}
        kept = [gap for gap in self.gaps if id(gap) not in left]
        self.gaps = kept
        self.holder.clear()
        self.dropped.clear()
        self.placed.clear()
        for gap in kept:
            for hole in gap.holes:
                self.holder[hole.order] = gap
            self._place(gap)

    def write(self) -> tuple[str, list[_Gap]]:
        """Return the composed text and the gaps whose holes were never reached."""
        source = self.tree.source
        parts: list[str] = []
        reached: set[int] = set()
        self.written = set()
        stack: list[Piece | tuple[Node, bool]] = [(self.tree.root, False)]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                parts.append(item)
                continue
            if isinstance(item, Node):  # a hole
                reached.add(item.order)
                node, hole = item, True
            else:
                node, hole = item
            if node.order not in self.dirty:
                parts.append(source[node.head if hole else node.start : node.end])
                continue
            self.written.add(node.order)
            if not hole:
                parts.append(self.leads.get(node.order, source[node.start : node.head]))
            self._write_node(node, parts, stack)
        return "".join(parts), [gap for gap in self.gaps if any(hole.order not in reached for hole in gap.holes)]

    def _write_node(self, node: Node, parts: list[str], stack: list[Piece | tuple[Node, bool]]) -> None:
        """Write the open tag and push everything after it."""
        tree = self.tree
        order = node.order
        opened, closed = self._tags(node)
        parts.append(opened)
        pushed: list[Piece | tuple[Node, bool]] = []
        own = self.placed.get(order)
        if own is not None:
            for gap in own.prepend:
                pushed.extend(gap.pieces)
        clean = node.open_end  # where the untouched kids begin that are not copied yet
        for kid in node.kids:
            if kid.order not in self.dirty and kid.order not in self.holder:
                continue
            if clean < kid.start:
                pushed.append(tree.source[clean : kid.start])
            clean = kid.end
            around = self.placed.get(kid.order)
            if around is not None:
                for gap in (*around.before, *around.instead):
                    pushed.extend(gap.pieces)
            if kid.order not in self.dropped and kid.order not in self.holder:
                pushed.append((kid, False))
            if around is not None:
                for gap in around.after:
                    pushed.extend(gap.pieces)
        if clean < node.tail_start:
            pushed.append(tree.source[clean : node.tail_start])
        if own is not None:
            for gap in own.append:
                pushed.extend(gap.pieces)
        pushed.append(self.tails.get(order, tree.tail(node)) + closed)
        pushed.reverse()
        stack.extend(pushed)

    def _tags(self, node: Node) -> tuple[str, str]:
        """Return the open tag (or the leaf's text) and the close tag with the operations on them applied."""
        opened, closed = self.tree.open(node), self.tree.closing(node)
        edits = self.labels.get(node.order)
        if edits is not None:
            opened, closed = tags.apply(node, opened, closed, edits)
        closing = self.closes.get(node.order)
        if closing is not None and tags.same_close(closing.text, closed):
            closed = closing.text
        return opened, closed
