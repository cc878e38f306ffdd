"""Condensing chains of changes, and the differences between two lists in words."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.compose import compose
from slots.markup.condense import condense
from slots.markup.differences import Change, differences
from slots.markup.ops import Operation
from slots.markup.tree import parse
from tests.conftest import examples

BASE = '<article class="card wide"><h3 title="t">Name</h3><p style="color: red">Text</p></article>'
TREE = parse(BASE)
NODES = {TREE.open(node): node for node in TREE.nodes[1:]}
CARD, HEAD, TITLE, PART, TEXT = (
    '<article class="card wide">', '<h3 title="t">', "Name", '<p style="color: red">', "Text",
)  # fmt: skip


def on(what, kind, text=None, number=0, **members):
    """Return an operation on the node whose open text is `what`."""
    payload = () if text is None else (text,)
    made = Operation(kind, describe(TREE, NODES[what]), payload, **members)
    return Operation(kind, made.address, payload, **members, id=made.identifier(number))


def condensed(*operations):
    """Return what is left, after proving that it gives the same text."""
    found = condense(BASE, operations)
    assert compose(BASE, found.operations).source == compose(BASE, operations).source
    return list(found.operations)


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        ([on(TITLE, ops.SET_TEXT, "A"), on(TITLE, ops.SET_TEXT, "B")], [1]),
        ([on(TITLE, ops.SET_TEXT, "A"), on(TEXT, ops.SET_TEXT, "B")], [0, 1]),
        ([on(TITLE, ops.SET_TEXT, "A"), on(TITLE, ops.SET_TEXT, "Name")], []),
        ([on(HEAD, ops.SET_ATTR, "a", name="title"), on(HEAD, ops.SET_ATTR, "b", name="title")], [1]),
        ([on(HEAD, ops.SET_ATTR, "a", name="title"), on(HEAD, ops.SET_ATTR, "b", name="lang")], [0, 1]),
        ([on(HEAD, ops.SET_ATTR, "t", name="title"), on(TITLE, ops.SET_TEXT, "A")], [1]),
        ([on(PART, ops.SET_STYLE, "blue", name="color"), on(PART, ops.SET_STYLE, "red", name="color")], []),
        ([on(TITLE, ops.SET_TEXT, "A"), on(HEAD, ops.REMOVE)], [1]),
        ([on(HEAD, ops.REMOVE), on(TEXT, ops.SET_TEXT, "B")], [0, 1]),
        ([on(TITLE, ops.SET_TEXT, "A"), on(HEAD, ops.REPLACE, "<h2>x</h2>")], [1]),
        ([on(TITLE, ops.SET_TEXT, "A"), Operation(ops.REPLACE_SOURCE, describe(TREE, TREE.root), ("<p>",), id="w")], [1]),
        ([on(CARD, ops.ADD_CLASS, "new"), on(CARD, ops.REMOVE_CLASS, "new")], []),
    ],
)
def test_condense_keeps_the_net_effect(operations, left):
    assert condensed(*operations) == [operations[index] for index in left]


def test_condense_joins_the_last_words_on_classes():
    left = condensed(on(CARD, ops.ADD_CLASS, "a b"), on(CARD, ops.REMOVE_CLASS, "wide"), on(CARD, ops.REMOVE_CLASS, "a", 1))

    assert [(operation.kind, operation.text) for operation in left] == [(ops.ADD_CLASS, "b"), (ops.REMOVE_CLASS, "wide")]


def test_condense_says_what_it_dropped():
    first, second = on(TITLE, ops.SET_TEXT, "A"), on(TITLE, ops.SET_TEXT, "B")

    assert condense(BASE, [first, second]).dropped == (first,)


OPERATIONS = st.one_of(
    st.builds(lambda text, n: on(TITLE, ops.SET_TEXT, text, n), st.sampled_from(["A", "B", "Name"]), st.integers(1, 9)),
    st.builds(lambda name, n: on(CARD, ops.ADD_CLASS, name, n), st.sampled_from(["a", "wide", "a b"]), st.integers(1, 9)),
    st.builds(lambda name, n: on(CARD, ops.REMOVE_CLASS, name, n), st.sampled_from(["a", "wide", "card"]), st.integers(1, 9)),
    st.builds(lambda text, n: on(PART, ops.SET_STYLE, text, n, name="color"), st.sampled_from(["red", "x"]), st.integers(1, 9)),
    st.just(on(HEAD, ops.REMOVE)),
    st.just(on(HEAD, ops.INSERT, "<i>new</i>", place=ops.AFTER)),
    st.just(on(TITLE, ops.REPLACE, "<u>x</u>")),
)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(OPERATIONS, max_size=8, unique_by=lambda operation: operation.id))
def test_condensing_changes_no_text_and_again_changes_nothing(operations):
    left = condensed(*operations)

    assert len(left) <= len(operations)
    assert condensed(*left) == left


def test_differences_say_what_is_new_gone_and_changed():
    text, other = on(TITLE, ops.SET_TEXT, "A"), on(TITLE, ops.SET_TEXT, "B")
    added, removed = on(CARD, ops.ADD_CLASS, "new"), on(TEXT, ops.SET_TEXT, "X")

    found = differences([text, removed], [other, added])

    assert [each.change for each in found] == [Change.CHANGED, Change.ADDED, Change.REMOVED]
    assert [each.words for each in found] == [
        "Instead of “Replace the text of card/h3/text by “A”” now: Replace the text of card/h3/text by “B”.",
        "New: Add the class new to card.",
        "Gone: Replace the text of card/p/text by “X”.",
    ]
    assert found[0].as_json()["operations"] == [text.id, other.id]


@pytest.mark.parametrize("path", [(0, 0), (7, 7)])
def test_difference_in_addresses_alone_is_one_of_versions(path):
    before = on(CARD, ops.ADD_CLASS, "new")
    after = replace(before, address=before.address._replace(path=path), id="other")

    (found,) = differences([before], [after])

    assert found.words == "Made for the new version: Add the class new to card."


def test_difference_beyond_what_a_sentence_quotes_is_said():
    long = "a" * 80
    one, other = on(TITLE, ops.SET_TEXT, f"{long}b"), on(TITLE, ops.SET_TEXT, f"{long}c")

    (found,) = differences([one], [other])

    assert found.words.startswith("Changed beyond what is shown here: Replace the text of")


def test_differences_of_equal_lists_are_none_and_layout_says_nothing():
    text = on(TITLE, ops.SET_TEXT, "A")

    assert differences([text], [text]) == ()
    assert differences([], [on(TITLE, ops.SET_TEXT, "Name ", layout=True)]) == ()
