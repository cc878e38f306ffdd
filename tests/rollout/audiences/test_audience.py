"""Audiences: their JSON, their sentences, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.audiences import Audience, Rule
from rollout.errors import AudienceInvalid

RULES = st.lists(st.sampled_from([Rule("technical", is_so=True), Rule("region", one_of=("EU",))]), unique=True).map(tuple)
STRATA = st.lists(st.sampled_from(["region", "complexity"]), unique=True).map(tuple)


@given(
    st.booleans(),
    st.lists(st.text(min_size=1, max_size=5), max_size=5),
    st.none() | st.integers(1, 9),
    RULES,
    STRATA,
    st.integers(0, 99) | st.floats(0, 99),
)
def test_an_audience_survives_its_json(internal, users, limit, rules, strata, holdout):
    audience = Audience(internal, tuple(dict.fromkeys(users)), limit, rules, strata, holdout)

    if (internal or users or limit or rules) and (limit or not strata):
        assert Audience.from_json(audience.as_json()) == audience
        assert str(audience)
    else:
        with pytest.raises(AudienceInvalid):
            Audience.from_json(audience.as_json())


@given(RULES, STRATA, st.integers(0, 99))
def test_with_a_share_an_audience_may_mean_everybody(rules, strata, holdout):
    audience = Audience(rules=rules, strata=strata, holdout=holdout)

    assert Audience.from_json(audience.as_json(), has_share=True) == audience


@pytest.mark.parametrize("data", [{"limit": 5}, {"users": ["bob"]}, {"internal": True}])
def test_with_a_share_an_audience_does_not_say_how_many_or_who(data):
    with pytest.raises(AudienceInvalid) as refused:
        Audience.from_json(data, has_share=True)

    assert refused.value.place == next(iter(data))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({}, ""),
        ([], ""),
        (None, ""),
        ({"limit": 0}, "limit"),
        ({"limit": -1}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"users": "bob"}, "users"),
        ({"users": [1]}, "users"),
        ({"users": [""]}, "users"),
        ({"internal": "yes"}, "internal"),
        ({"everybody": True}, "everybody"),
        ({"internal": False, "users": []}, ""),
        ({"strata": ["region"]}, "strata"),
        ({"strata": ["region"], "rules": [{"trait": "technical", "is": True}]}, "strata"),
        ({"limit": 5, "strata": ["region", "shoe_size"]}, "strata[1]"),
        ({"limit": 5, "strata": "region"}, "strata"),
        ({"limit": 5, "strata": ["component"]}, "strata[0]"),
        ({"limit": 5, "strata": [["region"]]}, "strata[0]"),
        ({"limit": 5, "rules": "technical"}, "rules"),
        ({"limit": 5, "rules": [{"trait": "technical", "is": True}, {"trait": "region"}]}, "rules[1]"),
        ({"limit": 5, "holdout": 100}, "holdout"),
        ({"limit": 5, "holdout": -1}, "holdout"),
        ({"limit": 5, "holdout": True}, "holdout"),
        ({"limit": 5, "holdout": "5"}, "holdout"),
        ({"limit": 5, "holdout": float("nan")}, "holdout"),
    ],
)
def test_an_audience_that_does_not_say_whom_is_refused_with_its_place(data, place):
    with pytest.raises(AudienceInvalid) as refused:
        Audience.from_json(data)

    assert refused.value.place == place


def test_an_audience_reads_as_a_sentence():
    rules = (Rule("customizations", 2, 5), Rule("technical", is_so=True))

    assert str(Audience(limit=50)) == "the first 50 of customized people in sticky order"
    assert str(Audience(internal=True, users=("a", "b"))) == "all internal accounts and 2 named people"
    assert str(Audience(limit=50, rules=rules, strata=("region", "complexity"), holdout=5)) == (
        "the first 50 of customized people with customizations from 2 to 5 and technical true mixed over region and complexity; "
        "5 % of them stay on the old system for comparison"
    )
