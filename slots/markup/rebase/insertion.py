"""Carry insertions and moves: find the anchor again, or the other side of its gap, and leave out what upstream has put there."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.ops import Hole, Operation, Payload
from slots.markup.rebase import upstream
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts, worst
from slots.markup.rebase.pairing import Gap, Pairing
from slots.markup.rebase.places import Place, absorbed, conflict, described, is_put, orders_of, ours_text, text_of
from slots.markup.rebase.spots import Seat, Spot
from slots.markup.tree.nodes import Node

_AMBIGUOUS: Final = (
    "The new base changed what stands around this place, so that it is two places; the insertion stands at one of them."
)
_RESPACED: Final = "The new base changed the white space beside this place, where it means something."


def carry_insertion(pairing: Pairing, place: Place) -> Carried:
    """Return an insertion or a move carried over, with its outcome."""
    operation, anchor = place.operation, place.node
    inside = operation.place in (ops.PREPEND, ops.APPEND)
    parent = anchor if inside else anchor.parent
    if parent is None:
        return conflict(pairing, place, "The place stands beside the whole document.")
    index = {ops.PREPEND: 0, ops.APPEND: len(parent.kids), ops.BEFORE: anchor.index, ops.AFTER: anchor.index + 1}[operation.place]
    gap = pairing.gap(parent, index, index)
    there = pairing.partner(anchor)
    if gap is None and there is None:
        return conflict(pairing, place, "Upstream removed the place where this goes.")
    if operation.holes:
        return _carry_move(pairing, place, parent, gap, there)
    around = _around(pairing, place, gap, there)
    rest = upstream.reduce(pairing, operation.payload, around)
    claims = orders_of(rest.taken)
    if not rest.payload:
        return absorbed(pairing, place, "".join(pairing.new.text(node) for node in around), claims)
    if rest.beside is not None:
        carried = anchor_at(pairing, replace(operation, payload=rest.payload), rest.beside, rest.place)
        return Carried(carried, _outcome(operation, Status.ADAPTED), claims=claims)
    spot, reason = _spot(pairing, Seat(pairing, parent, index, operation.text, place.others.spaces), operation, gap)
    carried = anchor_at(pairing, operation, spot.anchor, spot.place)
    if reason:
        theirs = "".join(pairing.new.text(node) for node in around) or pairing.new.source[spot.parent.head : spot.parent.open_end]
        return Carried(carried, _outcome(operation, Status.KEPT, reason, theirs))
    is_same = spot.anchor is there and spot.place == operation.place and not _has_moved(pairing, anchor, there)
    is_alone = not any(pairing.origin(node) is None for node in (gap.kids if gap else ()))
    return Carried(carried, _outcome(operation, Status.CLEAN if is_same and is_alone else Status.ADAPTED))


def _outcome(operation: Operation, status: Status, reason: str = "", theirs: str = "") -> Outcome:
    return Outcome(operation.id, status, Texts("", operation.text, theirs), reason, operation.address.name)


def _spot(pairing: Pairing, seat: Seat, operation: Operation, gap: Gap | None) -> tuple[Spot, str]:
    """Return where an insertion goes in the new base, and why a person has to look; empty where nobody has to."""
    left, right = seat.spots()
    if left is None and right is None and gap is not None:
        left = Spot(gap.parent.kids[gap.start - 1], ops.AFTER) if gap.start else Spot(gap.parent, ops.PREPEND)
        right = Spot(gap.parent.kids[gap.stop], ops.BEFORE) if gap.stop < len(gap.parent.kids) else Spot(gap.parent, ops.APPEND)
    one, other = left or right, right or left
    if one is None or other is None:
        raise ValueError("an insertion needs a neighbour or its gap")
    is_left = operation.place in (ops.AFTER, ops.PREPEND)
    spot, reason = (one if is_left else other), ""
    if not one.is_same(other):
        wanted = seat.preferred()
        spot = {"left": one, "right": other}.get(wanted, spot)
        if not wanted and not seat.says_nothing(one, other):
            reason = _AMBIGUOUS
    if not reason and seat.is_torn(spot):
        reason = _RESPACED
    return spot, reason


def _around(pairing: Pairing, place: Place, gap: Gap | None, there: Node | None) -> list[Node]:
    """Return what upstream put where an insertion goes: in the gap, and beside the anchor where that moved away.

    It may have moved it there: a node that the customization takes away elsewhere may be the one that it writes here.
    """
    operation = place.operation
    found = [node for node in gap.kids if is_put(pairing, place, node)] if gap is not None else []
    if there is not None and operation.place in (ops.BEFORE, ops.AFTER) and there.parent is not None:
        step = -1 if operation.place == ops.BEFORE else 1
        index = there.index + step
        while 0 <= index < len(there.parent.kids) and is_put(pairing, place, there.parent.kids[index]):
            if there.parent.kids[index] not in found:
                found.append(there.parent.kids[index])
            index += step
    return sorted(found, key=lambda node: node.order)


def _has_moved(pairing: Pairing, anchor: Node, there: Node | None) -> bool:
    if there is None or there.parent is None or anchor.parent is None:
        return there is None
    return pairing.partner(anchor.parent) is not there.parent


def anchored(pairing: Pairing, operation: Operation, gap: Gap | None, there: Node | None) -> tuple[Operation, Status]:
    """Return the operation with its anchor in the new base: the same one, else the other side of the gap, else the parent."""
    if there is not None:
        return anchor_at(pairing, operation, there, operation.place), Status.CLEAN
    if gap is None:
        raise ValueError("an insertion needs its anchor or its gap")
    kids = gap.parent.kids
    if operation.place == ops.BEFORE and gap.stop < len(kids):
        return anchor_at(pairing, operation, kids[gap.stop], ops.BEFORE), Status.ADAPTED
    if gap.start > 0:
        return anchor_at(pairing, operation, kids[gap.start - 1], ops.AFTER), Status.ADAPTED
    if gap.stop < len(kids):
        return anchor_at(pairing, operation, kids[gap.stop], ops.BEFORE), Status.ADAPTED
    status = Status.KEPT if kids else Status.ADAPTED
    return anchor_at(pairing, operation, gap.parent, ops.APPEND), status


def anchor_at(pairing: Pairing, operation: Operation, anchor: Node, place: str) -> Operation:
    """Return an insertion or move that goes to a place of the new base."""
    inside = place in (ops.PREPEND, ops.APPEND)
    parent = anchor if inside or anchor.parent is None else anchor.parent
    index = {ops.PREPEND: 0, ops.APPEND: len(parent.kids), ops.BEFORE: anchor.index, ops.AFTER: anchor.index + 1}[place]
    before = parent.kids[index - 1] if index > 0 else None
    after = parent.kids[index] if index < len(parent.kids) else None
    return replace(
        operation,
        address=describe(pairing.new, anchor),
        place=place,
        parent=describe(pairing.new, parent) if operation.parent is not None else None,
        near=described(pairing, before, after) if operation.near != (None, None) else operation.near,
    )


def _carry_move(pairing: Pairing, place: Place, parent: Node, gap: Gap | None, there: Node | None) -> Carried:
    """Carry a move: the nodes have to be there still, and must not contain the place they go to."""
    operation = place.operation
    moved = [pairing.partner(hole) for hole in place.holes]
    alive = [node for node in moved if node is not None]
    if not alive:
        return conflict(pairing, place, "Upstream removed what this operation moves.")
    run = _moved_run(pairing, place, gap, there, alive)
    if run:
        claims = orders_of(run) - orders_of(alive) | {node.order for node in alive}
        return absorbed(pairing, place, text_of(pairing.new, run), claims)
    carried, status = anchored(pairing, operation, gap, there)
    payload = _with_holes(pairing, operation.payload, place.holes)
    if len(alive) < len(moved) or _has_moved(pairing, place.node, there):
        status = worst(status, Status.ADAPTED)
    if any(
        pairing.partner(hole.parent) is not node.parent
        for hole, node in zip(place.holes, moved, strict=True)
        if node and hole.parent
    ):
        status = worst(status, Status.KEPT)
    texts = Texts(text_of(pairing.old, place.holes), ours_text(pairing, place), text_of(pairing.new, alive))
    reason = "The new base moved the same nodes to another place." if status is Status.KEPT else ""
    displaced = tuple(pairing.new.source[node.start : node.end] for node in alive) if operation.displaced else ()
    carried = replace(carried, payload=payload, displaced=displaced)
    return Carried(carried, Outcome(operation.id, status, texts, reason, operation.address.name))


def _moved_run(pairing: Pairing, place: Place, gap: Gap | None, there: Node | None, alive: Sequence[Node]) -> Sequence[Node]:
    """Return upstream's nodes where it moved the same ones to this place, with all that the fragment says beside them."""
    operation = place.operation
    if gap is not None and not operation.text.strip():
        return alive if all(node.parent is gap.parent and gap.start <= node.index < gap.stop for node in alive) else ()
    if len(alive) < len(place.holes):
        return ()
    fragment = pairing.fragment(_filled(pairing, place), place.node.parent)
    runs = [gap.kids] if gap is not None else []
    if there is not None and there.parent is not None and operation.place in (ops.BEFORE, ops.AFTER):
        kids, count = there.parent.kids, len(fragment.kids)
        before, after = kids[max(0, there.index - count) : there.index], kids[there.index + 1 : there.index + 1 + count]
        runs.append(before if operation.place == ops.BEFORE else after)
    return next((run for run in runs if _is_moved(pairing, place, run, alive) and upstream.is_run(pairing, fragment, run)), ())


def _is_moved(pairing: Pairing, place: Place, run: Sequence[Node], alive: Sequence[Node]) -> bool:
    """Tell whether upstream put a run where it stands, the moved nodes among it."""
    own = {node.order for node in alive}
    return own <= {node.order for node in run} and all(node.order in own or is_put(pairing, place, node) for node in run)


def _filled(pairing: Pairing, place: Place) -> str:
    """Return the payload with the new base's text in its holes."""
    following = iter(place.holes)
    pieces = (piece if isinstance(piece, str) else pairing.partner(next(following)) for piece in place.operation.payload)
    return "".join(pairing.new.text(piece) if isinstance(piece, Node) else piece or "" for piece in pieces)


def _with_holes(pairing: Pairing, payload: Payload, holes: Sequence[Node]) -> Payload:
    """Return a payload with its holes at the new base's nodes; a hole whose node is gone is left out."""
    pieces: list[str | Hole] = []
    following = iter(holes)
    for piece in payload:
        if isinstance(piece, str):
            pieces.append(piece)
        else:
            there = pairing.partner(next(following))
            if there is not None:
                pieces.append(Hole(describe(pairing.new, there)))
    return tuple(pieces)
