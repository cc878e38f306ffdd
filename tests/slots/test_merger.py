"""Layers over layers: who wins, where a value comes from, and what is said about the losers."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.errors import IssueCode
from slots.markup import ops
from slots.markup.address import describe
from slots.merger import ConfigMerger, LayerConfiguration, Provenance
from tests.slots.conftest import CARD, find, identified

BUTTON = '<button class="buy" type="button">'
ARTICLE = '<article class="card">'
AT = datetime(2026, 1, 1, tzinfo=UTC)


def operation(kind, own, text="", **members):
    tree, node = find(CARD, own)
    return identified(ops.Operation(kind, describe(tree, node), payload=(text,) if text else (), **members))


def layer(name, *operations, key="", **options):
    return LayerConfiguration(Provenance(name, key, f"{name}-1", "alice", AT), operations, **options)


def shown(effective):
    return [value.operation.text for value in effective.values]


def test_later_layers_win_in_the_order_of_the_design():
    names = ("default", "site", "segment", "user", "preview")
    layers = [layer(name, operation(ops.SET_TEXT, "Buy", name), key=name) for name in names]

    effective = ConfigMerger().merge(reversed(layers))

    assert shown(effective) == ["preview"]
    assert [str(provenance) for _, provenance in effective.values[0].shadowed] == [
        "default default",
        "site site",
        "segment segment",
        "user user",
    ]


def test_segments_go_by_priority_then_by_key():
    low = layer("segment", operation(ops.SET_TEXT, "Buy", "low"), key="z", priority=1)
    high = layer("segment", operation(ops.SET_TEXT, "Buy", "high"), key="a", priority=2)
    tie = layer("segment", operation(ops.SET_TEXT, "Buy", "tie"), key="b", priority=2)

    for order in permutations((low, high, tie)):
        assert shown(ConfigMerger().merge(order)) == ["tie"]


def test_each_value_says_where_it_comes_from():
    text = operation(ops.SET_TEXT, "Buy", "Order")
    css = operation(ops.SET_STYLE, BUTTON, "red", name="color")

    effective = ConfigMerger().merge([layer("site", text), layer("user", css, key="bob")])

    assert effective.issues == ()
    assert effective.provenance == {
        text.id: Provenance("site", "", "site-1", "alice", AT),
        css.id: Provenance("user", "bob", "user-1", "alice", AT),
    }


def test_shadowed_operation_is_reported_with_a_next_step():
    below = operation(ops.SET_ATTR, BUTTON, "a", name="title")
    above = operation(ops.SET_ATTR, BUTTON, "b", name="title")

    (issue,) = ConfigMerger().merge([layer("site", below), layer("user", above, key="bob")]).issues

    assert (issue.code, issue.operation, issue.place) == (IssueCode.OP_SHADOWED, below.id, below.address.name)
    assert issue.suggestion


@pytest.mark.parametrize(
    ("below", "above"),
    [
        (operation(ops.SET_ATTR, BUTTON, "a", name="title"), operation(ops.SET_ATTR, BUTTON, "b", name="lang")),
        (operation(ops.ADD_CLASS, BUTTON, "a"), operation(ops.ADD_CLASS, BUTTON, "b")),
        (operation(ops.SET_STYLE, BUTTON, "a", name="color"), operation(ops.SET_STYLE, BUTTON, "b", name="margin")),
        (operation(ops.INSERT, BUTTON, "a", place="after"), operation(ops.INSERT, BUTTON, "b", place="after")),
        (operation(ops.SET_TEXT, "Buy", "a"), operation(ops.ADD_CLASS, ARTICLE, "b")),
    ],
)
def test_different_facets_and_sets_live_side_by_side(below, above):
    effective = ConfigMerger().merge([layer("site", below), layer("user", above, key="bob")])

    assert effective.operations == (below, above)
    assert effective.issues == ()


def test_removed_node_shadows_what_lower_layers_say_about_it():
    style = operation(ops.SET_STYLE, BUTTON, "red", name="color")
    gone = operation(ops.REMOVE, BUTTON)

    effective = ConfigMerger().merge([layer("site", style), layer("user", gone, key="bob")])

    assert effective.operations == (gone,)
    assert [issue.code for issue in effective.issues] == [IssueCode.OP_SHADOWED]


def test_replaced_source_shadows_everything_below():
    whole = operation(ops.REPLACE_SOURCE, "", "<p></p>")
    lower = [operation(ops.SET_TEXT, "Buy", "a"), operation(ops.ADD_CLASS, ARTICLE, "b")]

    effective = ConfigMerger().merge([layer("site", *lower), layer("user", whole, key="bob")])

    assert effective.operations == (whole,)
    assert len(effective.issues) == 2


def test_operations_of_one_layer_never_shadow_each_other():
    twice = (operation(ops.SET_TEXT, "Buy", "a"), operation(ops.SET_TEXT, "Buy", "b"))

    assert ConfigMerger().merge([layer("site", *twice), layer("user", key="bob")]).operations == twice


def test_merging_again_changes_nothing():
    layers = [layer("site", operation(ops.SET_TEXT, "Buy", "a")), layer("user", operation(ops.SET_TEXT, "Buy", "b"), key="bob")]
    once = ConfigMerger().merge(layers)

    again = ConfigMerger().merge([layer("user", *once.operations, key="bob")])

    assert again.operations == once.operations


def test_locked_place_holds_against_every_layer_above_and_everything_inside():
    text = operation(ops.SET_TEXT, "Buy", "a")
    site = layer("site", locked=frozenset({text.address.name.rpartition("/")[0]}))

    effective = ConfigMerger().merge([site, layer("user", text, key="bob")])

    assert effective.operations == ()
    assert [(issue.code, issue.operation) for issue in effective.issues] == [(IssueCode.LAYER_LOCKED, text.id)]


def test_lock_does_not_hold_against_its_own_layer():
    text = operation(ops.SET_TEXT, "Buy", "a")
    site = layer("site", text, locked=frozenset({text.address.name}))

    assert ConfigMerger().merge([site, layer("user", key="bob")]).operations == (text,)


PLACES = [BUTTON, ARTICLE, "Buy"]
NAMES = ("default", "site", "segment", "user", "preview")
CHANGES = st.one_of(
    st.builds(operation, st.just(ops.SET_TEXT), st.sampled_from(PLACES), st.sampled_from("xy")),
    st.builds(operation, st.just(ops.SET_ATTR), st.sampled_from(PLACES), st.just("x"), name=st.sampled_from(["title", "lang"])),
    st.builds(operation, st.just(ops.ADD_CLASS), st.sampled_from(PLACES), st.just("x")),
    st.builds(operation, st.just(ops.INSERT), st.sampled_from(PLACES), st.just("x"), place=st.just("after")),
    st.builds(operation, st.sampled_from([ops.REMOVE, ops.REPLACE]), st.sampled_from(PLACES)),
    st.builds(
        lambda own: replace(operation(ops.WRAP, own), payload=(ops.Hole(operation(ops.WRAP, own).address),)),
        st.sampled_from(PLACES),
    ),
    st.just(operation(ops.REPLACE_SOURCE, "", "x")),
)
LAYERS = st.lists(st.tuples(st.sampled_from(NAMES), st.lists(CHANGES, max_size=4)), max_size=5, unique_by=lambda each: each[0])


def takes(above, below):
    """Say whether an operation of a higher layer takes the place of one of a lower layer."""
    if above.kind == ops.REPLACE_SOURCE:
        return True
    if above.address.path != below.address.path:
        return False
    if above.facet == "node" and not above.holes:
        return below.facet != "gap"
    return above.facet == below.facet and above.facet not in ("class", "gap", "space")


@given(LAYERS)
def test_what_no_higher_layer_takes_is_left_and_the_rest_is_reported_once(drawn):
    made = [layer(name, *operations) for name, operations in drawn]
    ordered = sorted(drawn, key=lambda each: NAMES.index(each[0]))
    live, gone = [], []
    for number, (_, operations) in enumerate(ordered):
        above = [higher for _, others in ordered[number + 1 :] for higher in others]
        for each in operations:
            (gone if any(takes(higher, each) for higher in above) else live).append(each)

    effective = ConfigMerger().merge(made)

    assert effective.operations == tuple(live)
    assert tuple(value.operation for value in effective.values) == tuple(live)
    assert sorted(issue.operation for issue in effective.issues) == sorted(each.id for each in gone)
    assert sorted(each.id for value in effective.values for each, _ in value.shadowed) == sorted(each.id for each in gone)
    assert effective.provenance == {value.operation.id: value.provenance for value in effective.values}


def test_what_is_shadowed_twice_is_named_with_the_lowest_winner():
    layers = [layer(name, operation(ops.SET_TEXT, "Buy", name)) for name in ("site", "user", "preview")]

    texts = [issue.text for issue in ConfigMerger().merge(layers).issues]

    assert texts == [
        "The site layer's set_text does not show: the user layer changes the same place.",
        "The user layer's set_text does not show: the preview layer changes the same place.",
    ]
