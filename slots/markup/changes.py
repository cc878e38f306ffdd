"""What somebody may do to a component by hand: a change of one slot, declared or derived, as operations.

A change names a slot as `slots list` shows it, says what is to be done, and brings at most a name and a text. What cannot be done
there is an issue with the next step, never a silent nothing. Where a text is template source, the policy judges it like any other
payload; `text` alone is always shown as it is written.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from slots.errors import Issue, IssueCode
from slots.markup import edits, ops
from slots.markup.address import slot_nodes
from slots.markup.compose import compose
from slots.markup.declaration import renamed
from slots.markup.ops import Operation
from slots.markup.tree import Node, Tree, nodes

HERE: Final = "[here]"  # stands in the text of a wrap for what is wrapped


@dataclass(frozen=True, slots=True)
class Change:
    """State one change: what (a key of `CHANGES`), of which slot, and what it needs beside (see the table there).

    `name` is an attribute, a style property, a tag or another slot's name; `text` is what the change brings.
    """

    what: str
    slot: str
    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """Hold the operations that make a change, or the issue that says why there are none; an issue may warn beside operations."""

    operations: tuple[Operation, ...]
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """Describe one kind of change: its label, what its `name` and `text` are (empty: not used), and on which nodes it works.

    `may_be_empty` says that an empty text is one as well, as in `alt=""`.
    """

    label: str
    make: Callable[[Tree, Node, Change], Iterator[Operation]]
    name: str = ""
    text: str = ""
    on: frozenset[str] = frozenset({nodes.ELEMENT, nodes.BLOCK})
    may_be_empty: bool = False


class _Refused(Exception):
    """Carry up why a change cannot be made."""

    def __init__(self, code: IssueCode, text: str, suggestion: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.suggestion = suggestion


def make(tree: Tree, change: Change) -> Made:
    """Return the operations that make a change on a base."""
    try:
        kind = _kind(change)
        change = _named(change, kind)
        node, warnings = _node(tree, change.slot)
        return Made(_operations(tree, node, change, kind), warnings)
    except _Refused as refused:
        return Made((), (Issue(refused.code, refused.text, place=change.slot, suggestion=refused.suggestion),))


def _operations(tree: Tree, node: Node, change: Change, kind: Kind) -> tuple[Operation, ...]:
    """Return the operations of a change that does something."""
    if node.kind not in kind.on:
        what = f"{kind.label} works on elements; {change.slot} is a declared slot, which shows no tag of its own."
        raise _Refused(IssueCode.KIND_NOT_ALLOWED, what, "Choose an element in it, or change its content.")
    operations = tuple(kind.make(tree, node, change))
    if compose(tree, operations).source == tree.source:
        nothing = f"{kind.label}: nothing in {change.slot} would change."
        raise _Refused(IssueCode.TARGET_MISSING, nothing, "Look at what stands there.")
    return operations


def _kind(change: Change) -> Kind:
    """Return the kind of a change that has all that it needs."""
    kind = CHANGES.get(change.what)
    if kind is None:
        text = f"There is no change {change.what!r}."
        raise _Refused(IssueCode.SCHEMA_INVALID, text, f"The changes are {', '.join(CHANGES)}.")
    wanted = ((kind.name, change.name), ("" if kind.may_be_empty else kind.text, change.text))
    for needed, given in wanted:
        if needed and not given.strip():
            raise _Refused(IssueCode.SCHEMA_INVALID, f"{kind.label} needs {needed}.", "Fill it in.")
    return kind


def _named(change: Change, kind: Kind) -> Change:
    """Return a change with its name as HTML spells it: attributes and tags in lower case, class names once each."""
    name = change.name.strip()
    if kind.name == _CLASSES:
        return replace(change, name=" ".join(dict.fromkeys(name.split())))
    pattern = _NAMES.get(kind.name)
    if pattern is None:
        return replace(change, name=name)
    if not pattern.fullmatch(name):
        text = f"{kind.label}: “{name}” cannot be {kind.name}."
        raise _Refused(IssueCode.SCHEMA_INVALID, text, "Write one name, without blanks, quotes, brackets or =.")
    return replace(change, name=name if name.startswith("--") else name.lower())


def _node(tree: Tree, name: str) -> tuple[Node, tuple[Issue, ...]]:
    """Return the node of a slot, and a warning where the name is a former one."""
    slots = slot_nodes(tree)
    if name in slots:
        return slots[name], ()
    former = renamed(tree).get(name)
    if former is not None:
        now = next(each for each, node in slots.items() if node is former)
        text = f"The slot {name} is called {now} now."
        return former, (Issue(IssueCode.SLOT_RENAMED, text, place=name, suggestion=f"Use {now}."),)
    near = get_close_matches(name, slots, n=1, cutoff=0.6)
    suggestion = f"Did you mean {near[0]}?" if near else "`slots list` shows the slots of the component."
    raise _Refused(IssueCode.SLOT_UNKNOWN, f"The template has no slot {name}.", suggestion)


def _container(node: Node) -> Node:
    """Refuse an element that can hold nothing."""
    if node.close == node.end:
        raise _Refused(
            IssueCode.KIND_NOT_ALLOWED, f"<{node.name}> has no content.", "Set an attribute of it, or replace it as a whole."
        )
    return node


def _text(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.content(tree, _container(node), edits.plain(change.text))


def _content(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.content(tree, _container(node), change.text)


def _set_attribute(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.attribute(tree, node, change.name, change.text)


def _remove_attribute(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.attribute(tree, node, change.name, None)


def _add_class(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    return edits.classes(tree, node, add=change.name.split())


def _remove_class(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    return edits.classes(tree, node, remove=change.name.split())


def _set_style(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.style(tree, node, change.name, change.text)


def _unset_style(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.style(tree, node, change.name, None)


def _hide(tree: Tree, node: Node, _change: Change) -> Iterator[Operation]:
    yield edits.visibility(tree, node, is_shown=False)


def _insert(place: str) -> Callable[[Tree, Node, Change], Iterator[Operation]]:
    def inserted(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
        if place in (ops.PREPEND, ops.APPEND):
            _container(node)
        yield edits.insertion(tree, node, place, change.text)

    return inserted


def _remove(tree: Tree, node: Node, _change: Change) -> Iterator[Operation]:
    yield edits.removal(tree, node)


def _replace(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.replacement(tree, node, change.text)


def _wrap(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    before, here, after = change.text.partition(HERE)
    if not here or HERE in after:
        raise _Refused(
            IssueCode.SCHEMA_INVALID, f"The text around must say once where the slot goes: {HERE}.", f"<div>{HERE}</div>, say."
        )
    yield edits.wrapping(tree, node, before, after)


def _unwrap(tree: Tree, node: Node, _change: Change) -> Iterator[Operation]:
    yield edits.unwrapping(tree, _container(node))


def _rename(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
    yield edits.renaming(tree, node, change.name)


def _move(place: str) -> Callable[[Tree, Node, Change], Iterator[Operation]]:
    def moved(tree: Tree, node: Node, change: Change) -> Iterator[Operation]:
        anchor, _ = _node(tree, change.name)
        if node.contains(anchor):
            raise _Refused(
                IssueCode.WRAP_CONFLICT, f"{change.name} stands in {change.slot} itself.", "Choose a slot outside of it."
            )
        if place == ops.APPEND:
            _container(anchor)
        yield edits.moving(tree, node, place, anchor)

    return moved


_ELEMENT: Final = frozenset({nodes.ELEMENT})
_ATTRIBUTE: Final = "the name of the attribute"
_PROPERTY: Final = "the name of the property"
_SOURCE: Final = "HTML or template source"
_OTHER: Final = "the name of the other slot"
_CLASSES: Final = "the class names"
_TAG: Final = "the new tag name"
# What such a name looks like, by what it is.
_NAMES: Final = {
    _ATTRIBUTE: re.compile(r"""[^\s"'<>/={}]+"""),
    _PROPERTY: re.compile(r"(?:--[^\s:;{}\"'<>]+|-?[A-Za-z][A-Za-z0-9-]*)"),
    _TAG: re.compile(r"[A-Za-z][A-Za-z0-9-]*"),
}

