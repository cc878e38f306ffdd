from dataclasses import replace

import pytest

from slots.errors import IssueCode
from slots.markup import ops
from slots.markup.address import describe
from slots.markup.compose import Composed, compose, compose_both
from slots.markup.layout import respell
from slots.markup.ops import Hole, Operation
from slots.markup.tree import parse

BASE = '<div class="card">\n  <h2>Hi</h2>\n  <p id="p">{{ x }}</p>\n  <footer>end</footer>\n</div>\n'


def at(*path, base=BASE):
    tree = parse(base)
    return describe(tree, tree.at(path))


def composed(*operations, base=BASE):
    found = compose(base, operations)
    assert found.issues == ()
    return found.source


CARD, HEAD, PRICE, FOOT = (0,), (0, 0), (0, 1), (0, 2)

CASES = {
    "text": (Operation(ops.SET_TEXT, at(0, 0, 0), ("Ho",)), BASE.replace("Hi", "Ho")),
    "attribute": (Operation(ops.SET_ATTR, at(*PRICE), ("t",), name="title", after=""), BASE.replace("<p id", '<p title="t" id')),
    "attribute gone": (Operation(ops.REMOVE_ATTR, at(*PRICE), name="id"), BASE.replace('<p id="p">', "<p>")),
    "class": (Operation(ops.ADD_CLASS, at(*CARD), ("a b",)), BASE.replace('"card"', '"card a b"')),
    "class that is there": (Operation(ops.ADD_CLASS, at(*CARD), ("card",)), BASE),
    "class gone": (Operation(ops.REMOVE_CLASS, at(*CARD), ("card",)), BASE.replace('"card"', '""')),
    "style": (Operation(ops.SET_STYLE, at(*HEAD), ("red",), name="color"), BASE.replace("<h2>", '<h2 style="color: red">')),
    "hidden": (Operation(ops.HIDE, at(*HEAD), name="hidden"), BASE.replace("<h2>", "<h2 hidden>")),
    "no display": (Operation(ops.HIDE, at(*HEAD), name="display"), BASE.replace("<h2>", '<h2 style="display: none">')),
    "name": (Operation(ops.RENAME, at(*HEAD), ("h3",)), BASE.replace("h2", "h3")),
    "open tag": (Operation(ops.SET_OPEN_TAG, at(*HEAD), ('<h2 id="h">',)), BASE.replace("<h2>", '<h2 id="h">')),
    "variable": (Operation(ops.SET_TAG_ARGS, at(0, 1, 0), ("{{ y }}",)), BASE.replace("{{ x }}", "{{ y }}")),
    "before": (Operation(ops.INSERT, at(*HEAD), ("<i></i>",), place="before"), BASE.replace("\n  <h2>", "<i></i>\n  <h2>")),
    "after": (Operation(ops.INSERT, at(*HEAD), ("<i></i>",), place="after"), BASE.replace("</h2>", "</h2><i></i>")),
    "prepend": (Operation(ops.INSERT, at(*FOOT), ("<i></i>",), place="prepend"), BASE.replace("<footer>", "<footer><i></i>")),
    "append": (Operation(ops.INSERT, at(*CARD), ("<i></i>",), place="append"), BASE.replace("</footer>", "</footer><i></i>")),
    "removal": (Operation(ops.REMOVE, at(*HEAD), targets=(at(*FOOT),)), '<div class="card">\n  <p id="p">{{ x }}</p>\n</div>\n'),
    "replacement": (Operation(ops.REPLACE, at(*HEAD), ("\n  <b>B</b>",)), BASE.replace("<h2>Hi</h2>", "<b>B</b>")),
    "wrap": (
        Operation(ops.WRAP, at(*HEAD), ("\n  <b>", Hole(at(*HEAD)), "</b>")),
        BASE.replace("<h2>Hi</h2>", "<b><h2>Hi</h2></b>"),
    ),
    "unwrap": (
        Operation(ops.UNWRAP, at(*PRICE), ("\n  ", Hole(at(0, 1, 0)))),
        BASE.replace('<p id="p">{{ x }}</p>', "{{ x }}"),
    ),
    "move": (
        Operation(ops.MOVE, at(*FOOT), ("\n  ", Hole(at(*HEAD))), place="after"),
        '<div class="card">\n  <p id="p">{{ x }}</p>\n  <footer>end</footer>\n  <h2>Hi</h2>\n</div>\n',
    ),
    "white space": (
        Operation(ops.SET_TEXT, at(*CARD), ("", ""), name="space", at=(0, ops.TAIL), layout=True),
        BASE.replace("\n  <h2>", "<h2>").replace("\n</div>", "</div>"),
    ),
    "source": (Operation(ops.REPLACE_SOURCE, at(), ("new",)), "new"),
}


