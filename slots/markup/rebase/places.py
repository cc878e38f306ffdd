"""The place of a structural operation in the old base, and what all of them share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from slots.markup.address import Address, describe
from slots.markup.ops import Operation
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Pairing
from slots.markup.rebase.spots import Spaces
from slots.markup.tree.nodes import Node, Tree


@dataclass(frozen=True, slots=True)
class Others:
    """Hold what all operations of a customization do together, which each of them has to know.

    `spaces` is the white space that they set in the old base, `holes` are the old nodes that they keep somewhere, `gone` the
    orders of those that they take away. `claimed` are the orders of the new nodes that say what absorbed operations say: nobody
    may take those away.
    """

    spaces: Spaces = field(default_factory=Spaces)
    holes: tuple[Node, ...] = ()
    gone: frozenset[int] = frozenset()
    claimed: frozenset[int] = frozenset()


@dataclass
class Place:
    """Hold one structural operation with its nodes in the old base, and what became of them in the new one.

    `removed` are the old nodes that go away (targets without what holes keep); `holes` and `targets` are in document order of
    the payload and of the base.
    """

    operation: Operation
    node: Node
    targets: list[Node]
    holes: list[Node]
    removed: list[Node] = field(default_factory=list)
    others: Others = field(default_factory=Others)


def is_put(pairing: Pairing, place: Place, node: Node) -> bool:
    """Tell whether upstream added a node of the new base, or may have: what the edits take away elsewhere they may write here."""
    origin = pairing.origin(node)
    return origin is None or origin.order in place.others.gone


def described(pairing: Pairing, before: Node | None, after: Node | None) -> tuple[Address | None, Address | None]:
    """Return the addresses of two siblings of the new base, None where there is none."""
    return (
        describe(pairing.new, before) if before is not None else None,
        describe(pairing.new, after) if after is not None else None,
    )


def text_of(tree: Tree, found: Sequence[Node]) -> str:
    """Return the source of nodes of one tree, each with the white space before it."""
    return "".join(tree.source[node.start : node.end] for node in found)


def ours_text(pairing: Pairing, place: Place) -> str:
    """Return what the operation puts, with the old base's text in its holes."""
    following = iter(place.holes)
    return "".join(piece if isinstance(piece, str) else pairing.old.text(next(following)) for piece in place.operation.payload)


def absorbed(pairing: Pairing, place: Place, theirs: str, claims: frozenset[int] = frozenset()) -> Carried:
    """Return the outcome of an operation that the new base already has."""
    operation = place.operation
    texts = Texts(
        "" if operation.place else text_of(pairing.old, [place.node, *place.targets]), ours_text(pairing, place), theirs
    )
    reason = "The new base already has this change."
    return Carried(None, Outcome(operation.id, Status.ABSORBED, texts, reason, operation.address.name), claims=claims)


def orders_of(found: Iterable[Node]) -> frozenset[int]:
    """Return the orders of nodes and of all that is in them."""
    return frozenset(order for node in found for order in range(node.order, node.last + 1))


def conflict(pairing: Pairing, place: Place, reason: str) -> Carried:
    """Return the outcome of an operation that a person has to decide."""
    operation = place.operation
    nodes = [] if operation.place else [place.node, *place.targets]
    there = [found for node in nodes if (found := pairing.partner(node)) is not None]
    texts = Texts(text_of(pairing.old, nodes), ours_text(pairing, place), text_of(pairing.new, there))
    return Carried(None, Outcome(operation.id, Status.CONFLICT, texts, reason, operation.address.name))