CHANGES: Final[dict[str, Kind]] = {
    "text": Kind("Say something else", _text, text="the text, shown as it is written"),
    "content": Kind("Replace what stands in it", _content, text=_SOURCE),
    "set_attr": Kind("Set an attribute", _set_attribute, _ATTRIBUTE, "its value", _ELEMENT, may_be_empty=True),
    "remove_attr": Kind("Remove an attribute", _remove_attribute, _ATTRIBUTE, on=_ELEMENT),
    "add_class": Kind("Add classes", _add_class, _CLASSES, on=_ELEMENT),
    "remove_class": Kind("Remove classes", _remove_class, _CLASSES, on=_ELEMENT),
    "set_style": Kind("Set a style property", _set_style, _PROPERTY, "its value", _ELEMENT),
    "unset_style": Kind("Remove a style property", _unset_style, _PROPERTY, on=_ELEMENT),
    "hide": Kind("Hide it", _hide, on=_ELEMENT),
    "remove": Kind("Take it away", _remove),
    "replace": Kind("Replace it", _replace, text=_SOURCE),
    "insert_before": Kind("Put something before it", _insert(ops.BEFORE), text=_SOURCE),
    "insert_after": Kind("Put something after it", _insert(ops.AFTER), text=_SOURCE),
    "prepend": Kind("Put something first in it", _insert(ops.PREPEND), text=_SOURCE),
    "append": Kind("Put something last in it", _insert(ops.APPEND), text=_SOURCE),
    "wrap": Kind("Put something around it", _wrap, text=f"HTML or template source, with {HERE} where the slot goes"),
    "unwrap": Kind("Leave only what stands in it", _unwrap),
    "rename": Kind("Make another element of it", _rename, _TAG, on=_ELEMENT),
    "move_before": Kind("Move it before another slot", _move(ops.BEFORE), _OTHER),
    "move_after": Kind("Move it after another slot", _move(ops.AFTER), _OTHER),
    "move_into": Kind("Move it into another slot, last", _move(ops.APPEND), _OTHER),
}
