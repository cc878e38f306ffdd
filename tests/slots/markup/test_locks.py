"""Locks: what they hold against, by the template's own slots."""

import pytest

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.locks import Locks
from slots.markup.ops import Hole, Operation
from slots.markup.tree import parse

SOURCE = '<div class="a"><p class="b">{% slot "price" aliases="cost" %}<b>5</b>{% endslot %}</p><i>x</i></div><u>y</u>'
TREE = parse(SOURCE)
NODES = {TREE.open(node): node for node in TREE.nodes[1:]}
SLOT = '{% slot "price" aliases="cost" %}'


def on(what, kind, **members):
    return Operation(kind, describe(TREE, NODES[what]), id="x", **members)


@pytest.mark.parametrize(
    ("operation", "held"),
    [
        (on("5", ops.SET_TEXT, payload=("6",)), True),
        (on("<b>", ops.ADD_CLASS, payload=("x",)), True),
        (on(SLOT, ops.REMOVE), True),
        (on(SLOT, ops.INSERT, place=ops.APPEND, payload=("x",)), True),
        (on(SLOT, ops.INSERT, place=ops.AFTER, payload=("x",)), False),
        (on("<b>", ops.INSERT, place=ops.AFTER, payload=("x",)), True),
        (on('<p class="b">', ops.REMOVE), True),
        (on('<div class="a">', ops.REPLACE, payload=("x",)), True),
        (on('<div class="a">', ops.ADD_CLASS, payload=("x",)), False),
        (on("<i>", ops.REPLACE, payload=("x",), targets=(describe(TREE, NODES[SLOT]),)), True),
        (on("<u>", ops.MOVE, place=ops.AFTER, payload=(Hole(describe(TREE, NODES['<p class="b">'])),)), True),
        (on("<u>", ops.MOVE, place=ops.AFTER, payload=(Hole(describe(TREE, NODES["<i>"])),)), False),
        (on("x", ops.SET_TEXT, payload=("z",)), False),
        (Operation(ops.REPLACE_SOURCE, describe(TREE, TREE.root), ("x",), id="x"), True),
    ],
)
@pytest.mark.parametrize("name", ["price", "cost"])
def test_lock_on_a_slot_holds(operation, held, name):
    assert bool(Locks(TREE).holder(frozenset({name}), operation)) is held


def test_lock_on_a_derived_slot_holds():
    assert Locks(TREE).holder(frozenset({"a/b"}), on("5", ops.SET_TEXT, payload=("6",))) == "a/b"


def test_lock_on_what_the_template_does_not_have_holds_nothing():
    assert Locks(TREE).holder(frozenset({"gone"}), on("5", ops.SET_TEXT, payload=("6",))) == ""
