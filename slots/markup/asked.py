"""Read an operation back as the change by hand that makes it, so that a form can show and edit what a configuration holds.

Each kind of operation suggests one or two changes; the first whose operation does the same to the base is the answer. What comes
from a diff often has no such change (several nodes at once, white space, holes in other places): None, and it is shown in words.
Cost: at most two changes made and two compositions an operation.
"""

from collections.abc import Iterator
from html import unescape
from typing import Final

from slots.markup import ops
from slots.markup.address import resolve, slot_nodes
from slots.markup.changes import HERE, Change, make
from slots.markup.compose import compose
from slots.markup.ops import Hole, Operation
from slots.markup.tree import Node, Tree

_INSERTS: Final = {ops.BEFORE: "insert_before", ops.AFTER: "insert_after", ops.PREPEND: "prepend", ops.APPEND: "append"}
_MOVES: Final = {ops.BEFORE: "move_before", ops.AFTER: "move_after", ops.APPEND: "move_into"}
_ALONE: Final = {ops.REMOVE: "remove", ops.HIDE: "hide", ops.UNWRAP: "unwrap"}
_NAMED: Final = {
    ops.SET_ATTR: "set_attr",
    ops.REMOVE_ATTR: "remove_attr",
    ops.SET_STYLE: "set_style",
    ops.UNSET_STYLE: "unset_style",
}
_TOKENS: Final = {ops.ADD_CLASS: "add_class", ops.REMOVE_CLASS: "remove_class", ops.RENAME: "rename"}


def asked(tree: Tree, operation: Operation) -> Change | None:
    """Return the change of one slot that does what the operation does, None where none does."""
    node = resolve(tree, operation.address)
    if not isinstance(node, Node) or operation.layout:
        return None
    wanted = compose(tree, [operation]).source
    for change in _suggested(tree, node, operation):
        made = make(tree, change).operations
        if made and compose(tree, made).source == wanted:
            return change
    return None


def _suggested(tree: Tree, node: Node, operation: Operation) -> Iterator[Change]:
    """Yield the changes that may make an operation; a node that no slot names suggests none."""
    names = {each.order: name for name, each in slot_nodes(tree).items()}
    slot, kind, text = names.get(node.order), operation.kind, operation.text
    around = names.get(node.parent.order) if node.parent is not None else None
    if slot is not None and kind in _ALONE:
        yield Change(_ALONE[kind], slot)
    elif slot is not None and kind in _NAMED:
        yield Change(_NAMED[kind], slot, operation.name, text)
    elif slot is not None and kind in _TOKENS:
        yield Change(_TOKENS[kind], slot, text)
    elif slot is not None and kind == ops.INSERT:
        yield Change(_INSERTS[operation.place], slot, text=text.lstrip())
        yield Change("content", slot, text=text.lstrip())
    elif slot is not None and kind == ops.MOVE and operation.place in _MOVES:
        yield from _moved(tree, names, slot, operation)
    elif slot is not None and kind == ops.WRAP and len(operation.payload) == 3 and isinstance(operation.payload[1], Hole):
        before, _, after = operation.payload
        yield Change("wrap", slot, text=f"{before}{HERE}{after}".lstrip())
    if around is not None and kind == ops.SET_TEXT and not operation.name:
        yield Change("text", around, text=unescape(text))
        yield Change("content", around, text=text)
    if kind == ops.REPLACE and not operation.holes:
        if around is not None:
            yield Change("content", around, text=text.lstrip())
        if slot is not None:
            yield Change("replace", slot, text=text.lstrip())


def _moved(tree: Tree, names: dict[int, str], anchor: str, operation: Operation) -> Iterator[Change]:
    for hole in operation.holes[:1]:
        node = resolve(tree, hole)
        if isinstance(node, Node) and node.order in names:
            yield Change(_MOVES[operation.place], names[node.order], anchor)
