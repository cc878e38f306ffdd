"""Reduce a chain of changes to its net effect: what a later one overwrites, what comes back to the base, what is taken away.

A configuration that people edit grows: the text set twice, a class added and taken away, an edit of an element that a later
operation removes. Each rule below drops such operations; what is left is composed and must give the very text that all of them
gave. A rule that would change it is not used, so the result is never wrong, only sometimes longer than it could be.
Cost: in each round one composition a rule and one an operation; a round follows only where the last one dropped something.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from slots.markup import ops
from slots.markup.address import resolve
from slots.markup.compose import compose
from slots.markup.ops import Operation
from slots.markup.tree import Node, Tree, parse
from slots.markup.tree.attributes import class_tokens

# Facets that several operations share; the last one does not overwrite the others.
_SHARED: Final = frozenset({"class", "gap", "space", "node"})


@dataclass(frozen=True, slots=True)
class Condensed:
    """Hold the operations that are left, in order, and those that were dropped."""

    operations: tuple[Operation, ...]
    dropped: tuple[Operation, ...]


def condense(base: str, operations: Sequence[Operation]) -> Condensed:
    """Return the shortest list that the rules find and that gives the same text as `operations` on `base`.

    What says the same as the base goes as well. Over a layer that changed the base that would show: `tidy` leaves it.
    """
    tree = parse(base)
    wanted = compose(tree, operations).source
    if wanted == base:
        return Condensed((), tuple(operations))
    left = list(operations)
    while True:
        shorter = _without_echoes(tree, _tidied(tree, left, wanted), wanted)
        if shorter == left:
            break
        left = shorter
    return _condensed(left, operations)


def tidy(base: str, operations: Sequence[Operation]) -> Condensed:
    """Return the list without what later operations of it overwrite or take away; what is left says all that it said."""
    tree = parse(base)
    return _condensed(_tidied(tree, list(operations), compose(tree, operations).source), operations)


def _condensed(left: Sequence[Operation], operations: Sequence[Operation]) -> Condensed:
    kept = {operation.id for operation in left}
    return Condensed(tuple(left), tuple(operation for operation in operations if operation.id not in kept))


def _tidied(tree: Tree, operations: list[Operation], wanted: str) -> list[Operation]:
    """Return what is left after every rule."""
    left = operations
    for rule in _RULES:
        shorter = rule(tree, left)
        if shorter != left and compose(tree, shorter).source == wanted:
            left = shorter
    return left


def _without_echoes(tree: Tree, operations: list[Operation], wanted: str) -> list[Operation]:
    """Return the operations without those that say what the base says."""
    left = operations
    for operation in left:
        if compose(tree, [operation]).source == tree.source:
            shorter = [each for each in left if each is not operation]
            if compose(tree, shorter).source == wanted:
                left = shorter
    return left


def _whole_source(_tree: Tree, operations: list[Operation]) -> list[Operation]:
    """Keep the last replacement of the whole source, which nothing else shows beside."""
    found = [operation for operation in operations if operation.kind == ops.REPLACE_SOURCE]
    return found[-1:] or operations


def _overwritten(_tree: Tree, operations: list[Operation]) -> list[Operation]:
    """Keep the last of the operations that set one facet of one place."""
    last = {(each.address.path, each.facet): each for each in operations if each.facet not in _SHARED}
    return [each for each in operations if each.facet in _SHARED or last[each.address.path, each.facet] is each]


def _classes(_tree: Tree, operations: list[Operation]) -> list[Operation]:
    """Join what is done to the classes of one element: for each name the last word counts."""
    words: dict[tuple[int, ...], dict[str, str]] = {}
    for each in operations:
        if each.facet == "class":
            words.setdefault(each.address.path, {}).update(dict.fromkeys(class_tokens(each.text), each.kind))
    found: list[Operation] = []
    for each in operations:
        if each.facet != "class":
            found.append(each)
            continue
        mine = [name for name in class_tokens(each.text) if words[each.address.path].pop(name, "") == each.kind]
        if mine:
            found.append(replace(each, payload=(" ".join(mine),)))
    return found


def _classes_backwards(tree: Tree, operations: list[Operation]) -> list[Operation]:
    """Do the same from the last operation to the first, so that the last word stays where it was said."""
    return _classes(tree, operations[::-1])[::-1]


def taken_away(tree: Tree, operations: Sequence[Operation]) -> list[tuple[Node, Operation]]:
    """Return the nodes that operations take away or replace as a whole, each with the operation that does it."""
    gone: list[tuple[Node, Operation]] = []
    for each in operations:
        if each.kind in (ops.REMOVE, ops.REPLACE) and not each.place and not each.holes:
            nodes = (resolve(tree, address) for address in (each.address, *each.targets))
            gone.extend((node, each) for node in nodes if isinstance(node, Node))
    return gone


def _shadowed(tree: Tree, operations: list[Operation]) -> list[Operation]:
    """Drop operations on and in what another operation takes away."""
    gone = taken_away(tree, operations)
    if not gone:
        return operations
    found: list[Operation] = []
    for each in operations:
        node = resolve(tree, each.address)
        hidden = isinstance(node, Node) and any(
            other is not each and place.contains(node) and (place is not node or each.facet != "gap") for place, other in gone
        )
        if not hidden:
            found.append(each)
    return found


_Rule = Callable[[Tree, list[Operation]], list[Operation]]
_RULES: Final[tuple[_Rule, ...]] = (_whole_source, _overwritten, _classes_backwards, _shadowed)
