"""Declared slots: reading what a tag declares, filling, and holding operations to the declaration."""

import pytest

from slots.errors import IssueCode
from slots.markup import ops
from slots.markup.address import describe
from slots.markup.compose import compose
from slots.markup.declared import Declaration, DeclarationInvalid, declarations, fill, read, remarks
from slots.markup.tree import parse

CARD = """<article class="card">
  {% slot "title" kinds="text" required %}<b>{{ product.name }}</b>{% endslot %}
  {% slot "price@2" kinds="text rich_text" aliases="price price@1" %}5 €{% endslot %}
  {% slot "media" kinds="image url" %}<a href="/p/"><img src="/a.png" alt="A"></a>{% endslot %}
  {% slot "box" kinds="attribute class_list style visibility" %}<i class="box" data-x="1" style="color: red">x</i>{% endslot %}
  {% slot "list" kinds="widgets" many %}{% endslot %}
  {% slot "old" deprecated="Use title." %}<u>old</u>{% endslot %}
  {% slot "free" %}{% endslot %}
  {% slot "teaser" kinds="component" %}{% endslot %}
</article>
"""


def filled(slot, value, **options):
    """Return the composed card after a fill that has to work."""
    made = fill(parse(CARD), slot, value, **options)
    assert made.operations, made.issues
    composed = compose(CARD, made.operations)
    assert composed.issues == ()
    return composed.source


def codes(found):
    return [issue.code for issue in found]


def test_read_takes_everything_a_tag_may_say():
    text = '{% slot "price@1" kinds="text url" required many aliases="cost" deprecated="Use amount." data="item=tag number" %}'

    assert read(text) == Declaration(
        "price@1", ("text", "url"), True, True, ("cost",), "Use amount.", (("item", "tag"), ("number", "number"))
    )
    assert read(text).version == "1"


@pytest.mark.parametrize(
    ("tag", "says"),
    [
        ("{% slot %}", "one quoted name first"),
        ("{% slot price %}", "one quoted name first"),
        ('{% slot "a b" %}', "one quoted name first"),
        ('{% slot "a" colour="red" %}', "has no colour"),
        ('{% slot "a" required="yes" %}', "has no required"),
        ('{% slot "a" many many %}', "stands twice"),
        ('{% slot "a" kinds="texts" %}', "no kind texts"),
        ('{% slot "a" kinds=text %}', "has no kinds=text"),
        ('{% slot "a" aliases="a" %}', "no earlier name"),
        ('{% slot "a" data="1x=y" %}', "data takes names"),
        ('{% slot "a" data="x=y x=z" %}', "data takes names"),
    ],
)
def test_read_refuses_what_it_does_not_know(tag, says):
    with pytest.raises(DeclarationInvalid, match=says):
        read(tag)


def test_declarations_leave_out_what_cannot_be_read():
    assert [each.name for each in declarations(parse('{% slot "a" %}{% endslot %}{% slot b %}{% endslot %}')).values()] == ["a"]


@pytest.mark.parametrize(
    ("slot", "value", "shows"),
    [
        ("title", "A < B {{ x }}", "required %}A &lt; B &#123;&#123; x &#125;&#125;{% endslot %}"),
        ("price@2", "6 €", "6 €{% endslot %}"),
        ("free", "text", '"free" %}text{% endslot %}'),
        ("media", "/q/", '<a href="/q/"><img src="/a.png" alt="A">'),
        ("media", {"src": "/b.png", "alt": "B"}, '<img src="/b.png" alt="B">'),
        ("box", {"data-x": "2", "title": "T"}, 'data-x="2"'),
        ("box", {"data-x": None}, '<i class="box" style="color: red">'),
        ("box", {"add": ["wide"], "remove": ["box"]}, 'class="wide"'),
        ("box", False, " hidden>x</i>"),
        ("list", ["<p>1</p>", "<p>2</p>"], "<p>1</p>\n<p>2</p>{% endslot %}"),
        ("teaser", {"component": "shop.x", "values": {"product": "product"}}, '{% render_component "shop.x" product=product %}'),
    ],
)
def test_fill_puts_a_value_of_each_kind(slot, value, shows):
    assert shows in filled(slot, value)


def test_fill_of_a_named_kind_is_taken_for_that_kind():
    assert "<em>6</em>{% endslot %}" in filled("price@2", "<em>6</em>", kind="rich_text")
    assert 'style="color: blue"' in filled("box", {"color": "blue"}, kind="style")
    assert 'style=""' in filled("box", {"color": None}, kind="style")


def test_fill_by_a_former_name_works_and_says_so():
    made = fill(parse(CARD), "price", "6 €")

    assert codes(made.issues) == [IssueCode.SLOT_RENAMED]
    assert made.issues[0].suggestion == "Use price@2."
    assert "6 €" in compose(CARD, made.operations).source


def test_fill_of_a_deprecated_slot_says_what_to_use():
    made = fill(parse(CARD), "old", "x")

    assert [(issue.code, issue.suggestion) for issue in made.issues] == [(IssueCode.SLOT_DEPRECATED, "Use title.")]
    assert made.operations


