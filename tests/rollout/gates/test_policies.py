"""A policy that cannot be decided by is refused when it is written, not when it is needed."""

from datetime import timedelta

import pytest

from rollout.errors import PolicyInvalid
from rollout.gates import DEFINITIONS, Action, Compare, Metric, NoData, Policy, Purpose, Response

DAY, NO_TIME = timedelta(days=1), timedelta()
PAUSE = Response(Action.PAUSE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trip": float("nan")}, "finite"),
        ({"clear": float("inf")}, "finite"),
        ({"trip": 0.98, "clear": 0.95}, "better side"),
        ({"metric": Metric.ERROR_RATE, "trip": 0.01, "clear": 0.02}, "better side"),
        ({"window": NO_TIME}, "longer than nothing"),
        ({"min_sample": 0}, "At least one"),
        ({"sustained": -DAY}, "not negative"),
        ({"respond_within": NO_TIME}, "time to respond"),
        ({"responses": (Response(Action.PAUSE, -DAY),)}, "after the breach"),
        ({"responses": (PAUSE, Response(Action.PAUSE, DAY))}, "named once"),
        ({"responses": (Response(Action.PAUSE, roles=("CTO",)),)}, "Only alert and escalate"),
        ({"responses": (Response(Action.ALERT, roles=("CTO", "CTO")),)}, "Each role"),
        ({"purpose": Purpose.GATE, "responses": (PAUSE,)}, "no responses"),
        ({"purpose": Purpose.GATE, "sustained": DAY}, "looks once"),
        ({"purpose": Purpose.GATE, "no_data": NoData.TRIP}, "does not trip"),
        ({"purpose": Purpose.GATE, "needs_revalidation": True}, "no breach"),
        ({"metric": Metric.UPTIME, "needs_revalidation": True}, "no other metric"),
        ({"compare": Compare.CONTROL, "needs_revalidation": True}, "compare is absolute"),
    ],
)
def test_what_could_not_be_decided_by_is_refused(changes, words):
    with pytest.raises(PolicyInvalid, match=words):
        Policy(**{"metric": Metric.MIGRATION_SUCCESS, "trip": 0.95, "clear": 0.98, "window": DAY, **changes})


@pytest.mark.parametrize(
    "data",
    [{}, {"action": "pause"}, {"action": "dance", "after_s": 0}, {"action": "pause", "after_s": "soon"},
     {"action": "pause", "after_s": 1e300}, {"action": "pause", "after_s": 0, "why": "x"},
     {"action": "alert", "after_s": 0, "roles": "CTO"}, {"action": "alert", "after_s": 0, "roles": [""]},
     {"action": "alert", "after_s": 0, "roles": [1]}],
)  # fmt: skip
def test_a_response_that_does_not_say_what_and_when_is_refused(data):
    with pytest.raises(PolicyInvalid):
        Response.from_json(data)


def test_every_metric_is_defined():
    assert set(DEFINITIONS) == set(Metric)
