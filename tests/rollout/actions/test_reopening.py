"""What was taken back is moved again: a wave, a phase, a plan, from the sign-offs to people on slots in a second attempt."""

from datetime import timedelta

import pytest

from rollout.actions.chunks import process_chunk
from rollout.actions.contents import edit_content
from rollout.actions.due import do_what_is_due
from rollout.actions.phases import what_keeps_phase
from rollout.actions.plans import PhaseDraft, WaveDraft, add_phase, open_phase, schedule_plan, submit_plan
from rollout.actions.reopening import reopen_phase, reopen_plan
from rollout.actions.rollback import roll_back_all, roll_back_phase, roll_back_wave
from rollout.actions.signing import require_role
from rollout.actions.waves import announce_wave, finish_wave, lock_wave, reopen_wave, start_wave
from rollout.audiences import Audience
from rollout.errors import MoveRefused, PhaseClosed, ReasonMissing, SignoffMissing, WaveNotReopened
from rollout.models import Phase, Plan, Wave, standing_of
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from rollout.switch import release_kill_switch
from rollout.waves import System
from tests.rollout.conftest import AT, SAID, bring_to_start, sign_all, signed

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
HOUR = timedelta(hours=1)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def run(wave, clock):
    """Take a planned wave to its end, and return it."""
    wave = bring_to_start(fresh(wave))
    process_chunk(wave, clock=clock)
    finish_wave(fresh(wave), by="alice", at=clock(), reason="because")
    return fresh(wave)


def systems(wave):
    return {standing_of(each.person.key).decide().system for each in wave.enrolments.select_related("person")}


def assert_moved_again(wave, people):
    """The people of the wave are on slots, in its second attempt."""
    assert (wave.attempt, wave.state, wave.size) == (2, WaveState.COMPLETED, people)
    assert set(wave.enrolments.values_list("attempt", "state")) == {(2, PersonState.SETTLED)}
    assert systems(wave) == {System.SLOTS}


def test_a_wave_that_was_taken_back_is_moved_again_with_the_same_people(customers, planned, clock):
    customers(4)
    wave = run(planned(limit=3), clock)
    members = set(wave.enrolments.values_list("person", flat=True))
    roll_back_wave(wave, **WHY)
    assert systems(wave) == {System.LEGACY}

    reopen_wave(fresh(wave), **WHY)
    wave = run(wave, clock)

    assert_moved_again(wave, 3)
    assert set(wave.enrolments.values_list("person", flat=True)) == members


def test_a_phase_that_soaks_goes_on_where_a_wave_of_it_is_reopened_and_soaks_anew(customers, planned, clock, phase):
    customers(2)
    Phase.objects.update(soak=HOUR)
    wave = run(planned(limit=2), clock)
    do_what_is_due(at=clock())
    assert fresh(phase).state == PhaseState.SOAKING
    roll_back_wave(wave, **WHY)
    clock.advance(7_200)
    do_what_is_due(at=clock())
    assert what_keeps_phase(fresh(phase), at=clock()) == ["The wave “Wave 1” is rolled back."]

    reopen_wave(fresh(wave), **WHY)

    assert (fresh(phase).state, fresh(phase).soaking_at) == (PhaseState.EXECUTING, None)
    assert_moved_again(run(wave, clock), 2)
    do_what_is_due(at=clock())
    assert (fresh(phase).state, fresh(phase).soaking_at) == (PhaseState.SOAKING, clock())
    clock.advance(3_600)
    do_what_is_due(at=clock())
    assert fresh(phase).state == PhaseState.COMPLETED


def test_a_wave_of_a_phase_that_is_over_is_not_reopened_since_it_could_not_start(customers, planned, clock, phase):
    customers(1)
    wave = run(planned(limit=1), clock)
    do_what_is_due(at=clock())
    assert fresh(phase).state == PhaseState.COMPLETED
    roll_back_wave(wave, **WHY)

    with pytest.raises(WaveNotReopened, match=r"is completed\. Name its people in a wave of a later phase"):
        reopen_wave(fresh(wave), **WHY)

    assert (fresh(wave).state, fresh(wave).attempt) == (WaveState.ROLLED_BACK, 1)


