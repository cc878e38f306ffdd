"""Make single operations by hand: what somebody wants done to a node, as a complete operation of the closed set.

Every function takes the tree of the base and a node of it, and returns an operation with its address, what it displaces and its
id. Texts are template source unless the function says otherwise. Fragments take over the white space before the node, so that
what is put in stands as its neighbours do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape

from slots.markup import ops
from slots.markup.address import Address, describe
from slots.markup.ops import Hole, Operation
from slots.markup.tree import Node, Tree, attributes, nodes


def plain(text: str) -> str:
    """Return a text as template source that shows it: markup and template constructs become harmless characters."""
    return _harmless(escape(text, quote=False))


def quoted(text: str) -> str:
    """Return a text as the value of an attribute that says it, to stand between quotes of either kind."""
    return _harmless(escape(text))


def content(tree: Tree, node: Node, source: str) -> Operation:
    """Put `source` in place of all that stands in a node that has a close tag."""
    if not node.kids:
        return _made(Operation(ops.INSERT, describe(tree, node), (source,), place=ops.APPEND, parent=describe(tree, node)))
    first, *others = node.kids
    if not others and first.kind == nodes.TEXT and "<" not in source and "{" not in source:
        return _made(Operation(ops.SET_TEXT, describe(tree, first), (source,), displaced=(tree.open(first),)))
    return _made(
        Operation(
            ops.REPLACE,
            describe(tree, first),
            (tree.lead(first) + source,),
            targets=tuple(describe(tree, each) for each in others),
            parent=describe(tree, node),
            displaced=tuple(tree.text(each) for each in node.kids),
        )
    )


def insertion(tree: Tree, node: Node, place: str, source: str) -> Operation:
    """Put `source` before or after a node, or first (`prepend`) or last (`append`) in it."""
    left: Node | None
    right: Node | None
    if place in (ops.PREPEND, ops.APPEND):
        parent, kids = node, node.kids
        lead = tree.lead(kids[0 if place == ops.PREPEND else -1]) if kids else ""
        left = kids[-1] if kids and place == ops.APPEND else None
        right = kids[0] if kids and place == ops.PREPEND else None
    else:
        parent, lead = node.parent or tree.root, tree.lead(node)
        left, right = _neighbours(node)
        left, right = (left, node) if place == ops.BEFORE else (node, right)
    return _made(
        Operation(
            ops.INSERT,
            describe(tree, node),
            (lead + source,),
            place=place,
            parent=describe(tree, parent),
            near=(_maybe(tree, left), _maybe(tree, right)),
        )
    )


def removal(tree: Tree, node: Node) -> Operation:
    """Take a node away."""
    return _instead(tree, node, ops.REMOVE, ())


def replacement(tree: Tree, node: Node, source: str) -> Operation:
    """Put `source` in the place of a node."""
    return _instead(tree, node, ops.REPLACE, (tree.lead(node) + source,))


def wrapping(tree: Tree, node: Node, before: str, after: str) -> Operation:
    """Put a node between two texts, which open and close what is to stand around it."""
    payload = (tree.lead(node) + before, Hole(describe(tree, node)), after)
    return replace(_instead(tree, node, ops.WRAP, payload), displaced=())


def unwrapping(tree: Tree, node: Node) -> Operation:
    """Leave what stands in a node, without the node."""
    payload: list[str | Hole] = []
    for kid in node.kids:
        payload += [tree.lead(kid if payload else node), Hole(describe(tree, kid))]
    return _instead(tree, node, ops.UNWRAP if payload else ops.REMOVE, tuple(payload))


def moving(tree: Tree, node: Node, place: str, anchor: Node) -> Operation:
    """Move a node before, after or into another one."""
    made = insertion(tree, anchor, place, "")
    return _made(replace(made, kind=ops.MOVE, payload=(made.text, Hole(describe(tree, node)))))


def renaming(tree: Tree, node: Node, name: str) -> Operation:
    """Make another element of an element, with the same attributes and content."""
    return _made(Operation(ops.RENAME, describe(tree, node), (name,), displaced=(node.name,)))


def attribute(tree: Tree, node: Node, name: str, value: str | None) -> Operation:
    """Set an attribute of an element to a value, template source to stand between quotes; None takes the attribute away."""
    part = attributes.read(tree.open(node)).find(name)
    displaced = (part.text,) if part is not None else ()
    if value is None:
        return _made(Operation(ops.REMOVE_ATTR, describe(tree, node), name=name, displaced=displaced))
    quote = "'" if '"' in value and "'" not in value else '"'
    return _made(Operation(ops.SET_ATTR, describe(tree, node), (value,), name=name, quote=quote, displaced=displaced))


def classes(tree: Tree, node: Node, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Iterator[Operation]:
    """Add class names to an element and take others away."""
    for kind, names in ((ops.REMOVE_CLASS, remove), (ops.ADD_CLASS, add)):
        joined = " ".join(names)
        if joined:
            yield _made(Operation(kind, describe(tree, node), (joined,)))


def style(tree: Tree, node: Node, name: str, value: str | None) -> Operation:
    """Set a style property of an element; None takes it away."""
    kind, payload = (ops.UNSET_STYLE, ()) if value is None else (ops.SET_STYLE, (value,))
    return _made(Operation(kind, describe(tree, node), payload, name=name))


def visibility(tree: Tree, node: Node, *, is_shown: bool) -> Operation:
    """Hide an element, or show one that the base hides."""
    if is_shown:
        return attribute(tree, node, "hidden", None)
    return _made(Operation(ops.HIDE, describe(tree, node), name="hidden"))


def _instead(tree: Tree, node: Node, kind: str, payload: ops.Payload) -> Operation:
    before, after = _neighbours(node)
    return _made(
        Operation(
            kind,
            describe(tree, node),
            payload,
            parent=describe(tree, node.parent or tree.root),
            near=(_maybe(tree, before), _maybe(tree, after)),
            displaced=(tree.text(node),),
        )
    )


def _neighbours(node: Node) -> tuple[Node | None, Node | None]:
    """Return the siblings before and after a node."""
    if node.parent is None:
        return None, None
    kids = node.parent.kids
    return kids[node.index - 1] if node.index else None, kids[node.index + 1] if node.index + 1 < len(kids) else None


def _maybe(tree: Tree, node: Node | None) -> Address | None:
    return None if node is None else describe(tree, node)


def _made(operation: Operation) -> Operation:
    return replace(operation, id=operation.identifier())


def _harmless(text: str) -> str:
    return text.replace("{", "&#123;").replace("}", "&#125;")
