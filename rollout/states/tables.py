"""What a table of moves is."""

from collections.abc import Mapping
from typing import TypeVar

from django.db.models import TextChoices

State = TypeVar("State", bound=TextChoices)
Table = Mapping[State, frozenset[State]]


def sources_of(table: Table[State], to: State) -> tuple[State, ...]:
    """Return the states that have an edge to `to`, in the order of the table."""
    return tuple(state for state, targets in table.items() if to in targets)


def way_to(table: Table[State], state: State, to: State) -> tuple[State, ...]:
    """Return the states of the shortest way from one to another, the last included; none where no way leads there.

    Of two ways that are as long the first of the table counts.
    """
    ways: list[tuple[State, ...]] = [(state,)]
    seen = {state}
    for way in ways:
        for following in (each for each in table if each in table[way[-1]] and each not in seen):
            if following == to:
                return (*way[1:], following)
            seen.add(following)
            ways.append((*way, following))
    return ()
