"""The pure decision: who sees what."""

import itertools

import pytest

from rollout.states import PersonState
from rollout.waves import Standing, System


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
