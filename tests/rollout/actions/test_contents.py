"""Every demand is in the hash, no time is; edits send a plan back and stop where something has started."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from rollout.actions.contents import (
    COLUMNS,
    POLICY_COLUMNS,
    content_hash_of,
    content_of,
    edit_content,
)
from rollout.actions.gates import add_policy, retire_policy
from rollout.actions.holds import add_window, remove_window
from rollout.actions.plans import (
    PhaseDraft,
    WaveDraft,
    add_phase,
    add_wave,
    approve_plan,
    schedule_plan,
    submit_plan,
)
from rollout.actions.waves import lock_wave
from rollout.audiences import Audience
from rollout.errors import ContentFrozen
from rollout.gates import Metric, Policy
from rollout.gates import Window as Hours
from rollout.models import Event, GuardPolicy, Notice, Phase, Plan, SignoffRequirement, Task, Wave, Window
from rollout.states import PlanState
from tests.rollout.conftest import AT, SAID, bring_to_start

WHY = {"by": "alice", "at": AT, "reason": "better so"}
POLICY = Policy(Metric.ERROR_RATE, 0.01, 0.005, timedelta(days=1))
NO_CONTENT = {
    Plan: {"id", "version", "state", "author", "approved_by", "created_at", "template", "starts_on", "time_zone"},
    Phase: {
        "id", "version", "state", "plan", "starts_at", "population", "frozen_at", "started_at", "soaking_at", "finished_at",
    },
    Wave: {
        "id", "version", "state", "phase", "size", "starts_at", "attempt", "schedule_version", "engine_version", "rate",
        "max_workers", "batch_size", "max_batch", "allowance", "allowed_at", "started_at", "finished_at", "revoked_at",
    },
    GuardPolicy: {"id", "plan", "phase", "made_by", "made_at", "retired_at"},
    Window: {"id", "plan", "phase"},
    Notice: {"id", "plan", "phase"},
    Task: {"id", "phase", "due_at", "done_at", "done_by", "note"},
}  # fmt: skip
CONTENT = COLUMNS | {GuardPolicy: POLICY_COLUMNS}
OTHERS = {
    "name": "another", "salt": "another", "max_deferrals": 7, "deferral_limit": timedelta(days=99),
    "certificate_valid_for": timedelta(hours=3), "position": 77, "objective": "another", "share": Decimal("12.345"),
    "share_of": "remaining", "soak": timedelta(hours=5), "needs_certificate": True, "audience": {"limit": 3},
    "lock_lead": timedelta(days=1), "checks": [60], "purpose": "gate", "metric": "performance",
    "compare": "baseline", "trip": 0.02, "clear": 0.001, "window": timedelta(hours=2), "min_sample": 3,
    "sustained": timedelta(minutes=5), "no_data": "trip", "severity": "low", "respond_within": timedelta(hours=4),
    "responses": [{"action": "pause", "after_s": 0}], "needs_revalidation": True, "zone": "Europe/Berlin", "opens": time(1),
    "closes": time(5), "days": [0], "channel": "in_app", "moment": "after_switch", "lead": timedelta(hours=1),
    "subject": "another", "body": "another", "is_required": False, "text": "another",
}  # fmt: skip


@pytest.mark.parametrize("kind", CONTENT, ids=lambda kind: kind.__name__)
def test_every_column_is_content_or_is_not(kind):
    """A new column has to be put on one of the two sides."""
    columns = {field.name for field in kind._meta.concrete_fields}

    assert set(CONTENT[kind]) | NO_CONTENT[kind] == columns
    assert not set(CONTENT[kind]) & NO_CONTENT[kind]


@pytest.mark.parametrize(
    ("kind", "column"),
    [(kind, column) for kind, columns in CONTENT.items() for column in columns],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_a_change_of_any_demand_changes_the_hash(whole, kind, column):
    one = whole.phases.first()
    before = content_hash_of(whole), content_hash_of(whole, one)
    row = kind.objects.filter(**({"phase": one} if hasattr(kind, "phase") else {})).order_by("pk").first()
    changes = {column: OTHERS[column]}
    if column == "moment":
        Notice.objects.filter(pk=row.pk).update(is_required=False)  # what comes after the switch cannot be required
        before = content_hash_of(whole), content_hash_of(whole, one)
    assert getattr(row, column) != OTHERS[column]

    kind.objects.filter(pk=row.pk).update(**changes)

    after = content_hash_of(whole), content_hash_of(whole, one)
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert len({*before, *after}) == 4


def test_a_phase_is_not_touched_by_what_is_demanded_of_another(whole):
    one, two = whole.phases.all()
    before = content_hash_of(whole, two)

    Phase.objects.filter(pk=one.pk).update(soak=timedelta(days=9))
    assert content_hash_of(whole, two) == before

    Window.objects.filter(plan=whole, phase=None).update(zone="Asia/Tokyo")
    assert content_hash_of(whole, two) != before


def test_times_states_and_frozen_sizes_are_no_content(whole):
    one = whole.phases.first()
    before = content_hash_of(whole), content_hash_of(whole, one)

    Plan.objects.update(starts_on=date(2027, 1, 4), time_zone="Europe/Berlin", state="running", approved_by="dora", version=9)
    Phase.objects.update(starts_at=AT, frozen_at=AT, population=1250, state="open", started_at=AT)
    Wave.objects.update(starts_at=AT, size=7, state="locked", schedule_version=4, attempt=3, batch_size=5, engine_version="9")
    Task.objects.update(due_at=AT, done_at=AT, done_by="alice", note="went well")

    assert (content_hash_of(whole), content_hash_of(whole, one)) == before


def test_a_retired_policy_is_no_demand(whole):
    before = content_hash_of(whole)
    policy = add_policy(whole, name="More", policy=POLICY, **WHY)
    assert content_hash_of(whole) != before

    retire_policy(policy, **WHY)

    assert content_hash_of(whole) == before


def test_the_content_says_what_is_demanded(whole):
    one = whole.phases.first()
    content = content_of(whole, one)

    assert content["plan"]["name"] == "Whole"
    assert content["signoffs"] == ["CTO"]
    assert content["phase"]["waves"][0]["audience"] == {"limit": 1}
    assert content["phase"]["tasks"] == [{"position": 1, "text": "Train support", "is_required": True}]
    assert [each["phase"]["name"] for each in content_of(whole)["phases"]] == ["One", "Two"]


def test_the_content_costs_the_same_queries_for_many_phases(whole, django_assert_num_queries):
    for number in range(3):
        add_wave(add_phase(whole, draft=PhaseDraft(f"More {number}"), **SAID), draft=WaveDraft("W", Audience(limit=1)), **SAID)

    with django_assert_num_queries(8):
        content_of(whole)


def scheduled(plan):
    submit_plan(plan, **SAID)
    approve_plan(plan, by="dora", at=AT)
    schedule_plan(plan, **SAID)
    return plan


EDITS = {
    "add_policy": lambda plan: add_policy(plan, name="More", policy=POLICY, **WHY),
    "retire_policy": lambda plan: retire_policy(plan.policies.first(), **WHY),
    "add_window": lambda plan: add_window(plan, window=Hours("UTC", time(1), time(2), (6,)), **WHY),
    "remove_window": lambda plan: remove_window(plan.windows.first(), **WHY),
    "add_phase": lambda plan: add_phase(plan, draft=PhaseDraft("Three"), **WHY),
    "add_wave": lambda plan: add_wave(plan.phases.first(), draft=WaveDraft("Second", Audience(limit=1)), **WHY),
    "edit_wave": lambda plan: edit_content(Wave.objects.get(), soak=timedelta(hours=5), **WHY),
    "edit_plan": lambda plan: edit_content(plan, max_deferrals=3, **WHY),
    "edit_phase": lambda plan: edit_content(plan.phases.first(), soak=timedelta(hours=7), **WHY),
    "edit_window": lambda plan: edit_content(plan.windows.first(), zone="Asia/Tokyo", **WHY),
    "edit_notice": lambda plan: edit_content(plan.notices.first(), body="Bye", **WHY),
    "edit_task": lambda plan: edit_content(Task.objects.get(), text="Train everybody", **WHY),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_sends_a_scheduled_plan_back_to_draft(whole, edit):
    SignoffRequirement.objects.all().delete()
    plan, before = scheduled(whole), content_hash_of(whole)

    EDITS[edit](plan)

    plan = Plan.objects.get()
    assert (plan.state, plan.approved_by) == (PlanState.DRAFT, "")
    assert content_hash_of(plan) != before
    event = Event.objects.filter(subject="plan", to_state="draft").get()
    assert (event.from_state, event.by, event.reason) == ("scheduled", "alice", "its content was edited: better so")


def test_an_edit_that_changes_nothing_changes_nothing(whole):
    SignoffRequirement.objects.all().delete()
    plan = scheduled(whole)
    events = Event.objects.count()

    assert not edit_content(Wave.objects.get(), audience={"limit": 1}, **WHY)
    assert not edit_content(plan, deferral_limit=timedelta(days=14), **WHY)

    assert (Plan.objects.get().state, Event.objects.count()) == (PlanState.SCHEDULED, events)


def test_an_edit_is_kept_with_what_was_and_what_is(whole):
    edit_content(whole.phases.first(), soak=timedelta(hours=7), share=Decimal("4.5"), **WHY)

    event = Event.objects.get(kind="content_edited")
    assert event.data["edits"] == {"soak": [0.0, 25200.0], "share": [None, "4.5"]}
    assert (event.subject, event.subject_pk) == ("phase", whole.phases.first().pk)


def test_what_is_no_content_is_not_edited_as_content(whole):
    with pytest.raises(TypeError):
        edit_content(whole, starts_on=date(2027, 1, 1), **WHY)


@pytest.fixture
def signed_for(phase):
    """What makes the open phase's plan one that a role signs."""
    return SignoffRequirement.objects.create(plan=phase.plan, role="CTO")


