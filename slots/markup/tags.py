"""Change single facets of a node's own text: attributes, class tokens, style properties, template arguments.

What stands beside the facet in the same tag, template constructs included, is left as written. The same functions compose a
configuration and tell the translator what an operation would give.
"""

from collections.abc import Iterable

from slots.markup import canonical, ops
from slots.markup.ops import Operation
from slots.markup.tree import attributes, nodes
from slots.markup.tree.attributes import OpenTag, Part
from slots.markup.tree.nodes import Node


def apply(node: Node, opened: str, closed: str, operations: Iterable[Operation]) -> tuple[str, str]:
    """Return the open text and the close tag of a node after operations on it.

    An operation on layout is applied only where it still says the same: another layer may have changed the tag in the meantime.
    """
    tag: OpenTag | None = None
    for operation in operations:
        if operation.kind in ops.ON_TAG and operation.kind != ops.SET_OPEN_TAG:
            tag = change(attributes.read(opened) if tag is None else tag, operation)
            if operation.kind == ops.RENAME and closed:
                closed = f"</{operation.text}{closed[2 + len(node.name) :]}"
            continue
        if tag is not None:
            opened, tag = attributes.join(tag), None
        if operation.layout and not same(node, opened, operation.text):
            continue
        opened = operation.text
        if node.kind == nodes.BLOCK:
            name = template_name(opened)
            if name and name != template_name(f"{{%{closed[2:].lstrip().removeprefix('end')}"):
                closed = f"{{% end{name} %}}"
    if tag is not None:
        opened = attributes.join(tag)
    return opened, closed


def template_name(text: str) -> str:
    """Return the name of a template tag's text, empty where it has none."""
    words = text[2:-2].split(None, 1)
    return words[0] if words else ""


def same(node: Node, left: str, right: str) -> bool:
    """Say whether two texts of one node differ in layout only."""
    if node.kind in nodes.TAGGED:
        return canonical.open_tag(left) == canonical.open_tag(right)
    if node.kind in nodes.TEMPLATED:
        if node.name == "load":
            return canonical.libraries(left) == canonical.libraries(right)
        return canonical.construct(left) == canonical.construct(right)
    if node.kind in (nodes.TEXT, nodes.DOCTYPE):
        return canonical.words(left) == canonical.words(right)
    return left == right


def same_close(left: str, right: str) -> bool:
    """Say whether two close tags close the same thing."""
    if left.startswith("</") and right.startswith("</"):
        return left[2:-1].strip().lower() == right[2:-1].strip().lower()
    return template_name(left) == template_name(right)


def change(tag: OpenTag, operation: Operation) -> OpenTag:
    """Return the tag after one operation on it; an operation that finds nothing to change returns it as it is."""
    kind = operation.kind
    if kind == ops.RENAME:
        return tag._replace(name=operation.text)
    if kind == ops.SET_ATTR:
        return _set(tag, operation)
    if kind == ops.REMOVE_ATTR:
        return tag.without(operation.name)
    if kind == ops.ADD_CLASS:
        return _add_class(tag, operation)
    if kind == ops.REMOVE_CLASS:
        return _remove_class(tag, operation)
    if kind == ops.HIDE and operation.name == "hidden":
        return tag.with_part(Part(" ", "hidden"), operation.after)
    name = "display" if kind == ops.HIDE else operation.name
    value = "none" if kind == ops.HIDE else operation.text
    return _style(tag, name, None if kind == ops.UNSET_STYLE else value, operation)


def _set(tag: OpenTag, operation: Operation) -> OpenTag:
    """Set an attribute; without a payload it is a bare one, or a chunk."""
    old = tag.find(operation.name)
    if not operation.payload:
        return tag.with_part(attributes.bare(operation.name), operation.after)
    name = old.name if old is not None else operation.name
    equals = old.equals if old is not None and old.equals else "="
    return tag.with_part(Part(" ", name, equals, operation.quote, operation.text), operation.after)


def _add_class(tag: OpenTag, operation: Operation) -> OpenTag:
    """Add the class tokens that are missing."""
    old = tag.find("class")
    if old is None or old.value is None:
        return tag.with_part(Part(" ", "class", "=", operation.quote, operation.text), operation.after)
    there = set(attributes.class_tokens(old.value))
    missing = [token for token in attributes.class_tokens(operation.text) if token not in there]
    if not missing:
        return tag
    value = f"{old.value} {' '.join(missing)}" if old.value.strip() else " ".join(missing)
    return tag.with_part(_with_value(old, value), None)


def _remove_class(tag: OpenTag, operation: Operation) -> OpenTag:
    """Take the class tokens out that are there; the attribute stays, if empty."""
    old = tag.find("class")
    if old is None or old.value is None:
        return tag
    gone = set(attributes.class_tokens(operation.text))
    tokens = attributes.class_tokens(old.value)
    left = [token for token in tokens if token not in gone]
    if len(left) == len(tokens):
        return tag
    return tag.with_part(_with_value(old, " ".join(left)), None)


def _with_value(part: Part, value: str) -> Part:
    """Return a part with another value, which may need quotes now."""
    return Part(part.space, part.name, part.equals, part.quote or '"', value)


def _style(tag: OpenTag, name: str, value: str | None, operation: Operation) -> OpenTag:
    """Set or (with None) unset one property; the others keep their order."""
    old = tag.find("style")
    if old is None or old.value is None:
        if value is None:
            return tag
        return tag.with_part(Part(" ", "style", "=", operation.quote, f"{name}: {value}"), operation.after)
    found = attributes.declarations(old.value)
    changed = [(key, rest) for key, rest in found if key != name]
    if value is not None:
        at = next((index for index, (key, _) in enumerate(found) if key == name), len(changed))
        changed.insert(min(at, len(changed)), (name, value))
    text = "; ".join(f"{key}: {rest}" if rest else key for key, rest in changed)
    return tag.with_part(_with_value(old, text), None)