@pytest.mark.parametrize(("operation", "expected"), CASES.values(), ids=CASES.keys())
def test_operation_changes_its_facet_only(operation, expected):
    assert composed(operation) == expected


def test_class_and_style_operations_leave_template_parts_alone():
    base = '<a class="x {% if y %}on{% endif %}" style="color: red; {{ css }}" {% if z %} id="a"{% endif %}>t</a>'
    operations = [
        Operation(ops.ADD_CLASS, at(0, base=base), ("new",)),
        Operation(ops.REMOVE_CLASS, at(0, base=base), ("x",)),
        Operation(ops.SET_STYLE, at(0, base=base), ("blue",), name="color"),
    ]
    expected = '<a class="{% if y %}on{% endif %} new" style="color: blue; {{ css }}" {% if z %} id="a"{% endif %}>t</a>'
    assert composed(*operations, base=base) == expected


def test_end_tag_follows_the_block_tag():
    base = "{% blocktrans %}x{% endblocktrans %}"
    operation = Operation(ops.SET_TAG_ARGS, at(0, base=base), ("{% blocktranslate %}",))
    assert composed(operation, base=base) == "{% blocktranslate %}x{% endblocktranslate %}"


def test_operations_inside_a_hole_are_applied_at_its_new_place():
    move = Operation(ops.MOVE, at(*FOOT), ("\n  ", Hole(at(*PRICE))), place="after")
    inside = Operation(ops.SET_TAG_ARGS, at(0, 1, 0), ("{{ y }}",))
    assert '<footer>end</footer>\n  <p id="p">{{ y }}</p>' in composed(move, inside)


def test_layout_operations_can_be_left_out():
    space = Operation(ops.SET_TEXT, at(*CARD), ("",), name="space", at=(0,), layout=True)
    assert compose(BASE, [space], layout=False).source == BASE


@pytest.mark.parametrize("operation", [case[0] for case in CASES.values()], ids=CASES.keys())
@pytest.mark.parametrize("layout", [False, True])
def test_both_compositions_are_what_either_gives_alone(operation, layout):
    operations = [
        replace(operation, layout=layout),
        Operation(ops.SET_OPEN_TAG, at(*PRICE), ('<p  id="p">',), layout=True),
        Operation(ops.SET_TAG_ARGS, at(*FOOT), ("</footer >",), name=ops.CLOSE, layout=True),
        Operation(ops.SET_TEXT, at(*CARD), (" ", "\n"), name=ops.SPACE, at=(1, ops.TAIL), layout=True),
    ]

    both, respellings = compose_both(parse(BASE), operations)

    assert both == compose(BASE, operations)
    assert respell(both.source, respellings) == compose(BASE, operations, layout=False).source


def test_compositions_without_layout_differ_nowhere():
    found = compose_both(parse(BASE), [Operation(ops.SET_TEXT, at(0, 0, 0), ("Ho",))])

    assert found == (Composed(BASE.replace("Hi", "Ho")), [])


def test_both_compositions_differ_only_where_layout_shows():
    operations = [
        Operation(ops.SET_OPEN_TAG, at(*HEAD), ("<h2 >",), layout=True),
        Operation(ops.SET_OPEN_TAG, at(*HEAD), ("<h2>",), layout=True),
        Operation(ops.SET_TEXT, at(*CARD), ("\n  ",), name=ops.SPACE, at=(1,), layout=True),
    ]

    assert compose_both(parse(BASE), operations) == (Composed(BASE), [])


