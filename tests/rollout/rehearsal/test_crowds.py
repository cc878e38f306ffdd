"""A crowd of made-up people that is too small for the plan's gates is refused before anything is played."""

import sys

import pytest

from rollout.errors import RehearsalNotPossible
from rollout.models import GuardPolicy, Plan
from rollout.rehearsal.crowds import largest_need
from rollout.rehearsal.orders import Order
from rollout.rehearsal.runs import rehearse_template
from rollout.rehearsal.staging import set_stage

pytestmark = pytest.mark.django_db


def test_a_crowd_too_small_for_a_gate_is_refused_with_the_smallest_that_is_not():
    with pytest.raises(RehearsalNotPossible) as refused:
        set_stage(Order(people=20))

    assert "of 20 people too few are in “Conservative users”" in str(refused.value)
    assert "wants 50" in str(refused.value)
    assert "Take at least 601." in str(refused.value)  # 50 of a third of a quarter


def test_a_crowd_too_small_is_found_before_a_process_is_started_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(RehearsalNotPossible) as refused:
        rehearse_template(Order(people=20))

    assert str(refused.value).startswith("eight-weeks cannot be rehearsed: of 20 people too few")
    assert not Plan.objects.exists()


def test_without_such_a_gate_any_crowd_will_do():
    with pytest.raises(RehearsalNotPossible):
        set_stage(Order(people=20))
    row = GuardPolicy.objects.get(name="Beta: migration success above 99 %")
    GuardPolicy.objects.filter(phase=row.phase).exclude(metric="performance").delete()

    assert largest_need(row.plan) is None
