"""What a table of moves is."""

from collections.abc import Mapping
from typing import TypeVar

from django.db.models import TextChoices

State = TypeVar("State", bound=TextChoices)
Table = Mapping[State, frozenset[State]]


def sources_of(table: Table[State], to: State) -> tuple[State, ...]:
    """Return the states that have an edge to `to`, in the order of the table."""
    return tuple(state for state, targets in table.items() if to in targets)
