"""Hold operations to what the declared slots say: which kinds they take, what must stay filled, which names went out of use."""

from collections.abc import Iterator, Sequence
from typing import Final

from slots.errors import Issue, IssueCode
from slots.markup import declaration, ops
from slots.markup.address import labels, resolve
from slots.markup.compose import compose
from slots.markup.declaration import Declaration, declarations
from slots.markup.declared.lookup import lookup
from slots.markup.ops import Operation
from slots.markup.tree import Node, Tree, nodes, parse

_ADDRESSES: Final = frozenset({"href", "action"})
_OF_IMAGES: Final = frozenset({"src", "srcset", "sizes", "alt"})
_ON_TAG: Final = {
    ops.ADD_CLASS: declaration.CLASS_LIST,
    ops.REMOVE_CLASS: declaration.CLASS_LIST,
    ops.SET_STYLE: declaration.STYLE,
    ops.UNSET_STYLE: declaration.STYLE,
    ops.HIDE: declaration.VISIBILITY,
}
_SILENT: Final = frozenset({nodes.COMMENT, nodes.SEPARATOR})


def remarks(base: Tree, operations: Sequence[Operation]) -> tuple[Issue, ...]:
    """Return what the slots that a template declares have to say about operations on it; nothing for a template without any."""
    named = [operation for operation in operations if operation.address.slot]
    if not declarations(base) and not named:
        return ()
    found = [issue for operation in named for issue in _names(base, operation)]
    for operation in operations:
        found.extend(_kinds(base, operation))
    if any(each.required for each in declarations(base).values()):
        found.extend(_emptied(base, parse(compose(base, operations).source)))
    return tuple(dict.fromkeys(found))


def _names(base: Tree, operation: Operation) -> Iterator[Issue]:
    """Say that an operation stands on a slot that is gone, renamed or deprecated."""
    for issue in lookup(base, operation.address.slot).issues:
        if issue.code is not IssueCode.DUPLICATE_ID or not isinstance(resolve(base, operation.address), Node):
            yield Issue(issue.code, issue.text, operation.address.name, operation.id, issue.suggestion)


def slot_around(base: Tree, operation: Operation) -> tuple[Node, Declaration] | None:
    """Return the declared slot that an operation changes the content of, the innermost one; None outside of slots."""
    node = resolve(base, operation.address)
    if not isinstance(node, Node):
        return None
    declared = declarations(base)
    inside = operation.place in (ops.PREPEND, ops.APPEND) or operation.name == ops.SPACE
    around: Node | None = node if inside else node.parent
    while around is not None and around.order not in declared:
        around = around.parent
    return None if around is None else (around, declared[around.order])


def kind_of(base: Tree, operation: Operation) -> str:
    """Return the kind of value that an operation brings; empty where it only lays out anew."""
    if operation.layout or operation.name == ops.SPACE:
        return ""
    if operation.kind in _ON_TAG:
        return _ON_TAG[operation.kind]
    if operation.kind in (ops.SET_ATTR, ops.REMOVE_ATTR):
        node = resolve(base, operation.address)
        if isinstance(node, Node) and node.name == "img" and operation.name in _OF_IMAGES:
            return declaration.IMAGE
        if operation.name == "hidden":
            return declaration.VISIBILITY
        return declaration.URL if operation.name in _ADDRESSES else declaration.ATTRIBUTE
    if operation.kind == ops.REMOVE:
        return declaration.VISIBILITY
    text = operation.text
    if "render_component" in text:
        return declaration.COMPONENT if text.count("render_component") == 1 else declaration.WIDGETS
    return declaration.RICH_TEXT if "<" in text or operation.holes or operation.kind == ops.RENAME else declaration.TEXT


def _kinds(base: Tree, operation: Operation) -> Iterator[Issue]:
    found = slot_around(base, operation)
    if found is None:
        return
    slot, declared = found
    kind = kind_of(base, operation)
    if not kind:
        return
    if not _takes(declared, kind):
        text = f"The slot {declared.name} takes {', '.join(declared.kinds)}; this operation brings {kind}."
        suggestion = "Remove the operation, or let the component's next version take this kind."
        yield Issue(IssueCode.KIND_NOT_ALLOWED, text, operation.address.name, operation.id, suggestion)
    elif operation.kind == ops.INSERT and declared.kinds and not declared.many and slot.kids and _beside(slot, operation, base):
        text = f"The slot {declared.name} takes one thing; this operation adds another one beside it."
        suggestion = "Replace what stands in the slot, or declare the slot with `many`."
        yield Issue(IssueCode.KIND_NOT_ALLOWED, text, operation.address.name, operation.id, suggestion)


def _takes(declared: Declaration, kind: str) -> bool:
    """Say whether a slot takes a kind; several values of a list of widgets are rich text or components to look at."""
    if declaration.WIDGETS in declared.kinds and kind in (declaration.RICH_TEXT, declaration.TEXT, declaration.COMPONENT):
        return True
    return declared.takes(kind)


def _beside(slot: Node, operation: Operation, base: Tree) -> bool:
    """Say whether an insertion stands directly in the slot."""
    if operation.place in (ops.PREPEND, ops.APPEND):
        return resolve(base, operation.address) is slot
    node = resolve(base, operation.address)
    return isinstance(node, Node) and node.parent is slot


def _emptied(base: Tree, result: Tree) -> Iterator[Issue]:
    """Say which required slots have nothing in them any more, or are not there."""
    filled = {each.name for order, each in declarations(result).items() if _says(result, result.nodes[order])}
    for order, each in declarations(base).items():
        if each.required and each.name not in filled and _says(base, base.nodes[order]):
            text = f"The slot {each.name} is required and would be empty."
            place = labels.readable(base, base.nodes[order])
            yield Issue(IssueCode.REQUIREMENT_MISSING, text, place, suggestion="Put something into it, or leave its default.")


def _says(tree: Tree, slot: Node) -> bool:
    return any(tree.nodes[order].kind not in _SILENT for order in range(slot.order + 1, slot.last + 1))
