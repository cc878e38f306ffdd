"""Taking operations back: the laws, and what each operation must have noted down for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.engine import diff
from migration.engine.reverse import reverse
from migration.engine.translate import translate, translate_sources
from slots.markup import ops
from slots.markup.address import resolve
from slots.markup.compose import compose
from slots.markup.tree import parse
from slots.markup.tree.attributes import read
from tests.conftest import examples
from tests.slots.markup.sources import edits, soup_edits

CARD = "<div>\n<h2 class='a b'>{{ name }}</h2>\n<p>{{ price }}</p>\n<a href='/x'>Buy</a>\n</div>\n"
pairs = st.one_of(edits(), soup_edits)


@settings(max_examples=examples(60), deadline=None)
@given(pairs)
def test_taking_all_back_gives_the_base_to_the_byte(pair):
    base, custom = pair
    found = reverse(base, translate_sources(base, custom).operations)

    assert found.left == ()
    assert found.back.proven
    assert compose(custom, found.back.operations).source == base


@settings(max_examples=examples(60), deadline=None)
@given(pairs)
def test_taking_back_what_took_back_gives_the_customization_again(pair):
    base, custom = pair
    back = reverse(base, translate_sources(base, custom).operations).back

    again = reverse(custom, back.operations).back

    assert compose(base, again.operations).source == custom


@settings(max_examples=examples(60), deadline=None)
@given(pairs, st.data())
def test_taking_one_back_leaves_what_the_others_make(pair, data):
    base, custom = pair
    operations = translate_sources(base, custom).operations
    if not operations:
        return
    one = data.draw(st.sampled_from(operations))

    found = reverse(base, operations, ids=[one.id])

    assert found.taken == (one,)
    others = [operation for operation in operations if operation.id != one.id]
    assert compose(custom, found.back.operations).source == compose(base, others).source


@settings(max_examples=examples(60), deadline=None)
@given(pairs)
def test_operations_note_what_the_base_has_where_they_change_it(pair):
    base, custom = pair
    tree = parse(base)
    for operation in translate_sources(base, custom).operations:
        if operation.kind in (ops.REMOVE, ops.REPLACE, ops.UNWRAP):
            nodes = [resolve(tree, address) for address in (operation.address, *operation.targets)]
            assert operation.displaced == tuple(base[node.head : node.end] for node in nodes)
        elif operation.kind in (ops.SET_ATTR, ops.REMOVE_ATTR):
            parts = read(tree.open(resolve(tree, operation.address))).parts
            before = [part.text.strip() for part in parts if operation.name in (part.name, part.key)]
            assert list(operation.displaced) == before[:1]


def made():
    custom = CARD.replace("a b", "a b c").replace("{{ price }}", "<b>{{ price }}</b>").replace("Buy", "Order")
    lines = "\n" * 9
    base, custom = CARD.replace("<a", lines + "<a"), custom.replace("<a", lines + "<a")
    return base, custom, translate(base, diff.parse(diff.make(base, custom, path="card.html"))).operations


def test_hunk_is_taken_back_with_all_its_operations_and_nothing_else():
    base, custom, operations = made()
    assert sorted({operation.hunk for operation in operations}) == [0, 1]

    found = reverse(base, operations, hunk=0)

    assert {operation.hunk for operation in found.taken} == {0}
    assert found.back.base == custom
    assert found.back.source == base.replace("Buy", "Order")


def test_hunk_and_ids_are_taken_back_together():
    base, _, operations = made()
    (last,) = (operation for operation in operations if operation.hunk == 1)

    assert reverse(base, operations, hunk=0, ids=[last.id]).left == ()


def test_unknown_id_is_refused():
    base, _, operations = made()

    with pytest.raises(KeyError, match="nothing-like-that"):
        reverse(base, operations, ids=["nothing-like-that"])


def test_no_ids_take_nothing_back():
    base, custom, operations = made()

    found = reverse(base, operations, ids=[])

    assert found.taken == ()
    assert found.back.operations == ()
    assert found.back.source == custom
