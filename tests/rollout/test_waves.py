"""The pure decisions: who sees what, and who belongs to an audience."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.errors import AudienceInvalid
from rollout.states import PersonState
from rollout.waves import Audience, Standing, System, chosen, in_order

USERS = st.lists(st.text("abcdef/", min_size=1, max_size=6), unique=True, max_size=30)


def seen_by_the_book(killed, override, revoked, state, installed):
    """Invariant 1, written a second time and otherwise."""
    wave = not revoked and state in ("switched", "settled")
    wants_slots = override == System.SLOTS or (override is None and wave)
    return System.SLOTS if not killed and wants_slots and installed else System.LEGACY


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("override", [None, System.LEGACY, System.SLOTS])
def test_decide_follows_kill_switch_then_override_then_revocation_then_state(killed, override):
    for revoked, state, installed in itertools.product([True, False], [None, *PersonState], [True, False]):
        standing = Standing(killed, override, state, revoked, installed)

        assert standing.decide().system == seen_by_the_book(killed, override, revoked, state, installed), standing


def test_without_a_row_everybody_is_held_back():
    assert Standing.from_row(None).decide().system == System.LEGACY
    assert "kill switch" in Standing.from_row(None).decide().why


@pytest.mark.parametrize("killed", [None, "", "yes", "maybe"])
def test_a_kill_state_that_is_not_plainly_no_counts_as_killed(killed):
    assert Standing.from_row((killed, "slots", "switched", "no", "abc")).decide().system == System.LEGACY


@given(USERS, st.lists(st.text("ghij", min_size=1, max_size=6), unique=True, max_size=10), st.text(max_size=5))
def test_adding_people_never_changes_the_order_of_those_who_were_there(users, newcomers, salt):
    before = in_order(salt, users)

    after = in_order(salt, users + newcomers)

    assert [user for user in after if user in set(users)] == before


@given(USERS, st.integers(1, 30), st.integers(1, 30), st.text(max_size=5))
def test_raising_a_limit_only_adds_people(users, one, other, salt):
    low, high = sorted((one, other))

    assert chosen(Audience(limit=high), salt, users)[:low] == chosen(Audience(limit=low), salt, users)


def test_the_order_depends_on_the_salt():
    users = [f"user{number}" for number in range(50)]

    assert in_order("a", users) != in_order("b", users)


@given(st.booleans(), st.lists(st.text(min_size=1, max_size=5), max_size=5), st.none() | st.integers(1, 9))
def test_an_audience_survives_its_json(internal, users, limit):
    audience = Audience(internal, tuple(dict.fromkeys(users)), limit)

    if internal or users or limit:
        assert Audience.from_json(audience.as_json()) == audience
    else:
        with pytest.raises(AudienceInvalid):
            Audience.from_json(audience.as_json())


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"limit": 0},
        {"limit": -1},
        {"limit": True},
        {"limit": "5"},
        {"users": "bob"},
        {"users": [1]},
        {"users": [""]},
        {"internal": "yes"},
        {"everybody": True},
        {"internal": False, "users": []},
    ],
)
def test_an_audience_that_does_not_say_whom_is_refused(data):
    with pytest.raises(AudienceInvalid):
        Audience.from_json(data)


def test_an_audience_reads_as_a_sentence():
    assert str(Audience(limit=50)) == "the first 50 of customized people in sticky order"
    assert str(Audience(internal=True, users=("a", "b"))) == "all internal accounts and 2 named people"
