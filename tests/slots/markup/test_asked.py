"""Operations read back as changes by hand: whatever a change makes can be edited as a change again."""

import pytest

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.asked import asked
from slots.markup.changes import CHANGES, HERE, Change, make
from slots.markup.compose import compose
from slots.markup.ops import Operation
from slots.markup.tree import parse

SOURCE = """\
<article class="card" style="color: red">
  <h3 class="title" id="name">{{ product.name }}</h3>
  <p class="empty"></p>
  {% slot "actions" %}<button class="buy" type="button">Buy</button>{% endslot %}
</article>
"""
BUY = "card/actions/buy"
CASES = [
    Change("text", BUY, text="Order & go"),
    Change("content", BUY, text="<b>Order</b>"),
    Change("content", "card/empty", text="new"),
    Change("set_attr", BUY, "title", "say “hello”"),
    Change("remove_attr", BUY, "type"),
    Change("add_class", BUY, "wide loud"),
    Change("remove_class", BUY, "buy"),
    Change("set_style", "card", "color", "blue"),
    Change("unset_style", "card", "color"),
    Change("hide", BUY),
    Change("remove", BUY),
    Change("replace", BUY, text="<a>Order</a>"),
    Change("insert_before", "card/name", text="<hr>"),
    Change("insert_after", "card/name", text="<hr>"),
    Change("prepend", "card", text="<i>a</i>"),
    Change("append", "card", text="<i>a</i>"),
    Change("wrap", BUY, text=f"<div>{HERE}</div>"),
    Change("unwrap", "card/name"),
    Change("rename", "card/name", "h2"),
    Change("move_before", "card/empty", "card/name"),
    Change("move_after", "card/name", "card/empty"),
    Change("move_into", "card/name", "card/empty"),
]


@pytest.mark.parametrize("change", CASES, ids=lambda change: change.what)
def test_what_a_change_makes_is_read_back_as_one_that_does_the_same(change):
    tree = parse(SOURCE)
    (operation, *_) = made = make(tree, change).operations
    assert made, "the case makes something"

    again = asked(tree, operation)

    assert again is not None
    assert compose(tree, make(tree, again).operations).source == compose(tree, made).source
    assert asked(tree, make(tree, again).operations[0]) == again, "the reading stands"


def test_every_kind_of_change_is_a_case():
    assert {change.what for change in CASES} == set(CHANGES)


def test_what_no_single_change_makes_is_none():
    tree = parse(SOURCE)
    article, title = tree.nodes[1], next(node for node in tree.nodes if node.name == "h3")
    several = Operation(ops.REMOVE, describe(tree, title), targets=(describe(tree, article.kids[-1]),), id="a")
    layout = Operation(ops.REMOVE, describe(tree, title), id="b", layout=True)
    elsewhere = Operation(ops.REMOVE, describe(parse("<u>x</u>"), parse("<u>x</u>").nodes[1]), id="c")

    assert [asked(tree, each) for each in (several, layout, elsewhere)] == [None, None, None]
