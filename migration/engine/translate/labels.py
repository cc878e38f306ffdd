"""Find the operations that change what one node says itself into what its counterpart says.

Attributes, class tokens and style properties change one by one, beside template constructs in the same tag. Where the
smallest operations do not give the wanted tag in the canonical form, the open tag is set as a whole; where they give it in
another layout, an operation on layout follows.
"""

from migration.engine.translate.maker import Maker
from slots.markup import canonical, ops, tags
from slots.markup.address import Address
from slots.markup.ops import Operation
from slots.markup.tree import attributes, nodes
from slots.markup.tree.attributes import Part
from slots.markup.tree.nodes import Node
from slots.schema import MAX_ATTRIBUTES

_TEXTUAL = frozenset({nodes.TEXT, nodes.RAW, nodes.COMMENT, nodes.VERBATIM, nodes.DOCTYPE})


def changes(
    maker: Maker, node: Node, address: Address, opened: str, wanted: str, closed: str, wanted_close: str
) -> list[Operation]:
    """Return the operations for one node, from its open and close text to the wanted ones."""
    found: list[Operation] = []
    if opened != wanted:
        if node.kind in nodes.TAGGED:
            found.extend(_tag(maker, node, address, opened, wanted, closed))
        else:
            kind = ops.SET_TEXT if node.kind in _TEXTUAL else ops.SET_TAG_ARGS
            layout = tags.same(node, opened, wanted) and not (node.kind == nodes.TEXT and inside_preserving(node))
            found.append(maker.make(kind, address, (wanted,), displaced=(opened,), layout=layout))
    if not closed and not wanted_close:
        return found
    now = closed
    if node.kind == nodes.BLOCK or any(operation.kind == ops.RENAME for operation in found):  # a close tag has no other facet
        _, now = tags.apply(node, opened, closed, found)
    if now != wanted_close:
        layout = tags.same_close(now, wanted_close) or wanted_close.startswith("{%")
        found.append(maker.make(ops.SET_TAG_ARGS, address, (wanted_close,), name=ops.CLOSE, displaced=(closed,), layout=layout))
    return found


def inside_preserving(node: Node) -> bool:
    """Say whether the node's white space is kept to the byte."""
    return any(around.name in canonical.PRESERVING for around in node.ancestors())


def _tag(maker: Maker, node: Node, address: Address, opened: str, wanted: str, closed: str) -> list[Operation]:
    """Return the operations that change one HTML open tag."""
    aim = canonical.open_tag(wanted)
    if canonical.open_tag(opened) == aim:
        return [_whole(maker, address, opened, wanted, layout=True)]
    old, new = attributes.read(opened), attributes.read(wanted)
    renamed: list[Operation] = []
    if old.name.lower() != new.name.lower():
        renamed.append(maker.make(ops.RENAME, address, (new.name,), displaced=(old.name,)))
    before, after = {part.key: part for part in old.parts}, {part.key: part for part in new.parts}
    is_short = max(len(old.parts), len(new.parts)) <= MAX_ATTRIBUTES  # each operation copies the list of parts
    is_distinct = len(before) == len(old.parts) and len(after) == len(new.parts)  # a name is enough to point at a part
    if is_short and is_distinct:
        found = [*renamed, *_parts(maker, address, before, after)]
        now, _ = tags.apply(node, opened, closed, found)
        if now == wanted:
            return found
        if canonical.open_tag(now) == aim:
            return [*found, _whole(maker, address, opened, wanted, layout=True)]
    return [*(renamed if node.kind == nodes.ELEMENT else ()), _whole(maker, address, opened, wanted, layout=False)]


def _whole(maker: Maker, address: Address, opened: str, wanted: str, *, layout: bool) -> Operation:
    """Set the open tag as it is to be."""
    return maker.make(ops.SET_OPEN_TAG, address, (wanted,), displaced=(opened,), layout=layout)


