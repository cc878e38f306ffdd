"""Spans of payloads in a composed source: what each brought, and what stands there without it."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.markup import ops, payloads
from slots.markup.address import describe
from slots.markup.compose import compose
from slots.markup.ops import Hole, Operation
from slots.markup.payloads import ADDRESS, ATTRIBUTE, CONTENT, PayloadSpan, compose_payloads
from slots.markup.tree import nodes, parse
from tests.slots.conftest import identified
from tests.slots.markup.sources import well_formed

BASE = '<div class="card">\n  <h2 title="t">Hi</h2>\n  <p id="p">{{ x }}</p>{% if a %}<b>b</b>{% endif %}\n  <i>end</i>\n</div>\n'
CARD, HEAD, PRICE, WHEN, END = (0,), (0, 0), (0, 1), (0, 2), (0, 3)


def at(*path, base=BASE):
    tree = parse(base)
    return describe(tree, tree.at(path))


def found(*operations, base=BASE, static=False):
    composed = compose_payloads(parse(base), [identified(each) for each in operations], static=static)
    assert composed.issues == ()
    return [(span.kind, composed.source[span.start : span.end], span.default) for span in composed.spans]


LINK = '<a data-href="{{ y }}" HREF = "/{{ y }}">{% if y %}src="/"{% endif %}</a>'
CASES = {
    "text": (Operation(ops.SET_TEXT, at(*HEAD, 0), ("Ho {{ y }}",)), [(CONTENT, "Ho {{ y }}", "Hi")]),
    "variable": (Operation(ops.SET_TAG_ARGS, at(*PRICE, 0), ("{{ y }}",)), [(CONTENT, "{{ y }}", "{{ x }}")]),
    "insertion": (Operation(ops.INSERT, at(*HEAD), ("<b>{{ y }}</b>",), place="after"), [(CONTENT, "<b>{{ y }}</b>", "")]),
    "replacement": (
        Operation(ops.REPLACE, at(*HEAD), ("\n  <b>{{ y }}</b>",), targets=(at(*PRICE),)),
        [(CONTENT, "\n  <b>{{ y }}</b>", '\n  <h2 title="t">Hi</h2>\n  <p id="p">{{ x }}</p>')],
    ),
    "replacement of what is apart": (
        Operation(ops.REPLACE, at(*HEAD), ("{{ y }}",), targets=(at(*END),)),
        [(CONTENT, "{{ y }}", None)],
    ),
    "attribute": (
        Operation(ops.SET_ATTR, at(*HEAD), ("{{ y }}",), name="title"),
        [(ATTRIBUTE, ' title="{{ y }}"', ' title="t"')],
    ),
    "new attribute": (
        Operation(ops.SET_ATTR, at(*HEAD), ("{{ y }}",), name="lang", after="title"),
        [(ATTRIBUTE, ' lang="{{ y }}"', "")],
    ),
    "class": (Operation(ops.ADD_CLASS, at(*CARD), ("{{ y }}",)), [(ATTRIBUTE, ' class="card {{ y }}"', ' class="card"')]),
    "open tag": (
        Operation(ops.SET_OPEN_TAG, at(*HEAD), ('<h2 title="t" lang="{{ y }}">',)),
        [(ATTRIBUTE, ' lang="{{ y }}"', "")],
    ),
    "address": (
        Operation(ops.SET_ATTR, at(*HEAD), ("{{ y|default:'\"' }}#a",), name="href", quote="'"),
        [(ATTRIBUTE, " href='{{ y|default:'\"' }}#a'", ""), (ADDRESS, "{{ y|default:'\"' }}#a", None)],
    ),
    "addresses in a fragment": (
        Operation(ops.INSERT, at(*HEAD), (LINK,), place="after"),
        [(CONTENT, LINK, ""), (ADDRESS, "/{{ y }}", None)],
    ),
    "wrap": (
        Operation(ops.WRAP, at(*HEAD), ("{% if y %}", Hole(at(*HEAD)), "{% endif %}")),
        [(CONTENT, "{% if y %}", None), (CONTENT, "{% endif %}", None)],
    ),
    "head of a block": (Operation(ops.SET_TAG_ARGS, at(*WHEN), ("{% if y|upper %}",)), [(CONTENT, "{% if y|upper %}", None)]),
    "whole source": (Operation(ops.REPLACE_SOURCE, at(), ("new {{ y }}",)), [(CONTENT, "new {{ y }}", None)]),
    "nothing that could fail": (Operation(ops.REPLACE, at(*HEAD), ("\n  <b>B</b>",)), []),
    "removal": (Operation(ops.REMOVE, at(*HEAD)), []),
}


@pytest.mark.parametrize(("operation", "expected"), CASES.values(), ids=CASES.keys())
def test_spans_say_what_was_brought_and_what_it_displaced(operation, expected):
    assert found(operation) == expected


def test_text_without_template_code_is_marked_where_that_is_asked_for():
    replacement = Operation(ops.REPLACE, at(*HEAD), ("<b>B</b>",))
    attribute = Operation(ops.SET_ATTR, at(*PRICE), ("q",), name="id")

    assert found(replacement, attribute, static=True) == [
        (CONTENT, "<b>B</b>", '\n  <h2 title="t">Hi</h2>'),
        (ATTRIBUTE, ' id="q"', ' id="p"'),
    ]


def test_default_is_not_shown_where_a_part_of_it_is_elsewhere():
    replacement = Operation(ops.REPLACE, at(*PRICE), ("{{ y }}",))
    move = Operation(ops.MOVE, at(*END), (Hole(at(*PRICE, 0)),), place="after")

    assert found(replacement, move) == [(CONTENT, "{{ y }}", None)]


def test_attribute_is_its_own_operations():
    title = identified(Operation(ops.SET_ATTR, at(*HEAD), ("{{ y }}",), name="title"))
    tokens = identified(Operation(ops.ADD_CLASS, at(*HEAD), ("{{ z }}",), after=""))

    spans = compose_payloads(parse(BASE), [title, tokens]).spans

    assert {span.operation for span in spans if span.default} == {title.id}
    assert {span.operation for span in spans if not span.default} == {tokens.id}
    assert {span.place for span in spans} == {title.address.name}


@pytest.mark.parametrize(
    "piece", ["{{'=\"'}}", "{{", "{% ='", 'href="{{ x }}', "='", '="{{ " }}', "href" + " " * 20 + "={{ x }}"]
)
def test_looking_for_addresses_takes_time_in_proportion(piece):
    def seconds(count):
        operation = Operation(ops.INSERT, at(*HEAD), (piece * count + "{{ x }}",), place="after")
        start = process_time()
        compose_payloads(parse(BASE), [operation])
        return process_time() - start

    seconds(100)
    once, many = (min(seconds(count) for _ in range(3)) for count in (1_000, 8_000))

    assert many < 40 * once + 0.05


def test_spans_are_kept_as_json():
    spans = (PayloadSpan(1, 2, "a1", "card/h2", ATTRIBUTE, None, "user"), PayloadSpan(2, 9, "b2", "é", CONTENT, '"<'))

    assert payloads.loads(payloads.dumps(spans)) == spans


@st.composite
def changes(draw):
    """Return a base and operations on distinct leaves and gaps of it, none with holes."""
    base = "".join(draw(well_formed()))
    tree = parse(base)
    made = []
    for node in tree.nodes[1:]:
        kind = draw(st.sampled_from(["", "", "insert", "replace", "text", "attribute"]))
        address = describe(tree, node)
        if kind == "insert":
            made.append(Operation(ops.INSERT, address, ("{{ new }}",), place=draw(st.sampled_from(["before", "after"]))))
        elif kind == "replace" and not node.kids:
            made.append(Operation(ops.REPLACE, address, ("<u>{{ new }}</u>",)))
        elif kind == "text" and node.kind == nodes.TEXT:
            made.append(Operation(ops.SET_TEXT, address, ("{{ new }}",)))
        elif kind == "attribute" and node.kind in nodes.TAGGED:
            made.append(Operation(ops.SET_ATTR, address, ("{{ new }}",), name="class"))
    return base, [identified(operation) for operation in made]


@given(changes())
def test_base_is_what_is_left_where_every_payload_shows_its_default(change):
    base, operations = change
    composed = compose_payloads(parse(base), operations)
    left, position = "", 0
    for span in composed.spans:
        left += composed.source[position : span.start] + span.default
        position = span.end

    assert composed.source == compose(base, operations).source
    assert left + composed.source[position:] == base
