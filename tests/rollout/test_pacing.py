"""How many people may be claimed, how many the next batch takes, and when there is too much trouble."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.pacing import Bucket, is_pressed, next_batch_size
from tests.rollout.conftest import AT

SECOND = timedelta(seconds=1)
TARGET = 10 * SECOND


@pytest.mark.parametrize(
    ("rate", "allowance", "ago", "wanted", "fitting"),
    [
        (None, 0.0, 0, 500, 500),  # no rate: as many as wanted
        (60, 0.0, None, 100, 15),  # nobody was claimed yet: a quarter of a minute's
        (60, 0.0, 0, 100, 0),
        (60, 0.0, 1, 100, 1),
        (60, 0.5, 0.5, 100, 1),
        (60, 0.0, 7.9, 100, 7),
        (60, 0.0, 3600, 100, 15),  # what gathers is bounded
        (60, 3.0, 0, 2, 2),  # no more than wanted
        (60, 9.0, -60, 100, 9),  # a clock that was set back takes nothing away
        (1, 0.0, 59, 5, 0),
        (1, 0.0, 60, 5, 1),
        (1, 0.0, 600, 5, 1),
    ],
)
def test_a_bucket_lets_so_many_through(rate, allowance, ago, wanted, fitting):
    bucket = Bucket(rate, allowance, None if ago is None else AT - ago * SECOND)

    assert bucket.fitting(wanted, AT) == fitting


@given(
    st.integers(1, 600),
    st.lists(st.tuples(st.floats(0, 40), st.integers(0, 200)), min_size=1, max_size=40),
)
def test_over_any_stretch_no_more_than_the_rate_and_a_burst_get_through(rate, asked):
    bucket, at, taken = Bucket(rate), AT, []
    for seconds, wanted in asked:
        at += timedelta(seconds=seconds)
        count = bucket.fitting(wanted, at)
        bucket = bucket.without(count, at)
        assert bucket.allowance >= 0
        taken.append((at, count))

    for start, (first, _) in enumerate(taken):
        for end in range(start, len(taken)):
            minutes = (taken[end][0] - first) / timedelta(minutes=1)
            assert sum(count for _, count in taken[start : end + 1]) <= rate * minutes + bucket.capacity + 1e-6


@given(st.integers(1, 600), st.floats(0, 0.999))
def test_the_next_instant_is_when_somebody_fits_and_not_much_before(rate, allowance):
    bucket = Bucket(rate, allowance, AT)
    following = bucket.next_at(AT)

    assert bucket.fitting(1, following) == 1
    assert bucket.fitting(1, following - timedelta(microseconds=100)) == 0 or following == AT


@pytest.mark.parametrize(
    ("size", "seconds", "trouble", "claimed", "following"),
    [
        (100, 20, False, 100, 50),  # slow
        (100, 1, True, 100, 50),  # quick, but the database was busy
        (3, 20, False, 3, 1),
        (1, 99, True, 1, 1),  # never nobody
        (40, 1, False, 40, 50),  # a quarter more
        (1, 1, False, 1, 2),  # at least one more
        (99, 1, False, 99, 100),  # never more than the wave allows
        (100, 10, False, 100, 100),
        (40, 1, False, 7, 40),  # too few came to say that more would be quick
        (40, 20, False, 7, 20),
        (400, 1, False, 400, 100),  # somebody lowered the bound meanwhile
    ],
)
def test_the_next_batch_follows_from_the_last_one(size, seconds, trouble, claimed, following):
    assert next_batch_size(size, seconds * SECOND, TARGET, trouble, largest=100, claimed=claimed) == following


def test_batches_find_their_size_again_after_trouble():
    size, sizes = 100, []
    for trouble in (True, True, False, False, False, False, False, False):
        size = next_batch_size(size, SECOND, TARGET, trouble, largest=100)
        sizes.append(size)

    assert sizes == [50, 25, 32, 40, 50, 63, 79, 99]


@pytest.mark.parametrize(
    ("troubled", "passed", "pressed"),
    [
        (0, 0, False),
        (4, 0, False),
        (5, 0, True),
        (5, 4, True),
        (5, 5, False),
        (100, 99, True),
        (100, 100, False),
        (6, 900, False),
    ],
)
def test_claims_wait_while_trouble_is_a_large_share(troubled, passed, pressed):
    assert is_pressed(troubled, passed) is pressed
