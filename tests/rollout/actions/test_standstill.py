"""Every stopped state and cause answers four questions: why, since when, by whom, what happens next."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from rollout.actions.breaches import watch
from rollout.actions.calendar import add_freeze
from rollout.actions.chunks import process_chunk
from rollout.actions.gates import add_policy
from rollout.actions.holds import add_window, freeze, set_hold
from rollout.actions.rollback import roll_back_people
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.signing import require_role
from rollout.actions.standstill import of_everything, of_person, of_row, what_stands
from rollout.actions.waves import advance_wave, lock_wave
from rollout.gates import Action, Metric, Policy, Purpose, Response
from rollout.gates import Window as Hours
from rollout.models import Decision, Enrolment, Event, HoldKind, Phase, Plan, Subject, Wave
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from rollout.switch import engage_kill_switch
from tests.rollout.conftest import AT, WHY, sign_all, signed
from tests.rollout.telling import write_notice

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=1)
BY_MIRA = {"by": "mira", "at": LATER, "reason": "pages look wrong"}
ERRORS = Policy(
    Metric.ERROR_RATE, 0.01, 0.005, timedelta(days=1), min_sample=1, responses=(Response(Action.ROLL_BACK, timedelta(hours=4)),)
)
AWAY = {WaveState.ROLLING_BACK: {"revoked_at": LATER}, WaveState.ROLLED_BACK: {"revoked_at": LATER}}


def put(row, state, **changes):
    """Put a row where mira moved it an hour later, whatever lies between."""
    Event.objects.create(
        subject=row.SUBJECT, subject_pk=row.pk, kind="moved", from_state=row.state, to_state=state, by="mira",
        reason="pages look wrong", at=LATER,
    )  # fmt: skip
    type(row).objects.filter(pk=row.pk).update(state=state, **changes)
    row.refresh_from_db()
    return row


def answers_of(row, code):
    found = [each for each in of_row(row, at=LATER) if each.code == code]
    assert found, f"{code} is not among {[each.code for each in of_row(row, at=LATER)]}"
    return found[0]


def is_answered(each, *, by="mira", since=LATER):
    assert (each.by, each.since) == (by, since)
    for text in (each.why, each.then):
        assert text.endswith((".", ")")) and len(text) >= 8 and text[0] == text[0].upper()
    assert each.who and each.name
    said = each.as_json()
    assert {said[key] for key in ("why", "since", "by", "then")} == {each.why, each.since.isoformat(), each.by, each.then}


@pytest.mark.parametrize(
    "state",
    [
        PlanState.DRAFT,
        PlanState.APPROVED,
        PlanState.SCHEDULED,
        PlanState.ROLLING_BACK,
        PlanState.ROLLED_BACK,
        PlanState.CANCELLED,
    ],
)
def test_plans(phase, state):
    is_answered(answers_of(put(phase.plan, state), f"PLAN_{state.name}"))


@pytest.mark.parametrize(
    "state",
    [PhaseState.OPEN, PhaseState.ROLLING_BACK, PhaseState.ROLLED_BACK, PhaseState.SKIPPED, PhaseState.CANCELLED],
)
def test_phases(phase, state):
    is_answered(answers_of(put(phase, state), f"PHASE_{state.name}"))


@pytest.mark.parametrize(
    "state", [WaveState.ROLLING_BACK, WaveState.ROLLED_BACK, WaveState.CANCELLED, WaveState.COMPLETED_WITH_EXCEPTIONS]
)
def test_waves(planned, customer, state):
    wave = put(planned(customer("carla")), state, **AWAY.get(state, {}))
    is_answered(answers_of(wave, f"WAVE_{state.name}"))


@pytest.mark.parametrize(
    ("state", "is_live"),
    [
        (PersonState.VALIDATION_FAILED, True),
        (PersonState.NEEDS_ATTENTION, True),
        (PersonState.RETRY_WAIT, True),
        (PersonState.DEFERRED, True),
        (PersonState.HOLDOUT, True),
        (PersonState.EXCLUDED, False),
        (PersonState.REMOVED, False),
        (PersonState.ROLLING_BACK, True),
        (PersonState.ROLLED_BACK, True),
    ],
)
def test_people(started, customer, state, is_live):
    row = started(customer("carla")).enrolments.get()
    is_answered(answers_of(put(row, state, is_live=is_live, retry_at=LATER + timedelta(minutes=2)), f"PERSON_{state.name}"))


@pytest.mark.parametrize("code", ["FINDING_OPEN", "DIFFERENT", "LEASE_LOST", "RESTORE_FAILED", "RECORD_REJECTED"])
def test_people_say_their_own_cause(started, customer, code):
    row = put(
        started(customer("carla")).enrolments.get(),
        PersonState.NEEDS_ATTENTION,
        code=code,
        text="The worker did not finish in time.",
    )

    each = answers_of(row, code)

    is_answered(each)
    assert each.why == "The worker did not finish in time."


@pytest.mark.parametrize("state", [PersonState.QUEUED, PersonState.SWITCHED, PersonState.SETTLED])
def test_who_moves_or_has_arrived_does_not_stand_still(started, customer, state):
    assert of_person(put(started(customer("carla")).enrolments.get(), state)) == []


@pytest.mark.parametrize("kind", [HoldKind.ADMIN, HoldKind.INCIDENT, HoldKind.ERROR])
@pytest.mark.parametrize("scope", ["plan", "phase", "wave"])
def test_holds(started, customer, kind, scope):
    wave = started(customer("carla"))
    row = {"plan": wave.phase.plan, "phase": wave.phase, "wave": wave}[scope]
    set_hold(row, kind=kind, **BY_MIRA)

    is_answered(answers_of(row, f"HOLD_{kind.name}"))
    is_answered(answers_of(wave, f"HOLD_{kind.name}"))
    assert any(each.code == f"HOLD_{kind.name}" for each in what_stands(at=LATER))


def test_the_freeze_and_the_kill_switch(started, customer):
    wave = started(customer("carla"))
    freeze(**BY_MIRA)
    engage_kill_switch(**BY_MIRA)

    found = {each.code: each for each in of_everything(at=LATER)}

    assert set(found) == {"HOLD_FREEZE", "KILL_SWITCH"}
    for each in found.values():
        is_answered(each)
    is_answered(answers_of(wave, "HOLD_FREEZE"))


@pytest.mark.parametrize("is_of_plan", [True, False])
def test_the_calendar(started, customer, is_of_plan):
    wave = started(customer("carla"))
    ends = LATER + timedelta(days=2)
    add_freeze(
        starts_at=LATER, ends_at=ends, by="mira", at=AT, reason="the yearly sale", plan=wave.phase.plan if is_of_plan else None
    )

    each = answers_of(wave, "CALENDAR_FREEZE")

    is_answered(each)
    assert each.due_at == ends and "the yearly sale" in each.why


def test_the_cause_is_no_quotation_and_who_moved_it_is_quoted_beside(phase):
    row = put(phase.plan, PlanState.SCHEDULED)

    each = answers_of(row, "PLAN_SCHEDULED")

    assert (each.why, each.said) == ("None of its phases is open.", "pages look wrong")
    assert "by mira: “pages look wrong”." in str(each)
    assert each.as_json()["said"] == "pages look wrong"


def test_the_kill_switch_comes_first_by_its_name_and_breaches_before_the_rest(started, customer):
    wave = started(customer("carla"))
    set_hold(wave, **BY_MIRA)
    add_freeze(reason="sale", starts_at=AT, ends_at=LATER + timedelta(hours=2), by="mira", at=AT)
    row = add_policy(wave.phase.plan, name="Errors", policy=ERRORS, **WHY)
    record_sample(SampleDraft(Metric.ERROR_RATE, 1, 2, 2, AT, "pages"), by="mira", at=AT)
    watch(row, at=AT)
    engage_kill_switch(**BY_MIRA)

    found = what_stands(at=LATER)

    assert found[0].name == "Kill switch"
    assert [each.code for each in found][:2] == ["KILL_SWITCH", "BREACH_OPEN"]


def test_a_wave_all_of_whom_were_rolled_back_one_by_one_says_so_and_keeps_no_place(started, customers, clock):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    roll_back_people(list(wave.enrolments.values_list("person", flat=True)), **WHY)

    advance_wave(wave, at=LATER)

    assert wave.state == WaveState.COMPLETED_WITH_EXCEPTIONS
    assert of_row(wave, at=LATER)[0].why == "It is over, and everybody of it (2) was rolled back."
    assert not wave.enrolments.live().exists()


def test_a_wave_that_is_over_names_what_became_of_the_others(started, customers, clock):
    wave = started(*customers(3))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    roll_back_people([wave.enrolments.values_list("person", flat=True).first()], **WHY)
    advance_wave(wave, at=clock() + wave.soak)
    Wave.objects.update(state=WaveState.COMPLETED_WITH_EXCEPTIONS)
    wave.refresh_from_db()

    assert of_row(wave, at=LATER)[0].why == "It is over with 2 people on slots, the others on the legacy system: 1 rolled back."


def test_a_closed_window(started, customer):
    wave = started(customer("carla"))
    add_window(wave.phase.plan, window=Hours("UTC", time(2), time(4), (0, 1, 2, 3, 4, 5, 6)), **WHY)

    is_answered(answers_of(wave, "HOLD_WINDOW"), by="alice", since=AT)


@pytest.mark.parametrize("about", ["plan", "phase"])
def test_signoffs_that_are_missing_rejected_and_complete(asked, about):
    row = asked
    if about == "phase":
        sign_all(asked)
        row = put(asked.phases.get(), PhaseState.AWAITING_SIGNOFF)
    else:
        row = put(asked, PlanState.IN_REVIEW)

    missing = [each for each in of_row(row, at=LATER) if each.code == "SIGNOFF_MISSING"]
    assert [(each.why, each.who) for each in missing] == [
        ("CTO and VP Product have not signed.", "a holder of each of the roles CTO and VP Product")
    ]
    is_answered(missing[0])

    signed(row, decision=Decision.REJECTED, reason="not yet")
    row = put(row, row.state if about == "phase" else PlanState.IN_REVIEW)
    each = answers_of(row, "SIGNOFF_REJECTED")
    is_answered(each)
    assert "not yet" in each.why


@pytest.mark.parametrize("about", ["plan", "phase"])
def test_an_approval_that_nobody_has_to_sign(phase, about):
    row = put(phase.plan, PlanState.IN_REVIEW) if about == "plan" else put(phase, PhaseState.AWAITING_SIGNOFF)
    is_answered(answers_of(row, "APPROVAL_MISSING"))


def test_a_phase_before_its_turn_was_made_so(whole):
    is_answered(answers_of(whole.phases.last(), "PHASE_WAITS"), by="alice", since=AT)


@pytest.mark.parametrize(
    ("state", "why", "who"),
    [
        (PlanState.DRAFT, "Its plan is draft.", "an operator"),
        (PlanState.APPROVED, "Its plan is approved.", "an operator"),
        (PlanState.SCHEDULED, "Its turn has come just now.", "nobody: it goes on by itself"),
    ],
)
def test_the_first_phase_waits_for_its_plan_and_for_no_other_phase(whole, state, why, who):
    put(whole, state)

    each = answers_of(whole.phases.first(), "PHASE_WAITS")

    assert (each.why, each.who) == (why, who)
    assert answers_of(whole.phases.last(), "PHASE_WAITS").why == "A phase before it is not over."


def test_a_phase_and_a_plan_that_soak(phase):
    Phase.objects.filter(pk=phase.pk).update(soak=timedelta(days=2))
    is_answered(answers_of(put(phase, PhaseState.SOAKING, soaking_at=LATER), "PHASE_KEPT"))
    is_answered(answers_of(put(phase.plan, PlanState.SOAKING), "PLAN_KEPT"))


def late(wave):
    Wave.objects.filter(pk=wave.pk).update(starts_at=LATER - timedelta(minutes=5))
    return put(wave, WaveState.ANNOUNCED)


@pytest.mark.parametrize("cause", ["gate", "phase", "notice", "signoff", "certificate", "hold"])
def test_a_wave_that_should_have_started(planned, customer, phase, signers, cause):
    wave = planned(customer("carla"))
    lock_wave(wave, by="alice", at=AT)
    code = {
        "gate": "GATE_HELD", "phase": "PHASE_CLOSED", "notice": "NOTICE_MISSING", "signoff": "SIGNOFF_MISSING",
        "certificate": "CERTIFICATE_MISSING", "hold": "WAVE_HELD",
    }[cause]  # fmt: skip
    late(wave)
    if cause == "gate":
        planned(customer("dora"))
        other = phase.waves.exclude(pk=wave.pk).get()
        Wave.objects.filter(pk=other.pk).update(started_at=AT)
        add_policy(
            phase.plan,
            phase=phase,
            name="Gate",
            policy=Policy(Metric.UPTIME, 0.9, 0.99, timedelta(days=1), purpose=Purpose.GATE),
            **WHY,
        )
    elif cause == "phase":
        Phase.objects.filter(pk=phase.pk).update(state=PhaseState.PENDING)
    elif cause == "notice":
        write_notice(phase.plan)
    elif cause == "signoff":
        Phase.objects.filter(pk=phase.pk).update(state=PhaseState.AWAITING_SIGNOFF)
        Plan.objects.filter(pk=phase.plan_id).update(state=PlanState.DRAFT)
        require_role(Phase.objects.get(pk=phase.pk), "CTO", **WHY)
    elif cause == "certificate":
        Phase.objects.filter(pk=phase.pk).update(needs_certificate=True)
    else:
        set_hold(wave, **BY_MIRA)
    wave = Wave.objects.select_related("phase__plan").get(pk=wave.pk)

    is_answered(answers_of(wave, code), since=LATER - timedelta(minutes=5))


def test_an_open_breach(started, customer, phase):
    started(customer("carla"))
    policy = add_policy(phase.plan, phase=phase, name="Errors", policy=ERRORS, **WHY)
    record_sample(SampleDraft(Metric.ERROR_RATE, 50, 100, 100, LATER, "monitor"), by="monitor", at=LATER)
    _, breach = watch(policy, at=LATER)

    each = answers_of(breach, "BREACH_OPEN")

    is_answered(each, by="phoenix")
    assert (LATER + timedelta(hours=4)).isoformat() in each.then


def test_what_a_guard_holds_is_dealt_with_at_its_breach_and_listed_once(started, customer, phase):
    wave = started(customer("carla"))
    holding = replace(ERRORS, responses=(Response(Action.PAUSE, timedelta()),))
    policy = add_policy(phase.plan, phase=phase, name="Errors", policy=holding, **WHY)
    record_sample(SampleDraft(Metric.ERROR_RATE, 50, 100, 100, LATER, "monitor"), by="monitor", at=LATER)
    _, breach = watch(policy, at=LATER)

    for row in (wave, phase):
        each = answers_of(row, "HOLD_GUARD")
        is_answered(each, by="phoenix")
        assert (each.subject, each.pk, each.name) == (Subject.BREACH, breach.pk, str(breach))
    assert [each.code for each in what_stands(at=LATER) if each.subject == Subject.BREACH] == ["BREACH_OPEN"]


def test_what_stands_lists_what_waits_for_somebody_and_not_what_goes_on_by_itself(started, customer, phase):
    wave = started(customer("carla"))
    add_window(phase.plan, window=Hours("UTC", time(2), time(4), (0, 1, 2, 3, 4, 5, 6)), **WHY)
    assert "HOLD_WINDOW" not in {each.code for each in what_stands(at=LATER)}

    set_hold(wave, **BY_MIRA)
    assert [(each.subject, each.code) for each in what_stands(at=LATER)] == [(Subject.WAVE, "HOLD_ADMIN")]


def test_the_table_has_at_least_forty_rows():
    """Count what the tests above are about, so that nobody thins it out unnoticed."""
    marks = [each for name, each in globals().items() if name.startswith("test_") for each in getattr(each, "pytestmark", [])]
    rows = [len(mark.args[1]) for mark in marks if mark.name == "parametrize"]
    assert sum(rows) >= 40
    assert Enrolment.objects.count() == 0
