"""Render times in buckets, and both arms over the same components."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.gates.timings import LEAST_RENDERS, Timings, paired


def timed(*seconds):
    found = Timings()
    for each in seconds:
        found.add(each)
    return found


def flat(seconds, count=LEAST_RENDERS):
    return timed(*[seconds] * count)


@given(st.lists(st.floats(1e-6, 100), min_size=1, max_size=200))
def test_a_quantile_is_right_to_a_hundredth(seconds):
    exact = sorted(seconds)[max(1, -(-3 * len(seconds) // 4)) - 1]

    assert timed(*seconds).quantile(0.75) == pytest.approx(exact, rel=0.0101)


def test_a_component_takes_few_numbers():
    seeded = random.Random(1)

    assert len(timed(*[seeded.lognormvariate(-5, 1) for _ in range(20_000)]).buckets) < 500


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9])
def test_what_cannot_be_is_counted_as_very_quick(seconds):
    assert timed(seconds).quantile(0.75) == pytest.approx(1e-6, rel=0.02)


def test_both_arms_are_compared_over_the_components_that_both_rendered():
    pair = paired({"card": flat(0.012), "only here": flat(9)}, {"card": flat(0.010), "only there": flat(0.001)})

    assert pair.weight == LEAST_RENDERS
    assert pair.treated / pair.control == pytest.approx(1.2, rel=0.02)


def test_another_mix_of_components_is_no_difference_in_speed():
    quick, slow = 0.001, 0.1
    pair = paired(
        {"quick": flat(quick, 20), "slow": flat(slow, 2_000)},
        {"quick": flat(quick, 2_000), "slow": flat(slow, 20)},
    )

    assert pair.treated == pair.control


def test_sums_over_processes_weigh_by_renders():
    small, large = paired({"c": flat(0.02)}, {"c": flat(0.01)}), paired({"c": flat(0.01, 200)}, {"c": flat(0.01, 200)})

    ratio = (small.treated + large.treated) / (small.control + large.control)
    assert ratio == pytest.approx(1 + 20 / 220, rel=0.02)


@pytest.mark.parametrize("count", [0, 1, LEAST_RENDERS - 1])
def test_too_few_renders_say_nothing(count):
    assert paired({"c": flat(0.02, count)}, {"c": flat(0.01)}).weight == 0
    assert paired({"c": flat(0.02)}, {"c": flat(0.01, count)}).weight == 0
    assert paired({"c": flat(0.02)}, {}).weight == 0
