"""What comes next: never later than the next thing there is to do, always later than now, of every kind."""

from datetime import timedelta

import pytest

from rollout.actions.agenda import MOMENT, SOON, next_due_at, what_is_next
from rollout.actions.calendar import add_freeze
from rollout.actions.chunks import LEASE, claim, process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.waves import lock_wave
from rollout.models import Enrolment, Event, NoticeDelivery, Phase, Plan, Wave, Window
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from tests.rollout.conftest import AT
from tests.rollout.telling import DAY, HOUR, MINUTE, Server, dated, survey, write_notice

pytestmark = pytest.mark.django_db
START = AT + 10 * DAY


@pytest.fixture
def wave(customer, planned):
    people = [customer(name, email=f"{name}@example.org") for name in ("ann", "ben", "cat")]
    return dated(planned(*people), START)


def kinds(at, plan=None):
    return [(due.kind, due.at) for due in what_is_next(at=at, plan=plan)]


def test_a_planned_wave_shows_its_lock_its_notices_its_start_and_when_it_is_late(wave, phase):
    week, hour = write_notice(phase.plan), write_notice(phase.plan, "An hour before", lead=HOUR)

    found = what_is_next(at=AT, plan=phase.plan)

    assert [(due.kind, due.at, due.wave, due.notice) for due in found] == [
        ("lock", START - 8 * DAY, wave.pk, None),
        ("notice", START - 7 * DAY, wave.pk, week.pk),
        ("notice", START - HOUR, wave.pk, hour.pk),
        ("start", START, wave.pk, None),
        ("late", START + DAY, wave.pk, None),
    ]
    assert found[1].text.endswith("“A week before” is sent, 7 days before the start.")
    assert found[0].as_json() == {
        "at": (START - 8 * DAY).isoformat(), "kind": "lock", "text": f"{wave}: its people are frozen.",
        "plan": phase.plan_id, "phase": phase.pk, "wave": wave.pk,
    }  # fmt: skip


def test_messages_that_are_planned_are_named_once_for_a_wave(wave, phase):
    write_notice(phase.plan)
    lock_wave(wave, by="alice", at=AT)

    (due,) = [each for each in what_is_next(at=AT) if each.kind == "notice"]

    assert (due.at, due.text) == (START - 7 * DAY, "Pilot / Wave 1: “A week before” is sent to 3 people.")


def test_messages_that_are_overdue_go_on_a_second_from_now_unless_they_may_not(wave, phase):
    write_notice(phase.plan)
    lock_wave(wave, by="alice", at=AT)
    late = START - 6 * DAY
    assert next_due_at(after=late) == late + SOON

    Plan.objects.filter(pk=phase.plan_id).update(state=PlanState.DRAFT)

    assert next_due_at(after=late) is None


def test_another_plans_agenda_is_its_own(wave):
    other = Plan.objects.create(name="Other", salt="s", author="a", created_at=AT, state=PlanState.RUNNING)

    assert kinds(AT, other) == []


def test_freezes_begin_and_end(phase):
    add_freeze(starts_at=AT + HOUR, ends_at=AT + DAY, by="alice", at=AT, reason="Christmas")

    assert kinds(AT) == [("freeze", AT + HOUR), ("freeze_end", AT + DAY)]
    assert kinds(AT + HOUR, phase.plan) == [("freeze_end", AT + DAY)]
    assert next_due_at(after=AT + DAY) is None


def test_a_lease_is_over_a_moment_after_its_instant(customers, started, clock):
    wave = started(*customers(2))
    claim(wave, size=2, at=clock())

    at = next_due_at(after=AT)

    assert at == AT + LEASE + MOMENT
    assert do_what_is_due(at=at - MOMENT).done["lease"] == 0
    assert next_due_at(after=at - MOMENT) == at
    assert do_what_is_due(at=at).done["lease"] == 2


def test_a_wait_a_look_and_the_first_who_is_settled(customers, started, clock):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    Enrolment.objects.update(next_check_at=None)
    assert kinds(AT) == [("settle", AT + wave.soak)]

    row = wave.enrolments.first()
    Enrolment.objects.filter(pk=row.pk).update(next_check_at=AT + HOUR)
    assert kinds(AT) == [("check", AT + HOUR), ("settle", AT + wave.soak)]

    Enrolment.objects.filter(pk=row.pk).update(state=PersonState.RETRY_WAIT, retry_at=AT + MINUTE, next_check_at=None)
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.RUNNING)
    assert next_due_at(after=AT) == AT + MINUTE


def test_phases_open_and_soak(phase):
    Phase.objects.filter(pk=phase.pk).update(state=PhaseState.SOAKING, soaking_at=AT, soak=3 * DAY)
    Phase.objects.create(plan=phase.plan, position=2, name="Beta", starts_at=AT + DAY)

    assert kinds(AT) == [("phase", AT + DAY), ("soak", AT + 3 * DAY)]


def test_a_wave_at_work_outside_its_window_waits_for_the_opening(customers, started, clock, phase):
    started(*customers(2))
    Window.objects.create(plan=phase.plan, zone="UTC", opens="02:00", closes="04:00", days=list(range(7)))

    assert kinds(AT) == [("window", AT.replace(hour=2) + DAY)]


@pytest.mark.parametrize("soak", [DAY, pytest.param(timedelta(), marks=pytest.mark.slow)])
def test_the_whole_way_of_a_wave_needs_only_the_instants_of_the_agenda(wave, phase, soak):
    """Go from instant to instant, work where there is work, and compare with a reconciler that looks every ten minutes."""
    write_notice(phase.plan)
    write_notice(phase.plan, "An hour before", lead=HOUR)
    survey(phase.plan)
    Window.objects.create(plan=phase.plan, zone="Europe/Berlin", opens="02:00", closes="04:00", days=list(range(7)))
    Wave.objects.filter(pk=wave.pk).update(soak=soak)
    add_freeze(starts_at=START, ends_at=START + 3 * DAY, by="alice", at=AT, reason="Christmas")
    server, at, steps = Server(), AT, 0

    while at is not None and steps < 200:
        report = do_what_is_due(at=at, transport=server)
        for pk in report.wake:
            process_chunk(Wave.objects.get(pk=pk), clock=lambda at=at: at)
        following = next_due_at(after=at)
        assert following is None or following > at
        at, steps = following, steps + 1

    moved = [(each.to_state, each.at) for each in Event.objects.about("wave", wave.pk).filter(kind="moved")]
    night = (START + 3 * DAY).replace(hour=1, minute=0) + DAY  # 02:00 in Berlin, the first after the freeze
    assert moved[:3] == [("locked", START - 8 * DAY), ("announced", START - 7 * DAY), ("running", night)]
    assert moved[-1] == ("completed", night + soak)
    assert len(server.sent) == 9
    assert set(NoticeDelivery.objects.values_list("state", flat=True)) == {"sent"}
    assert steps < 40
