import json
from dataclasses import replace
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.errors import OperationsInvalid
from slots.markup import ops
from slots.markup.address import describe
from slots.markup.ops import Hole, Operation, Requirements
from slots.markup.tree import parse

TREE = parse('<div class="card"><h2>Hi</h2><p id="p">{{ x }}</p></div>')
CARD = TREE.root.kids[0]


def at(*path):
    return describe(TREE, TREE.at(path))


@pytest.fixture
def wrap():
    operation = Operation(
        ops.WRAP, at(0, 1), ("<b>", Hole(at(0, 1)), "</b>"), parent=at(0), near=(at(0, 0), None), hunk=2, id="a",
        requires=Requirements(libraries=("i18n",)),
    )  # fmt: skip
    assert operation.id
    return operation


def body(**members):
    operation = {"id": "a", "kind": "set_text", "address": at(0, 0, 0).as_json(), "payload": ["x"]} | members
    return json.dumps({"schema": 1, "ops": [{key: value for key, value in operation.items() if value is not None}]})


def test_loads_returns_what_dumps_wrote(wrap):
    space = Operation(ops.SET_TEXT, at(0), ("\n", ""), name=ops.SPACE, at=(0, ops.TAIL), layout=True, displaced=("", " "), id="b")
    attribute = Operation(ops.SET_ATTR, at(0, 1), name="hidden", after="id", quote="'", id="c")
    assert ops.loads(ops.dumps([wrap, space, attribute])) == (wrap, space, attribute)


def test_dumps_is_canonical(wrap):
    text = ops.dumps([wrap])
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert text.isascii()
    assert text.startswith('{"ops":[{')


def test_digest_is_of_the_text(wrap):
    assert ops.digest([wrap]) != ops.digest([replace(wrap, hunk=3)])
    assert len(ops.digest([])) == 64


@given(
    st.sampled_from(ops.KINDS), st.lists(st.integers(0)), st.text(), st.sampled_from(["", "after"]), st.lists(st.integers(-1)),
    st.text(), st.integers(0),
)  # fmt: skip
def test_id_is_the_digest_of_the_content_as_json(kind, path, name, place, indexes, text, ordinal):
    content = json.dumps([kind, path, name, place, indexes, text, ordinal], separators=(",", ":"))

    found = ops.identifier(kind, tuple(path), name, place, tuple(indexes), text, ordinal)

    assert found == blake2b(content.encode(), digest_size=6).hexdigest()


def test_operation_knows_the_id_that_its_content_gives(wrap):
    assert wrap.identifier(2) == ops.identifier(ops.WRAP, (0, 1), "", "", (), "<b></b>", 2)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "body"),
        ("[" * 100_000, "body"),
        ("[]", "body"),
        ('{"schema": 1, "ops": [], "more": 1}', "body"),
        ('{"schema": 2, "ops": []}', "schema"),
        ('{"schema": 1, "ops": {}}', "ops"),
        ('{"schema": 1, "ops": [3]}', "ops[0]"),
        (body(surprise=1), "ops[0]"),
        (body(kind="explode"), "ops[0].kind"),
        (body(id=None), "ops[0].id"),
        (body(address=None), "ops[0].address"),
        (body(address={"name": "x", "path": [0], "kind": "nothing"}), "ops[0].address.kind"),
        (body(address={"name": "x", "path": [-1], "kind": "text"}), "ops[0].address.path"),
        (body(address={"name": "x", "path": [True], "kind": "text"}), "ops[0].address.path"),
        (body(address={"name": "x", "path": [], "kind": "text", "depth": 4}), "ops[0].address.depth"),
        (body(address={"name": "x", "path": [], "kind": "text", "blocks": "a"}), "ops[0].address.blocks"),
        (body(address={"name": 3, "path": [], "kind": "text"}), "ops[0].address.name"),
        (body(address={"name": "x", "path": [], "kind": "text", "colour": "red"}), "ops[0].address"),
        (body(payload="x"), "ops[0].payload"),
        (body(payload=[1]), "ops[0].payload[0]"),
        (body(payload=[{"hole": {}}]), "ops[0].payload[0].hole.path"),
        (body(payload=["a", "b"]), "ops[0].payload"),
        (body(payload=[{"hole": at(0).as_json()}]), "ops[0].payload"),
        (body(kind="set_attr"), "ops[0].name"),
        (body(quote="`"), "ops[0].quote"),
        (body(place="inside"), "ops[0].place"),
        (body(place="after"), "ops[0].place"),
        (body(kind="insert"), "ops[0].place"),
        (body(hunk=-1), "ops[0].hunk"),
        (body(hunk=True), "ops[0].hunk"),
        (body(layout=1), "ops[0].layout"),
        (body(targets={}), "ops[0].targets"),
        (body(near=[]), "ops[0].near"),
        (body(displaced=[1]), "ops[0].displaced"),
        (body(at=[-2]), "ops[0].at"),
        (body(name="space", at=[0], payload=["x"]), "ops[0].payload"),
        (body(name="space", at=[0, 1], payload=[" "]), "ops[0].payload"),
        (body(requires={"luck": []}), "ops[0].requires"),
        (body(requires={"blocks": [1]}), "ops[0].requires.blocks"),
        (body(after=1), "ops[0].after"),
    ],
)
def test_loads_refuses(text, place):
    with pytest.raises(OperationsInvalid) as error:
        ops.loads(text)
    assert error.value.place == place


