"""What becomes of somebody who could not be moved, class by class."""

import pytest

from rollout.retries import Trouble, after_lost_lease, next_step, wait_before

T = Trouble
NEVER = None


@pytest.mark.parametrize(
    ("trouble", "tries", "seconds"),
    [
        (T.TRANSIENT, 1, 30),
        (T.TRANSIENT, 2, 60),
        (T.TRANSIENT, 3, 120),
        (T.TRANSIENT, 5, 480),
        (T.TRANSIENT, 6, 900),  # bounded
        (T.TRANSIENT, 7, 900),
        (T.TRANSIENT, 8, NEVER),
        (T.ACCIDENT, 1, 30),
        (T.ACCIDENT, 2, 60),
        (T.ACCIDENT, 3, NEVER),
        (T.DATA, 1, NEVER),
        (T.STALE, 1, 0),
        (T.STALE, 4, 0),
        (T.STALE, 5, NEVER),
        (T.POISON, 1, NEVER),
    ],
)
def test_each_class_has_its_step(trouble, tries, seconds):
    wait = next_step(trouble, tries).wait

    assert (wait and wait.total_seconds()) == seconds if seconds != 0 else not wait
    assert next_step(trouble, tries).is_final is (seconds is NEVER)


@pytest.mark.parametrize(
    ("lost", "tries", "trouble", "seconds"),
    [
        (1, 1, T.TRANSIENT, 30),
        (1, 2, T.TRANSIENT, 60),  # after an earlier try that failed otherwise
        (1, 8, T.TRANSIENT, NEVER),
        (2, 2, T.POISON, NEVER),
        (3, 1, T.POISON, NEVER),
    ],
)
def test_a_second_worker_lost_is_poison(lost, tries, trouble, seconds):
    found, step = after_lost_lease(lost, tries)

    assert (found, step.wait and step.wait.total_seconds()) == (trouble, seconds)


def test_a_wait_never_overflows():
    assert wait_before(10**6) == wait_before(40)
