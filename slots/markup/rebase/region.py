"""Keep a whole region where the place of an operation is gone.

When upstream removed or restructured what an operation refers to, the operation alone has no place. The smallest region
around it that both versions can agree on has one: a run of kids of a matched parent that nothing was moved out of and nothing
was moved into. There the customization's version stands as a whole, as one replacement, and is reported with the three texts
of the region, unless it has all that upstream changed there (`versions`); what upstream changed anywhere else is in the result.
A region that covers too much of the base is no answer, unless most of it is the customization's own writing anyway: that stays
a conflict.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from slots.markup import ops
from slots.markup.address import Address, describe, resolve
from slots.markup.compose import compose
from slots.markup.ops import Operation, Requirements
from slots.markup.rebase import versions
from slots.markup.rebase.insertion import anchored
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Gap, Pairing, without_holes
from slots.markup.tree.nodes import Node

# A region that holds more of the base than this is not kept as a whole, unless that share of it is the customization's own.
LARGEST: Final = 0.5
OWN: Final = 0.5
_START: Final = "\x02"
_STOP: Final = "\x03"
_HELD: Final = "The new base restructured this place; the customization's version of it has all that changed there."
_ABSORBED: Final = "The new base has this place as the customization has it."
_REASON: Final = "The new base restructured this place; the customization's version of it stands as a whole."


@dataclass(frozen=True, slots=True)
class Region:
    """Name a run of kids of an old node, `start` to `stop` half-open, and where it is in the new base."""

    parent: Node
    start: int
    stop: int
    gap: Gap

    @property
    def kids(self) -> list[Node]:
        """Return the outermost old nodes of the region."""
        return self.parent.kids[self.start : self.stop]

    @property
    def orders(self) -> range:
        """Return the orders of all old nodes in the region."""
        return range(self.kids[0].order, self.kids[-1].last + 1)

    @property
    def new_orders(self) -> range:
        """Return the orders of all new nodes in the region's place."""
        kids = self.gap.kids
        return range(kids[0].order, kids[-1].last + 1) if kids else range(0)


def keep(pairing: Pairing, operations: Sequence[Operation], carried: Sequence[Carried], lost: Sequence[int]) -> list[Carried]:
    """Return the operations with the regions around those at the indexes `lost` kept; what has no region stays as it is."""
    found = list(carried)
    nodes = [_nodes(pairing, operation) for operation in operations]
    for index in lost:
        if found[index].outcome.status is not Status.CONFLICT or not nodes[index]:
            continue
        region = _smallest(pairing, operations, nodes, index)
        if region is not None:
            _settle(pairing, operations, nodes, found, region)
    return found


def _nodes(pairing: Pairing, operation: Operation) -> list[Node]:
    """Return the old nodes that an operation refers to; none when one is not there or it is about the whole document."""
    addresses: list[Address] = [operation.address, *operation.targets, *operation.holes]
    found = [resolve(pairing.old, address) for address in addresses]
    nodes = [node for node in found if isinstance(node, Node) and node.parent is not None]
    return nodes if len(nodes) == len(addresses) else []


def _smallest(pairing: Pairing, operations: Sequence[Operation], nodes: Sequence[Sequence[Node]], index: int) -> Region | None:
    for region in _around(pairing, nodes[index]):
        orders = region.orders
        if _is_closed(pairing, region) and all(_lies_wholly(orders, each) for each in nodes):
            size = region.kids[-1].end - region.kids[0].start
            is_small = size <= LARGEST * len(pairing.old.source)
            return region if is_small or _own(pairing, operations, nodes, region) >= OWN else None
    return None


def _own(pairing: Pairing, operations: Sequence[Operation], nodes: Sequence[Sequence[Node]], region: Region) -> float:
    """Return which share of a region, before and after, the customization took away or wrote itself."""
    gone: set[int] = set()
    written = 0
    orders = region.orders
    for operation, found in zip(operations, nodes, strict=True):
        if not found or found[0].order not in orders:
            continue
        written += len(operation.text)
        if operation.kind in ops.STRUCTURAL and not operation.place:
            count = 1 + len(operation.targets)
            gone.update(node.order for node in without_holes(pairing, found[:count], found[count:]))
    size = sum(_length(pairing.old.nodes[order]) for order in orders)
    lost = sum(_length(pairing.old.nodes[order]) for order in gone if order in orders)
    return (lost + written) / max(1, size + written)


def _length(node: Node) -> int:
    """Return the characters that a node says itself, without its kids and white space."""
    return node.open_end - node.head + node.end - node.close


