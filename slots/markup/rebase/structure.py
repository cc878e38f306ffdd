"""Carry operations that insert, remove, replace, wrap, unwrap and move nodes.

Each is looked at as a place: what the customization takes away there, what it puts there, which nodes it keeps (holes).
"""

from slots.markup.ops import Operation
from slots.markup.rebase.displacement import Displacement
from slots.markup.rebase.insertion import carry_insertion
from slots.markup.rebase.outcomes import Carried
from slots.markup.rebase.pairing import Pairing, without_holes
from slots.markup.rebase.places import Others, Place
from slots.markup.tree.nodes import Node


def carry(pairing: Pairing, operation: Operation, node: Node, targets: list[Node], holes: list[Node], others: Others) -> Carried:
    """Return a structural operation carried over, with its outcome; the nodes are those of the old base."""
    place = Place(operation, node, targets, holes, others=others)
    if operation.place:
        return carry_insertion(pairing, place)
    place.removed = [
        each
        for each in without_holes(pairing, [node, *targets], others.holes or holes)
        if (there := pairing.partner(each)) is None or there.order not in others.claimed
    ]
    return Displacement(pairing, place).carry()
