"""Rules: what they take, what they refuse, and what they say of what is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.audiences import Rule, Traits, first_miss, rules_from_json
from rollout.audiences.rules import CONDITIONS
from rollout.audiences.traits import KINDS, LEVELS, Kind
from rollout.errors import AudienceInvalid

ANN = Traits(
    customizations=3,
    complexity="medium",
    risk="low",
    region="EU",
    language="de",
    time_zone="Europe/Vienna",
    engagement=0.7,
    technical=True,
    internal=False,
    tenure_days=400,
    components=frozenset({"shop.card", "shop.footer"}),
)


@pytest.mark.parametrize(
    "rule",
    [
        {"trait": "customizations", "at_least": 2, "at_most": 5},
        {"trait": "customizations", "at_least": 3, "at_most": 3},
        {"trait": "complexity", "one_of": ["simple", "medium"]},
        {"trait": "complexity", "at_least": "medium"},
        {"trait": "complexity", "at_most": "medium"},
        {"trait": "risk", "one_of": ["low"]},
        {"trait": "region", "one_of": ["EU", "US"]},
        {"trait": "language", "one_of": ["de"]},
        {"trait": "time_zone", "one_of": ["Europe/Vienna"]},
        {"trait": "engagement", "at_least": 0.7},
        {"trait": "technical", "is": True},
        {"trait": "internal", "is": False},
        {"trait": "tenure_days", "at_least": 365},
        {"trait": "component", "one_of": ["shop.footer"]},
    ],
)
def test_a_rule_takes_whom_it_describes_and_nobody_of_whom_nothing_is_known(rule):
    read = Rule.from_json(rule)

    assert read.miss(ANN) is None
    assert read.miss(Traits()).code == "TRAIT_UNKNOWN"
    assert read.as_json() == rule


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"trait": "customizations", "at_least": 4}, "customizations is not at least 4."),
        ({"trait": "customizations", "at_most": 2}, "customizations is not at most 2."),
        ({"trait": "complexity", "one_of": ["simple"]}, "complexity is not simple."),
        ({"trait": "complexity", "at_least": "complex"}, "complexity is not at least complex."),
        ({"trait": "complexity", "at_most": "simple"}, "complexity is not at most simple."),
        ({"trait": "risk", "at_least": "medium", "at_most": "high"}, "risk is not from medium to high."),
        ({"trait": "region", "one_of": ["US", "eu"]}, "region is not US or eu."),
        ({"trait": "technical", "is": False}, "technical is not false."),
        ({"trait": "component", "one_of": ["shop.header"]}, "component is not shop.header."),
    ],
)
def test_a_rule_says_why_it_does_not_take_somebody(rule, text):
    miss = Rule.from_json(rule).miss(ANN)

    assert (miss.code, miss.text) == ("RULE_NOT_MET", text)


def test_all_rules_have_to_match_and_the_first_that_does_not_is_named():
    rules = rules_from_json([{"trait": "technical", "is": True}, {"trait": "region", "one_of": ["US"]}])

    assert first_miss(rules, ANN).text == "region is not US."
    assert first_miss(rules[:1], ANN) is None


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("simple", "rules[0]"),
        ({}, "rules[0].trait"),
        ({"trait": "shoe_size", "at_least": 2}, "rules[0].trait"),
        ({"trait": ["region"], "one_of": ["EU"]}, "rules[0].trait"),
        ({"trait": "customizations"}, "rules[0]"),
        ({"trait": "customizations", "one_of": [2]}, "rules[0].one_of"),
        ({"trait": "customizations", "at_least": "2"}, "rules[0].at_least"),
        ({"trait": "customizations", "at_least": True}, "rules[0].at_least"),
        ({"trait": "customizations", "at_least": 1.5}, "rules[0].at_least"),
        ({"trait": "customizations", "at_least": -1}, "rules[0].at_least"),
        ({"trait": "customizations", "at_least": None}, "rules[0].at_least"),
        ({"trait": "customizations", "at_least": 5, "at_most": 2}, "rules[0].at_most"),
        ({"trait": "complexity", "at_least": "complex", "at_most": "simple"}, "rules[0].at_most"),
        ({"trait": "complexity", "one_of": ["hard"]}, "rules[0].one_of[0]"),
        ({"trait": "complexity", "at_least": 1}, "rules[0].at_least"),
        ({"trait": "risk", "one_of": ["low", "medium", "extreme"]}, "rules[0].one_of[2]"),
        ({"trait": "region", "one_of": []}, "rules[0].one_of"),
        ({"trait": "region", "one_of": "EU"}, "rules[0].one_of"),
        ({"trait": "region", "one_of": ["EU", ""]}, "rules[0].one_of[1]"),
        ({"trait": "region", "at_least": "EU"}, "rules[0].at_least"),
        ({"trait": "engagement", "at_least": 70}, "rules[0].at_least"),
        ({"trait": "engagement", "at_least": float("nan")}, "rules[0].at_least"),
        ({"trait": "technical", "is": "yes"}, "rules[0].is"),
        ({"trait": "technical", "is": 1}, "rules[0].is"),
        ({"trait": "technical", "is": True, "not": True}, "rules[0].not"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_its_place_and_a_next_step(rule, place):
    with pytest.raises(AudienceInvalid) as refused:
        rules_from_json([rule])

    assert refused.value.place == place
    assert str(refused.value).startswith(f"{place}: ")
    assert "Write" in str(refused.value) or "Choose" in str(refused.value) or "Put" in str(refused.value)


def test_rules_are_a_list():
    with pytest.raises(AudienceInvalid) as refused:
        rules_from_json({"trait": "technical", "is": True})

    assert refused.value.place == "rules"


def conditions(trait):
    """Return what makes conditions of a trait that can be met."""
    kind = KINDS[trait]
    if kind is Kind.YES_NO:
        return st.fixed_dictionaries({"is": st.booleans()})
    if kind is Kind.WORD:
        return st.fixed_dictionaries({"one_of": st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=3, unique=True)})
    if kind is Kind.LEVEL:
        return st.fixed_dictionaries({"one_of": st.lists(st.sampled_from(LEVELS[trait]), min_size=1, unique=True)})
    numbers = st.integers(0, 99) if kind is Kind.COUNT else st.floats(0, 1)
    return st.tuples(numbers, numbers).map(lambda two: {"at_least": min(two), "at_most": max(two)})


@given(st.sampled_from(list(KINDS)).flatmap(lambda trait: conditions(trait).map(lambda said: {"trait": trait} | said)))
def test_a_rule_survives_its_json_and_reads_as_a_sentence(data):
    rule = Rule.from_json(data)

    assert Rule.from_json(rule.as_json()) == rule
    assert rule.as_json() == data
    assert str(rule).startswith(data["trait"])


def test_every_kind_of_trait_has_conditions():
    assert set(CONDITIONS) == set(Kind) == set(KINDS.values())
    assert {trait for trait, kind in KINDS.items() if kind is Kind.LEVEL} == set(LEVELS)
