"""Carry a list of operations from the old base to the new one.

Each operation is carried by itself (`facets`, `structure`, `loads`); then the whole is composed and looked at by the guard,
which counts. An operation that the guard objects to becomes a conflict and the rest is composed again, so that nothing wrong
goes unsaid. Cost: near-linear in both bases; a pairing is reused for all configurations.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from slots.errors import Issue, IssueCode
from slots.markup import limits, ops
from slots.markup.address import Address, resolve
from slots.markup.compose import compose
from slots.markup.ops import Operation
from slots.markup.rebase import facets, guard, loads, region, rivals, search, structure, upstream
from slots.markup.rebase.case import Case
from slots.markup.rebase.outcomes import AUTOMATIC, Carried, Outcome, Rebased, Status, Texts, worst
from slots.markup.rebase.pairing import Pairing, prepare
from slots.markup.rebase.places import Others
from slots.markup.tree.nodes import Node, Tree

# Rounds in which the guard may turn operations into conflicts before all that is doubtful is given up at once.
ROUNDS: Final = 4
# Operations that only take something away. Where the whole node is gone, nothing is left for them to do, nor for respellings.
_TAKING: Final = frozenset({ops.REMOVE_CLASS, ops.REMOVE_ATTR, ops.UNSET_STYLE})
ALONE: Final = Others()


def rebase(operations: Sequence[Operation], pairing: Pairing) -> Rebased:
    """Return the configuration on the new base; the pairing comes from `prepare(old, new)`.

    Operations that conflict are left out of the result; all others are in it, whatever becomes of those.
    """
    case = Case(pairing, operations)
    carried = _second_look(case, _each(case))
    problems: list[Issue] = []
    for attempt in range(ROUNDS + 1):
        living, result, issues = _composed(case, carried)
        objections = guard.objections(case, carried, result, issues) or _beyond(case, result)
        if not objections:
            break
        problems += [objection.issue for objection in objections]
        if attempt < ROUNDS - 1:
            carried = _settled(case, carried, objections, may_keep=attempt < ROUNDS - 2)
        else:
            carried = [_given_up(each, objections[0]) for each in carried]
    outcomes = tuple(each.outcome for each in carried)
    automatic = all(outcome.status in AUTOMATIC for outcome in outcomes) and not objections
    return Rebased(living, outcomes, result.source, automatic, tuple(problems))


def _beyond(case: Case, result: Tree) -> list[guard.Objection]:
    """Object to a result that is larger or deeper than a template may be, where the new base is not."""
    found = limits.refusal(result, name="customized template") if result.source != case.pairing.new.source else None
    if found is None or limits.refusal(case.pairing.new) is not None:
        return []
    text = f"Together with the new base the customization is beyond the limits. {found.text}"
    issue = Issue(IssueCode.LIMIT_EXCEEDED, text, suggestion="Make the customization smaller.")
    return [guard.Objection(issue, frozenset())]


def _each(case: Case) -> list[Carried]:
    """Carry each operation, then those again that would take away what the new base has in place of an absorbed one."""
    pairing, others = case.pairing, case.others
    carried = [carry(pairing, operation, others) for operation in case.operations]
    claimed = frozenset().union(*(each.claims for each in carried))
    if not claimed:
        return carried
    others = replace(others, claimed=claimed)
    return [
        carry(pairing, operation, others) if operation.kind in ops.STRUCTURAL and not operation.place else each
        for operation, each in zip(case.operations, carried, strict=True)
    ]


def _composed(case: Case, carried: list[Carried]) -> tuple[tuple[Operation, ...], Tree, tuple[Issue, ...]]:
    """Compose what lives; load again what the result needs and an operation dropped."""
    living = [each.operation for each in carried if each.operation is not None]
    composed = compose(case.pairing.new, living)
    result = case.read(composed.source)
    again = loads.retain(case, result, carried)
    for index, operation in again:
        living.append(operation)
        old = carried[index].outcome
        reason = old.reason or "A library that is still needed is loaded again."
        outcome = replace(old, status=worst(old.status, Status.ADAPTED), reason=reason)
        carried[index] = replace(carried[index], outcome=outcome)
    if again:
        composed = compose(case.pairing.new, living)
        result = case.read(composed.source)
    return tuple(living), result, composed.issues


def _second_look(case: Case, carried: list[Carried]) -> list[Carried]:
    """Look once more at operations that did not go by themselves: upstream may hold their edit in another shape.

    Then keep the regions around those that lost their place.
    """
    doubtful = [index for index, each in enumerate(carried) if each.outcome.status not in AUTOMATIC]
    if not doubtful:
        return carried
    if upstream.holds_edit(case.pairing, case.edit.labels):
        return [_absorbed(each) for each in carried]
    for index in doubtful:
        if upstream.holds_edit(case.pairing, upstream.change_by(case.pairing, case.operations[index])):
            carried[index] = _absorbed(carried[index])
    lost = [index for index, each in enumerate(carried) if each.outcome.status is Status.CONFLICT]
    return region.keep(case.pairing, case.operations, carried, lost) if lost else carried


def _settled(case: Case, carried: list[Carried], objections: Sequence[guard.Objection], *, may_keep: bool) -> list[Carried]:
    """Settle what the guard objects to: absorbed after all, kept against a rival or as a region, else a conflict."""
    found = list(carried)
    for objection in objections:
        blamed = objection.operations or range(len(carried))
        for index in blamed:
            if found[index] is carried[index] and not found[index].part_of:
                found[index] = _settled_one(case, found, index, objection, may_keep=may_keep)
    heads = {each.outcome.operation_id: each.outcome.status for each in found}
    for index, each in enumerate(found):
        if each.part_of and heads[each.part_of] is Status.CONFLICT:
            found[index] = replace(each, outcome=replace(each.outcome, status=Status.CONFLICT), part_of="")
        elif each.part_of:
            found[index] = replace(each, outcome=replace(each.outcome, status=heads[each.part_of]))
    given_up = [i for i, each in enumerate(found) if each.outcome.status is Status.CONFLICT and each is not carried[i]]
    return region.keep(case.pairing, case.operations, found, given_up) if given_up and may_keep else found


def _settled_one(case: Case, carried: Sequence[Carried], index: int, objection: guard.Objection, *, may_keep: bool) -> Carried:
    each = carried[index]
    if each.fallback is not None:
        return each.fallback
    if each.outcome.status is not Status.ABSORBED:
        if upstream.holds_edit(case.pairing, upstream.change_by(case.pairing, case.operations[index])):
            return _absorbed(each)
        against = rivals.keep(case.pairing, each, objection.tokens) if may_keep else None
        if against is not None:
            return against
    return _given_up(each, objection)


def _absorbed(carried: Carried) -> Carried:
    old = carried.outcome
    reason = "The new base holds all that this edit adds and nothing that it removes."
    return Carried(None, Outcome(old.operation_id, Status.ABSORBED, old.texts, reason, old.place))


def _given_up(carried: Carried, objection: guard.Objection) -> Carried:
    old = carried.outcome
    if old.status is Status.CONFLICT:
        return carried
    return Carried(None, Outcome(old.operation_id, Status.CONFLICT, old.texts, objection.issue.text, old.place))


def rebase_between(operations: Sequence[Operation], old_base: str, new_base: str) -> Rebased:
    """Prepare and rebase at once, for a single configuration."""
    return rebase(operations, prepare(old_base, new_base))


def carry(pairing: Pairing, operation: Operation, others: Others = ALONE) -> Carried:
    """Return one operation carried over by itself, as far as the others leave it alone."""
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
        return structure.carry(pairing, operation, node, found, [hole for hole in holes if hole is not None], others)
    there = pairing.partner(node) or search.counterpart(pairing, node)
    if there is None:
        if operation.layout or operation.name == ops.SPACE:
            return Carried(
                None, Outcome(operation.id, Status.ABSORBED, reason="The white space is gone.", place=operation.address.name)
            )
        if operation.kind in _TAKING or not upstream.change_by(pairing, operation):
            texts = Texts(pairing.old.open(node), "", "")
            reason = "The new base removed what it stood on; nothing is left for it to do."
            return Carried(None, Outcome(operation.id, Status.ABSORBED, texts, reason, operation.address.name))
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
