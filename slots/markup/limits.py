"""Say whether a template is within the limits that the engine promises its times and its memory for (`slots.schema`).

One place for all who take a template from outside: a component when it comes in, what a diff makes of one, what a policy lets
through, what an upgrade makes of a customization. The text is looked at before the tree, so that hostile text is not even read.
Cost: linear.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from slots.errors import Refusal
from slots.markup.ops import Operation
from slots.markup.tree import Node, Tree, attributes, nodes, parse
from slots.schema import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_LINE_CHARACTERS,
    MAX_NODES,
    MAX_OPERATIONS,
    MAX_PAYLOAD_BYTES,
    MAX_SOURCE_BYTES,
    MAX_VALUE_BYTES,
)

CODE: Final = "LIMIT_EXCEEDED"


def refusal(source: str | Tree, *, name: str = "template") -> Refusal | None:
    """Return why a template is beyond the limits, None where it is within.

    The line counts from 1 in the template, 0 where it is too large as a whole. `name` is what the sentence calls it.
    """
    found = text_refusal(source if isinstance(source, str) else source.source, name=name)
    if found is not None:
        return found
    tree = parse(source) if isinstance(source, str) else source
    return _size_refusal(tree, name) or _depth_refusal(tree) or _tag_refusal(tree)


def text_refusal(source: str, *, name: str = "template") -> Refusal | None:
    """Return why a text is too large for a template, None where it is not; nothing is read."""
    size = _bytes(source)
    if size > MAX_SOURCE_BYTES:
        return Refusal(CODE, 0, f"The {name} has {size:,} bytes; the limit is {MAX_SOURCE_BYTES:,}, split the template.")
    if len(source) <= MAX_LINE_CHARACTERS:
        return None
    for number, line in enumerate(source.split("\n"), 1):
        if len(line) > MAX_LINE_CHARACTERS:
            text = f"The {name} has a line of {len(line):,} characters; the limit is {MAX_LINE_CHARACTERS:,}, break the line."
            return Refusal(CODE, number, text)
    return None


def is_beyond(tree: Tree) -> bool:
    """Tell whether a tree has too many nodes or is too deep; most work grows with these two, whatever the text is."""
    return len(tree.nodes) - 1 > MAX_NODES or _depth_refusal(tree) is not None


def operations_refusal(operations: Sequence[Operation]) -> Refusal | None:
    """Return why a configuration has too many operations or too long payloads, None where it has not."""
    size = sum(operation.payload_bytes for operation in operations)
    if len(operations) <= MAX_OPERATIONS and size <= MAX_PAYLOAD_BYTES:
        return None
    has = f"The configuration has {len(operations):,} operations with {size:,} bytes of payload"
    return Refusal(CODE, 0, f"{has}; the limits are {MAX_OPERATIONS:,} and {MAX_PAYLOAD_BYTES:,}.")


def retold(found: Refusal | None, name: str) -> Refusal | None:
    """Return a refusal for people whose lines are those of another text, a diff: the template's line goes into the sentence."""
    if found is None or not found.line:
        return found
    return Refusal(found.code, 0, f"{found.text} It is line {found.line:,} of the {name}.")


def _size_refusal(tree: Tree, name: str) -> Refusal | None:
    count = len(tree.nodes) - 1  # the root is no node of anybody's
    if count <= MAX_NODES:
        return None
    return Refusal(CODE, 0, f"The {name} has {count:,} nodes (tags, texts, constructs); the limit is {MAX_NODES:,}, split it.")


def _depth_refusal(tree: Tree) -> Refusal | None:
    """Find the first node that lies too deep; a tree of few nodes is not deep."""
    if len(tree.nodes) <= MAX_DEPTH:
        return None
    depths = [0] * len(tree.nodes)
    for node in tree.nodes:
        if not node.kids:
            continue
        depth = depths[node.order] + 1
        for kid in node.kids:
            depths[kid.order] = depth
        if depth > MAX_DEPTH:
            return _at(tree, node.kids[0], f"Elements nest deeper than {MAX_DEPTH} here; flatten the template.")
    return None


def _tag_refusal(tree: Tree) -> Refusal | None:
    """Find the first open tag with too many attributes, or with too long a value; a short tag has neither."""
    for node in islice(tree.nodes, 1, None):
        if node.open_end - node.head <= 2 * MAX_ATTRIBUTES or node.kind not in nodes.TAGGED:
            continue
        parts = attributes.read(tree.open(node)).parts
        if len(parts) > MAX_ATTRIBUTES:
            text = f"A tag has {len(parts):,} attributes; the limit is {MAX_ATTRIBUTES}, remove some."
            return _at(tree, node, text)
        longest = max((_bytes(part.value or part.name) for part in parts), default=0)
        if longest > MAX_VALUE_BYTES:
            text = f"An attribute has a value of {longest:,} bytes; the limit is {MAX_VALUE_BYTES:,}, shorten it."
            return _at(tree, node, text)
    return None


def _at(tree: Tree, node: Node, text: str) -> Refusal:
    return Refusal(CODE, tree.source.count("\n", 0, node.head) + 1, text)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
