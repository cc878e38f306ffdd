"""Say which operations a locked slot holds against: those on it, in it, and those that would take it away as a whole."""

from slots.markup import ops
from slots.markup.address import resolve, slot_nodes
from slots.markup.declaration import renamed
from slots.markup.ops import Operation
from slots.markup.tree import Node, Tree


class Locks:
    """Know the slots of one template."""

    def __init__(self, tree: Tree) -> None:
        """Take the template that the layers lie on."""
        self.tree = tree

    def holder(self, locked: frozenset[str], operation: Operation) -> str:
        """Return the name of the lock that an operation may not pass, empty where none holds.

        `locked` are names as `slots list` shows them, or former names of declared slots; names that the template does not have
        hold nothing.
        """
        found = [(name, node) for name in sorted(locked) if (node := self._node(name)) is not None]
        if not found:
            return ""
        if operation.kind == ops.REPLACE_SOURCE:
            return found[0][0]
        addresses = (operation.address, *operation.targets, *operation.holes)
        places = [place for address in addresses if isinstance(place := resolve(self.tree, address), Node)]
        displaces = operation.kind in ops.STRUCTURAL and not operation.place
        beside = operation.kind in ops.STRUCTURAL and operation.place in (ops.BEFORE, ops.AFTER)
        for name, node in found:
            for index, place in enumerate(places):
                if beside and index == 0 and place is node:
                    continue  # it goes next to the slot
                if node.contains(place) or ((displaces or index > 0) and place.contains(node)):
                    return name
        return ""

    def _node(self, name: str) -> Node | None:
        return slot_nodes(self.tree).get(name) or renamed(self.tree).get(name)
