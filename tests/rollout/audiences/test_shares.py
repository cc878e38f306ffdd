"""Shares of a number of people."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.audiences import part_of, portions
from rollout.errors import AudienceInvalid

PEOPLE = st.integers(0, 1_000_000)
CUTS = st.lists(st.integers(1, 99_999), max_size=8, unique=True).map(sorted)


@given(PEOPLE)
def test_forty_thirty_twenty_and_ten_per_cent_are_everybody(people):
    found = portions(people, [Decimal(share) for share in (40, 30, 20, 10)])

    assert sum(found) == people
    assert all(abs(count - people * share / 100) < 1 for count, share in zip(found, (40, 30, 20, 10), strict=True))


@given(PEOPLE, CUTS)
def test_shares_of_a_hundred_are_everybody_and_none_is_off_by_a_person(people, cuts):
    edges = [0, *cuts, 100_000]
    shares = [Decimal(high - low) / 1000 for low, high in pairwise(edges)]

    found = portions(people, shares)

    assert sum(found) == people
    assert all(abs(count - people * share / 100) < 1 for count, share in zip(found, shares, strict=True))


@given(PEOPLE, st.integers(2, 12))
def test_equal_waves_are_everybody_though_their_shares_are_rounded(people, waves):
    share = round(Decimal(100) / waves, 3)

    found = portions(people, [share] * waves)

    assert sum(found) == people
    assert max(found) - min(found) <= 1


@given(PEOPLE, st.lists(st.integers(1, 20_000), max_size=4))
def test_shares_of_less_than_a_hundred_leave_the_rest(people, thousandths):
    shares = [Decimal(each) / 1000 for each in thousandths]

    assert sum(portions(people, shares)) == part_of(people, sum(shares, Decimal(0)))


@given(PEOPLE, st.integers(0, 100_000), st.integers(0, 100_000))
def test_raising_a_share_never_takes_people_out(people, one, other):
    low, high = sorted((one, other))

    assert 0 <= part_of(people, Decimal(low) / 1000) <= part_of(people, Decimal(high) / 1000) <= people


def test_a_quarter_of_1250_in_three_equal_waves():
    assert part_of(1250, Decimal(25)) == 313
    assert portions(313, [Decimal("33.333")] * 3) == [105, 104, 104]


def test_successive_remainders_are_not_meant():
    assert portions(1000, [Decimal(each) for each in (40, 30, 20, 10)]) == [400, 300, 200, 100]


def test_more_than_everybody_is_refused():
    with pytest.raises(AudienceInvalid) as refused:
        portions(1000, [Decimal(60), Decimal("40.002")])

    assert refused.value.place == "share"
    assert "100.002 %" in str(refused.value)
