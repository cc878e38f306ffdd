"""Keep ours where both sides added the same thing in different places or shapes.

A block or an id can stand only once, and a line that both sides added must not stand twice. Upstream's version of it is the
rival: nodes that upstream added, hold what would stand twice, and hold nothing of the old base. They make room, and are
reported; the insertion takes their place.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from slots.markup import ops
from slots.markup.address import describe, labels, resolve
from slots.markup.ops import Operation
from slots.markup.rebase import tokens
from slots.markup.rebase.outcomes import AUTOMATIC, Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Pairing, labels_of, outermost
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node

_REASON = "Both sides added the same thing in their own way; the customization's version stands."
_PART = "The new base added a part of this at the same place; the customization's version has it too."


def keep(pairing: Pairing, carried: Carried, repeated: frozenset[str]) -> Carried | None:
    """Return an operation that stands against what upstream added likewise; None where that cannot be told apart."""
    operation = carried.operation
    if operation is None or operation.kind not in ops.STRUCTURAL or operation.kind == ops.MOVE:
        return None
    said = frozenset(label for token in repeated for label in labels_of(parse(token)))
    rivals = [node for node in _rivals(pairing, repeated | said) if not _has_part(pairing, operation, node)]
    if not rivals:
        return None
    texts = carried.outcome.texts
    theirs = "".join(pairing.new.source[node.start : node.end] for node in rivals)
    between = "".join(pairing.new.text(node) for node in rivals)  # an insertion whose place the rivals alone made two of
    is_free = carried.outcome.status in AUTOMATIC or (operation.place != "" and texts.theirs == between)
    is_part = is_free and _is_part(pairing, operation, rivals)
    status, reason = (Status.ADAPTED, _PART) if is_part else (Status.KEPT, _REASON)
    outcome = Outcome(operation.id, status, Texts(texts.base, texts.ours, texts.theirs + theirs), reason, carried.outcome.place)
    addresses = tuple(describe(pairing.new, node) for node in rivals)
    if operation.place:
        moved = replace(operation, kind=ops.REPLACE, place="", address=addresses[0], targets=addresses[1:], displaced=(theirs,))
        return Carried(moved, outcome)
    return Carried(replace(operation, targets=(*operation.targets, *addresses)), outcome)


def _rivals(pairing: Pairing, repeated: frozenset[str]) -> list[Node]:
    to_left = pairing.matching.to_left
    found = []
    for node in pairing.new.nodes[1:]:
        if to_left[node.order] >= 0 or any(to_left[order] >= 0 for order in range(node.order, node.last + 1)):
            continue
        if pairing.new_label(node) in repeated or labels.identity(pairing.new, node) in repeated:
            found.append(node)
    return outermost(found)


def _is_part(pairing: Pairing, operation: Operation, rivals: Sequence[Node]) -> bool:
    """Tell whether rivals stand where the operation goes and say nothing that its payload does not say as often."""
    anchor = resolve(pairing.new, operation.address)
    if not isinstance(anchor, Node):
        return False
    parent = anchor if operation.place in (ops.PREPEND, ops.APPEND) else anchor.parent
    if any(rival.parent is not parent for rival in rivals):
        return False
    nodes = (node for rival in rivals for node in pairing.new.nodes[rival.order : rival.last + 1])
    said = Counter(token for node in nodes for token in tokens.of(pairing.new, node))
    return not said - tokens.counted(pairing.fragment(operation.text, parent).tree)


def _has_part(pairing: Pairing, operation: Operation, rival: Node) -> bool:
    """Tell whether the rival goes away already, or holds or is held by something that the operation refers to."""
    for address in (operation.address, *operation.targets, *operation.holes):
        node = resolve(pairing.new, address)
        if isinstance(node, Node) and node.parent is not None and (node.contains(rival) or rival.contains(node)):
            return not operation.place or rival.contains(node)
    return False
