"""Phases and plans that move on by themselves, and what keeps each of them where it is."""

from datetime import timedelta

import pytest

from rollout.actions.accounts import start_chosen_accounts
from rollout.actions.breaches import waive_gate
from rollout.actions.chunks import process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.gates import add_policy
from rollout.actions.phases import advance_phase, advance_plan, what_keeps_phase, what_keeps_plan
from rollout.actions.plans import CHOSEN_ACCOUNTS, PhaseDraft, add_phase, create_plan, open_phase
from rollout.actions.rollback import roll_back_wave
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.steering import skip_phase
from rollout.actions.tasks import complete_task
from rollout.actions.waves import cancel_wave, finish_wave
from rollout.audiences import Audience
from rollout.errors import ContentFrozen
from rollout.gates import Metric, Policy, Purpose
from rollout.models import Breach, Event, GuardEvaluation, Hold, Phase, Plan, Sample, Task, Wave
from rollout.states import PhaseState, PlanState, WaveState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UPTIME = Policy(Metric.UPTIME, 0.999, 0.999, DAY, purpose=Purpose.GATE, min_sample=1)


@pytest.fixture
def ended(customers, started, clock, phase):
    """The open phase with one wave that is over."""
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    finish_wave(wave, **WHY)
    phase.refresh_from_db()
    return phase


def state_of(row):
    row.refresh_from_db()
    return row.state


def measure(value, at=AT):
    draft = SampleDraft(metric=Metric.UPTIME, numerator=value, denominator=1000, count=1000, taken_at=at, source="probe")
    return record_sample(draft, by="alice", at=at)


def task_of(phase, **fields):
    return Task.objects.create(phase=phase, position=phase.tasks.count() + 1, text="Look around", **fields)


def test_the_first_phase_awaits_its_signatures_once_its_plan_is_scheduled():
    plan = create_plan("Autumn", phases=[PhaseDraft("One"), PhaseDraft("Two")], **SAID)
    do_what_is_due(at=AT)
    assert set(plan.phases.values_list("state", flat=True)) == {PhaseState.PENDING}, "a draft goes nowhere"

    Plan.objects.update(state=PlanState.SCHEDULED)
    do_what_is_due(at=AT)

    assert list(plan.phases.values_list("state", flat=True)) == [PhaseState.AWAITING_SIGNOFF, PhaseState.PENDING]


@pytest.mark.parametrize("before", [PhaseState.COMPLETED, PhaseState.SKIPPED, PhaseState.CANCELLED])
def test_a_phase_awaits_its_signatures_when_all_before_it_are_over(phase, before):
    second = add_phase(phase.plan, draft=PhaseDraft("Two"), **SAID)
    assert advance_phase(second, at=AT) == []

    Phase.objects.filter(pk=phase.pk).update(state=before)

    assert advance_phase(second, at=AT) == ["awaiting_signoff"]
    assert advance_phase(second, at=AT) == [], "opening it is left to people"
    event = Event.objects.about("phase", second.pk).last()
    assert (event.by, event.reason) == ("phoenix", "nothing before it is left")


def test_a_phase_soaks_when_all_its_waves_have_ended(ended, planned):
    second = planned(limit=1)
    assert advance_phase(ended, at=AT) == []
    assert what_keeps_phase(ended, at=AT) == ["The wave “Wave 2” is planned."]

    cancel_wave(second, **WHY)
    Phase.objects.update(soak=HOUR)

    assert advance_phase(ended, at=AT) == ["soaking"]
    assert (state_of(ended), ended.soaking_at) == (PhaseState.SOAKING, AT)
    assert Event.objects.filter(subject="phase", to_state="executing").exists()
    assert ended.started_at == AT


@pytest.mark.parametrize("state", [PhaseState.SOAKING, PhaseState.COMPLETED, PhaseState.SKIPPED, PhaseState.CANCELLED])
def test_no_wave_is_planned_in_a_phase_that_none_could_start_in(phase, planned, state):
    Phase.objects.update(state=state)

    with pytest.raises(ContentFrozen):
        planned(limit=1)
    assert not Wave.objects.exists()


def test_a_wave_that_was_taken_back_keeps_its_phase_until_somebody_decides(customers, started, clock, phase):
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    roll_back_wave(wave, **WHY)

    assert advance_phase(phase, at=AT) == []
    assert what_keeps_phase(phase, at=AT) == ["The wave “Wave 1” is rolled back."]


