"""Plays in this process, on the test's own database, with fewer people than a real crowd."""

import pytest

from rollout.rehearsal.orders import Order
from rollout.rehearsal.staging import set_stage
from rollout.rehearsal.telling import tell


@pytest.fixture
def play(db):
    """What plays a scenario of the eight-week plan, and returns the report."""

    def run(scenario="", *, seed=1, people=640):
        order = Order(seed=seed, scenario=scenario, people=people)
        stage = set_stage(order)
        stage.run()
        return tell(stage, order, wall_s=0.0)

    return run
