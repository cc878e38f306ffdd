"""Make operations that are complete at once: with their id, their hunk and what their payloads need.

An operation has many members, so making a second one of the first costs more than all else that is to be found out about it.
"""

from migration.engine.translate.hunks import Hunks
from migration.engine.translate.needs import Needs
from slots.markup.address import Address
from slots.markup.ops import NOTHING, Operation, Payload, identifier
from slots.markup.tree.nodes import Node, Tree


class Maker:
    """Make the operations of one translation.

    `hunk` is the hunk of the operations that are made next; it is None where there is no diff.
    """

    def __init__(self, base: Tree, custom: Tree, hunks: Hunks | None) -> None:
        """Prepare; nothing is read yet."""
        self.hunk: int | None = None
        self._hunks = hunks
        self._needs = Needs(base, custom)

    def turn_to(self, gone: Node | None, come: Node | None) -> None:
        """Take the hunk around a node of the customized tree, else around one of the base, for what is made next."""
        if self._hunks is None:
            return
        if come is not None:
            self.hunk = self._hunks.of_custom(come.head)
        elif gone is not None:
            self.hunk = self._hunks.of_base(gone.head)

    def make(
        self,
        kind: str,
        address: Address,
        payload: Payload = (),
        *,
        name: str = "",
        place: str = "",
        targets: tuple[Address, ...] = (),
        parent: Address | None = None,
        near: tuple[Address | None, Address | None] = (None, None),
        after: str | None = None,
        quote: str = '"',
        at: tuple[int, ...] = (),
        displaced: tuple[str, ...] = (),
        layout: bool = False,
    ) -> Operation:
        """Return an operation; the members are those of `Operation`."""
        text = "".join([piece for piece in payload if isinstance(piece, str)])
        needs = self._needs.of(text) if "{" in text and not layout else NOTHING
        key = identifier(kind, address.path, name, place, at, text)
        where = (place, targets, parent, near)
        return Operation(kind, address, payload, name, *where, after, quote, at, displaced, self.hunk, needs, layout, key)
