"""What scenes put back is what the actions made, whatever was there before."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from rollout.actions.plans import create_plan
from rollout.models import Event, Phase, Plan
from rollout.roles import ROLES
from rollout.states import PhaseState, PlanState
from tests import scenes
from tests.restoring import Original
from tests.rollout.conftest import SAID, _open_phase, card, phase

__all__ = ["card", "phase"]  # fixtures
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL makes every scene anew"),
]


def made():
    """Return the plans, phases and events there are, without their keys."""
    plans = list(Plan.objects.order_by("pk").values_list("name", "state", "version", "salt"))
    events = list(Event.objects.order_by("pk").values_list("subject", "kind", "to_state", "by", "reason", "at"))
    return plans, list(Phase.objects.values_list("name", "state", "version")), events


def forget(work):
    with transaction.atomic():
        work()
        found = made()
        transaction.set_rollback(True)
    return found


def test_what_is_put_back_is_what_the_actions_make(monkeypatch):
    monkeypatch.setattr(scenes, "_KEPT", {})
    by_the_actions = forget(_open_phase)

    kept, put_back = (forget(lambda: scenes.put("one", 9, _open_phase)) for _ in range(2))

    assert by_the_actions == kept == put_back
    assert (by_the_actions[0][0][1], by_the_actions[1][0][1]) == (PlanState.RUNNING, PhaseState.OPEN)


def test_a_scene_meets_no_row_that_was_there_and_none_that_comes(card, phase):
    later = create_plan("Another", phases=[], **SAID)

    assert later.pk > phase.plan_id > 2 * scenes.MILLION > card.pk > scenes.MILLION


def begins_and_ends(fixture, *given):
    """Return what a fixture returns and what the database holds then, and undo it."""
    with transaction.atomic():
        found = fixture(*given), Original(connection).rows
        transaction.set_rollback(True)
    return found


def test_what_is_kept_is_put_back_with_what_changed_and_what_went(phase):
    times = []

    @scenes.kept
    def closed(plan):
        times.append(plan.name)
        create_plan("Another", phases=[], **SAID)
        Phase.objects.update(name="Last")
        Group.objects.filter(name="auditor").delete()
        return Plan.objects.get(name="Another")

    (first, made), (second, put_back) = (begins_and_ends(closed, phase.plan) for _ in range(2))

    assert (first, made) == (second, put_back)
    assert first is not second
    assert times == ["Autumn"]
    assert {row[1] for row in put_back["auth_group"]} == set(ROLES) - {"auditor"}


def test_a_fixture_that_begins_with_other_rows_makes_its_own(phase):
    @scenes.kept
    def count():
        return Plan.objects.count()

    assert count() == 1
    create_plan("Another", phases=[], **SAID)
    assert count() == 2
