"""Changes made by hand: what each kind does, and what is said where one cannot be made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slots.errors import IssueCode
from slots.markup import ops
from slots.markup.address import slot_nodes
from slots.markup.changes import CHANGES, Change, make
from slots.markup.compose import compose
from slots.markup.tree import parse
from tests.conftest import examples
from tests.slots.markup.sources import soups, well_formed

CARD = """<article class="card">
  <img src="a.png" alt="x">
  <div class="body">
    <h2>{{ product.name }}</h2>
    {% slot "price" aliases="cost" %}<b class="amount">{{ product.price }}</b>{% endslot %}
    <p class="note" style="color: red">Old <i>text</i></p>
  </div>
</article>
"""
HEADING = "<h2>{{ product.name }}</h2>"
NOTE = '<p class="note" style="color: red">Old <i>text</i></p>'
IMAGE = '<img src="a.png" alt="x">'
AMOUNT = '<b class="amount">{{ product.price }}</b>'
H2, P, IMG = "card/body/h2", "card/body/note", "card/img"


@pytest.mark.parametrize(
    ("what", "name"),
    [("set_attr", "a b"), ("set_attr", 'a"b'), ("remove_attr", "a=b"), ("set_style", "color: red"), ("rename", "h 3"),
     ("rename", "3d"), ("rename", "b>")],
)  # fmt: skip
def test_name_that_is_none_is_refused(what, name):
    made = make(parse(CARD), Change(what, H2, name, "x"))

    assert made.operations == ()
    assert [issue.code for issue in made.issues] == [IssueCode.SCHEMA_INVALID]
    assert f"“{name}” cannot be the" in made.issues[0].text


@pytest.mark.parametrize(
    ("change", "new"),
    [
        (("set_attr", H2, " TITLE ", "x"), '<h2 title="x">'),
        (("rename", H2, "H4"), "<h4>"),
        (("add_class", H2, "big  wide big"), '<h2 class="big wide">'),
        (("set_style", H2, "--Gap", "1px"), '<h2 style="--Gap: 1px">'),
    ],
)
def test_names_are_spelt_as_html_spells_them(change, new):
    assert new in changed(*change)


def changed(what, slot, name="", text=""):
    tree = parse(CARD)
    made = make(tree, Change(what, slot, name, text))
    assert made.issues == ()
    assert ops.loads(ops.dumps(made.operations)) == made.operations
    composed = compose(tree, made.operations)
    assert composed.issues == ()
    return composed.source


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (("text", H2, "", "5 < {{ x }}"), HEADING, "<h2>5 &lt; &#123;&#123; x &#125;&#125;</h2>"),
        (("content", "price", "", "<u>{{ product.price }}</u>"), AMOUNT, "<u>{{ product.price }}</u>"),
        (("set_attr", IMG, "alt", 'A "{{ product.name }}"'), 'alt="x"', "alt='A \"{{ product.name }}\"'"),
        (("set_attr", IMG, "alt", ""), 'alt="x"', 'alt=""'),
        (("remove_attr", IMG, "alt"), ' alt="x"', ""),
        (("add_class", P, "big wide"), 'class="note"', 'class="note big wide"'),
        (("remove_class", "card/body", "body"), 'class="body"', 'class=""'),
        (("set_style", H2, "color", "blue"), "<h2>", '<h2 style="color: blue">'),
        (("unset_style", P, "color"), ' style="color: red"', ' style=""'),
        (("hide", H2), "<h2>", "<h2 hidden>"),
        (("remove", H2), f"\n    {HEADING}", ""),
        (("replace", H2, "", "<h3>x</h3>"), HEADING, "<h3>x</h3>"),
        (("insert_before", H2, "", "<hr>"), HEADING, f"<hr>\n    {HEADING}"),
        (("insert_after", H2, "", "<hr>"), HEADING, f"{HEADING}\n    <hr>"),
        (("prepend", "card/body", "", "<hr>"), f"    {HEADING}", f"    <hr>\n    {HEADING}"),
        (("append", "card/body", "", "<hr>"), NOTE, f"{NOTE}\n    <hr>"),
        (("wrap", H2, "", "<div>[here]</div>"), HEADING, f"<div>{HEADING}</div>"),
        (("unwrap", P), NOTE, "Old <i>text</i>"),
        (("rename", H2, "h4"), HEADING, "<h4>{{ product.name }}</h4>"),
        (("move_before", P, H2), f"{HEADING}\n", f"{NOTE}\n    {HEADING}\n"),
        (("move_after", IMG, "card/body"), "  </div>\n", f"  </div>\n  {IMAGE}\n"),
        (("move_into", IMG, "price"), AMOUNT, AMOUNT + IMAGE),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_change_does_what_it_says(change, old, new):
    gone = {"move_before": f"\n    {NOTE}", "move_after": f"\n  {IMAGE}", "move_into": f"\n  {IMAGE}"}.get(change[0], "")

    assert changed(*change) == CARD.replace(gone, "", 1).replace(old, new, 1)


def test_every_kind_of_change_is_tried():
    (mark,) = (mark for mark in test_change_does_what_it_says.pytestmark if mark.name == "parametrize")

    assert {change[0] for change, _, _ in mark.args[1]} == set(CHANGES)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("paint", H2), IssueCode.SCHEMA_INVALID, "no change 'paint'"),
        (("text", "card/body/h3", "", "x"), IssueCode.SLOT_UNKNOWN, "no slot card/body/h3"),
        (("text", H2), IssueCode.SCHEMA_INVALID, "needs the text"),
        (("set_attr", H2, "", "x"), IssueCode.SCHEMA_INVALID, "needs the name"),
        (("set_attr", "price", "title", "x"), IssueCode.KIND_NOT_ALLOWED, "works on elements"),
        (("text", IMG, "", "x"), IssueCode.KIND_NOT_ALLOWED, "no content"),
        (("append", IMG, "", "x"), IssueCode.KIND_NOT_ALLOWED, "no content"),
        (("unwrap", IMG), IssueCode.KIND_NOT_ALLOWED, "no content"),
        (("move_into", P, IMG), IssueCode.KIND_NOT_ALLOWED, "no content"),
        (("move_before", P, "card/nowhere"), IssueCode.SLOT_UNKNOWN, "no slot card/nowhere"),
        (("move_before", "card/body", H2), IssueCode.WRAP_CONFLICT, "stands in card/body itself"),
        (("wrap", H2, "", "<div></div>"), IssueCode.SCHEMA_INVALID, "[here]"),
        (("wrap", H2, "", "<div>[here][here]</div>"), IssueCode.SCHEMA_INVALID, "[here]"),
        (("unset_style", H2, "color"), IssueCode.TARGET_MISSING, "nothing in card/body/h2 would change"),
        (("remove_attr", H2, "title"), IssueCode.TARGET_MISSING, "nothing in card/body/h2 would change"),
    ],
)
def test_change_that_cannot_be_made_is_an_issue_with_the_next_step(change, code, words):
    made = make(parse(CARD), Change(*change))

    assert made.operations == ()
    (issue,) = made.issues
    assert issue.code is code
    assert words in issue.text
    assert issue.suggestion


def test_unknown_slot_is_answered_with_the_nearest_one():
    (issue,) = make(parse(CARD), Change("remove", "card/body/notes")).issues

    assert issue.suggestion == "Did you mean card/body/note?"


def test_former_name_works_and_is_said():
    made = make(parse(CARD), Change("content", "cost", "", "x"))

    assert [operation.address.slot or operation.address.blocks for operation in made.operations] == [("slot:price",)]
    assert [issue.code for issue in made.issues] == [IssueCode.SLOT_RENAMED]


@settings(max_examples=examples(150), deadline=None)
@given(st.one_of(soups, well_formed().map("".join)), st.sampled_from(sorted(CHANGES)), st.data())
def test_change_of_any_source_is_made_or_said_to_be_impossible(source, what, data):
    tree = parse(source)
    slots = list(slot_nodes(tree))
    if not slots:
        return
    slot, other = data.draw(st.sampled_from(slots)), data.draw(st.sampled_from(slots))
    name = other if what.startswith("move") else "title"

    made = make(tree, Change(what, slot, name, "<u>[here]</u>" if what == "wrap" else "<u>new</u>"))

    assert bool(made.operations) != any(issue.code is not IssueCode.SLOT_RENAMED for issue in made.issues)
    if made.operations:
        composed = compose(tree, ops.loads(ops.dumps(made.operations)))
        assert composed.issues == ()
        assert composed.source != source
