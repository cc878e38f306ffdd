"""A crowd of made-up people that is too small for the plan's gates is refused before anything is played."""

import pytest

from rollout.errors import RehearsalNotPossible
from rollout.models import GuardPolicy
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


def test_a_crowd_too_small_is_said_with_its_own_code_and_the_present_database_is_not_asked(django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(RehearsalNotPossible) as refused:
        rehearse_template(Order(people=20))

    assert "Take at least 601." in str(refused.value)


def test_without_such_a_gate_any_crowd_will_do():
    with pytest.raises(RehearsalNotPossible):
        set_stage(Order(people=20))
    row = GuardPolicy.objects.get(name="Beta: migration success above 99 %")
    GuardPolicy.objects.filter(phase=row.phase).exclude(metric="performance").delete()

    assert largest_need(row.plan) is None