def test_a_phase_is_completed_when_it_has_soaked(ended):
    Phase.objects.update(soak=DAY)
    advance_phase(ended, at=AT)

    assert advance_phase(ended, at=AT + DAY - HOUR) == []
    assert what_keeps_phase(Phase.objects.get(), at=AT) == ["It soaks until 2026-11-24T09:00:00+00:00."]
    assert advance_phase(ended, at=AT + DAY) == ["completed"]
    assert (state_of(ended), ended.finished_at) == (PhaseState.COMPLETED, AT + DAY)


def test_a_phase_waits_for_its_required_tasks_and_for_no_others(ended):
    task = task_of(ended)
    task_of(ended, is_required=False)

    assert advance_phase(ended, at=AT) == ["soaking"]
    assert what_keeps_phase(ended, at=AT) == ["The task “Look around” is not done."]
    complete_task(task, **SAID)

    assert advance_phase(ended, at=AT) == ["completed"]


def test_a_phase_waits_for_its_gates_unknown_is_no_pass(ended):
    add_policy(ended.plan, phase=ended, name="Uptime", policy=UPTIME, **SAID)

    assert advance_phase(ended, at=AT) == ["soaking"]
    assert advance_phase(ended, at=AT) == []
    assert GuardEvaluation.objects.get().code == "NO_READING"
    measure(999)
    assert "(TARGET_MISSED)" in what_keeps_phase(ended, at=AT)[0]
    Sample.objects.all().delete()
    measure(1000)

    assert advance_phase(ended, at=AT) == ["completed"]


def test_a_gate_that_was_retired_or_is_of_another_phase_keeps_nobody(ended):
    other = add_phase(ended.plan, draft=PhaseDraft("Two"), **SAID)
    add_policy(ended.plan, phase=other, name="Uptime", policy=UPTIME, **SAID)
    row = add_policy(ended.plan, phase=ended, name="Old", policy=UPTIME, **SAID)
    type(row).objects.filter(pk=row.pk).update(retired_at=AT)

    assert advance_phase(ended, at=AT) == ["soaking", "completed"]


def test_a_waiver_for_the_next_wave_lets_the_phase_end(ended):
    row = add_policy(ended.plan, phase=ended, name="Uptime", policy=UPTIME, **SAID)
    second = add_phase(ended.plan, draft=PhaseDraft("Two"), **SAID)
    wave = Wave.objects.create(phase=second, position=1, name="Next", audience={"limit": 1})
    advance_phase(ended, at=AT)

    waive_gate(row, wave, by="dora", at=AT, reason="the probe was off")

    assert advance_phase(ended, at=AT) == ["completed"]


def test_a_waiver_for_an_earlier_wave_does_not(ended):
    row = add_policy(ended.plan, phase=ended, name="Uptime", policy=UPTIME, **SAID)
    second = add_phase(ended.plan, draft=PhaseDraft("Two"), **SAID)
    Wave.objects.create(phase=second, position=1, name="Next", audience={"limit": 1})

    waive_gate(row, ended.waves.get(), by="dora", at=AT, reason="the probe was off")

    assert advance_phase(ended, at=AT) == ["soaking"]


def test_without_a_next_wave_the_waiver_is_for_the_last_one(ended):
    row = add_policy(ended.plan, phase=ended, name="Uptime", policy=UPTIME, **SAID)

    waive_gate(row, ended.waves.get(), by="dora", at=AT, reason="the probe was off")

    assert advance_phase(ended, at=AT) == ["soaking", "completed"]


def test_an_open_breach_keeps_a_phase_and_a_plan(ended):
    row = add_policy(ended.plan, name="Uptime", policy=Policy(Metric.UPTIME, 0.9, 0.95, DAY, min_sample=1), **SAID)
    measure(800)
    do_what_is_due(at=AT)
    assert Breach.objects.count() == 1
    Hold.objects.all().delete()

    assert what_keeps_phase(ended, at=AT) == [f"Uptime: its breach of {AT:%Y-%m-%d %H:%M} UTC is open."]
    assert state_of(ended) == PhaseState.SOAKING
    Phase.objects.update(state=PhaseState.COMPLETED)
    assert advance_plan(ended.plan, at=AT) == ["soaking"]
    assert what_keeps_plan(ended.plan, at=AT) == [f"{row.name}: its breach of {AT:%Y-%m-%d %H:%M} UTC is open."]


