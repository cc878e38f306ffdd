"""Carry operations that change one facet of one node: an attribute, class names, a property, a text, a name.

The rule is the same for all: where upstream left the facet, the operation is made on it; where upstream made the same change,
it is absorbed; where upstream made another one, ours stands and is reported. Class names, properties and attributes are
compared one by one, so that changes of different ones never meet.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from slots.markup import ops, tags
from slots.markup.address import describe, outline
from slots.markup.canonical import PRESERVING
from slots.markup.ops import Operation
from slots.markup.rebase import spelling, words
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Pairing
from slots.markup.tree import nodes
from slots.markup.tree.attributes import OpenTag, bare, class_tokens, declarations, join, read
from slots.markup.tree.nodes import Node, Tree

_WORD: Final = re.compile(r"\w+")
MANY: Final = 10_000  # pairs of class names that are looked at


class Facet(NamedTuple):
    """Hold one facet three times, each in its one form; None means that it is not there."""

    base: str | None
    ours: str | None
    theirs: str | None

    @property
    def status(self) -> Status:
        """Return what becomes of a change of this facet; one that only respells it gives way to what upstream says now."""
        if self.ours in (self.theirs, self.base):
            return Status.ABSORBED
        return Status.CLEAN if self.theirs == self.base else Status.KEPT


_REASONS: Final = {
    Status.ABSORBED: "The new base already has this change.",
    Status.KEPT: "The new base changed the same place in another way; the customization's version stands.",
    Status.CLEAN: "",
    Status.ADAPTED: "The place moved or was changed around the edit.",
}


def carry(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Carried:
    """Return the operation made on the new node, with its outcome; both nodes match."""
    if operation.kind in (ops.ADD_CLASS, ops.REMOVE_CLASS):
        return _carry_classes(pairing, operation, old, new)
    if operation.name == ops.SPACE:
        return _carry_space(pairing, operation, old, new)
    rewritten = _rewritten_chunk(pairing, operation, old, new)
    if rewritten:
        return settle(replace(operation, name=rewritten), new, pairing, Status.KEPT, _texts(pairing, operation, old, new))
    is_untouched = _raw(pairing.old, operation, old) == _raw(pairing.new, operation, new)
    if is_untouched:  # even where the edit only respells something: upstream did not
        status = Status.CLEAN
    elif operation.layout:  # it says nothing: upstream's layout stands
        status = Status.ABSORBED
    else:
        status = _FACETS[operation.kind](pairing, operation, old, new).status
    merged = _merged(pairing, operation, old, new) if status is Status.KEPT else None
    if merged is not None:
        return settle(merged, new, pairing, Status.ADAPTED, _texts(pairing, operation, old, new))
    if status is Status.CLEAN and has_moved(pairing, old, new):
        status = Status.ADAPTED
    return settle(operation, new, pairing, status, _texts(pairing, operation, old, new))


def _merged(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Operation | None:
    """Return an operation that says what both sides say, where they changed different words of one text.

    A template construct or an attribute value is one thing, not words: it is not merged.
    """
    if operation.kind != ops.SET_TEXT or old.kind != new.kind or old.kind not in (nodes.TEXT, nodes.RAW):
        return None
    text = words.merge(pairing.old.open(old), operation.text, pairing.new.open(new))
    return None if text is None else replace(operation, payload=(text,))


def _texts(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Texts:
    """Return what carries the facet: the whole open tag for attributes, else the text itself."""
    before, after = _raw(pairing.old, operation, old), _raw(pairing.new, operation, new)
    if operation.kind in ops.ON_TAG and operation.kind != ops.SET_OPEN_TAG:
        return Texts(before, join(tags.change(read(before), operation)), after)
    return Texts(before, operation.text, after)


def settle(operation: Operation, new: Node, pairing: Pairing, status: Status, texts: Texts) -> Carried:
    """Return a facet operation carried to a node of the new base, or left out where it is absorbed."""
    outcome = Outcome(operation.id, status, texts, _REASONS[status], operation.address.name)
    if status is Status.ABSORBED:
        return Carried(None, outcome)
    address = outline(pairing.new, new) if operation.layout else describe(pairing.new, new)
    return Carried(replace(operation, address=address, displaced=_displaced(pairing, operation, new)), outcome)


def has_moved(pairing: Pairing, old: Node, new: Node) -> bool:
    """Tell whether a node has another parent or says something else by itself."""
    if old.parent is not None and (new.parent is None or pairing.partner(old.parent) is not new.parent):
        return True
    return pairing.old_prints.own[old.order] != pairing.new_prints.own[new.order]


def _displaced(pairing: Pairing, operation: Operation, new: Node) -> tuple[str, ...]:
    """Return what the operation takes away from the new node, in the form in which it was recorded for the old one."""
    if not operation.displaced:
        return ()
    tree = pairing.new
    if operation.kind in (ops.SET_TEXT, ops.SET_TAG_ARGS, ops.SET_OPEN_TAG):
        return (_raw(tree, operation, new),)
    if operation.kind == ops.RENAME:
        return (new.name,)
    if operation.kind in (ops.SET_ATTR, ops.REMOVE_ATTR):
        part = read(tree.open(new)).find(bare(operation.name).key)
        return (part.text,) if part is not None else ()
    return operation.displaced


def _raw(tree: Tree, operation: Operation, node: Node) -> str:
    return tree.closing(node) if operation.name == ops.CLOSE else tree.open(node)


def _attribute(tag: OpenTag, name: str) -> str | None:
    part = tag.find(name)
    if part is None:
        return None
    found = spelling.value(part, tag.name)
    return "" if found is None else found


def _tags(pairing: Pairing, operation: Operation, old: Node, new: Node) -> tuple[OpenTag, OpenTag, OpenTag]:
    """Return the open tag in the old base, as the customization has it, and in the new base."""
    before = read(pairing.old.open(old))
    return before, tags.change(before, operation), read(pairing.new.open(new))


def _set_attribute(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Facet:
    key = bare(operation.name).key
    return Facet(*(_attribute(tag, key) for tag in _tags(pairing, operation, old, new)))


def _style(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Facet:
    name = "display" if operation.kind == ops.HIDE else operation.name
    return Facet(*(_property(tag, name) for tag in _tags(pairing, operation, old, new)))


def _hide(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Facet:
    return (_set_attribute if operation.name == "hidden" else _style)(pairing, operation, old, new)


def _property(tag: OpenTag, name: str) -> str | None:
    found = [value for key, value in declarations(tag_value(tag, "style")) if key == name]
    return spelling.inline(found[-1]) if found else None


def tag_value(tag: OpenTag, name: str) -> str:
    """Return the value of an attribute as written, empty where there is none."""
    part = tag.find(name)
    return (part.value or "") if part is not None else ""


def _name(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Facet:
    return Facet(old.name, operation.text.lower(), new.name)


def _text(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Facet:
    if operation.name == ops.CLOSE:
        old_text, new_text = pairing.old.closing(old), pairing.new.closing(new)
        return Facet(" ".join(old_text.split()), " ".join(operation.text.split()), " ".join(new_text.split()))
    if old.kind in nodes.TAGGED:
        return Facet(pairing.old_label(old), spelling.open_tag(operation.text), pairing.new_label(new))
    if old.kind in nodes.TEMPLATED:
        return Facet(pairing.old_label(old), spelling.construct(operation.text), pairing.new_label(new))
    return Facet(pairing.old_label(old), " ".join(operation.text.split()), pairing.new_label(new))


_FACETS: Final[dict[str, Callable[[Pairing, Operation, Node, Node], Facet]]] = {
    ops.SET_ATTR: _set_attribute,
    ops.REMOVE_ATTR: _set_attribute,
    ops.SET_STYLE: _style,
    ops.UNSET_STYLE: _style,
    ops.HIDE: _hide,
    ops.RENAME: _name,
    ops.SET_TEXT: _text,
    ops.SET_TAG_ARGS: _text,
    ops.SET_OPEN_TAG: _text,
}


def _carry_classes(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Carried:
    """Merge class names as a set: those that upstream added or removed likewise are left out.

    A name with template constructs that ours takes out and upstream rewrote is one place that both changed: ours stands.
    """
    wanted = class_tokens(operation.text)
    there = class_tokens(tag_value(read(pairing.new.open(new)), "class"))
    adds = operation.kind == ops.ADD_CLASS
    has = set(there)
    left = [token for token in wanted if (token in has) is not adds]
    texts = _texts(pairing, operation, old, new)
    rivals: list[str] = []
    if not adds:
        before = set(class_tokens(tag_value(read(pairing.old.open(old)), "class")))
        rivals = _rivals([token for token in there if token not in before], [token for token in wanted if token not in has])
    if not left and not rivals:
        return settle(operation, new, pairing, Status.ABSORBED, texts)
    carried = replace(operation, payload=(" ".join([*left, *rivals]),))
    if rivals:
        return settle(carried, new, pairing, Status.KEPT, texts)
    moved = len(left) < len(wanted) or has_moved(pairing, old, new)
    return settle(carried, new, pairing, Status.ADAPTED if moved else Status.CLEAN, texts)


def _rewritten_chunk(pairing: Pairing, operation: Operation, old: Node, new: Node) -> str:
    """Return the attribute that upstream made of conditional ones that ours takes out, empty where it made nothing of them."""
    if operation.kind != ops.REMOVE_ATTR or not operation.name.startswith("{"):
        return ""
    before, after = read(pairing.old.open(old)), read(pairing.new.open(new))
    if after.find(operation.name) is not None:
        return ""
    known = {part.text.strip() for part in before.parts}
    came = (part for part in after.parts if part.text.strip() not in known)
    return next((part.key for part in came if _is_rewritten(operation.name, part.text)), "")


def _rivals(came: Sequence[str], gone: Sequence[str]) -> list[str]:
    """Return the names that upstream may have made of those that ours takes out; of very many all, so that somebody looks."""
    came, gone = ([token for token in tokens if "{" in token] for tokens in (came, gone))
    if len(came) * len(gone) > MANY:
        return came
    return [token for token in came if any(_is_rewritten(each, token) for each in gone)]


def _is_rewritten(gone: str, came: str) -> bool:
    """Tell whether two texts with template constructs share half of their words."""
    if "{" not in gone or "{" not in came:
        return False
    one, other = set(_WORD.findall(gone)), set(_WORD.findall(came))
    return len(one & other) * 2 >= min(len(one), len(other))


def _carry_space(pairing: Pairing, operation: Operation, old: Node, new: Node) -> Carried:
    """Carry white space between kids: only where the kid is still there with the white space it had.

    Layout that upstream laid out anew is upstream's; it carries no meaning. White space that does is kept and reported.
    """
    at: list[int] = []
    payload: list[str] = []
    displaced: list[str] = []
    changed = False
    is_exact = any(node.name in PRESERVING for node in (new, *new.ancestors()))
    for index, wanted in zip(operation.at, operation.payload, strict=True):
        place, before, theirs = _space(pairing, old, new, index)
        if place is None or theirs == wanted:
            continue
        if before != theirs and not is_exact and bool(theirs) is bool(wanted):  # any white space is as good as any other
            continue
        if before != theirs and (is_exact or bool(before) is not bool(theirs)):
            if operation.layout:
                continue
            changed = True
        at.append(place)
        payload.append(str(wanted))
        displaced.append(theirs)
    if not at:
        return settle(operation, new, pairing, Status.ABSORBED, Texts("", "", ""))
    texts = Texts("".join(operation.displaced), operation.text, "".join(displaced))
    carried = replace(operation, at=tuple(at), payload=tuple(payload))
    status = Status.KEPT if changed else Status.CLEAN
    settled = settle(carried, new, pairing, status, texts)
    if settled.operation is None:
        return settled
    return Carried(replace(settled.operation, displaced=tuple(displaced)), settled.outcome)


def _space(pairing: Pairing, old: Node, new: Node, index: int) -> tuple[int | None, str, str]:
    """Return where white space stands in the new node, what it was, and what it is there."""
    if index == ops.TAIL:
        return ops.TAIL, pairing.old.tail(old), pairing.new.tail(new)
    if index >= len(old.kids):
        return None, "", ""
    kid = old.kids[index]
    there = pairing.partner(kid)
    if there is None or there.parent is not new:
        return None, "", ""
    return there.index, pairing.old.lead(kid), pairing.new.lead(there)