def _parts(maker: Maker, address: Address, before: dict[str, Part], after: dict[str, Part]) -> list[Operation]:
    """Return the operations on single parts, which come by their keys."""
    found = [_remove(maker, address, part) for key, part in before.items() if key not in after]
    previous = ""
    for key, part in after.items():
        was = before.get(key)
        if was is None:
            found.append(_add(maker, address, part, previous))
        elif was.text != part.text:
            found.extend(_change(maker, address, was, part))
        previous = key
    return found


def _remove(maker: Maker, address: Address, part: Part) -> Operation:
    """Take a part out."""
    return maker.make(ops.REMOVE_ATTR, address, name=part.key, displaced=(part.text,))


def _add(maker: Maker, address: Address, part: Part, after: str) -> Operation:
    """Put a part in after the one with that key."""
    quote = part.quote
    if part.key == "class" and part.value and attributes.class_tokens(part.value):
        tokens = " ".join(attributes.class_tokens(part.value))
        return maker.make(ops.ADD_CLASS, address, (tokens,), after=after, quote=quote)
    if part.key == "hidden" and part.value is None:
        return maker.make(ops.HIDE, address, name="hidden", after=after)
    if part.key == "style" and part.value is not None:
        found = attributes.declarations(part.value)
        if len(found) == 1 and found[0][1]:
            name, value = found[0]
            if (name, value) == ("display", "none"):
                return maker.make(ops.HIDE, address, name="display", after=after, quote=quote)
            return maker.make(ops.SET_STYLE, address, (value,), name=name, after=after, quote=quote)
    payload = () if part.value is None else (part.value,)
    name = part.name if part.chunk or part.value is None else part.key
    return maker.make(ops.SET_ATTR, address, payload, name=name, after=after, quote=quote)


def _change(maker: Maker, address: Address, was: Part, part: Part) -> list[Operation]:
    """Change the value of a part."""
    if was.value is None or part.value is None:
        payload = () if part.value is None else (part.value,)
        return [maker.make(ops.SET_ATTR, address, payload, name=part.name, quote=part.quote, displaced=(was.text,))]
    if part.key == "class":
        return _classes(maker, address, was.value, part.value)
    if part.key == "style":
        styles = _styles(maker, address, was.value, part.value)
        if styles is not None:
            return styles
    if was.value == part.value and was.name == part.name:
        return []
    return [maker.make(ops.SET_ATTR, address, (part.value,), name=part.key, quote=part.quote, displaced=(was.text,))]


def _classes(maker: Maker, address: Address, was: str, value: str) -> list[Operation]:
    """Change class tokens as a set."""
    old, new = attributes.class_tokens(was), attributes.class_tokens(value)
    had, wanted = set(old), set(new)
    gone = [token for token in old if token not in wanted]
    come = [token for token in dict.fromkeys(new) if token not in had]
    found: list[Operation] = []
    if gone:
        found.append(maker.make(ops.REMOVE_CLASS, address, (" ".join(gone),), displaced=(was,)))
    if come:
        found.append(maker.make(ops.ADD_CLASS, address, (" ".join(come),), displaced=(was,)))
    return found


def _styles(maker: Maker, address: Address, was: str, value: str) -> list[Operation] | None:
    """Change style properties one by one; None where a property occurs twice or has no value, or there are very many."""
    old, new = attributes.declarations(was), attributes.declarations(value)
    before, after = dict(old), dict(new)
    if (
        max(len(old), len(new)) > MAX_ATTRIBUTES
        or len(before) != len(old)
        or len(after) != len(new)
        or not all(before.values())
        or not all(after.values())
    ):
        return None
    found = [maker.make(ops.UNSET_STYLE, address, name=name, displaced=(rest,)) for name, rest in old if name not in after]
    for name, rest in new:
        if before.get(name) == rest:
            continue
        displaced = (before[name],) if name in before else ()
        if (name, rest) == ("display", "none"):
            found.append(maker.make(ops.HIDE, address, name="display", displaced=displaced))
        else:
            found.append(maker.make(ops.SET_STYLE, address, (rest,), name=name, displaced=displaced))
    return found