def test_a_phase_without_waves_is_done_when_its_tasks_are(phase):
    task = task_of(phase)

    assert advance_phase(phase, at=AT) == ["executing"]
    assert what_keeps_phase(Phase.objects.get(), at=AT) == ["The task “Look around” is not done."]
    complete_task(task, **SAID)
    assert advance_phase(phase, at=AT) == ["soaking", "completed"]


def test_a_phase_about_nothing_stays_open_until_waves_are_planned_in_it(phase):
    assert advance_phase(phase, at=AT) == []


def test_a_phase_with_a_wave_to_come_is_not_executed_without_it(phase, planned):
    task_of(phase)
    planned(limit=1)

    assert advance_phase(phase, at=AT) == []


def test_the_gates_of_a_phase_without_waves_are_about_all_waves_of_the_plan(ended, customers):
    last = add_phase(ended.plan, draft=PhaseDraft("Last"), **SAID)
    success = Policy(Metric.MIGRATION_SUCCESS, 0.9, 0.9, DAY, purpose=Purpose.GATE, min_sample=1)
    add_policy(ended.plan, phase=last, name="Success", policy=success, **SAID)
    add_policy(ended.plan, phase=last, name="Uptime", policy=UPTIME, **SAID)
    Sample.objects.create(
        metric="uptime", plan=ended.plan, phase=ended, numerator=1000, denominator=1000, count=1000, taken_at=AT, source="probe",
        by="alice",
    )  # fmt: skip

    do_what_is_due(at=AT)
    last.refresh_from_db()
    open_phase(last, **WHY)
    do_what_is_due(at=AT)

    assert state_of(last) == PhaseState.COMPLETED
    assert state_of(ended.plan) == PlanState.COMPLETED


def test_a_plan_soaks_when_all_its_phases_are_over_and_is_completed_past_its_own_gates(ended):
    second = add_phase(ended.plan, draft=PhaseDraft("Two"), **SAID)
    add_policy(ended.plan, name="Uptime", policy=UPTIME, **SAID)
    advance_phase(ended, at=AT)
    plan = Plan.objects.get()
    assert advance_plan(plan, at=AT) == []
    assert what_keeps_plan(plan, at=AT) == ["The phase “Two” is pending."]

    skip_phase(second, **WHY)

    assert advance_plan(plan, at=AT) == ["soaking"]
    measure(1000)
    assert advance_plan(plan, at=AT) == ["completed"]
    assert advance_plan(plan, at=AT) == []


def test_a_plan_of_which_every_phase_was_left_out_is_not_completed(phase):
    Phase.objects.update(state=PhaseState.SKIPPED)

    assert advance_plan(phase.plan, at=AT) == []
    assert what_keeps_plan(phase.plan, at=AT) == ["No phase of it was completed."]


def test_the_reconciler_takes_a_plan_from_its_last_wave_to_its_end(customers, started, clock, phase):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)

    do_what_is_due(at=AT + HOUR)
    assert state_of(phase) == PhaseState.EXECUTING, "the people are watched for a day"
    report = do_what_is_due(at=AT + DAY + HOUR)

    assert (state_of(wave), state_of(phase), state_of(phase.plan)) == (
        WaveState.COMPLETED, PhaseState.COMPLETED, PlanState.COMPLETED,
    )  # fmt: skip
    assert (report.done["phase"], report.done["plan"]) == (2, 2)
    assert do_what_is_due(at=AT + 2 * DAY).done.total() == 0


def test_the_plan_of_chosen_accounts_never_ends(customers, clock):
    customers(2)
    for name in ("c1", "c2"):
        wave, _ = start_chosen_accounts(Audience(users=(name,)), **WHY)
        process_chunk(wave, clock=clock)
        do_what_is_due(at=AT + 2 * DAY)
        wave.refresh_from_db()
        assert wave.state == WaveState.COMPLETED

    assert Plan.objects.get(name=CHOSEN_ACCOUNTS).state == PlanState.RUNNING
    assert Phase.objects.get().state == PhaseState.EXECUTING


def test_a_phase_is_moved_once_however_often_it_is_looked_at(ended):
    stale = Phase.objects.get()
    advance_phase(ended, at=AT)

    assert advance_phase(stale, at=AT) == []
    assert Event.objects.filter(subject="phase", to_state="soaking").count() == 1