def _around(pairing: Pairing, nodes: Sequence[Node]) -> Iterator[Region]:
    """Yield the regions around the nodes from the inside out."""
    parent = nodes[0].parent
    while parent is not None:
        inside = all(parent.contains(node) and node is not parent for node in nodes)
        if inside and pairing.partner(parent) is not None:
            covered = [kid.index for kid in parent.kids if any(kid.contains(node) for node in nodes)]
            start, stop = min(covered), max(covered) + 1
            gap = pairing.gap(parent, start, stop)
            if gap is not None:
                yield Region(parent, start, stop, gap)
        parent = parent.parent


def _is_closed(pairing: Pairing, region: Region) -> bool:
    """Tell whether upstream moved nothing out of the region and nothing into it."""
    old, new = region.orders, region.new_orders
    to_right, to_left = pairing.matching.to_right, pairing.matching.to_left
    return all(to_right[order] < 0 or to_right[order] in new for order in old) and all(
        to_left[order] < 0 or to_left[order] in old for order in new
    )


def _lies_wholly(orders: range, nodes: Sequence[Node]) -> bool:
    inside = [node.order in orders for node in nodes]
    return all(inside) or not any(inside)


def _settle(
    pairing: Pairing, operations: Sequence[Operation], nodes: Sequence[Sequence[Node]], found: list[Carried], region: Region
) -> None:
    """Make one replacement of all operations in the region."""
    orders = region.orders
    members = [index for index, each in enumerate(nodes) if each and each[0].order in orders]
    ours = _ours(pairing, operations, nodes, region)
    if ours is None:
        return
    head, rest = operations[members[0]], members[1:]
    requires = _sum(operations[index] for index in members)
    whole = Operation(ops.REPLACE, head.address, (ours,), hunk=head.hunk, requires=requires, id=head.id)
    kept = _kept(pairing, region, whole)
    found[members[0]] = kept
    for index in rest:
        reason = f"Stands as a part of what operation {head.id} keeps."
        outcome = Outcome(operations[index].id, kept.outcome.status, reason=reason, place=operations[index].address.name)
        found[index] = Carried(None, outcome, part_of=head.id)


def _kept(pairing: Pairing, region: Region, whole: Operation) -> Carried:
    """Return the region as the customization has it, in the place of upstream's.

    Where that has all that upstream changed there, nobody has to look; where it says the same, nothing is left to do.
    """
    kids = region.gap.kids
    first, last = region.kids[0], region.kids[-1]
    theirs = "".join(pairing.new.source[kid.start : kid.end] for kid in kids)
    texts = Texts(pairing.old.source[first.start : last.end], whole.text, theirs)
    place = whole.address.name
    if versions.said(whole.text) == versions.said(theirs):
        return Carried(None, Outcome(whole.id, Status.ABSORBED, texts, _ABSORBED, place))
    if kids:
        address, *targets = (describe(pairing.new, kid) for kid in kids)
        displaced = tuple(pairing.new.source[kid.start : kid.end] for kid in kids)
        operation = replace(whole, address=address, targets=tuple(targets), displaced=displaced)
    else:
        operation, _ = anchored(pairing, replace(whole, kind=ops.INSERT, place=ops.AFTER), region.gap, None)
    kept = Carried(operation, Outcome(whole.id, Status.KEPT, texts, _REASON, place))
    if versions.holds(texts.base, theirs, whole.text):
        return Carried(operation, Outcome(whole.id, Status.ADAPTED, texts, _HELD, place), fallback=kept)
    return kept


def _reaching(region: Region, operations: Sequence[Operation], nodes: Sequence[Sequence[Node]]) -> list[Operation]:
    """Return the operations that can change a region's text: in it, about something around it, or about the whole document."""
    inside, first = region.orders, region.kids[0]
    return [
        operation
        for operation, found in zip(operations, nodes, strict=True)
        if not found or found[0].order in inside or any(node.contains(first) for node in found)
    ]


def _ours(pairing: Pairing, operations: Sequence[Operation], nodes: Sequence[Sequence[Node]], region: Region) -> str | None:
    """Return the region as the customization has it, cut out of the composed old base between two marks."""
    start = Operation(ops.INSERT, describe(pairing.old, region.kids[0]), (_START,), place=ops.BEFORE, id="start")
    stop = Operation(ops.INSERT, describe(pairing.old, region.kids[-1]), (_STOP,), place=ops.AFTER, id="stop")
    source = compose(pairing.old, [start, *_reaching(region, operations, nodes), stop]).source
    begin, end = source.find(_START), source.find(_STOP)
    if begin < 0 or end < begin or source.count(_START) != 1 or source.count(_STOP) != 1:
        return None
    return source[begin + 1 : end]


def _sum(operations: Iterator[Operation]) -> Requirements:
    members: dict[str, set[str]] = {name: set() for name in Requirements.__slots__}
    for operation in operations:
        for name, values in members.items():
            values.update(getattr(operation.requires, name))
    return Requirements(**{name: tuple(sorted(values)) for name, values in members.items()})
