"""Tell whether the new base already has what an operation puts: all of it, or some of its nodes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slots.markup import ops, tags
from slots.markup.address import resolve
from slots.markup.ops import Operation, Payload
from slots.markup.rebase import spelling
from slots.markup.rebase.pairing import TELLING, Fragment, Pairing, is_telling, labels_of, without_holes
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node


def is_run(pairing: Pairing, fragment: Fragment, run: Sequence[Node]) -> bool:
    """Tell whether a run of kids in the new base is the same as the fragment."""
    kids = fragment.kids
    if len(kids) == len(run) and all(_equal(pairing, fragment, kid, node) for kid, node in zip(kids, run, strict=True)):
        return True
    return bool(run) and _says(pairing, run, fragment.tree.source)


def _says(pairing: Pairing, run: Sequence[Node], text: str) -> bool:
    """Tell whether a run is the same text: what stands around it can make it other nodes than those of the text alone."""
    return pairing.new.source[run[0].start : run[-1].end].split() == text.split()


@dataclass(frozen=True, slots=True)
class Rest:
    """Hold what is left of a payload when nodes that upstream added too are taken out of it.

    `taken` are upstream's nodes, `beside` is the one that the rest goes next to, and `place` says on which side.
    """

    payload: Payload
    taken: Sequence[Node] = ()
    beside: Node | None = None
    place: str = ""


def reduce(pairing: Pairing, payload: Payload, around: Sequence[Node]) -> Rest:
    """Take nodes that upstream added out of a payload without holes.

    They are taken off its ends, so that what is left is one piece with one place. Small leaves at an end are taken off only
    together with something that tells.
    """
    if not around:
        return Rest(payload)
    text = "".join(piece for piece in payload if isinstance(piece, str))
    fragment = pairing.fragment(text, around[0].parent)
    kids = fragment.kids
    pairs = _in_order(pairing, fragment, around)
    if kids and len(pairs) == len(kids):
        return Rest((), [there for _, there in pairs])
    if _says(pairing, around, text):
        return Rest((), around)
    first = _run(pairs, kids)
    last = _run(pairs[::-1], kids[::-1])
    if not first and not last:
        return Rest(payload)
    start = kids[len(first) - 1].end if first else 0
    stop = kids[-len(last)].start if last else len(text)
    beside, place = (first[-1], ops.AFTER) if first else (last[-1], ops.BEFORE)
    return Rest((text[start:stop],), [*first, *last], beside, place)


def _run(pairs: Sequence[tuple[Node, Node]], kids: Sequence[Node]) -> list[Node]:
    """Return upstream's nodes for the first of the fragment's nodes as far as it has them; none where they tell nothing."""
    found = [there for (kid, there), wanted in zip(pairs, kids, strict=False) if kid is wanted]
    return found if any(map(_is_telling, found)) else []


def _in_order(pairing: Pairing, fragment: Fragment, around: Sequence[Node]) -> list[tuple[Node, Node]]:
    """Return the fragment's nodes that upstream added too, each with upstream's, in the same order."""
    found: list[tuple[Node, Node]] = []
    position = 0
    for kid in fragment.kids:
        for index in range(position, len(around)):
            if _equal(pairing, fragment, kid, around[index]):
                found.append((kid, around[index]))
                position = index + 1
                break
    return found


def _is_telling(node: Node) -> bool:
    return bool(node.kids) or (node.end - node.head >= TELLING and node.kind not in (nodes.SEPARATOR, nodes.CLOSE))


def _equal(pairing: Pairing, fragment: Fragment, kid: Node, node: Node) -> bool:
    return fragment.equals(kid, pairing.new, node, pairing.new_prints)


def holds_edit(pairing: Pairing, change: Mapping[str, int]) -> bool:
    """Tell whether the new base holds every label that an edit of the old base adds and none that it removes, counted.

    `change` holds how much more often (or less often, negative) the edit has each label than the old base. Counts can agree by
    chance, so the edit has to add a label that tells something; and this is asked only where the place itself gives no answer.
    """
    there = pairing.upstream.labels
    tells = False
    for label, more in change.items():
        found = there.get(label, 0)
        if found < more if more > 0 else found > more:
            return False
        tells = tells or (more > 0 and is_telling(label))
    return tells


def change_by(pairing: Pairing, operation: Operation) -> Counter[str]:
    """Return how much more often each label stands in the old base with one operation on it; empty when it does not fit it."""
    node = resolve(pairing.old, operation.address)
    if not isinstance(node, Node):
        return Counter()
    if operation.kind in ops.STRUCTURAL:
        return _change_by_structure(pairing, operation, node)
    if operation.layout or operation.name in (ops.SPACE, ops.CLOSE) or node.parent is None:
        return Counter()
    opened, _ = tags.apply(node, pairing.old.open(node), pairing.old.closing(node), [operation])
    before, after = pairing.old_label(node), spelling.label_of(node.kind, opened)
    return Counter() if before == after else Counter({after: 1, before: -1})


def _change_by_structure(pairing: Pairing, operation: Operation, node: Node) -> Counter[str]:
    change: Counter[str] = Counter(
        labels_of(pairing.fragment(operation.text, node if operation.place in (ops.PREPEND, ops.APPEND) else node.parent).tree)
    )
    if not operation.place:
        holes = [resolve(pairing.old, address) for address in operation.holes]
        targets = [resolve(pairing.old, address) for address in operation.targets]
        kept = [hole for hole in holes if isinstance(hole, Node)]
        gone = without_holes(pairing, [node, *(target for target in targets if isinstance(target, Node))], kept)
        change.subtract(Counter(pairing.old_label(each) for each in gone if each.kind not in spelling.SILENT))
    return Counter({label: more for label, more in change.items() if more})
