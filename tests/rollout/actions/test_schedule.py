"""Waves go by their dates: locked, announced and started by the reconciler, kept by whatever keeps them, late with reasons."""

from datetime import UTC, datetime, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollout.actions.calendar import add_freeze
from rollout.actions.due import do_what_is_due
from rollout.actions.gates import add_policy, judge
from rollout.actions.holds import set_hold
from rollout.actions.plans import PhaseDraft, WaveDraft, add_phase, add_wave
from rollout.actions.readiness import what_keeps
from rollout.actions.schedule import step_of, take_step_if_due
from rollout.actions.waves import announce_wave, lock_wave
from rollout.audiences import Audience
from rollout.errors import MessageRefused
from rollout.gates import Metric, Policy, Purpose
from rollout.models import Event, GuardEvaluation, GuardPolicy, NoticeDelivery, Phase, Plan, Wave, Window
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from rollout.timetable import StepKind
from tests.rollout.conftest import AT, SAID, WHY
from tests.rollout.telling import DAY, HOUR, MINUTE, Server, dated, write_notice

pytestmark = pytest.mark.django_db
START = AT + 8 * DAY


@pytest.fixture
def wave(customer, planned):
    """A planned wave of two people, with a date in eight days."""
    people = [customer(name, email=f"{name}@example.org") for name in ("ann", "ben")]
    return dated(planned(*people), START)


def tick(at, server=None):
    return do_what_is_due(at=at, transport=server or Server())


def state(wave):
    wave.refresh_from_db()
    return wave.state


def events(wave, kind):
    return Event.objects.about("wave", wave.pk).filter(kind=kind)


def test_a_wave_is_locked_announced_and_started_by_itself_at_its_instants(wave, phase):
    write_notice(phase.plan)
    write_notice(phase.plan, "An hour before", lead=HOUR)
    server = Server()
    seen = []
    for at in (AT - MINUTE, AT, AT + DAY - MINUTE, AT + DAY, START - HOUR, START - MINUTE, START):
        tick(at, server)
        seen.append((state(wave), len(server.sent)))

    assert seen == [
        (WaveState.PLANNED, 0),
        (WaveState.LOCKED, 0),
        (WaveState.LOCKED, 0),
        (WaveState.ANNOUNCED, 2),
        (WaveState.ANNOUNCED, 4),
        (WaveState.ANNOUNCED, 4),
        (WaveState.RUNNING, 4),
    ]
    assert wave.members_by_state() == {PersonState.QUEUED: 2}
    moved = Event.objects.about("wave", wave.pk).filter(kind="moved")
    assert [(each.to_state, each.by, each.at) for each in moved] == [
        ("locked", "phoenix", AT), ("announced", "phoenix", AT + DAY), ("running", "phoenix", START),
    ]  # fmt: skip
    assert moved[1].reason == "the notice “A week before” is delivered"


def test_two_rounds_at_once_do_everything_once(wave, phase):
    write_notice(phase.plan)
    server = Server()

    for at in (AT, AT, AT + DAY, AT + DAY, START, START):
        tick(at, server)

    assert sorted(server.recipients) == ["ann@example.org", "ben@example.org"]
    assert events(wave, "moved").count() == 3


def test_a_wave_without_notices_is_announced_at_its_date_since_nobody_has_to_be_told(wave):
    tick(AT)
    tick(START - MINUTE)
    assert state(wave) == WaveState.LOCKED

    tick(START)

    assert state(wave) == WaveState.RUNNING


def test_a_wave_without_a_date_waits_for_somebody(customer, planned):
    wave = planned(customer("ann"))

    tick(AT + 100 * DAY)

    assert state(wave) == WaveState.PLANNED
    assert step_of(wave, at=AT).kind == StepKind.NOTHING


def test_a_notice_that_did_not_reach_everybody_keeps_the_wave_locked(wave, phase):
    write_notice(phase.plan)
    tick(AT)

    tick(AT + DAY, Server({"ann@example.org": MessageRefused("550")}))

    assert state(wave) == WaveState.LOCKED
    assert [each.text for each in what_keeps(wave, at=AT + DAY)] == [
        "“A week before”, 7 days before the start: 1 of 2 could not be reached."
    ]


def keep(what, wave):
    if what == "phase":
        Phase.objects.filter(pk=wave.phase_id).update(state=PhaseState.PENDING)
    elif what == "hold":
        set_hold(wave, by="alice", at=AT, reason="wait")
    elif what == "window":
        Window.objects.create(plan=wave.phase.plan, zone="UTC", opens=time(2), closes=time(4), days=[0])
    elif what == "freeze":
        add_freeze(starts_at=START - HOUR, ends_at=START + 10 * DAY, by="alice", at=AT, reason="Christmas")
    elif what == "gate":
        earlier = Phase.objects.create(plan=wave.phase.plan, position=0, name="Before", state=PhaseState.COMPLETED)
        GuardPolicy.objects.create(
            plan=wave.phase.plan, phase=earlier, name="Uptime", purpose=Purpose.GATE.value, metric=Metric.UPTIME.value,
            trip=0.9, clear=0.99, window=DAY, min_sample=1, made_by="alice", made_at=AT,
        )  # fmt: skip


@pytest.mark.parametrize("what", ["phase", "hold", "window", "freeze", "gate"])
def test_whatever_keeps_a_wave_keeps_it_announced_with_its_reason(wave, what):
    tick(AT)
    lock = state(wave)
    keep(what, wave)

    for minutes in range(3):
        tick(START + minutes * MINUTE)

    assert (lock, state(wave)) == (WaveState.LOCKED, WaveState.ANNOUNCED)
    wave = Wave.objects.select_related("phase__plan").get(pk=wave.pk)
    assert len(what_keeps(wave, at=START)) == 1
    assert GuardEvaluation.objects.count() == 0  # looking keeps nothing
    assert events(wave, "late").count() == 0


