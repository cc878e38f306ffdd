"""Carry changes of `{% load %}`: a set of libraries, whatever the tags say them in.

What the customization adds is added, what it takes out is taken out only where the new base says exactly what the old one
said; a library that upstream needs is never dropped.
"""

from dataclasses import replace

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.ops import Operation
from slots.markup.rebase import spelling
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Pairing
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree

LOAD = "load"


def concerns(pairing: Pairing, operation: Operation, node: Node) -> bool:
    """Tell whether the operation changes the libraries of one `load` tag."""
    return operation.kind == ops.SET_TAG_ARGS and not operation.layout and is_load(node)


def is_load(node: Node) -> bool:
    """Tell whether a node is a `load` tag."""
    return node.kind == nodes.TAG and node.name == LOAD


def loaded(tree: Tree) -> frozenset[str]:
    """Return all libraries that a source loads."""
    found: frozenset[str] = frozenset()
    for node in tree.nodes:
        if is_load(node):
            found |= spelling.libraries(tree.open(node))
    return found


def carry(pairing: Pairing, operation: Operation, node: Node) -> Carried:
    """Return a changed `load` tag carried over."""
    before, wanted = spelling.libraries(pairing.old.open(node)), spelling.libraries(operation.text)
    there = pairing.partner(node) or _other_load(pairing, wanted)
    if there is None:
        outcome = Outcome(
            operation.id,
            Status.CONFLICT,
            Texts(pairing.old.open(node), operation.text, ""),
            "Upstream loads nothing here any more.",
        )
        return Carried(None, outcome)
    theirs = spelling.libraries(pairing.new.open(there))
    everywhere = loaded(pairing.new)
    texts = Texts(pairing.old.open(node), operation.text, pairing.new.open(there))
    if theirs == before and pairing.partner(node) is there:
        carried = replace(operation, address=describe(pairing.new, there), displaced=(pairing.new.open(there),))
        return Carried(carried, Outcome(operation.id, Status.CLEAN, texts, "", operation.address.name))
    missing = sorted(wanted - before - everywhere)
    if not missing:
        return Carried(
            None, Outcome(operation.id, Status.ABSORBED, texts, "The new base loads these libraries.", operation.address.name)
        )
    text = pairing.new.open(there)
    if " from " in text:
        outcome = Outcome(operation.id, Status.CONFLICT, texts, "The new base loads single names here; decide how to join them.")
        return Carried(None, outcome)
    joined = f"{text[:-2].rstrip()} {' '.join(missing)} %}}"
    carried = replace(operation, address=describe(pairing.new, there), payload=(joined,), displaced=(text,))
    return Carried(
        carried, Outcome(operation.id, Status.ADAPTED, texts, "The libraries of both sides are loaded.", operation.address.name)
    )


def _other_load(pairing: Pairing, wanted: frozenset[str]) -> Node | None:
    """Return the `load` tag of the new base that shares most with the wanted one, the first of equals."""
    best: Node | None = None
    most = 0
    for node in pairing.new.nodes:
        if is_load(node):
            common = 1 + len(spelling.libraries(pairing.new.open(node)) & wanted)
            if common > most:
                best, most = node, common
    return best
