"""Where the points of a line chart stand, and the levels that they are read by."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.drawing import plot
from rollout.drawing.lines import HEIGHT, WIDTH, levels_of
from tests.rollout.conftest import AT

HOUR = timedelta(hours=1)


def test_without_a_value_there_is_no_chart():
    assert plot([("new", []), ("old", [])]) is None


def test_a_single_value_is_drawn():
    found = plot([("new", [(AT, 0.5)])])

    assert found.lines[0].last.value == 0.5
    assert 0 < found.lines[0].last.x < WIDTH


def test_points_stand_in_order_of_time_and_higher_values_higher():
    found = plot([("new", [(AT + HOUR, 3.0), (AT, 1.0)]), ("old", [(AT, 2.0)])], asked=[(4.0, "asked")])
    first, second = found.lines[0].dots

    assert (first.value, second.value) == (1.0, 3.0)
    assert first.x < second.x
    assert second.y < found.lines[1].dots[0].y < first.y
    assert found.thresholds[0].y < second.y
    assert found.lines[0].points == f"{first.x:g},{first.y:g} {second.x:g},{second.y:g}"


@pytest.mark.parametrize(
    ("low", "high", "most", "levels"),
    [
        (0.0, 1.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (0.97, 1.0, 1.0, [0.97, 0.98, 0.99, 1.0]),
        (3.0, 41.0, None, [0.0, 20.0, 40.0, 60.0]),
        (5.0, 5.0, None, [5.0, 5.025]),
        (0.0, 0.0, None, [0.0, 0.25]),
    ],
)
def test_levels_are_round(low, high, most, levels):
    assert levels_of(low, high, most) == levels


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_levels_hold_all_values(one, two):
    low, high = sorted((one, two))
    found = levels_of(low, high)

    assert found == sorted(found)
    assert found[0] <= low * (1 + 1e-9)
    assert found[-1] >= high * (1 - 1e-6) - 1e-6
    assert 2 <= len(found) <= 7


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=40))
def test_no_point_leaves_the_drawing(values):
    found = plot([("new", [(AT + number * HOUR, value) for number, value in enumerate(values)])])

    assert all(0 <= dot.x <= WIDTH and -0.1 <= dot.y <= HEIGHT for dot in found.lines[0].dots)