def test_a_wave_past_its_date_starts_in_the_next_window_in_which_nothing_keeps_it(wave, phase):
    Window.objects.create(plan=phase.plan, zone="Europe/Berlin", opens=time(2), closes=time(4), days=list(range(7)))
    hold = set_hold(wave, by="alice", at=AT, reason="wait")
    tick(AT)
    night = datetime(2026, 12, 2, 1, 0, tzinfo=UTC)  # 02:00 in Berlin

    tick(START)
    tick(night)
    assert state(wave) == WaveState.ANNOUNCED

    hold.refresh_from_db()
    type(hold).objects.filter(pk=hold.pk).update(state="cleared", cleared_at=night, cleared_by="alice")
    tick(night + 2 * HOUR)  # the window has closed
    assert state(wave) == WaveState.ANNOUNCED
    tick(night + DAY)
    assert state(wave) == WaveState.RUNNING


def test_a_wave_that_is_a_day_late_says_so_once_with_the_reasons(wave):
    set_hold(wave, by="alice", at=AT, reason="wait")
    tick(AT)
    for hours in (23, 24, 25, 48):
        tick(START + hours * HOUR)

    late = events(wave, "late").get()
    assert late.at == START + DAY
    assert "wait" in late.reason
    assert late.data["schedule_version"] == 1


def test_a_wave_that_cannot_be_locked_says_so_once_and_others_go_on(wave, planned, customer):
    nobody = dated(planned(), START - MINUTE)
    Wave.objects.filter(pk=nobody.pk).update(audience={"users": ["nobody"]})

    tick(AT)
    report = tick(AT + MINUTE)

    assert (state(nobody), state(wave)) == (WaveState.PLANNED, WaveState.LOCKED)
    assert events(nobody, "not_taken_on").get().reason.startswith("AUDIENCE_EMPTY")
    assert report.failed.total() == 0


def test_an_accident_of_one_wave_stops_no_other(wave, planned, customer, monkeypatch):
    first = dated(planned(customer("zoe")), START - HOUR)
    real = lock_wave

    def broken(one, **said):
        if one.pk == first.pk:
            raise RuntimeError("boom")
        return real(one, **said)

    monkeypatch.setattr("rollout.actions.schedule.lock_wave", broken)

    report = tick(AT)

    assert (state(first), state(wave)) == (WaveState.PLANNED, WaveState.LOCKED)
    assert report.failed["lock"] == 1


@pytest.mark.parametrize("where", [PlanState.DRAFT, PlanState.IN_REVIEW, PlanState.APPROVED, PlanState.CANCELLED])
def test_a_plan_that_is_not_scheduled_locks_nobody(wave, phase, where):
    Plan.objects.filter(pk=phase.plan_id).update(state=where)

    tick(AT)

    assert state(wave) == WaveState.PLANNED


def test_a_wave_of_a_phase_that_is_not_open_is_locked_but_one_of_a_cancelled_phase_is_not(phase, customer):
    waves = []
    for number, of in enumerate((PhaseState.PENDING, PhaseState.CANCELLED, PhaseState.SKIPPED)):
        other = add_phase(phase.plan, draft=PhaseDraft(f"Phase {number}"), **SAID)
        audience = Audience(users=(str(customer(f"p{number}")),))
        waves.append(dated(add_wave(other, draft=WaveDraft("W", audience), **SAID), START))
        Phase.objects.filter(pk=other.pk).update(state=of)

    tick(AT)

    assert [state(wave) for wave in waves] == [WaveState.LOCKED, WaveState.PLANNED, WaveState.PLANNED]


@pytest.fixture
def at_a_gate(wave, phase, customer, started):
    """The wave, announced and due, behind another wave of its phase and a gate of which nothing is known."""
    started(customer("eve"))
    policy = Policy(Metric.UPTIME, 0.9, 0.99, DAY, purpose=Purpose.GATE, min_sample=1)
    add_policy(phase.plan, phase=phase, name="Up", policy=policy, **WHY)
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    return Wave.objects.select_related("phase__plan").get(pk=wave.pk)


def judged(wave):
    """Try to start a wave, and return whether it did and how often samples were read for it."""
    with CaptureQueriesContext(connection) as queries:
        done = take_step_if_due(wave, StepKind.START, at=START, by="phoenix")
    return done, sum('FROM "rollout_sample"' in each["sql"] for each in queries)


def test_a_round_judges_the_gates_of_a_wave_once_and_not_where_anything_else_keeps_it(at_a_gate):
    with CaptureQueriesContext(connection) as queries:
        judge(GuardPolicy.objects.get(), at=START)
    once = sum('FROM "rollout_sample"' in each["sql"] for each in queries)

    assert judged(at_a_gate) == (False, once)
    Phase.objects.update(state=PhaseState.AWAITING_SIGNOFF)
    assert judged(at_a_gate) == (False, 0)
    assert once > 0


def test_a_dry_run_of_the_round_sends_nothing(wave, phase, settings, mailoutbox):
    from django.core.management import call_command  # noqa: PLC0415

    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    NoticeDelivery.objects.update(due_at=AT)

    call_command("tick", dry_run=True, by="alice")

    assert mailoutbox == []
    assert {row.state for row in NoticeDelivery.objects.all()} == {"pending"}
