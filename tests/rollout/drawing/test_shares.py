"""Parts of a bar that sum up."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rollout.drawing import shares


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=18))
def test_parts_stand_beside_each_other_and_fill_the_bar(counts):
    found = shares((str(number), count) for number, count in enumerate(counts))

    assert [each.count for each in found] == counts
    for before, after in itertools.pairwise(found):
        assert abs(before.x + before.width - after.x) < 0.011
    if sum(counts):
        assert abs(found[-1].x + found[-1].width - 100) < 0.011


def test_nobody_makes_an_empty_bar():
    assert [(each.x, each.width) for each in shares([("waiting", 0), ("stuck", 0)])] == [(0, 0), (0, 0)]


def test_one_of_many_is_not_said_to_be_none():
    assert [each.percent for each in shares([("stuck", 1), ("on slots", 999), ("off", 0)])] == ["under 1 %", "100 %", "0 %"]
