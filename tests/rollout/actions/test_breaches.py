"""Guards: a breach pauses at once, takes back the wave it was about after its delay, and closes by re-validation or by name."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.models import Finding, Validation
from rollout.actions import breaches, due, waves
from rollout.actions.breaches import cases_of, count_cases, respond, revalidate_breach, waive_breach, watch
from rollout.actions.chunks import process_chunk
from rollout.actions.due import do_what_is_due, guards_to_watch
from rollout.actions.gates import add_policy, assess
from rollout.actions.holds import freeze, holds_on, set_hold
from rollout.actions.people import retry_people
from rollout.actions.rollback import roll_back_wave
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.waves import reopen_wave, start_wave
from rollout.audiences import in_order
from rollout.errors import GateHeld, MoveRefused, NameMissing, ReasonMissing
from rollout.gates import Action, Arm, Code, Compare, Metric, NoData, Policy, Response, Severity, Verdict, recompute
from rollout.models import Breach, BreachResponse, Event, GuardEvaluation, Hold, HoldKind, Plan, Sample, Window
from rollout.states import BreachState, HoldState, PersonState, PlanState, WaveState
from tests.rollout.conftest import AT, GOOD, HOSTILE, SAID, bring_to_start
from tests.scenes import kept

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHTLY = time(2), time(4)
# The owner's numbers: pause above 5 % failures, analysis within two hours, resume above 98 % over a re-validation.
FAILURES = Policy(
    Metric.MIGRATION_SUCCESS, 0.95, 0.98, DAY, min_sample=3, severity=Severity.CRITICAL, respond_within=2 * HOUR,
    responses=(Response(Action.PAUSE), Response(Action.ALERT)), needs_revalidation=True,
)  # fmt: skip
# Slower than by 20 %: the latest wave is taken back unless that is over within four hours.
SLOWDOWN = Policy(
    Metric.PERFORMANCE, 1.20, 1.10, DAY, compare=Compare.CONTROL, min_sample=100,
    responses=(Response(Action.ALERT), Response(Action.ROLL_BACK, 4 * HOUR)),
)  # fmt: skip


@pytest.fixture
def guard(phase):
    """What watches the phase."""
    return lambda policy=FAILURES, name="Guard": add_policy(phase.plan, phase=phase, name=name, policy=policy, **WHY)


def slow(ms, at=AT):
    """Measure so many milliseconds on slots beside ten on the legacy system."""
    for arm, value in ((Arm.TREATED, ms), (Arm.CONTROL, 10)):
        record_sample(SampleDraft(Metric.PERFORMANCE, value, 1, 500, at, "monitor", arm=arm), by="monitor", at=at)


@pytest.fixture
@kept
def failing(customer, started, clock):
    """A wave of which two were switched, two failed, and one, the last in sticky order, is queued still."""
    names = in_order("salt", ["ann", "ben", "cleo", "dan", "eve"])
    people = [customer(name, HOSTILE if number in (1, 2) else GOOD) for number, name in enumerate(names)]
    wave = started(*people)
    process_chunk(wave, clock=clock, size=4)
    wave.refresh_from_db()
    assert wave.members_by_state() == {"queued": 1, "switched": 2, "validation_failed": 2}
    return wave


def test_a_breach_pauses_at_once_and_names_the_failed(guard, failing, clock):
    policy = guard()

    report = do_what_is_due(at=clock())

    breach = Breach.objects.get()
    assert (report.done["guard"], report.wake) == (1, [])
    assert (breach.wave, breach.respond_by, len(breach.affected)) == (failing, AT + 2 * HOUR, 4)
    assert [each.kind for each in holds_on(failing, at=clock())] == [HoldKind.GUARD]
    assert process_chunk(failing, clock=clock).claimed == 0
    cases = cases_of(breach)
    assert {each.user for each in cases} == set(in_order("salt", ["ann", "ben", "cleo", "dan", "eve"])[1:3])
    assert {(each.code, bool(each.text), each.wave) for each in cases} == {("FINDING_OPEN", True, str(failing))}
    done = BreachResponse.objects.filter(done_at=AT).values_list("action", flat=True)
    assert set(done) == {"pause", "alert"}
    kinds = Event.objects.about("breach", breach.pk).values_list("kind", flat=True)
    assert list(kinds) == ["breach_opened", "response_done", "response_done"]
    assert policy.breaches.get() == breach


def test_a_page_reads_the_first_of_the_failed_and_how_many_there_are(guard, failing, clock):
    guard()
    do_what_is_due(at=clock())
    breach = Breach.objects.get()

    with CaptureQueriesContext(connection) as queries:
        first = cases_of(breach, limit=1)

    assert (first, count_cases(breach)) == (cases_of(breach)[:1], 2)
    assert sum('FROM "rollout_enrolment"' in each["sql"] for each in queries) == 1


def test_what_opened_a_breach_can_be_decided_again_from_what_it_kept(guard, failing, clock):
    guard()
    do_what_is_due(at=clock())

    kept = Breach.objects.get().evaluation
    again = recompute(kept.inputs)

    assert (again.verdict, again.code, again.text, again.value) == (Verdict.TRIP, Code.CROSSED, kept.text, kept.value)


def test_a_breach_opens_once_however_often_it_is_looked_at(guard, failing, clock):
    guard()
    for _ in range(3):
        do_what_is_due(at=clock())
        clock.advance(15)

    assert (Breach.objects.count(), Hold.objects.count(), BreachResponse.objects.count()) == (1, 1, 2)


def test_two_who_open_a_breach_at_the_same_moment_are_kept_apart_by_the_key(guard, failing, clock):
    row = guard(Policy(Metric.MIGRATION_SUCCESS, 0.95, 0.98, DAY, min_sample=3))
    evaluation = assess(row, at=AT)
    said = {"by": "phoenix", "at": AT}  # both looked before the other wrote
    assert breaches._open(row, evaluation, **said) is not None
    assert breaches._open(row, evaluation, **said) is None

    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX rollout_one_open_breach")
    assert breaches._open(row, evaluation, **said) is not None
    assert Breach.objects.count() == 2, "without the key there are two, and closing one would leave the other"


def test_too_few_people_do_not_trip_and_do_not_pass(guard, failing, clock):
    row = guard(Policy(Metric.MIGRATION_SUCCESS, 0.95, 0.98, DAY))

    evaluation, breach = watch(row, at=clock())

    assert (evaluation.verdict, evaluation.code, breach) == (Verdict.HOLD, Code.TOO_FEW, None)


def test_a_better_metric_alone_does_not_resume_only_a_revalidation_does(guard, failing, clock):
    guard()
    do_what_is_due(at=clock())
    breach = Breach.objects.get()
    for _ in range(2):
        clock.advance(15)
        do_what_is_due(at=clock())
    assert GuardEvaluation.objects.order_by("-pk").first().code == Code.NOT_REVALIDATED

    evaluation = revalidate_breach(breach, by="alice", at=clock())

    assert (evaluation.verdict, evaluation.code, evaluation.value) == (Verdict.TRIP, Code.CROSSED, 0.5)
    breach.refresh_from_db()
    assert breach.state == BreachState.OPEN
    assert process_chunk(failing, clock=clock).claimed == 0


def test_once_everybody_affected_validates_the_wave_goes_on(guard, failing, clock):
    guard()
    do_what_is_due(at=clock())
    breach = Breach.objects.get()
    Finding.objects.update(decision="accepted", decided_by="dora")  # the policy's findings, looked at one by one
    clock.advance(60)

    evaluation = revalidate_breach(breach, by="alice", at=clock())

    breach.refresh_from_db()
    assert (evaluation.code, evaluation.value) == (Code.CLEAR, 1.0)
    assert (breach.state, breach.closed_by, Hold.objects.get().state) == (BreachState.CLEARED, "alice", HoldState.CLEARED)
    do_what_is_due(at=clock())
    assert Breach.objects.count() == 1, "those who failed before it was cleared do not open it again"
    retry_people(failing, people=[row.person for row in failing.enrolments.filter(state="validation_failed")], **WHY)
    assert process_chunk(failing, clock=clock).switched == 3
    with pytest.raises(MoveRefused):
        revalidate_breach(breach, by="alice", at=clock())


def test_who_is_on_slots_counts_by_what_is_shown_where_the_proof_is_of_another_engine(guard, failing, clock):
    guard()
    do_what_is_due(at=clock())
    breach = Breach.objects.get()
    Finding.objects.update(decision="accepted", decided_by="dora")
    Validation.objects.update(engine_version="of another release")

    assert revalidate_breach(breach, by="alice", at=clock()).value == 1.0


def test_who_is_on_slots_and_sees_another_page_fails_the_revalidation(guard, failing, clock, monkeypatch):
    guard()
    do_what_is_due(at=clock())
    breach = Breach.objects.get()
    Finding.objects.update(decision="accepted", decided_by="dora")
    Validation.objects.update(engine_version="of another release")
    monkeypatch.setattr(breaches, "_is_same", lambda fact: False)

    evaluation = revalidate_breach(breach, by="alice", at=clock())

    assert evaluation.verdict != Verdict.PASS
    assert evaluation.value < 1


def test_a_waiver_by_name_resumes_and_counts_anew(guard, failing, clock):
    guard()
    do_what_is_due(at=clock())
    breach = Breach.objects.get()
    clock.advance(60)

    waive_breach(breach, by="dora", at=clock(), reason="both are test accounts")
    do_what_is_due(at=clock())

    assert (breach.state, breach.closed_by, Breach.objects.count()) == (BreachState.WAIVED, "dora", 1)
    assert holds_on(failing, at=clock()) == []
    assert GuardEvaluation.objects.order_by("-pk").first().code == Code.ZERO_DENOMINATOR


@pytest.mark.parametrize("by", ["", "phoenix"])
def test_a_breach_is_waived_by_somebody_with_a_reason_only(guard, failing, clock, by):
    guard()
    do_what_is_due(at=clock())
    breach = Breach.objects.get()

    with pytest.raises(NameMissing):
        waive_breach(breach, by=by, at=AT, reason="because")
    with pytest.raises(ReasonMissing):
        waive_breach(breach, by="dora", at=AT, reason=" ")
    assert Hold.objects.standing().exists()


def test_a_breach_is_closed_once_by_the_conditional_move(guard, failing, clock, monkeypatch):
    guard()
    do_what_is_due(at=clock())
    breach, stale, staler = (Breach.objects.get() for _ in range(3))
    waive_breach(breach, by="dora", at=AT, reason="seen")

    with pytest.raises(MoveRefused):
        waive_breach(stale, by="erik", at=AT, reason="me too")
    assert Breach.objects.get().closed_by == "dora"

    def unconditional(pk, *, to, at, version, by, reason="", **changes):
        return bool(Breach.objects.filter(pk=pk).update(state=to, **changes))

    monkeypatch.setattr(Breach, "move", unconditional)
    waive_breach(staler, by="erik", at=AT, reason="me too")
    assert Breach.objects.get().closed_by == "erik", "without the condition the last one wins"


def test_a_breach_leaves_another_hold_where_it_is(guard, failing, clock):
    guard()
    do_what_is_due(at=clock())
    set_hold(failing, **WHY)

    waive_breach(Breach.objects.get(), by="dora", at=AT, reason="seen")

    assert [each.kind for each in holds_on(failing, at=AT)] == [HoldKind.ADMIN]
    assert process_chunk(failing, clock=clock).claimed == 0


def test_the_latest_wave_when_it_opened_is_taken_back_after_four_hours(guard, customers, started, clock, monkeypatch):
    guard(SLOWDOWN)
    people = customers(4)
    first = started(*people[:2])
    process_chunk(first, clock=clock)
    slow(12.5)
    do_what_is_due(at=clock())
    breach = Breach.objects.get()
    clock.advance(3600)
    with monkeypatch.context() as patch:
        patch.setattr(waves, "gate_blockers", lambda wave, at, keep: [])  # an open breach keeps others from starting
        later = started(*people[2:])
    process_chunk(later, clock=clock)

    clock.advance(3 * 3600 - 1)
    do_what_is_due(at=clock())
    first.refresh_from_db()
    assert (breach.wave, first.state) == (first, WaveState.MONITORING)

    clock.advance(1)
    report = do_what_is_due(at=clock())

    first.refresh_from_db()
    later.refresh_from_db()
    assert (first.state, later.state, report.done["response"]) == (WaveState.ROLLED_BACK, WaveState.MONITORING, 1)
    assert first.members_by_state() == {PersonState.ROLLED_BACK: 2}
    assert BreachResponse.objects.get(action="roll_back").outcome == f"{first} is taken back."
    do_what_is_due(at=clock())
    assert Event.objects.filter(subject="wave", to_state="rolling_back").count() == 1


@pytest.mark.parametrize("how", ["cleared", "waived"])
def test_a_breach_that_is_over_in_time_takes_nobody_back(guard, customers, started, clock, how):
    guard(SLOWDOWN)
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    slow(12.5)
    do_what_is_due(at=clock())
    clock.advance(3600)

    if how == "cleared":
        slow(10.5, at=clock())
        do_what_is_due(at=clock())
    else:
        waive_breach(Breach.objects.get(), by="dora", at=clock(), reason="the monitor was wrong")
    clock.advance(5 * 3600)
    do_what_is_due(at=clock())

    wave.refresh_from_db()
    assert (Breach.objects.get().state, wave.state) == (how, WaveState.MONITORING)
    response = BreachResponse.objects.get(action="roll_back")
    assert response.done_at is None
    assert not respond(response, at=clock())


def test_between_clear_and_trip_a_breach_stays_open(guard, customers, started, clock):
    row = guard(SLOWDOWN)
    process_chunk(started(*customers(1)), clock=clock)
    slow(11.5)
    assert watch(row, at=clock())[0].code == Code.WITHIN
    clock.advance(60)
    slow(12.5, at=clock())
    watch(row, at=clock())
    clock.advance(60)
    slow(11.5, at=clock())

    evaluation, breach = watch(row, at=clock())

    assert (evaluation.code, breach.state) == (Code.NOT_CLEAR_YET, BreachState.OPEN)


def test_taking_back_waits_for_no_hold_no_window_and_no_freeze(guard, customers, started, clock, phase):
    guard(SLOWDOWN)
    wave = started(*customers(2))
    process_chunk(wave, clock=clock, size=1)
    slow(12.5)
    do_what_is_due(at=clock())
    freeze(**WHY)
    set_hold(wave, **WHY)
    Window.objects.create(plan=phase.plan, zone="UTC", opens="02:00", closes="02:01", days=[6])
    clock.advance(4 * 3600)

    do_what_is_due(at=clock())

    wave.refresh_from_db()
    assert wave.state == WaveState.ROLLED_BACK


def test_a_wave_that_was_reopened_meanwhile_is_not_taken_back_again(guard, customers, started, clock):
    guard(SLOWDOWN)
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    slow(12.5)
    do_what_is_due(at=clock())
    roll_back_wave(wave, **WHY)
    reopen_wave(wave, **WHY)
    clock.advance(4 * 3600)

    do_what_is_due(at=clock())

    wave.refresh_from_db()
    assert wave.state == WaveState.PLANNED
    assert BreachResponse.objects.get(action="roll_back").outcome.endswith("planned anew.")


def test_the_next_wave_does_not_start_while_a_breach_is_open_though_nothing_is_paused(guard, customers, planned, started, clock):
    guard(SLOWDOWN)
    people = customers(2)
    process_chunk(started(people[0]), clock=clock)
    slow(12.5)
    do_what_is_due(at=clock())
    wave = planned(people[1])

    with pytest.raises(GateHeld, match="Guard: its breach of 2026-11-23 09:00 UTC is open"):
        bring_to_start(wave)
    waive_breach(Breach.objects.get(), by="dora", at=clock(), reason="seen")
    start_wave(wave, **SAID)

    assert wave.state == WaveState.RUNNING


def test_a_response_that_fails_is_tried_again_by_the_next_round(guard, customers, started, clock, monkeypatch):
    guard(SLOWDOWN)
    wave = started(*customers(1))
    process_chunk(wave, clock=clock)
    slow(12.5)
    do_what_is_due(at=clock())
    clock.advance(4 * 3600)

    def broken(*_args, **_kwargs):
        raise RuntimeError("down")

    with monkeypatch.context() as patch:
        patch.setattr(breaches, "revoke_wave", broken)
        report = do_what_is_due(at=clock())
    assert (report.failed["response"], report.done["response"]) == (1, 0)

    do_what_is_due(at=clock())
    wave.refresh_from_db()
    assert wave.state == WaveState.ROLLED_BACK


def test_a_silent_source_trips_only_where_the_policy_says_so(guard, customers, started, clock):
    uptime = Policy(Metric.UPTIME, 0.999, 0.999, HOUR, responses=(Response(Action.PAUSE),))
    strict = Policy(Metric.UPTIME, 0.999, 0.999, HOUR, responses=(Response(Action.PAUSE),), no_data=NoData.TRIP)
    mild, severe = guard(uptime, "Mild"), guard(strict, "Severe")
    started(*customers(1))

    do_what_is_due(at=clock())

    assert [each.policy for each in Breach.objects.all()] == [severe]
    assert mild.evaluations.get().verdict == Verdict.HOLD


def test_a_guard_trips_only_once_the_threshold_was_crossed_for_as_long_as_it_says(guard, customers, started, clock):
    row = guard(Policy(Metric.UPTIME, 0.9, 0.95, HOUR, sustained=timedelta(minutes=2), min_sample=1))
    started(*customers(1))

    def look(share):
        record_sample(SampleDraft(Metric.UPTIME, share, 1, 1, clock(), "probe"), by="probe", at=clock())
        evaluation, breach = watch(row, at=clock())
        clock.advance(60)
        return evaluation.code, breach is not None

    assert look(0.1) == (Code.CROSSED_RECENTLY, False)
    Sample.objects.all().delete()
    assert look(1.0) == (Code.CLEAR, False)
    Sample.objects.all().delete()
    assert look(0.1) == (Code.CROSSED_RECENTLY, False)
    assert look(0.1) == (Code.CROSSED_RECENTLY, False)
    assert look(0.1) == (Code.CROSSED, True)


def test_guards_are_watched_while_there_is_something_to_watch(guard, customers, started, phase, clock):
    row = guard()
    whole = add_policy(phase.plan, name="Plan", policy=SLOWDOWN, **WHY)
    other = Plan.objects.create(name="Winter", salt="s", author="a", created_at=AT, state="running")
    add_policy(other, name="Elsewhere", policy=SLOWDOWN, **WHY)
    assert list(guards_to_watch()) == []

    started(*customers(1))
    assert list(guards_to_watch()) == [row, whole]
    Plan.objects.update(state="completed")
    assert list(guards_to_watch()) == []


def test_a_guard_of_the_whole_plan_holds_the_whole_plan(customers, customer, started, phase, clock):
    add_policy(phase.plan, name="Plan", policy=FAILURES, **WHY)
    wave = started(customer("hostile1", HOSTILE), customer("hostile2", HOSTILE), *customers(1))
    process_chunk(wave, clock=clock)

    do_what_is_due(at=clock())

    assert Hold.objects.get().plan == phase.plan


def test_without_the_watch_nothing_pauses(guard, failing, clock, monkeypatch):
    guard()
    monkeypatch.setattr(due, "watch", lambda row, at, by: None)

    do_what_is_due(at=clock())

    assert process_chunk(failing, clock=clock).claimed == 1


def test_a_breach_with_nobody_affected_is_not_cleared_by_validating_nobody(guard, failing, clock):
    row = guard()
    breach = Breach.objects.create(policy=row, evaluation=assess(row, at=AT), opened_at=AT)

    assert revalidate_breach(breach, by="alice", at=AT).code == Code.ZERO_DENOMINATOR


def test_no_wave_had_started_so_none_is_taken_back(guard, clock):
    row = guard(SLOWDOWN)
    slow(12.5)
    watch(row, at=AT)

    do_what_is_due(at=AT + 4 * HOUR)

    assert BreachResponse.objects.get(action="roll_back").outcome.startswith("No wave had started")


def test_a_guard_watches_who_stays_on_slots_while_another_phase_of_the_plan_was_taken_back(guard, failing, clock):
    guard()
    Plan.objects.filter(pk=failing.phase.plan_id).update(state=PlanState.ROLLED_BACK)
    assert [row.name for row in guards_to_watch()] == ["Guard"]

    do_what_is_due(at=clock())

    assert Breach.objects.get().state == BreachState.OPEN
    Plan.objects.filter(pk=failing.phase.plan_id).update(state=PlanState.CLOSED)
    assert not guards_to_watch()
