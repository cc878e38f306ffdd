"""Carry a list of operations from the old base to the new one.

Each operation is carried by itself (`facets`, `structure`, `loads`); then the whole is composed and looked at by the guard,
which counts. An operation that the guard objects to becomes a conflict and the rest is composed again, so that nothing wrong
goes unsaid. Cost: near-linear in both bases; a pairing is reused for all configurations.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from slots.errors import Issue
from slots.markup import ops
from slots.markup.address import Address, resolve
from slots.markup.compose import Composed, compose
from slots.markup.ops import Operation
from slots.markup.rebase import facets, guard, loads, region, search, structure, upstream
from slots.markup.rebase.outcomes import AUTOMATIC, Carried, Outcome, Rebased, Status, Texts
from slots.markup.rebase.pairing import Pairing, prepare
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node

# Rounds in which the guard may turn operations into conflicts before all that is doubtful is given up at once.
ROUNDS: Final = 4


def rebase(operations: Sequence[Operation], pairing: Pairing) -> Rebased:
    """Return the configuration on the new base; the pairing comes from `prepare(old, new)`.

    Operations that conflict are left out of the result; all others are in it, whatever becomes of those.
    """
    carried = _taken_back(pairing, operations, [carry(pairing, operation) for operation in operations])
    problems: list[Issue] = []
    for attempt in range(ROUNDS + 1):
        composed = _composed(pairing, carried)
        objections = guard.objections(pairing, operations, carried, composed)
        if not objections:
            break
        problems += [objection.issue for objection in objections]
        blamed = {index for objection in objections for index in objection.operations}
        if attempt == ROUNDS - 1 or not blamed:
            blamed = {index for index, each in enumerate(carried) if each.operation is not None}
        if not blamed:
            break
        for index in blamed:
            carried[index] = _given_up(carried[index], objections, index)
    outcomes = tuple(each.outcome for each in carried)
    return Rebased(
        operations=tuple(each.operation for each in carried if each.operation is not None),
        outcomes=outcomes,
        source=composed.source,
        automatic=all(outcome.status in AUTOMATIC for outcome in outcomes) and not objections,
        problems=tuple(problems),
    )


def _taken_back(pairing: Pairing, operations: Sequence[Operation], carried: list[Carried]) -> list[Carried]:
    """Look once more at operations that did not go by themselves: upstream may hold their edit in another shape."""
    doubtful = [index for index, each in enumerate(carried) if each.outcome.status not in AUTOMATIC]
    if not doubtful:
        return carried
    meant = [operation for operation in operations if not operation.layout]
    if upstream.holds_edit(pairing, parse(compose(pairing.old, meant).source)):
        return [_absorbed(each) for each in carried]
    for index in doubtful:
        if upstream.holds_edit(pairing, parse(compose(pairing.old, [operations[index]]).source)):
            carried[index] = _absorbed(carried[index])
    lost = [index for index, each in enumerate(carried) if each.outcome.status is Status.CONFLICT]
    return region.keep(pairing, operations, carried, lost) if lost else carried


def _absorbed(carried: Carried) -> Carried:
    old = carried.outcome
    reason = "The new base holds all that this edit adds and nothing that it removes."
    return Carried(None, Outcome(old.operation_id, Status.ABSORBED, old.texts, reason, old.place))


def rebase_between(operations: Sequence[Operation], old_base: str, new_base: str) -> Rebased:
    """Prepare and rebase at once, for a single configuration."""
    return rebase(operations, prepare(old_base, new_base))


def _composed(pairing: Pairing, carried: Iterable[Carried]) -> Composed:
    return compose(pairing.new, [each.operation for each in carried if each.operation is not None])


def _given_up(carried: Carried, objections: Sequence[guard.Objection], index: int) -> Carried:
    reason = next((each.issue.text for each in objections if index in each.operations), "The result did not pass the checks.")
    old = carried.outcome
    return Carried(None, Outcome(old.operation_id, Status.CONFLICT, old.texts, reason, old.place))


def carry(pairing: Pairing, operation: Operation) -> Carried:
    """Return one operation carried over by itself."""
    if operation.kind == ops.REPLACE_SOURCE:
        return _carry_document(pairing, operation)
    node = _find(pairing, operation.address)
    targets = [_find(pairing, address) for address in operation.targets]
    holes = [_find(pairing, address) for address in operation.holes]
    if node is None or None in targets or None in holes:
        reason = "The operation does not fit the base that it was recorded for."
        return _conflict(pairing, operation, reason)
    if loads.concerns(pairing, operation, node):
        return loads.carry(pairing, operation, node)
    if operation.kind in ops.STRUCTURAL:
        found = [target for target in targets if target is not None]
        return structure.carry(pairing, operation, node, found, [hole for hole in holes if hole is not None])
    there = pairing.partner(node) or search.counterpart(pairing, node)
    if there is None:
        if operation.layout or operation.name == ops.SPACE:
            return Carried(
                None, Outcome(operation.id, Status.ABSORBED, reason="The white space is gone.", place=operation.address.name)
            )
        return _conflict(pairing, operation, "Upstream removed what this operation changes.", node)
    return facets.carry(pairing, operation, node, there)


def _find(pairing: Pairing, address: Address) -> Node | None:
    found = resolve(pairing.old, address)
    return found if isinstance(found, Node) else None


def _conflict(pairing: Pairing, operation: Operation, reason: str, node: Node | None = None) -> Carried:
    base = pairing.old.text(node) if node is not None else "".join(operation.displaced)
    outcome = Outcome(operation.id, Status.CONFLICT, Texts(base, operation.text, ""), reason, operation.address.name)
    return Carried(None, outcome)


def _carry_document(pairing: Pairing, operation: Operation) -> Carried:
    """Carry a replaced document: it is what it is; upstream's changes are reported as one place."""
    texts = Texts(pairing.old.source, operation.text, pairing.new.source)
    place = operation.address.name
    fragment = pairing.fragment(operation.text)
    if pairing.same_subtree(pairing.old.root, pairing.new.root):
        return Carried(operation, Outcome(operation.id, Status.CLEAN, texts, "", place))
    if fragment.equals(fragment.tree.root, pairing.new, pairing.new.root, pairing.new_prints):
        return Carried(None, Outcome(operation.id, Status.ABSORBED, texts, "The new base already has this change.", place))
    reason = "The customization replaces the whole document and upstream changed it; nothing can be carried over piece by piece."
    return Carried(None, Outcome(operation.id, Status.CONFLICT, texts, reason, place))
