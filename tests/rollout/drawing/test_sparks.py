"""Small trends without axes."""

import pytest

from rollout.drawing import spark


@pytest.mark.parametrize(
    ("values", "points"), [((), ""), ((1.0,), ""), ((1.0, 1.0), "2.0,22.0 94.0,22.0"), ((0, 1), "2.0,22.0 94.0,2.0")]
)
def test_a_trend_is_drawn_within_its_box(values, points):
    assert spark(values) == points
