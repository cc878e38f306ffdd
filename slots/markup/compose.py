"""Compose a base with operations: splice into the base's own text and touch nothing else.

Every address is resolved first; what cannot be applied becomes an issue and the rest goes on. Then one walk writes the
result: what no operation touches is copied as one slice. A hole takes its node away from where it stood. Should a hole come
to contain its own place (an upstream restructuring can do that), it would never be written: such an operation is left out,
with an issue, and the text is written again. Cost: linear in base and payloads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from slots.errors import Issue, IssueCode
from slots.markup import address, ops, tags
from slots.markup.layout import Respelling
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
    for operation in reversed(chosen):
        if operation.kind == ops.REPLACE_SOURCE:
            return Composed(operation.text)
    return Plan(tree, chosen).compose()


def compose_both(base: Tree, operations: Sequence[Operation]) -> tuple[Composed, list[Respelling]]:
    """Return what `compose` gives, and what stands elsewhere in it without layout; both come from one walk.

    The latter gives the source that `compose` gives without layout, where there are no issues.
    """
    for operation in operations:
        if operation.kind == ops.REPLACE_SOURCE or (operation.layout and operation.kind in ops.STRUCTURAL):
            composed, bare = compose(base, operations), compose(base, operations, layout=False).source
            return composed, [Respelling(0, len(composed.source), bare)] if bare != composed.source else []
    plan = Plan(base, operations, both=True)
    return plan.compose(), plan.respellings()


@dataclass(slots=True)
class Gap:
    """Hold one structural operation with its nodes resolved."""

    operation: Operation
    node: Node
    targets: list[Node]
    pieces: list[Piece]
    holes: list[Node]


@dataclass(slots=True)
class _Placed:
    """Hold the fragments around and in place of one node."""

    before: list[Gap] = field(default_factory=list)
    instead: list[Gap] = field(default_factory=list)
    after: list[Gap] = field(default_factory=list)
    prepend: list[Gap] = field(default_factory=list)
    append: list[Gap] = field(default_factory=list)


class _Edits:
    """Hold what changes in the own text of nodes, by their order."""

    __slots__ = ("closes", "labels", "leads", "tails")

    def __init__(self) -> None:
        """Start with no change."""
        self.labels: dict[int, list[Operation]] = {}  # operations on the open tag or the text of a node
        self.closes: dict[int, Operation] = {}
        self.leads: dict[int, str] = {}
        self.tails: dict[int, str] = {}


class _Both(NamedTuple):
    """Hold a piece of text, and what stands there without the operations on layout."""

    text: str
    bare: str


_Item = str | _Both | Node | int  # text, a hole, or the order of a node that stands where it stood


class Plan:
    """Resolve operations, then write the result."""

    def __init__(self, tree: Tree, operations: Iterable[Operation], *, both: bool = False) -> None:
        """Resolve the operations and plan what can be applied; with `both`, without those on layout as well."""
        self.tree = tree
        self.issues: list[Issue] = []
        self.gaps: list[Gap] = []
        self.edits = _Edits()
        self.plain = _Edits() if both else self.edits  # the same without layout
        self.edited: set[int] = set()  # nodes that either says something about
        self.laid: set[int] = set()  # nodes on which the two may differ
        self.holder: dict[int, Gap] = {}  # the gap that a node fills as a hole
        self.dropped: dict[int, Gap] = {}
        self.placed: dict[int, _Placed] = {}
        self.dirty: set[int] = set()
        self.written: set[int] = set()  # dirty nodes that the last walk came to
        self.planned: list[tuple[Operation, int]] = []  # operations with the node that must be written for them to show
        self.parts: list[str] = []  # what the last walk wrote
        self.others: dict[int, str] = {}  # by index: parts that are others without layout
        for operation in operations:
            self.add(operation)

    def compose(self) -> Composed:
        """Write the result; what turns out to be impossible is left out and reported."""
        while True:
            unreached = self.write()
            if not unreached:
                self.report_shadowed()
                return Composed("".join(self.parts), tuple(self.issues))
            self.leave_out(unreached)

    def respellings(self) -> list[Respelling]:
        """Return what stands in the composed text without the operations on layout."""
        found: list[Respelling] = []
        position = 0
        if self.others:
            for index, part in enumerate(self.parts):
                end = position + len(part)
                if index in self.others:
                    found.append(Respelling(position, end, self.others[index]))
                position = end
        return found

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
        else:
            self._add_edit(self.edits, operation, node)
            if self.plain is not self.edits:
                if operation.layout:
                    self.laid.add(node.order)
                else:
                    self._add_edit(self.plain, operation, node)
            self.edited.add(node.order)
            self._touch(node)
            self.planned.append((operation, node.order))

    def _add_edit(self, edits: _Edits, operation: Operation, node: Node) -> None:
        """Note down what an operation changes in a node's own text, or in the white space inside the node."""
        if operation.name == ops.SPACE and operation.kind == ops.SET_TEXT:
            for index, text in zip(operation.at, operation.payload, strict=True):
                if index == ops.TAIL:
                    edits.tails[node.order] = str(text)
                elif index < len(node.kids):
                    kid = node.kids[index]
                    edits.leads[kid.order] = str(text)
                    self.edited.add(kid.order)
                    self._touch(kid)
                    if operation.layout and self.plain is not self.edits:
                        self.laid.add(kid.order)
        elif operation.name == ops.CLOSE:
            edits.closes[node.order] = operation
        else:
            edits.labels.setdefault(node.order, []).append(operation)

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
        gap = Gap(operation, node, targets, pieces, holes)
        self.gaps.append(gap)
        inside = node if operation.place in (ops.PREPEND, ops.APPEND) else node.parent or node
        self._touch(inside)
        self.planned.append((operation, inside.order))
        for hole in holes:
            self.holder[hole.order] = gap
        self._place(gap)

    def _place(self, gap: Gap) -> None:
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

    def leave_out(self, gaps: Sequence[Gap]) -> None:
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

    def write(self) -> list[Gap]:
        """Write the parts of the composed text; return the gaps whose holes were never reached."""
        nodes = self.tree.nodes
        parts: list[str] = []
        reached: set[int] = set()
        self.parts, self.others, self.written = parts, {}, set()
        stack: list[_Item] = [0]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                parts.append(item)
            elif isinstance(item, int):
                self._write_node(nodes[item], stack, hole=False)
            elif isinstance(item, Node):
                reached.add(item.order)
                self._write_node(item, stack, hole=True)
            else:
                self._write_text(item)
        return [gap for gap in self.gaps if any(hole.order not in reached for hole in gap.holes)]

    def _write_node(self, node: Node, stack: list[_Item], *, hole: bool) -> None:
        """Write lead (a hole has none) and open tag, and push everything after them; what nothing touches is copied whole."""
        source, order = self.tree.source, node.order
        start = node.head if hole else node.start
        if order not in self.dirty:
            self.parts.append(source[start : node.end])
            return
        self.written.add(order)
        pushed = self._inside(node)
        if order not in self.edited:
            self.parts.append(source[start : node.open_end])
            pushed.append(source[node.tail_start : node.end])
        else:
            if not hole:
                self._write_text(self._lead(node))
            opened, tail, closed = self._texts(node)
            self._write_text(self.opened(node, opened))
            pushed += (tail, closed)
        pushed.reverse()
        stack.extend(pushed)

    def _inside(self, node: Node) -> list[_Item]:
        """Return what stands between the open tag of a node and its tail."""
        source, dirty, holder, placed = self.tree.source, self.dirty, self.holder, self.placed
        inside: list[_Item] = []
        own = placed.get(node.order)
        if own is not None:
            for gap in own.prepend:
                inside.extend(self.pieces(gap))
        clean = node.open_end  # where the untouched kids begin that are not copied yet
        for kid in node.kids:
            order = kid.order
            if order not in dirty and order not in holder:
                continue
            if clean < kid.start:
                inside.append(source[clean : kid.start])
            clean = kid.end
            around = placed.get(order)
            if around is not None:
                for gap in (*around.before, *around.instead):
                    inside.extend(self.pieces(gap))
            if order not in self.dropped and order not in holder:
                inside.append(order)
            if around is not None:
                for gap in around.after:
                    inside.extend(self.pieces(gap))
        if clean < node.tail_start:
            inside.append(source[clean : node.tail_start])
        if own is not None:
            for gap in own.append:
                inside.extend(self.pieces(gap))
        return inside

    def pieces(self, gap: Gap) -> Sequence[Piece]:
        """Return what a gap brings; `payloads` marks it."""
        return gap.pieces

    def opened(self, node: Node, text: str | _Both) -> str | _Both:
        """Return the open tag (or a leaf's text) of an edited node; `payloads` marks it."""
        return text

    def _lead(self, node: Node) -> str | _Both:
        """Return the white space before a node."""
        order, own = node.order, self.tree.source[node.start : node.head]
        lead = self.edits.leads.get(order, own)
        return _Both(lead, self.plain.leads.get(order, own)) if order in self.laid else lead

    def _write_text(self, text: str | _Both) -> None:
        """Write a piece of text, and note down what stands there without layout."""
        if isinstance(text, _Both):
            if text.text != text.bare:
                self.others[len(self.parts)] = text.bare
            text = text.text
        self.parts.append(text)

    def _texts(self, node: Node) -> list[str | _Both]:
        """Return open tag (or a leaf's text), tail and close tag of a node."""
        texts = self._edited(node, self.edits)
        if node.order not in self.laid:
            return [*texts]
        return [*map(_Both, texts, self._edited(node, self.plain))]

    def _edited(self, node: Node, edits: _Edits) -> tuple[str, str, str]:
        """Return open tag, tail and close tag with edits applied."""
        order, source = node.order, self.tree.source
        opened, closed = source[node.head : node.open_end], source[node.close : node.end]
        changes = edits.labels.get(order)
        if changes is not None:
            opened, closed = tags.apply(node, opened, closed, changes)
        closing = edits.closes.get(order)
        if closing is not None and tags.same_close(closing.text, closed):
            closed = closing.text
        tail = edits.tails.get(order)
        return opened, source[node.tail_start : node.close] if tail is None else tail, closed
