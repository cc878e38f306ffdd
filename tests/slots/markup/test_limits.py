"""Each limit holds to the unit: what reaches it passes, one more is refused with its line and a next step."""

import pytest

from slots import schema
from slots.markup import limits, ops
from slots.markup.address import describe
from slots.markup.ops import Operation
from slots.markup.tree import parse

FULL_LINE = "x" * (schema.MAX_LINE_CHARACTERS - 1) + "\n"


def nested(depth):
    """Return elements in each other, the first of them on the second line."""
    return "\n" + "<i>" * depth + "</i>" * depth


def attributes(count):
    return f"<br>\n<p {' '.join(f'a{number}=1' for number in range(count))}>x</p>"


def value(size):
    return f'<br>\n<p title="\n{"y" * 9_999}' + "\né" * ((size - 10_000) // 3) + '">x</p>'


BRIM = {
    "bytes": FULL_LINE * 26 + "x" * (schema.MAX_SOURCE_BYTES - 26 * len(FULL_LINE)),
    "bytes of letters": (("é" * 9_999 + "\n") * 27)[: schema.MAX_SOURCE_BYTES // 2 - 200],
    "line": "<br>\n" + "x" * schema.MAX_LINE_CHARACTERS,
    "nodes": "<br>" * 4_000 + "\n" + ("<br>" * 4_000 + "\n") * 4,
    "depth": nested(schema.MAX_DEPTH),
    "attributes": attributes(schema.MAX_ATTRIBUTES),
    "value": value(schema.MAX_VALUE_BYTES),
}
BEYOND = {
    "bytes": (BRIM["bytes"] + "x", 0, "524,289 bytes"),
    "bytes of letters": (("é" * 9_999 + "\n") * 27, 0, "539,973 bytes"),
    "line": (BRIM["line"] + "x", 2, "20,001 characters"),
    "nodes": (BRIM["nodes"] + "<br>", 0, "20,001 nodes"),
    "depth": (nested(schema.MAX_DEPTH + 1), 2, "deeper than 200"),
    "attributes": (attributes(schema.MAX_ATTRIBUTES + 1), 2, "257 attributes"),
    "value": (value(schema.MAX_VALUE_BYTES + 3), 2, "65,5"),
}


@pytest.mark.parametrize("name", BRIM)
def test_template_at_a_limit_is_within(name):
    assert limits.refusal(BRIM[name]) is None
    assert limits.refusal(parse(BRIM[name])) is None


@pytest.mark.parametrize("name", BEYOND)
def test_template_beyond_a_limit_is_refused_with_its_line(name):
    source, line, said = BEYOND[name]

    refusal = limits.refusal(source)

    assert refusal is not None
    assert (refusal.code, refusal.line) == ("LIMIT_EXCEEDED", line)
    assert said in refusal.text
    assert limits.refusal(parse(source)) == refusal


def test_template_parts_of_a_tag_count_as_attributes():
    chunks = " ".join("{% if a %}b{% endif %}" for _ in range(schema.MAX_ATTRIBUTES + 1))

    assert limits.refusal(f"<p {chunks}>x</p>") is not None


def test_line_of_the_template_goes_into_the_sentence_for_readers_of_a_diff():
    found = limits.retold(limits.refusal(BEYOND["depth"][0]), "customized template")

    assert found is not None
    assert (found.code, found.line) == ("LIMIT_EXCEEDED", 0)
    assert found.text.endswith("It is line 2 of the customized template.")
    assert limits.retold(None, "template") is None


@pytest.mark.parametrize(
    ("count", "size", "passes"), [(1_000, 1, True), (1_001, 1, False), (2, 128 * 1024, True), (2, 128 * 1024 + 1, False)]
)
def test_operations_are_limited_in_number_and_in_bytes(count, size, passes):
    tree = parse("<p>x</p>")
    operation = Operation(ops.INSERT, describe(tree, tree.nodes[1]), ("x" * size,), place=ops.AFTER)

    refusal = limits.operations_refusal([operation] * count)

    assert (refusal is None) is passes
    assert refusal is None or refusal.code == "LIMIT_EXCEEDED"
