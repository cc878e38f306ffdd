"""Tell whether the new base already has what an operation puts: all of it, or some of its nodes."""

from collections.abc import Sequence
from typing import Final

from slots.markup.ops import Payload
from slots.markup.rebase.pairing import Fragment, Pairing
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node

# A single leaf shorter than this is too common to say that upstream made the same edit.
TELLING: Final = 12


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