def test_plain_body_is_accepted():
    assert ops.loads(body())[0].text == "x"


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (Operation(ops.SET_TEXT, at(0, 0, 0), ("Order\n now",)), "Replace the text of card/h2/text by “Order now”."),
        (Operation(ops.SET_ATTR, at(0), ("/x",), name="href"), "Set href of card to “/x”."),
        (Operation(ops.SET_ATTR, at(0), name="hidden"), "Set hidden on card."),
        (Operation(ops.INSERT, at(0, 0), ("<i>a</i>",), place="after"), "Insert “<i>a</i>” after card/h2."),
        (Operation(ops.MOVE, at(0), (Hole(at(0, 1)),), place="append"), "Move card/p at the end of card."),
        (Operation(ops.REMOVE, at(0, 0), targets=(at(0, 1),)), "Remove card/h2 and 1 more after it."),
        (Operation(ops.WRAP, at(0, 1), ("<b>", Hole(at(0, 1)), "</b>")), "Put “<b></b>” around card/p."),
        (Operation(ops.SET_TEXT, at(0), (" ",), name="space", at=(0,)), "Change the white space inside card."),
        (Operation(ops.SET_TAG_ARGS, at(0), ("{% endif %}",), name="close"), "Replace the end tag of card by “{% endif %}”."),
        (Operation(ops.ADD_CLASS, at(0), ("long " * 30,)), f"Add the class {('long ' * 30)[:59].rstrip()}… to card."),
    ],
)  # fmt: skip
def test_describe_says_it_in_a_sentence(operation, sentence):
    assert ops.describe(operation) == sentence


def test_every_kind_has_a_sentence():
    for kind in ops.KINDS:
        assert ops.describe(Operation(kind, at(0), name="x", place="")).endswith(".")


@pytest.mark.parametrize(
    ("kind", "name", "place", "facet"),
    [
        ("set_attr", "href", "", "attr:href"), ("remove_attr", "href", "", "attr:href"), ("add_class", "", "", "class"),
        ("set_style", "color", "", "style:color"),
        ("hide", "hidden", "", "attr:hidden"), ("hide", "display", "", "style:display"),
        ("insert", "", "after", "gap"), ("remove", "", "", "node"), ("set_text", "", "", "text"),
        ("set_text", "space", "", "space"),
        ("set_tag_args", "close", "", "close"), ("set_open_tag", "", "", "open"), ("rename", "", "", "name"),
        ("replace_source", "", "", "document"),
    ],
)  # fmt: skip
def test_facet_names_what_is_touched(kind, name, place, facet):
    assert Operation(kind, at(0), name=name, place=place).facet == facet
