"""The ways along the table of states."""

from itertools import pairwise

import pytest

from migration.actions.settling import KEPT, path
from migration.states import NEXT, CustomizationState

STATES = [state for state in CustomizationState if state not in KEPT]


@pytest.mark.parametrize("start", STATES)
@pytest.mark.parametrize("end", STATES)
def test_every_state_is_reached_along_edges(start: CustomizationState, end: CustomizationState) -> None:
    if start is end:
        return
    way = [start, *path(start, end)]

    assert way[-1] is end
    assert all(following in NEXT[state] for state, following in pairwise(way))
    assert not KEPT & set(way)
