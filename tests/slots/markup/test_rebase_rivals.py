import pytest

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.ops import Hole, Operation
from slots.markup.rebase import prepare, rivals
from slots.markup.tree import parse

PAGE = "<div><p>one</p><ul><li>two</li><li>three</li></ul></div><b>four</b><i><u>five</u></i>"


def touched(operation, tree, rival):
    """Say it by looking at each node that the operation refers to."""
    for address in (operation.address, *operation.targets, *operation.holes):
        node = tree.at(address.path)
        if node.contains(rival) or rival.contains(node):
            return not operation.place or rival.contains(node)
    return False


@pytest.mark.parametrize("place", ["", ops.AFTER])
def test_parts_are_found_as_by_looking_at_each(place):
    pairing = prepare(PAGE, PAGE)
    tree = parse(PAGE)
    for at in range(1, len(tree.nodes)):
        for hole in range(1, len(tree.nodes)):
            address, held = (describe(tree, tree.nodes[order]) for order in (at, hole))
            kind = ops.INSERT if place else ops.REPLACE
            operation = Operation(kind, address, (Hole(held),), place=place)
            parts = rivals._Parts(pairing, operation)
            for rival in pairing.new.nodes[1:]:
                assert parts.are_touched(rival) == touched(operation, pairing.new, rival)


def test_what_upstream_added_is_told_by_counts():
    pairing = prepare(
        "<main><p>kept text here</p></main>", "<main><div><p>kept text here</p><b>new</b></div><i><u>x</u></i></main>"
    )
    to_left = pairing.matching.to_left

    for node in pairing.new.nodes:
        assert pairing.is_added(node) == all(to_left[order] < 0 for order in range(node.order, node.last + 1))
    assert {node.name for node in pairing.new.nodes if pairing.is_added(node)} == {"", "b", "i", "u"}
