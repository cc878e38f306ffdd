"""Choosing people: rules, numbers, mixes, what is left, and who is held out."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rollout.audiences import Audience, Rule, Traits, allot, choose, held_out, in_order, line_up

REGIONS = ["EU", "US", "NZ", None]
LEVELS = ["simple", "medium", "complex"]
TRAITS = st.builds(Traits, region=st.sampled_from(REGIONS), complexity=st.sampled_from(LEVELS), customizations=st.integers(1, 6))
CROWDS = st.lists(TRAITS, max_size=80)
SIMPLE, MEDIUM, COMPLEX = (Audience(rules=(Rule("complexity", one_of=(level,)),)) for level in LEVELS)
MIX = Audience(limit=50, strata=("region", "complexity"))


def rows_of(crowd):
    return [(number, f"u{number}", traits, False) for number, traits in enumerate(crowd)]


def line(crowd):
    """Return a crowd as candidates in sticky order."""
    return line_up("salt", rows_of(crowd))


def users(choice):
    return [each.user for each in choice.taken]


@given(CROWDS, st.integers(0, 90))
def test_everybody_is_taken_beyond_or_missed_and_nobody_twice(crowd, wanted):
    people = line(crowd)

    choice = choose(people, audience=Audience(rules=SIMPLE.rules, strata=("region",)), wanted=wanted, among=len(people))

    told = [each.pk for each in (*choice.taken, *choice.beyond, *(each for each, _ in choice.missed))]
    assert sorted(told) == sorted(each.pk for each in people)
    assert all(each.traits.complexity == "simple" for each in choice.taken + choice.beyond)
    assert len(choice.taken) == min(wanted, len(choice.taken) + len(choice.beyond))
    assert choice.short == wanted - len(choice.taken)


@given(CROWDS, st.integers(0, 90), st.integers(0, 90), st.sampled_from([Audience(limit=1), SIMPLE, MIX]))
def test_a_larger_number_only_adds_people(crowd, one, other, audience):
    low, high = sorted((one, other))
    people = line(crowd)

    few, many = (choose(people, audience=audience, wanted=count, among=len(people)) for count in (low, high))

    assert set(users(few)) <= set(users(many))


@given(CROWDS, st.integers(0, 90), st.sampled_from([None, SIMPLE, MIX]), st.randoms())
def test_who_is_chosen_does_not_depend_on_the_order_that_people_are_read_in(crowd, wanted, audience, chance):
    rows = rows_of(crowd)
    chance.shuffle(rows)

    people, again = line(crowd), line_up("salt", rows)

    assert [each.user for each in people] == in_order("salt", [f"u{number}" for number in range(len(crowd))])
    options = {"audience": audience or Audience(limit=9), "wanted": wanted, "among": len(people)}
    assert choose(people, **options) == choose(again, **options)


@given(CROWDS, CROWDS, st.integers(1, 40))
def test_newcomers_push_nobody_behind_who_comes_before_them(crowd, newcomers, wanted):
    before = users(choose(line(crowd), audience=Audience(limit=1), wanted=wanted, among=0))

    after = users(choose(line(crowd + newcomers), audience=Audience(limit=1), wanted=wanted, among=0))

    stayed = [user for user in after if int(user[1:]) < len(crowd)]
    assert stayed == before[: len(stayed)]


@given(CROWDS, CROWDS, st.integers(1, 40))
def test_in_a_mix_newcomers_push_nobody_behind_who_comes_before_them_in_their_stratum(crowd, newcomers, wanted):
    def by_stratum(choice):
        found = {}
        for each in choice.taken:
            found.setdefault(each.traits.stratum(MIX.strata), []).append(each.user)
        return found

    before = by_stratum(choose(line(crowd), audience=MIX, wanted=wanted, among=0))
    after = by_stratum(choose(line(crowd + newcomers), audience=MIX, wanted=wanted, among=0))

    for stratum, names in after.items():
        stayed = [user for user in names if int(user[1:]) < len(crowd)]
        old = [each.user for each in line(crowd) if each.traits.stratum(MIX.strata) == stratum]
        assert stayed == old[: len(stayed)]
        assert not before.get(stratum) or set(before[stratum]) <= set(old[: len(before[stratum])])


@given(CROWDS, st.lists(st.integers(0, 30), min_size=1, max_size=4))
def test_audiences_without_rules_take_consecutive_slices(crowd, numbers):
    people = line(crowd)

    choices = allot(people, [(Audience(), count) for count in numbers])

    assert [user for choice in choices for user in users(choice)] == [each.user for each in people][: sum(numbers)]


@given(CROWDS, st.integers(0, 30))
def test_each_audience_takes_of_those_whom_none_before_it_took(crowd, count):
    people = line(crowd)

    simple, any_mixed, rest = allot(people, [(SIMPLE, count), (Audience(strata=("region",)), count), (COMPLEX, count)])

    assert not set(users(simple)) & set(users(any_mixed))
    assert not set(users(rest)) & (set(users(simple)) | set(users(any_mixed)))
    assert users(simple) == [each.user for each in people if each.traits.complexity == "simple"][:count]
    left = [each for each in people if each.user not in {*users(simple), *users(any_mixed)}]
    assert users(rest) == [each.user for each in left if each.traits.complexity == "complex"][:count]


def test_the_mix_of_fifty_out_of_many():
    crowd = [Traits(region=REGIONS[number % 3], complexity=LEVELS[number % 2], customizations=3) for number in range(600)]

    choice = choose(line(crowd), audience=MIX, wanted=50, among=600)

    assert len(choice.taken) == 50
    assert {taken for _, taken, _ in choice.by_stratum} <= {8, 9}
    assert sum(count for *_, count in choice.by_stratum) == 600


def test_why_somebody_was_chosen_is_said():
    crowd = [Traits(region="EU", complexity="simple", customizations=3, technical=True)] * 3
    audience = Audience(limit=2, rules=(Rule("customizations", 2, 5),), strata=("region", "complexity", "technical"))

    choice = choose(line(crowd), audience=audience, wanted=2, among=1250)

    assert choice.reason(choice.taken[1]) == (
        "rank 2 of 1,250 in sticky order; region EU, complexity simple, technical; customizations from 2 to 5"
    )


def test_what_is_not_known_is_a_stratum_of_its_own():
    crowd = [Traits(region="EU")] * 9 + [Traits()]

    choice = choose(line(crowd), audience=Audience(limit=2, strata=("region",)), wanted=2, among=10)

    assert [stratum for stratum, taken, _ in choice.by_stratum if taken] == [("EU",), ("unknown",)]


@given(st.lists(st.text("abcdef", min_size=1, max_size=6), unique=True, max_size=60), st.floats(0, 99.9), st.floats(0, 99.9))
def test_a_holdout_is_so_many_per_cent_never_everybody_and_raising_it_only_adds(names, one, other):
    low, high = sorted((one, other))

    few, many = held_out("salt", names, low), held_out("salt", names, high)

    assert few <= many <= set(names)
    assert abs(len(many) - len(names) * high / 100) <= 1
    assert len(many) < max(len(names), 1)


def test_a_holdout_has_an_order_of_its_own():
    names = [f"user{number}" for number in range(400)]

    held = held_out("salt", in_order("salt", names), 25)

    halves = Counter(user in set(in_order("salt", names)[:200]) for user in held)
    assert len(held) == 100
    assert min(halves.values()) > 30
