"""Turn a value for a declared slot into operations of the closed set.

The slot says which kinds of value it takes; the first of them that the value fits decides. What the value replaces is the
slot's default content, so the operations stand on a place with a name that lasts.

| kind | value | becomes |
| --- | --- | --- |
| `text` | a text | the content, escaped for HTML and for templates |
| `rich_text` | a text with markup | the content |
| `url` | an address | `href`, `src` or `action` of the first element in the slot that has one |
| `image` | `{"src", "alt"}` | those of the first `img` in the slot |
| `attribute` | `{name: value or None}` | attributes of the first element in the slot, None takes one away |
| `class_list` | `{"add": [name], "remove": [name]}` | classes of the first element |
| `style` | `{property: value or None}` | style properties of the first element |
| `visibility` | true or false | false hides the first element |
| `widgets` | a list of texts with markup, one each | the content, one after the other |
| `component` | `{"component": key, "values": {name: expression}}` | the content, a `{% render_component %}` |
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from slots.errors import Issue, IssueCode
from slots.markup import declaration, edits
from slots.markup.declaration import Declaration
from slots.markup.declared.lookup import lookup
from slots.markup.ops import Operation
from slots.markup.tree import Node, Tree, attributes, nodes

_ADDRESSES: Final = ("href", "src", "action")
_EXPRESSION = re.compile(r"[\w.]+|\"[^\"{}%]*\"|'[^'{}%]*'")
_COMPONENT_KEY = re.compile(r"[\w.:/@+-]+")


@dataclass(frozen=True, slots=True)
class Fill:
    """Hold the operations that put a value into a slot, or what is wrong; `kind` is the kind that the value was taken for.

    `issues` may also hold a warning (`SLOT_RENAMED`, `SLOT_DEPRECATED`) beside operations.
    """

    operations: tuple[Operation, ...]
    issues: tuple[Issue, ...]
    kind: str = ""


def fill(tree: Tree, slot: str, value: object, *, kind: str = "") -> Fill:
    """Return the operations that put `value` into the slot of that name; `kind` settles what the value is taken for."""
    found = lookup(tree, slot)
    if found.node is None:
        return Fill((), found.issues)
    declared = found.declaration
    tried = [each for each in ([kind] if kind else declared.kinds or declaration.KINDS) if each in _FITS and _FITS[each](value)]
    if kind and not (kind in _FITS and declared.takes(kind)):
        return Fill((), (*found.issues, _not_allowed(declared, f"{kind} is not what it takes")))
    for each in tried:
        operations = tuple(_MAKERS[each](tree, found.node, value))
        if operations:
            return Fill(operations, found.issues, each)
    reason = "nothing in it could carry the value" if tried else _misfit(value)
    return Fill((), (*found.issues, _not_allowed(declared, reason)))


def _misfit(value: object) -> str:
    """Say why a value is of none of the kinds."""
    name = type(value).__name__
    if isinstance(value, list | tuple | Mapping) and not value:
        return f"the {name} is empty"
    article = "" if value is None else "an " if name[0] in "aeiou" else "a "
    return f"{article}{'None' if value is None else name} is not what it takes"


def _not_allowed(declared: Declaration, reason: str) -> Issue:
    takes = ", ".join(declared.kinds or declaration.KINDS)
    text = f"The slot {declared.name} cannot be filled: {reason}."
    return Issue(IssueCode.KIND_NOT_ALLOWED, text, place=declared.name, suggestion=f"It takes {takes}.")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_image(value: object) -> bool:
    return isinstance(value, Mapping) and set(value) <= {"src", "alt"} and "src" in value and _texts(value.values())


def _is_attributes(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value) and _texts(each for each in value.values() if each is not None)


def _is_classes(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and set(value) <= {"add", "remove"}
        and all(isinstance(names, list | tuple) and _texts(names) for names in value.values())
    )


def _is_shown(value: object) -> bool:
    return isinstance(value, bool)


def _is_widgets(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and _texts(value)


def _is_component(value: object) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("component"), str) or set(value) - {"component", "values"}:
        return False
    values = value.get("values", {})
    return (
        bool(_COMPONENT_KEY.fullmatch(value["component"]))
        and isinstance(values, Mapping)
        and all(
            str(name).isidentifier() and isinstance(each, str) and _EXPRESSION.fullmatch(each) for name, each in values.items()
        )
    )


def _texts(values: Any) -> bool:
    return all(isinstance(each, str) for each in values)


_FITS: Final[dict[str, Callable[[object], bool]]] = {
    declaration.TEXT: _is_text,
    declaration.RICH_TEXT: _is_text,
    declaration.URL: _is_text,
    declaration.IMAGE: _is_image,
    declaration.ATTRIBUTE: _is_attributes,
    declaration.CLASS_LIST: _is_classes,
    declaration.STYLE: _is_attributes,
    declaration.VISIBILITY: _is_shown,
    declaration.WIDGETS: _is_widgets,
    declaration.COMPONENT: _is_component,
}


def _text(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    yield edits.content(tree, slot, edits.plain(value))


def _rich(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    yield edits.content(tree, slot, value)


def _widgets(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    yield edits.content(tree, slot, "\n".join(value))


def _component(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    values = "".join(f" {name}={expression}" for name, expression in value.get("values", {}).items())
    yield edits.content(tree, slot, f"{{% render_component {json.dumps(value['component'])}{values} %}}")


def _elements(tree: Tree, slot: Node) -> Iterator[Node]:
    """Yield the elements in a slot, without those in slots inside it."""
    order = slot.order + 1
    while order <= slot.last:
        node = tree.nodes[order]
        if declaration.is_slot(node):
            order = node.last
        elif node.kind in nodes.TAGGED:
            yield node
        order += 1


def _url(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    for node in _elements(tree, slot):
        tag = attributes.read(tree.open(node))
        for name in _ADDRESSES:
            if tag.find(name) is not None:
                yield edits.attribute(tree, node, name, edits.quoted(value))
                return


def _image(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    node = next((each for each in _elements(tree, slot) if each.name == "img"), None)
    if node is not None:
        yield from (edits.attribute(tree, node, name, edits.quoted(text)) for name, text in value.items())


def _attributes(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    node = next(_elements(tree, slot), None)
    if node is not None:
        for name, text in value.items():
            yield edits.attribute(tree, node, name, None if text is None else edits.quoted(text))


def _classes(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    node = next(_elements(tree, slot), None)
    if node is not None:
        yield from edits.classes(tree, node, add=value.get("add", ()), remove=value.get("remove", ()))


def _style(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    node = next(_elements(tree, slot), None)
    if node is not None:
        yield from (edits.style(tree, node, name, text) for name, text in value.items())


def _visibility(tree: Tree, slot: Node, value: Any) -> Iterator[Operation]:
    node = next(_elements(tree, slot), None)
    if node is not None:
        yield edits.visibility(tree, node, is_shown=value)


_MAKERS: Final[dict[str, Callable[[Tree, Node, Any], Iterator[Operation]]]] = {
    declaration.TEXT: _text,
    declaration.RICH_TEXT: _rich,
    declaration.URL: _url,
    declaration.IMAGE: _image,
    declaration.ATTRIBUTE: _attributes,
    declaration.CLASS_LIST: _classes,
    declaration.STYLE: _style,
    declaration.VISIBILITY: _visibility,
    declaration.WIDGETS: _widgets,
    declaration.COMPONENT: _component,
}
