"""Leaving out, giving up, resuming, retiring, and the size of batches."""

import pytest

from rollout.actions.contents import content_hash_of
from rollout.actions.holds import freeze, set_hold
from rollout.actions.phases import advance_phase
from rollout.actions.plans import PhaseDraft, WaveDraft, add_phase, add_wave, create_plan
from rollout.actions.steering import (
    begin_deprecating,
    cancel_phase,
    cancel_plan,
    close_plan,
    resume,
    skip_phase,
    tune_wave,
)
from rollout.actions.waves import lock_wave
from rollout.audiences import Audience
from rollout.errors import MoveRefused, ReasonMissing
from rollout.models import Enrolment, Event, Hold, Phase, Plan, Wave
from rollout.states import PHASE_NEXT, PLAN_NEXT, PhaseState, PlanState, WaveState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}


@pytest.fixture
def later(phase, customers):
    """A phase behind the open one, with a locked wave of two."""
    customers(2)
    later = add_phase(phase.plan, draft=PhaseDraft("Later"), **SAID)
    lock_wave(add_wave(later, draft=WaveDraft("First", Audience(limit=2)), **SAID), **SAID)
    return later


@pytest.mark.parametrize(("act", "state"), [(skip_phase, PhaseState.SKIPPED), (cancel_phase, PhaseState.CANCELLED)])
def test_a_phase_that_was_not_opened_is_left_out_and_its_people_are_free(later, act, state):
    assert act(later, **WHY) == 2

    later.refresh_from_db()
    assert (later.state, later.waves.get().state, later.finished_at) == (state, WaveState.CANCELLED, AT)
    assert not Enrolment.objects.live().exists()
    assert Event.objects.about("phase", later.pk).last().reason == "because"


@pytest.mark.parametrize("act", [skip_phase, cancel_phase])
def test_a_phase_that_was_opened_is_not_left_out(phase, act):
    with pytest.raises(MoveRefused):
        act(phase, **WHY)


def test_after_a_phase_that_was_left_out_the_next_may_come(phase, later):
    third = add_phase(phase.plan, draft=PhaseDraft("Third"), **SAID)
    Phase.objects.filter(pk=phase.pk).update(state=PhaseState.COMPLETED)
    assert advance_phase(third, at=AT) == []

    skip_phase(later, **WHY)

    assert advance_phase(third, at=AT) == ["awaiting_signoff"]


@pytest.mark.parametrize("state", [state for state in PlanState if PlanState.CANCELLED in PLAN_NEXT[state]])
def test_a_plan_is_cancelled_before_anybody_moved(card, customers, state):
    customers(2)
    plan = create_plan("Autumn", phases=[PhaseDraft("One", [WaveDraft("First", Audience(limit=2))]), PhaseDraft("Two")], **SAID)
    Plan.objects.update(state=state)
    Phase.objects.filter(position=1).update(state=PhaseState.AWAITING_SIGNOFF)
    plan.refresh_from_db()
    lock_wave(plan.phases.get(position=1).waves.get(), **SAID)

    assert cancel_plan(plan, **WHY) == 2

    assert plan.state == PlanState.CANCELLED
    assert set(plan.phases.values_list("state", "waves__state")) == {("cancelled", "cancelled"), ("cancelled", None)}
    assert not Enrolment.objects.live().exists()


@pytest.mark.parametrize("state", [state for state in PlanState if PlanState.CANCELLED not in PLAN_NEXT[state]])
def test_a_plan_that_runs_or_is_over_is_not_cancelled(phase, state):
    Plan.objects.update(state=state)
    plan = Plan.objects.get()

    with pytest.raises(MoveRefused):
        cancel_plan(plan, **WHY)
    assert Phase.objects.get().state == PhaseState.OPEN


@pytest.mark.parametrize("state", [state for state in PhaseState if PhaseState.SKIPPED not in PHASE_NEXT[state]])
def test_a_phase_is_left_out_only_where_the_table_says_so(later, state):
    Phase.objects.filter(pk=later.pk).update(state=state)
    later.refresh_from_db()

    with pytest.raises(MoveRefused):
        skip_phase(later, **WHY)
    assert later.waves.get().state == WaveState.LOCKED


def test_resuming_a_plan_or_a_phase_clears_what_was_paused_on_it_and_no_more(phase, planned):
    wave = planned(limit=1)
    for scope in (phase.plan, phase, wave):
        set_hold(scope, **WHY)

    left = resume(phase, **WHY)
    assert [each.text for each in left] == ["Autumn: paused by somebody (“because”, alice)."]
    assert resume(phase.plan, **WHY) == []
    assert [each.scope for each in Hold.objects.standing()] == [str(wave)]
    assert Hold.objects.exclude(cleared_by="").count() == 2


def test_resuming_does_not_end_the_freeze(phase):
    set_hold(phase.plan, **WHY)
    freeze(**WHY)

    assert [each.kind for each in resume(phase.plan, **WHY)] == ["freeze"]


def test_a_completed_plan_is_closed_by_way_of_retiring_the_legacy_system(phase):
    plan = phase.plan
    with pytest.raises(MoveRefused):
        begin_deprecating(plan, **WHY)
    Plan.objects.update(state=PlanState.COMPLETED)
    plan.refresh_from_db()
    with pytest.raises(MoveRefused):
        close_plan(plan, **WHY)

    begin_deprecating(plan, **WHY)
    close_plan(plan, **WHY)

    assert plan.state == PlanState.CLOSED


@pytest.mark.parametrize("act", [skip_phase, cancel_phase, resume])
def test_steering_a_phase_needs_a_reason(later, act):
    with pytest.raises(ReasonMissing):
        act(later, by="alice", at=AT, reason=" ")


@pytest.mark.parametrize("act", [cancel_plan, resume, begin_deprecating, close_plan])
def test_steering_a_plan_needs_a_reason(phase, act):
    with pytest.raises(ReasonMissing):
        act(phase.plan, by="alice", at=AT, reason=" ")


@pytest.mark.parametrize("state", [WaveState.PLANNED, WaveState.RUNNING, WaveState.DRAINING])
def test_the_pace_of_a_wave_is_set_before_and_amid_it(planned, state):
    wave = planned(limit=1)
    Wave.objects.update(state=state)

    signed = content_hash_of(wave.phase.plan)

    assert tune_wave(wave, rate=30, max_workers=2, batch_size=7, max_batch=100, **SAID)
    assert not tune_wave(wave, batch_size=7, **SAID)

    assert (wave.rate, wave.max_workers, wave.batch_size, wave.max_batch) == (30, 2, 7, 100)
    assert Event.objects.get(kind="pace_set").data == {"rate": [None, 30], "max_workers": [4, 2], "batch_size": [100, 7]}
    assert content_hash_of(wave.phase.plan) == signed


def test_the_pace_of_a_wave_that_has_ended_is_what_it_was(planned):
    wave = planned(limit=1)
    Wave.objects.update(state=WaveState.COMPLETED)

    with pytest.raises(MoveRefused):
        tune_wave(wave, batch_size=7, **SAID)
