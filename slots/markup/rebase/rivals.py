"""Keep ours where both sides added the same thing in different places or shapes.

A block or an id can stand only once, and a line that both sides added must not stand twice. Upstream's version of it is the
rival: nodes that upstream added, hold what would stand twice, and hold nothing of the old base. They make room, and are
reported; the insertion takes their place.
"""

from dataclasses import replace

from slots.markup import ops
from slots.markup.address import describe, labels, resolve
from slots.markup.ops import Operation
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Pairing, labels_of, outermost
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node

_REASON = "Both sides added the same thing in their own way; the customization's version stands."


def keep(pairing: Pairing, carried: Carried, tokens: frozenset[str]) -> Carried | None:
    """Return an operation that stands against what upstream added likewise; None where that cannot be told apart."""
    operation = carried.operation
    if operation is None or operation.kind not in ops.STRUCTURAL or operation.kind == ops.MOVE:
        return None
    said = frozenset(label for token in tokens for label in labels_of(parse(token)))
    rivals = [node for node in _rivals(pairing, tokens | said) if not _has_part(pairing, operation, node)]
    if not rivals:
        return None
    texts = carried.outcome.texts
    theirs = "".join(pairing.new.source[node.start : node.end] for node in rivals)
    outcome = Outcome(
        operation.id, Status.KEPT, Texts(texts.base, texts.ours, texts.theirs + theirs), _REASON, carried.outcome.place
    )
    addresses = tuple(describe(pairing.new, node) for node in rivals)
    if operation.place:
        moved = replace(operation, kind=ops.REPLACE, place="", address=addresses[0], targets=addresses[1:], displaced=(theirs,))
        return Carried(moved, outcome)
    return Carried(replace(operation, targets=(*operation.targets, *addresses)), outcome)


def _rivals(pairing: Pairing, tokens: frozenset[str]) -> list[Node]:
    to_left = pairing.matching.to_left
    found = []
    for node in pairing.new.nodes[1:]:
        if to_left[node.order] >= 0 or any(to_left[order] >= 0 for order in range(node.order, node.last + 1)):
            continue
        if pairing.new_label(node) in tokens or labels.identity(pairing.new, node) in tokens:
            found.append(node)
    return outermost(found)


def _has_part(pairing: Pairing, operation: Operation, rival: Node) -> bool:
    """Tell whether the rival goes away already, or holds or is held by something that the operation refers to."""
    for address in (operation.address, *operation.targets, *operation.holes):
        node = resolve(pairing.new, address)
        if isinstance(node, Node) and node.parent is not None and (node.contains(rival) or rival.contains(node)):
            return not operation.place or rival.contains(node)
    return False