@pytest.mark.parametrize("edit", ["add_policy", "add_window", "edit_plan", "add_wave", "edit_phase"])
def test_what_has_started_is_not_edited_where_roles_sign(customers, planned, phase, signed_for, edit):
    SignoffRequirement.objects.all().delete()
    bring_to_start(planned(*customers(1)))
    SignoffRequirement.objects.create(plan=phase.plan, role="CTO")
    before = content_hash_of(phase.plan)

    with pytest.raises(ContentFrozen) as refused:
        EDITS[edit](phase.plan)

    assert refused.value.code == "CONTENT_FROZEN"
    assert content_hash_of(phase.plan) == before


def test_where_nobody_signs_a_running_plan_is_edited(customers, planned, phase):
    bring_to_start(planned(*customers(1)))

    add_policy(phase.plan, phase=phase, name="More", policy=POLICY, **WHY)

    assert Plan.objects.get().state == PlanState.RUNNING


def test_a_phase_that_has_not_started_is_edited_while_another_runs(customers, planned, phase):
    bring_to_start(planned(*customers(1)))
    SignoffRequirement.objects.create(plan=phase.plan, role="CTO")
    later = add_phase(phase.plan, draft=PhaseDraft("Beta"), **WHY)

    add_wave(later, draft=WaveDraft("First", Audience(limit=1)), **WHY)
    edit_content(later, soak=timedelta(days=1), **WHY)

    assert Plan.objects.get().state == PlanState.RUNNING


def test_who_was_chosen_is_not_chosen_by_something_else_afterwards(customers, planned, phase):
    wave = planned(*customers(1))
    lock_wave(wave, **SAID)

    for row, change in ((wave, {"audience": {"limit": 9}}), (phase, {"share": Decimal(5)}), (phase.plan, {"salt": "other"})):
        with pytest.raises(ContentFrozen):
            edit_content(row, **change, **WHY)
    assert edit_content(wave, soak=timedelta(hours=5), **WHY)


def test_a_wave_that_has_started_is_not_edited(customers, planned):
    wave = bring_to_start(planned(*customers(1)))

    with pytest.raises(ContentFrozen):
        edit_content(wave, soak=timedelta(hours=1), **WHY)


def test_a_plan_that_is_over_is_not_edited(whole):
    Plan.objects.update(state=PlanState.CANCELLED)

    with pytest.raises(ContentFrozen):
        add_phase(whole, draft=PhaseDraft("More"), **WHY)
