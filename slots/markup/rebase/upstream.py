"""Tell whether the new base already has what an operation puts: all of it, or some of its nodes."""

from collections.abc import Sequence

from slots.markup.ops import Payload
from slots.markup.rebase.pairing import TELLING, Fragment, Pairing, is_telling, labels_of
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree


def is_run(pairing: Pairing, fragment: Fragment, run: Sequence[Node]) -> bool:
    """Tell whether a run of kids in the new base is the same as the fragment."""
    kids = fragment.kids
    return len(kids) == len(run) and all(_equal(pairing, fragment, kid, node) for kid, node in zip(kids, run, strict=True))


def reduce(pairing: Pairing, payload: Payload, around: Sequence[Node]) -> Payload | None:
    """Return what is left of a payload without holes when nodes that upstream added are taken out of it; None for nothing.

    Small leaves are taken out only together with all the rest.
    """
    text = "".join(piece for piece in payload if isinstance(piece, str))
    fragment = pairing.fragment(text)
    if not around or not fragment.kids:
        return payload
    pairs = _in_order(pairing, fragment, around)
    if len(pairs) == len(fragment.kids):
        return None
    gone = [kid for kid in pairs if _is_telling(kid)]
    if not gone:
        return payload
    parts: list[str] = []
    position = 0
    for kid in gone:
        parts.append(text[position : kid.start])
        position = kid.end
    return ("".join([*parts, text[position:]]),)


def _in_order(pairing: Pairing, fragment: Fragment, around: Sequence[Node]) -> list[Node]:
    """Return the fragment's nodes that upstream added too, in the same order."""
    found: list[Node] = []
    position = 0
    for kid in fragment.kids:
        for index in range(position, len(around)):
            if _equal(pairing, fragment, kid, around[index]):
                found.append(kid)
                position = index + 1
                break
    return found


def _is_telling(node: Node) -> bool:
    return bool(node.kids) or (node.end - node.head >= TELLING and node.kind not in (nodes.SEPARATOR, nodes.CLOSE))


def _equal(pairing: Pairing, fragment: Fragment, kid: Node, node: Node) -> bool:
    return fragment.equals(kid, pairing.new, node, pairing.new_prints)


def holds_edit(pairing: Pairing, edited: Tree) -> bool:
    """Tell whether the new base holds every label that an edit of the old base adds and none that it removes, counted.

    `edited` is the old base with the edit. Counts can agree by chance, so the edit has to add or remove a label that tells
    something; and this is asked only where the place itself gives no answer.
    """
    before, after, there = labels_of(pairing.old), labels_of(edited), labels_of(pairing.new)
    tells = False
    for label in before.keys() | after.keys():
        if after[label] == before[label]:
            continue
        added = after[label] > before[label]
        if there[label] < after[label] if added else there[label] > after[label]:
            return False
        tells = tells or (added and is_telling(label))
    return tells
