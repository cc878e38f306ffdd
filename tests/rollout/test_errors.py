"""A refusal says what to do next, whoever reads it and wherever."""

import inspect

import pytest

from rollout import errors
from rollout.actions.outbox import UNKNOWN
from rollout.errors import (
    DeliveryUnknown,
    MessageRefused,
    MoveRefused,
    NameMissing,
    RolloutError,
    SignoffMissing,
)

RAISED = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, RolloutError)]


@pytest.mark.parametrize(
    ("said", "step"),
    [
        (str(NameMissing("Waiving a gate")), "Sign in, or say who"),
        (str(SignoffMissing("Autumn", ["CTO has not signed."])), "Let a holder of each role sign"),
        (str(MessageRefused("550 no such box")), "correct the address"),
        (str(DeliveryUnknown("the line went dead")), "ask them, or waive the notice"),
        (UNKNOWN, "Ask them, or waive the notice"),
        (str(MoveRefused("Wave 1", "running", "planned")), "Look at what it is now"),
    ],
)
def test_a_refusal_names_the_next_step(said, step):
    assert step in said


def test_every_refusal_has_a_code_of_its_own():
    codes = [each.code for each in RAISED if each is not RolloutError and "code" in vars(each)]  # a special case has its base's

    assert len(codes) == len(set(codes))
    assert len(codes) > 50