def test_a_phase_of_a_running_plan_is_opened_and_moved_again(customers, planned, clock, phase):
    customers(2)
    add_phase(phase.plan, draft=PhaseDraft("Beta", [WaveDraft("First", Audience(limit=1))]), **SAID)
    wave = run(planned(limit=2), clock)
    roll_back_phase(phase, **WHY)
    assert (fresh(phase).state, fresh(phase.plan).state) == (PhaseState.ROLLED_BACK, PlanState.RUNNING)

    reopen_phase(fresh(phase), **WHY)

    assert (fresh(phase).state, fresh(wave).state, fresh(wave).starts_at) == (PhaseState.PENDING, WaveState.PLANNED, None)
    do_what_is_due(at=clock())
    assert fresh(phase).state == PhaseState.AWAITING_SIGNOFF
    wave = fresh(wave)
    lock_wave(wave, **SAID)
    announce_wave(wave, by="alice", at=AT, reason="told by letter")
    with pytest.raises(PhaseClosed):
        start_wave(wave, **SAID)
    open_phase(fresh(phase), by="dora", at=AT, reason="mended")
    start_wave(fresh(wave), **SAID)
    process_chunk(fresh(wave), clock=clock)
    finish_wave(fresh(wave), **WHY)
    assert_moved_again(fresh(wave), 2)
    do_what_is_due(at=clock())
    assert fresh(phase).state == PhaseState.COMPLETED


def test_a_plan_of_which_everybody_was_taken_back_is_edited_signed_and_moved_again(opened, clock):
    plan, wave = opened.plan, run(opened.waves.get(), clock)
    do_what_is_due(at=clock())
    assert fresh(plan).state == PlanState.COMPLETED
    roll_back_all(**WHY)
    assert (fresh(plan).state, fresh(opened).state) == (PlanState.ROLLED_BACK, PhaseState.ROLLED_BACK)

    reopen_plan(fresh(plan), **WHY)

    assert (fresh(plan).state, fresh(plan).approved_by) == (PlanState.DRAFT, "")
    assert edit_content(fresh(opened), soak=HOUR, **WHY), "a draft may be edited"
    submit_plan(fresh(plan), **SAID)
    sign_all(fresh(plan))
    assert fresh(plan).state == PlanState.APPROVED, "what was signed before is void, so both signed anew"
    schedule_plan(fresh(plan), **SAID)
    do_what_is_due(at=clock())
    with pytest.raises(SignoffMissing):
        open_phase(fresh(opened), by="dora", at=AT, reason="mended")
    sign_all(fresh(opened))
    open_phase(fresh(opened), by="dora", at=AT, reason="mended")
    release_kill_switch(**WHY)
    wave = run(wave, clock)
    assert_moved_again(wave, 2)
    do_what_is_due(at=clock())
    clock.advance(3_600)
    do_what_is_due(at=clock())
    assert (fresh(opened).state, fresh(plan).state) == (PhaseState.COMPLETED, PlanState.COMPLETED)


def test_a_completed_plan_one_phase_of_which_is_taken_back_runs_again_without_its_other_phase(
    customers, planned, clock, phase, signers
):
    customers(4)
    plan = phase.plan
    second = add_phase(plan, draft=PhaseDraft("Beta", [WaveDraft("First", Audience(limit=1))]), **SAID)
    first_wave = run(planned(limit=2), clock)
    do_what_is_due(at=clock())
    open_phase(fresh(second), by="dora", at=AT, reason="all well")
    wave = run(second.waves.get(), clock)
    do_what_is_due(at=clock())
    assert fresh(plan).state == PlanState.COMPLETED

    roll_back_phase(fresh(second), **WHY)

    assert (fresh(plan).state, fresh(second).state) == (PlanState.ROLLED_BACK, PhaseState.ROLLED_BACK)
    assert (fresh(phase).state, systems(first_wave)) == (PhaseState.COMPLETED, {System.SLOTS})
    reopen_plan(fresh(plan), **WHY)
    assert set(Phase.objects.values_list("name", "state")) == {("Pilot", "completed"), ("Beta", "pending")}
    require_role(fresh(plan), "CTO", **WHY)  # an edit
    submit_plan(fresh(plan), **SAID)
    signed(fresh(plan))
    schedule_plan(fresh(plan), **SAID)
    do_what_is_due(at=clock())
    open_phase(fresh(second), by="dora", at=AT, reason="mended")
    assert_moved_again(run(wave, clock), 1)
    do_what_is_due(at=clock())
    assert (fresh(second).state, fresh(plan).state) == (PhaseState.COMPLETED, PlanState.COMPLETED)
    assert fresh(first_wave).attempt == 1


@pytest.mark.parametrize("reopen", [reopen_plan, reopen_phase])
def test_reopening_needs_a_reason_and_something_that_was_taken_back(phase, reopen):
    row = phase if reopen is reopen_phase else fresh(phase.plan)

    with pytest.raises(ReasonMissing):
        reopen(row, by="alice", at=AT, reason=" ")
    with pytest.raises(MoveRefused):
        reopen(row, **WHY)
    assert (fresh(phase).state, Plan.objects.get().state) == (PhaseState.OPEN, PlanState.RUNNING)
    assert not Wave.objects.exists()
