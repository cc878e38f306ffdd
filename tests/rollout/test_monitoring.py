"""When a person is looked at after the switch."""

from datetime import timedelta

import pytest

from rollout.monitoring import Due, due_after, schedule
from tests.rollout.conftest import AT

HOUR = timedelta(hours=1)
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("checks", "soak", "hours"),
    [
        ([3_600, 21_600, 86_400], DAY, [1, 6, 24]),
        ([86_400, 3_600, 3_600], DAY, [1, 24]),  # in order, each once
        ([3_600, 21_600, 86_400], 6 * HOUR, [1, 6]),  # nobody is looked at after the soak
        ([3_600], 2 * DAY, [1, 48]),  # the last look is at its end
        ([], DAY, [24]),
        ([3_600], timedelta(), []),
        ([0, -5, 3_600], DAY, [1, 24]),
        ([float("nan"), float("inf"), "soon", None, 3_600], DAY, [1, 24]),
    ],
)
def test_a_schedule_is_what_is_listed_within_the_soak_and_its_end(checks, soak, hours):
    assert schedule(checks, soak) == tuple(hour * HOUR for hour in hours)


@pytest.mark.parametrize(
    ("after", "done", "following"),
    [(0, 0, 1), (0.99, 0, 1), (1, 1, 6), (5, 1, 6), (6, 2, 24), (23, 2, 24), (24, 3, None), (999, 3, None)],
)
def test_checks_that_were_missed_are_caught_up_by_one(after, done, following):
    due = due_after(AT, schedule([3_600, 21_600, 86_400], DAY), AT + after * HOUR)

    assert due == Due(done, None if following is None else AT + following * HOUR)
