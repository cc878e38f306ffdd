"""One configuration on its way from an old base to a new one, and what its operations make of the old base."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from slots.markup.compose import compose
from slots.markup.ops import Operation
from slots.markup.rebase.pairing import Pairing
from slots.markup.rebase.spots import Spaces, spaces_of
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Tree


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
    def spaces(self) -> Spaces:
        """Return the white space that the operations set."""
        return spaces_of(self.pairing.old, self.operations)
