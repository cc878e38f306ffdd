"""Keep ours where both sides added the same thing in different places or shapes.

A block or an id can stand only once, and a line that both sides added must not stand twice. Upstream's version of it is the
rival: nodes that upstream added, hold what would stand twice, and hold nothing of the old base. They make room, and are
reported; the insertion takes their place.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from slots.markup import ops
from slots.markup.address import describe, labels, resolve
from slots.markup.ops import Operation
from slots.markup.rebase import versions
from slots.markup.rebase.outcomes import AUTOMATIC, Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Pairing, labels_of, outermost
from slots.markup.rebase.spots import Spot
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node

_REASON = "Both sides added the same thing in their own way; the customization's version stands."
_WHOLE = "The new base added all of this at the same place, and more."
_PART = "The new base added a part of this at the same place; the customization's version has it too."


def keep(pairing: Pairing, carried: Carried, repeated: frozenset[str]) -> Carried | None:
    """Return an operation that stands against what upstream added likewise; None where that cannot be told apart."""
    operation = carried.operation
    if operation is None or operation.kind not in ops.STRUCTURAL or operation.kind == ops.MOVE:
        return None
    said = frozenset(label for token in repeated for label in labels_of(parse(token)))
    parts = _Parts(pairing, operation)
    rivals = [node for node in _rivals(pairing, repeated | said) if not parts.are_touched(node)]
    if not rivals:
        return None
    whole = outermost([_whole(pairing, node) for node in rivals])
    agreed = _agreed(pairing, carried, operation, whole)
    is_inside = _is_alike(pairing, operation, whole) and not _is_alike(pairing, operation, rivals)
    return agreed or _against(pairing, carried, operation, whole if is_inside else rivals)


def _agreed(pairing: Pairing, carried: Carried, operation: Operation, rivals: Sequence[Node]) -> Carried | None:
    """Return the outcome where the payload has all that upstream added at the place, or that has all of the payload."""
    texts = carried.outcome.texts
    theirs = "".join(pairing.new.text(node) for node in rivals)
    # An insertion is reported as well where the rivals alone made two places of its own.
    is_free = carried.outcome.status in AUTOMATIC or (operation.place != "" and texts.theirs == theirs)
    if not is_free or not _stand_here(pairing, operation, rivals):
        return None
    if operation.place and versions.holds("", texts.ours, theirs):
        return Carried(None, Outcome(operation.id, Status.ABSORBED, texts, _WHOLE, carried.outcome.place))
    if not versions.holds("", theirs, texts.ours):
        return None
    found = _against(pairing, carried, operation, rivals)
    return Carried(found.operation, replace(found.outcome, status=Status.ADAPTED, reason=_PART), fallback=found)


def _against(pairing: Pairing, carried: Carried, operation: Operation, rivals: Sequence[Node]) -> Carried:
    """Return the operation in the place of the rivals, kept."""
    texts = carried.outcome.texts
    theirs = "".join(pairing.new.source[node.start : node.end] for node in rivals)
    texts = Texts(texts.base, texts.ours, texts.theirs + theirs)
    outcome = Outcome(operation.id, Status.KEPT, texts, _REASON, carried.outcome.place)
    addresses = tuple(describe(pairing.new, node) for node in rivals)
    if operation.place:
        moved = replace(operation, kind=ops.REPLACE, place="", address=addresses[0], targets=addresses[1:], displaced=(theirs,))
        return Carried(moved, outcome)
    return Carried(replace(operation, targets=(*operation.targets, *addresses)), outcome)


def _whole(pairing: Pairing, node: Node) -> Node:
    """Return the outermost node around an addition of upstream's that holds nothing of the old base either."""
    while node.parent is not None and pairing.is_added(node.parent):
        node = node.parent
    return node


def _rivals(pairing: Pairing, repeated: frozenset[str]) -> list[Node]:
    added = (node for node in pairing.new.nodes[1:] if pairing.is_added(node))
    return outermost(
        [node for node in added if pairing.new_label(node) in repeated or labels.identity(pairing.new, node) in repeated]
    )


def _is_alike(pairing: Pairing, operation: Operation, rivals: Sequence[Node]) -> bool:
    """Tell whether rivals are what the payload is: a link each, a block each."""
    brought = {(kid.kind, kid.name) for kid in pairing.fragment(operation.text, rivals[0].parent).kids}
    return all((rival.kind, rival.name) in brought for rival in rivals)


def _stand_here(pairing: Pairing, operation: Operation, rivals: Sequence[Node]) -> bool:
    """Tell whether rivals stand where an insertion goes, or are one run of kids with what the operation takes away.

    None of them holds anything that the operation refers to.
    """
    anchor, *targets = (resolve(pairing.new, address) for address in (operation.address, *operation.targets))
    parts = _Parts(pairing, operation)
    if not isinstance(anchor, Node) or any(map(parts.are_touched, rivals)):
        return False
    run = {rival.index for rival in rivals}
    if operation.place:
        spot = Spot(anchor, operation.place)
        is_beside = all(rival.parent is spot.parent for rival in rivals) and min(run) <= spot.index <= max(run) + 1
    else:
        is_beside = all(rival.parent is anchor.parent for rival in rivals)
        run.update(node.index for node in (anchor, *targets) if isinstance(node, Node) and node.parent is anchor.parent)
    return is_beside and max(run) - min(run) < len(run)


class _Parts:
    """Hold what an operation refers to in the new base: the nodes in order, and the outermost of them."""

    def __init__(self, pairing: Pairing, operation: Operation) -> None:
        """Find the nodes."""
        found = (resolve(pairing.new, address) for address in (operation.address, *operation.targets, *operation.holes))
        self._nodes = [node for node in found if isinstance(node, Node) and node.parent is not None]
        self._is_insertion = operation.place != ""
        self._orders = sorted([node.order for node in self._nodes])
        self._outermost = outermost(self._nodes)

    def are_touched(self, rival: Node) -> bool:
        """Tell whether the rival goes away already, or holds or is held by something that the operation refers to."""
        at = bisect_left(self._orders, rival.order)
        holds = at < len(self._orders) and self._orders[at] <= rival.last
        if holds and not self._is_insertion:
            return True
        at = bisect_right(self._outermost, rival.order, key=attrgetter("order")) - 1
        is_held = at >= 0 and self._outermost[at].contains(rival)
        if not self._is_insertion or not holds or not is_held:
            return holds or (is_held and not self._is_insertion)
        return next(rival.contains(node) for node in self._nodes if node.contains(rival) or rival.contains(node))
