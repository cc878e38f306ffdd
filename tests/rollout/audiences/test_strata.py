"""Mixes over strata: exact numbers, every stratum there, and one order for every number."""

from collections import Counter
from fractions import Fraction
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from rollout.audiences import mixed, places

SIZES = st.dictionaries(st.tuples(st.sampled_from("abcdefgh")), st.integers(0, 60), max_size=8)


def people_of(sizes):
    return [(stratum, number) for stratum, size in sizes.items() for number in range(size)]


def first(sizes, count):
    """Return how many places each stratum has of so many."""
    return Counter(islice(places(sizes), count))


def by_the_book(sizes, count):
    """Give out places as Balinski and Young write it down: one at a time, with fractions and without a heap."""
    given = dict.fromkeys(sizes, 0)

    def claim(stratum):
        ratio = Fraction(2 * sizes[stratum], 2 * given[stratum] + 1)
        return (given[stratum] == 0, ratio if given[stratum] else sizes[stratum], sizes[stratum], chr(255 - ord(stratum[0])))

    for _ in range(count):
        given[max((stratum for stratum, size in sizes.items() if given[stratum] < size), key=claim)] += 1
    return +Counter(given)


@given(SIZES, st.integers(0, 500))
def test_the_number_is_exact_and_nobody_is_taken_twice(sizes, count):
    people = people_of(sizes)

    taken = list(islice(mixed(people, stratum_of=lambda each: each[0]), count))

    assert len(taken) == len(set(taken)) == min(count, len(people))
    assert set(taken) <= set(people)


@given(SIZES, st.integers(0, 200))
def test_places_are_those_of_the_book(sizes, count):
    count = min(count, sum(sizes.values()))

    assert first(sizes, count) == by_the_book(sizes, count)


@given(SIZES, st.integers(0, 300))
def test_every_stratum_is_there_as_soon_as_there_are_places_enough(sizes, count):
    filled = [stratum for stratum, size in sizes.items() if size]

    found = first(sizes, count)

    assert len(found) == min(count, len(filled))


@given(SIZES, st.integers(0, 300), st.integers(0, 300))
def test_a_larger_number_only_adds_people(sizes, one, other):
    low, high = sorted((one, other))
    people = people_of(sizes)

    few, many = (list(islice(mixed(people, stratum_of=lambda each: each[0]), count)) for count in (low, high))

    assert many[: len(few)] == few


@given(SIZES, st.integers(0, 300))
def test_inside_a_stratum_people_keep_their_order(sizes, count):
    taken = list(islice(mixed(people_of(sizes), stratum_of=lambda each: each[0]), count))

    for stratum in sizes:
        assert [number for where, number in taken if where == stratum] == list(range(first(sizes, count)[stratum]))


@given(SIZES, st.randoms())
def test_the_order_in_which_strata_come_does_not_matter(sizes, chance):
    names = list(sizes)
    chance.shuffle(names)

    assert list(places({name: sizes[name] for name in names})) == list(places(sizes))


@given(st.lists(st.integers(50, 200), min_size=2, max_size=5), st.integers(100, 200))
def test_a_mix_is_as_the_whole_is(sizes, count):
    named = {(str(number),): size for number, size in enumerate(sizes)}
    total = sum(sizes)

    found = first(named, min(count, total))

    assert all(abs(found[stratum] - min(count, total) * size / total) <= len(sizes) for stratum, size in named.items())
    assert all(found[stratum] <= size for stratum, size in named.items())


def test_ten_of_a_hundred_with_a_small_stratum():
    assert first({("EU",): 70, ("US",): 28, ("NZ",): 2}, 10) == {("EU",): 6, ("US",): 3, ("NZ",): 1}