@pytest.mark.parametrize(
    ("slot", "suggestion"),
    [("titel", "Did you mean title?"), ("price@3", "Did you mean price@2?"), ("zzz", "The template declares")],
)
def test_fill_of_an_unknown_slot_suggests_one(slot, suggestion):
    made = fill(parse(CARD), slot, "x")

    assert made.operations == ()
    assert codes(made.issues) == [IssueCode.SLOT_UNKNOWN]
    assert made.issues[0].suggestion.startswith(suggestion)


def test_fill_of_a_name_declared_twice_is_refused():
    made = fill(parse('{% slot "a" %}1{% endslot %}{% slot "a" %}2{% endslot %}'), "a", "x")

    assert (made.operations, codes(made.issues)) == ((), [IssueCode.DUPLICATE_ID])


@pytest.mark.parametrize(
    ("slot", "value", "kind"),
    [
        ("title", 5, ""),
        ("title", {"src": "x"}, ""),
        ("title", "<b>x</b>", "rich_text"),
        ("media", {"alt": "no source"}, ""),
        ("list", [], ""),
        ("box", {}, ""),
        ("teaser", {"component": "x", "values": {"a": "b|safe"}}, ""),
        ("teaser", {"component": "x %}{% debug"}, ""),
        ("title", "x", "no such kind"),
    ],
)
def test_fill_with_what_the_slot_does_not_take_is_refused(slot, value, kind):
    made = fill(parse(CARD), slot, value, kind=kind)

    assert (made.operations, codes(made.issues)) == ((), [IssueCode.KIND_NOT_ALLOWED])
    assert made.issues[0].suggestion.startswith("It takes ")


@pytest.mark.parametrize(
    ("slot", "value", "kind", "reason"),
    [
        ("list", [], "", "the list is empty"),
        ("list", [], "widgets", "the list is empty"),
        ("list", (), "", "the tuple is empty"),
        ("list", [5], "", "a list is not what it takes"),
        ("title", 5, "", "an int is not what it takes"),
        ("title", None, "", "None is not what it takes"),
    ],
)
def test_refused_fill_says_what_is_wrong_with_the_value(slot, value, kind, reason):
    (issue,) = fill(parse(CARD), slot, value, kind=kind).issues

    assert issue.text == f"The slot {slot} cannot be filled: {reason}."


def test_fill_without_an_element_to_carry_it_is_refused():
    source = '{% slot "a" kinds="url" %}text{% endslot %}'

    assert codes(fill(parse(source), "a", "/x/").issues) == [IssueCode.KIND_NOT_ALLOWED]


def operation_on(kind, what, **members):
    """Return an operation on the first node whose open text is `what`."""
    tree = parse(CARD)
    node = next(node for node in tree.nodes if tree.open(node) == what)
    return ops.Operation(kind, describe(tree, node), id="x", **members)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (operation_on(ops.SET_TEXT, "5 €", payload=("6 €",)), []),
        (operation_on(ops.REPLACE, "5 €", payload=("<b>6</b>",)), []),
        (operation_on(ops.REPLACE, "<b>", payload=("<i>x</i>",)), [IssueCode.KIND_NOT_ALLOWED]),
        (operation_on(ops.ADD_CLASS, "<b>", payload=("x",)), [IssueCode.KIND_NOT_ALLOWED]),
        (operation_on(ops.REMOVE, "<b>"), [IssueCode.KIND_NOT_ALLOWED, IssueCode.REQUIREMENT_MISSING]),
        (operation_on(ops.SET_ATTR, '<a href="/p/">', name="href", payload=("/x/",)), []),
        (operation_on(ops.SET_ATTR, '<a href="/p/">', name="title", payload=("x",)), [IssueCode.KIND_NOT_ALLOWED]),
        (operation_on(ops.INSERT, "5 €", place=ops.AFTER, payload=("more",)), [IssueCode.KIND_NOT_ALLOWED]),
        (operation_on(ops.REMOVE, "<u>"), []),
        (operation_on(ops.ADD_CLASS, '<article class="card">', payload=("x",)), []),
    ],
)
def test_remarks_hold_operations_to_the_kinds_of_the_slot(operation, expected):
    assert codes(remarks(parse(CARD), [operation])) == expected


def test_remarks_name_a_slot_that_is_deprecated_renamed_or_gone():
    old = parse('{% slot "price" %}1{% endslot %}{% slot "gone" %}2{% endslot %}{% slot "stay" %}3{% endslot %}')
    new = parse('{% slot "amount" aliases="price" %}1{% endslot %}{% slot "stay" deprecated="Use amount." %}3{% endslot %}')
    removals = [ops.Operation(ops.REMOVE, describe(old, node), id=node.name) for node in old.root.kids]

    assert codes(remarks(new, removals)) == [IssueCode.SLOT_RENAMED, IssueCode.SLOT_UNKNOWN, IssueCode.SLOT_DEPRECATED]


def test_remarks_say_nothing_of_a_template_without_slots():
    tree = parse("<p>x</p>")

    assert remarks(tree, [ops.Operation(ops.REMOVE, describe(tree, tree.root.kids[0]), id="x")]) == ()
