"""Find the operations that change what one node says itself into what its counterpart says.

Attributes, class tokens and style properties change one by one, beside template constructs in the same tag. Where the
smallest operations do not give the wanted tag in the canonical form, the open tag is set as a whole; where they give it in
another layout, an operation on layout follows.
"""

from slots.markup import canonical, ops, tags
from slots.markup.address import Address
from slots.markup.ops import Operation
from slots.markup.tree import attributes, nodes
from slots.markup.tree.attributes import OpenTag, Part
from slots.markup.tree.nodes import Node

_TEXTUAL = frozenset({nodes.TEXT, nodes.RAW, nodes.COMMENT, nodes.VERBATIM, nodes.DOCTYPE})


def changes(node: Node, address: Address, opened: str, wanted: str, closed: str, wanted_close: str) -> list[Operation]:
    """Return the operations for one node, from its open and close text to the wanted ones."""
    found: list[Operation] = []
    if opened != wanted:
        if node.kind in nodes.TAGGED:
            found.extend(_tag(node, address, opened, wanted, closed))
        else:
            kind = ops.SET_TEXT if node.kind in _TEXTUAL else ops.SET_TAG_ARGS
            layout = tags.same(node, opened, wanted) and not (node.kind == nodes.TEXT and inside_preserving(node))
            found.append(Operation(kind, address, (wanted,), displaced=(opened,), layout=layout))
    if not closed and not wanted_close:
        return found
    _, now = tags.apply(node, opened, closed, found)
    if now != wanted_close:
        layout = tags.same_close(now, wanted_close) or wanted_close.startswith("{%")
        found.append(Operation(ops.SET_TAG_ARGS, address, (wanted_close,), name=ops.CLOSE, displaced=(closed,), layout=layout))
    return found


def inside_preserving(node: Node) -> bool:
    """Say whether the node's white space is kept to the byte."""
    return any(around.name in canonical.PRESERVING for around in node.ancestors())


def _tag(node: Node, address: Address, opened: str, wanted: str, closed: str) -> list[Operation]:
    """Return the operations that change one HTML open tag."""
    old, new = attributes.read(opened), attributes.read(wanted)
    whole = Operation(ops.SET_OPEN_TAG, address, (wanted,), displaced=(opened,))
    if canonical.open_tag(opened) == canonical.open_tag(wanted):
        return [_layout(whole)]
    found: list[Operation] = []
    if _distinct(old) and _distinct(new):
        if old.name.lower() != new.name.lower():
            found.append(Operation(ops.RENAME, address, (new.name,), displaced=(old.name,)))
        found.extend(_parts(address, old, new))
        now, _ = tags.apply(node, opened, closed, found)
        if now == wanted:
            return found
        if canonical.open_tag(now) == canonical.open_tag(wanted):
            return [*found, _layout(whole)]
    if node.kind == nodes.ELEMENT and old.name.lower() != new.name.lower():
        rename = Operation(ops.RENAME, address, (new.name,), displaced=(old.name,))
        return [rename, whole]
    return [whole]


def _layout(operation: Operation) -> Operation:
    """Return the operation marked as one on layout."""
    return Operation(operation.kind, operation.address, operation.payload, displaced=operation.displaced, layout=True)


def _distinct(tag: OpenTag) -> bool:
    """Say whether no part occurs twice, so that a name is enough to point at it."""
    return len({part.key for part in tag.parts}) == len(tag.parts)


def _parts(address: Address, old: OpenTag, new: OpenTag) -> list[Operation]:
    """Return the operations on single parts."""
    before = {part.key: part for part in old.parts}
    after = {part.key for part in new.parts}
    found = [_remove(address, part) for part in old.parts if part.key not in after]
    previous = ""
    for part in new.parts:
        was = before.get(part.key)
        if was is None:
            found.append(_add(address, part, previous))
        elif was.text != part.text:
            found.extend(_change(address, was, part))
        previous = part.key
    return found


def _remove(address: Address, part: Part) -> Operation:
    """Take a part out."""
    return Operation(ops.REMOVE_ATTR, address, name=part.key, displaced=(part.text,))


def _add(address: Address, part: Part, after: str) -> Operation:
    """Put a part in after the one with that key."""
    quote = part.quote
    if part.key == "class" and part.value and attributes.class_tokens(part.value):
        tokens = " ".join(attributes.class_tokens(part.value))
        return Operation(ops.ADD_CLASS, address, (tokens,), after=after, quote=quote)
    if part.key == "hidden" and part.value is None:
        return Operation(ops.HIDE, address, name="hidden", after=after)
    if part.key == "style" and part.value is not None:
        found = attributes.declarations(part.value)
        if len(found) == 1 and found[0][1]:
            name, value = found[0]
            if (name, value) == ("display", "none"):
                return Operation(ops.HIDE, address, name="display", after=after, quote=quote)
            return Operation(ops.SET_STYLE, address, (value,), name=name, after=after, quote=quote)
    payload = () if part.value is None else (part.value,)
    name = part.name if part.chunk or part.value is None else part.key
    return Operation(ops.SET_ATTR, address, payload, name=name, after=after, quote=quote)


def _change(address: Address, was: Part, part: Part) -> list[Operation]:
    """Change the value of a part."""
    if was.value is None or part.value is None:
        payload = () if part.value is None else (part.value,)
        return [Operation(ops.SET_ATTR, address, payload, name=part.name, quote=part.quote, displaced=(was.text,))]
    if part.key == "class":
        return _classes(address, was.value, part.value)
    if part.key == "style":
        styles = _styles(address, was.value, part.value)
        if styles is not None:
            return styles
    if was.value == part.value and was.name == part.name:
        return []
    return [Operation(ops.SET_ATTR, address, (part.value,), name=part.key, quote=part.quote, displaced=(was.text,))]


def _classes(address: Address, was: str, value: str) -> list[Operation]:
    """Change class tokens as a set."""
    old, new = attributes.class_tokens(was), attributes.class_tokens(value)
    gone = [token for token in old if token not in new]
    come = [token for token in dict.fromkeys(new) if token not in old]
    found: list[Operation] = []
    if gone:
        found.append(Operation(ops.REMOVE_CLASS, address, (" ".join(gone),), displaced=(was,)))
    if come:
        found.append(Operation(ops.ADD_CLASS, address, (" ".join(come),), displaced=(was,)))
    return found


def _styles(address: Address, was: str, value: str) -> list[Operation] | None:
    """Change style properties one by one; None where a property occurs twice or has no value."""
    old, new = attributes.declarations(was), attributes.declarations(value)
    before, after = dict(old), dict(new)
    if len(before) != len(old) or len(after) != len(new) or not all(before.values()) or not all(after.values()):
        return None
    found = [Operation(ops.UNSET_STYLE, address, name=name, displaced=(rest,)) for name, rest in old if name not in after]
    for name, rest in new:
        if before.get(name) == rest:
            continue
        displaced = (before[name],) if name in before else ()
        if (name, rest) == ("display", "none"):
            found.append(Operation(ops.HIDE, address, name="display", displaced=displaced))
        else:
            found.append(Operation(ops.SET_STYLE, address, (rest,), name=name, displaced=displaced))
    return found
