"""One configuration on its way from an old base to a new one, and what its operations make of the old base."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from slots.markup import ops
from slots.markup.address import Address, resolve
from slots.markup.compose import compose
from slots.markup.ops import Operation
from slots.markup.rebase.pairing import Pairing, without_holes
from slots.markup.rebase.places import Others
from slots.markup.rebase.spots import spaces_of
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node, Tree


@dataclass
class Case:
    """Hold a pairing and the operations that were made on its old base."""

    pairing: Pairing
    operations: Sequence[Operation]

    @cached_property
    def ours(self) -> Tree:
        """Return the old base with all operations."""
        return parse(compose(self.pairing.old, self.operations).source)

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
