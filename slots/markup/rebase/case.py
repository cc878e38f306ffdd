"""One configuration on its way from an old base to a new one, and what its operations make of the old base."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from slots.markup import ops
from slots.markup.address import Address, resolve
from slots.markup.compose import compose
from slots.markup.ops import Operation
from slots.markup.rebase.difference import Difference
from slots.markup.rebase.pairing import Pairing, without_holes
from slots.markup.rebase.places import Others
from slots.markup.rebase.spots import spaces_of
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node, Tree


class Case:
    """Hold a pairing and the operations that were made on its old base."""

    def __init__(self, pairing: Pairing, operations: Sequence[Operation]) -> None:
        """Start with the bases as the only sources that are read."""
        self.pairing = pairing
        self.operations = operations
        self._read = {pairing.old.source: pairing.old, pairing.new.source: pairing.new}

    def read(self, source: str) -> Tree:
        """Return the tree of a source; one that came up already, most of all a base, is not read again."""
        found = self._read.get(source)
        if found is None:
            found = self._read[source] = parse(source)
        return found

    @cached_property
    def ours(self) -> Tree:
        """Return the old base with all operations."""
        return self.read(compose(self.pairing.old, self.operations).source)

    @cached_property
    def edit(self) -> Difference:
        """Return what all operations make of the old base."""
        return Difference(self.pairing.old, self.ours)

    @cached_property
    def others(self) -> Others:
        """Return what the operations do together."""
        holes = self._nodes(address for operation in self.operations for address in operation.holes)
        structural = [each for each in self.operations if each.kind in ops.STRUCTURAL and not each.place]
        targets = self._nodes(address for operation in structural for address in (operation.address, *operation.targets))
        gone = frozenset(node.order for node in without_holes(self.pairing, targets, holes))
        return Others(spaces_of(self.pairing.old, self.operations), tuple(holes), gone)

    def _nodes(self, addresses: Iterable[Address]) -> list[Node]:
        """Return the nodes of the old base that addresses lead to."""
        found = (resolve(self.pairing.old, address) for address in addresses)
        return [node for node in found if isinstance(node, Node)]