def test_layout_of_a_tag_is_kept_only_while_it_says_the_same():
    layout = Operation(ops.SET_OPEN_TAG, at(*CARD), ("<div class='card'>",), layout=True)
    changed = Operation(ops.ADD_CLASS, at(*CARD), ("wide",))
    assert composed(layout).startswith("<div class='card'>")
    assert composed(changed, layout).startswith('<div class="card wide">')


def test_missing_target_is_an_issue_and_the_rest_goes_on():
    gone = at(0, base='<section id="s">gone</section>')
    found = compose(BASE, [Operation(ops.RENAME, gone, ("p",), id="one"), Operation(ops.SET_TEXT, at(0, 0, 0), ("Ho",))])
    assert [(issue.code, issue.place, issue.operation) for issue in found.issues] == [(IssueCode.TARGET_MISSING, "s", "one")]
    assert found.source == BASE.replace("Hi", "Ho")


@pytest.mark.parametrize("where", ["payload", "targets"])
def test_structural_operation_with_a_missing_part_is_left_out_whole(where):
    gone = at(0, base='<section id="s">gone</section>')
    members = {"payload": ("<b>", Hole(gone), "</b>")} if where == "payload" else {"targets": (gone,)}
    found = compose(BASE, [Operation(ops.REPLACE, at(*HEAD), **members)])
    assert [issue.code for issue in found.issues] == [IssueCode.TARGET_MISSING]
    assert found.source == BASE


def test_hole_is_exclusive():
    first = Operation(ops.MOVE, at(*FOOT), (Hole(at(*HEAD)),), place="after", id="one")
    second = Operation(ops.MOVE, at(*PRICE), (Hole(at(*HEAD)),), place="after", id="two")
    found = compose(BASE, [first, second])
    assert [(issue.code, issue.operation) for issue in found.issues] == [(IssueCode.WRAP_CONFLICT, "two")]
    assert found.source.count("<h2>Hi</h2>") == 1


def test_same_hole_twice_in_one_fragment_is_refused():
    found = compose(BASE, [Operation(ops.REPLACE, at(*FOOT), (Hole(at(*HEAD)), Hole(at(*HEAD))))])
    assert [issue.code for issue in found.issues] == [IssueCode.WRAP_CONFLICT]
    assert found.source == BASE


def test_hole_that_contains_its_own_place_is_refused():
    found = compose(BASE, [Operation(ops.MOVE, at(*HEAD), (Hole(at(*CARD)),), place="after", id="one")])
    assert [(issue.code, issue.operation) for issue in found.issues] == [(IssueCode.WRAP_CONFLICT, "one")]
    assert found.source == BASE


def test_holes_that_contain_each_other_are_refused():
    one = Operation(ops.MOVE, at(0, 0, 0), (Hole(at(*PRICE)),), place="after")
    two = Operation(ops.MOVE, at(0, 1, 0), (Hole(at(*HEAD)),), place="after")
    found = compose(BASE, [one, two])
    assert [issue.code for issue in found.issues] == [IssueCode.WRAP_CONFLICT] * 2
    assert found.source == BASE


def test_second_replacement_of_a_node_is_shadowed():
    one = Operation(ops.REPLACE, at(*HEAD), ("\n  <b>1</b>",), id="one")
    two = Operation(ops.REPLACE, at(*HEAD), ("\n  <b>2</b>",), id="two")
    found = compose(BASE, [one, two])
    assert [(issue.code, issue.operation) for issue in found.issues] == [(IssueCode.OP_SHADOWED, "two")]
    assert found.source == BASE.replace("<h2>Hi</h2>", "<b>1</b>")


def test_operation_inside_a_removed_node_is_shadowed():
    removal = Operation(ops.REMOVE, at(*HEAD), id="one")
    text = Operation(ops.SET_TEXT, at(0, 0, 0), ("Ho",), id="two")
    found = compose(BASE, [removal, text])
    assert [(issue.code, issue.operation) for issue in found.issues] == [(IssueCode.OP_SHADOWED, "two")]
    assert found.source == BASE.replace("\n  <h2>Hi</h2>", "")
