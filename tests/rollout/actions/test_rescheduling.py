"""Moving the dates of a plan, as a whole and in part."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rollout.actions.blueprints import create_from_template, template
from rollout.actions.contents import content_hash_of
from rollout.actions.holds import add_window
from rollout.actions.plans import PhaseDraft, create_plan
from rollout.actions.rescheduling import reschedule_plan, set_start
from rollout.actions.waves import announce_wave, lock_wave
from rollout.errors import MoveRefused, ReasonMissing, ScheduleInvalid
from rollout.gates import Window
from rollout.models import Event, Phase, Plan, Task, Wave
from rollout.states import PhaseState, PlanState, WaveState
from tests.rollout.conftest import AT, SAID
from tests.scenes import kept

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "the release is late"}
START = date(2026, 11, 30)
DAY = timedelta(days=1)


@pytest.fixture
@kept
def winter(db):
    """The plan of eight weeks, from the last of November on."""
    return create_from_template("Winter", template=template("eight-weeks"), starts_on=START, salt="salt", **SAID)


def dates(plan):
    """Every date of a plan, by kind and place."""
    phases = {f"phase {row.position}": row.starts_at for row in Phase.objects.filter(plan=plan)}
    waves = {f"wave {row.phase.position}.{row.position}": row.starts_at for row in Wave.objects.filter(phase__plan=plan)}
    tasks = {f"task {row.phase.position}.{row.position}": row.due_at for row in Task.objects.filter(phase__plan=plan)}
    return {**phases, **waves, **tasks}


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_a_plan_is_moved_to_another_start_and_its_content_stays(winter):
    before, content = dates(winter), content_hash_of(winter)

    done = reschedule_plan(winter, starts_on=START + 10 * DAY, **WHY)

    assert dates(winter) == {name: instant + 10 * DAY for name, instant in before.items()}
    winter.refresh_from_db()
    assert (winter.starts_on, winter.state, content_hash_of(winter)) == (START + 10 * DAY, PlanState.DRAFT, content)
    assert done.as_json() == {"days": 10, "phases": 5, "waves": 9, "tasks": 24, "told_again": 0}
    event = Event.objects.get(kind="rescheduled", subject="plan")
    assert (event.reason, event.data["days"]) == ("the release is late", 10)


def test_an_approved_plan_stays_approved(winter):
    Plan.objects.update(state=PlanState.APPROVED)

    reschedule_plan(winter, days=7, **WHY)

    assert Plan.objects.get().state == PlanState.APPROVED
    assert Plan.objects.get().starts_on == START + 7 * DAY


def test_from_a_phase_on_only_what_is_behind_it_moves(winter):
    before = dates(winter)

    reschedule_plan(winter, days=2, start=Phase.objects.get(position=4), **WHY)

    moved = changed(before, dates(winter))
    assert {name.split()[1][0] for name in moved} == {"4", "5"}
    assert moved == {name for name in before if name.split()[1][0] in "45"}
    assert Plan.objects.get().starts_on == START


def test_from_a_wave_on_the_earlier_waves_and_their_tasks_stay(winter):
    before = dates(winter)

    reschedule_plan(winter, days=2, start=Wave.objects.get(name="Additional 20 %"), **WHY)

    assert changed(before, dates(winter)) == {"wave 4.3", "wave 4.4", "task 4.1", "task 4.2", "phase 5"} | {
        f"task 5.{number}" for number in range(1, 13)
    }


def test_what_has_started_or_is_done_stays(winter):
    Plan.objects.update(state=PlanState.RUNNING)
    Phase.objects.filter(position=1).update(state=PhaseState.EXECUTING)
    Wave.objects.filter(phase__position=1).update(state=WaveState.RUNNING)
    Task.objects.filter(phase__position=1, position=1).update(done_at=AT, done_by="alice")
    before = dates(winter)

    reschedule_plan(winter, days=1, **WHY)

    assert set(before) - changed(before, dates(winter)) == {"phase 1", "wave 1.1", "task 1.1"}
    assert Plan.objects.get().starts_on == START, "its start is over"


def test_who_was_told_is_told_again(winter, customers):
    customers(3)
    wave = Wave.objects.get(name="Internal accounts")
    Wave.objects.filter(pk=wave.pk).update(audience={"limit": 2})
    wave.refresh_from_db()
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)

    done = reschedule_plan(winter, days=1, **WHY)

    wave.refresh_from_db()
    assert (wave.state, wave.schedule_version, wave.size, done.told_again) == (WaveState.PLANNED, 2, 2, 1)


def test_wall_times_stay_over_a_change_of_daylight_saving():
    plan = create_from_template(
        "Spring", template=template("eight-weeks"), starts_on=date(2027, 3, 1), time_zone="Europe/Berlin", **SAID
    )
    before = Wave.objects.get(name="Internal accounts").starts_at

    reschedule_plan(plan, days=28, **WHY)

    assert Wave.objects.get(name="Internal accounts").starts_at == before + 28 * DAY - timedelta(hours=1)


def test_a_wave_stays_within_its_window_over_a_change_of_daylight_saving():
    plan = create_from_template(
        "Spring", template=template("eight-weeks"), starts_on=date(2027, 3, 1), time_zone="Europe/Berlin", **SAID
    )
    pilot = Wave.objects.get(name="Pilot users")
    assert pilot.starts_at == datetime(2027, 3, 17, 2, tzinfo=UTC)

    reschedule_plan(plan, days=28, **WHY)

    pilot.refresh_from_db()
    assert pilot.starts_at == datetime(2027, 4, 14, 2, tzinfo=UTC), "three o'clock in summer is one in UTC, before it opens"


def test_a_wave_moved_to_a_day_without_a_window_starts_when_one_opens(winter):
    window = Window("UTC", datetime(2026, 1, 1, 2).time(), datetime(2026, 1, 1, 4).time(), (2,))  # noqa: DTZ001  # times of day
    wave = Wave.objects.get(name="40 %")
    add_window(winter, phase=wave.phase, window=window, **SAID)

    reschedule_plan(winter, days=1, start=wave.phase, **WHY)

    wave.refresh_from_db()
    assert wave.starts_at == datetime(2027, 1, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Give one of them"),
        ({"days": 1, "starts_on": START}, "Give one of them"),
        ({"days": -30}, "which is over"),
        ({"starts_on": START, "start": "phase"}, "of the whole plan"),
        ({"days": 1, "start": "another"}, "of another plan"),
    ],
)
def test_what_makes_no_schedule_is_refused_and_nothing_moves(winter, options, words):
    other = create_plan("Other", phases=[PhaseDraft("One")], **SAID).phases.get()
    named = {"phase": Phase.objects.get(plan=winter, position=2), "another": other}
    before = dates(winter)
    if "start" in options:
        options = {**options, "start": named[options["start"]]}

    with pytest.raises(ScheduleInvalid, match=words):
        reschedule_plan(winter, **options, **WHY)

    assert dates(winter) == before


def test_a_plan_that_runs_has_no_other_start(winter):
    Plan.objects.update(state=PlanState.RUNNING)

    with pytest.raises(ScheduleInvalid, match="Give a number of days"):
        reschedule_plan(winter, starts_on=START + DAY, **WHY)


def test_moving_a_plan_needs_a_reason(winter):
    with pytest.raises(ReasonMissing):
        reschedule_plan(winter, days=1, **{**WHY, "reason": " "})


def test_a_phase_and_a_wave_are_set_for_another_time_one_by_one(winter, customers):
    customers(1)
    phase = Phase.objects.get(position=2)
    wave = Wave.objects.get(name="Internal accounts")
    Wave.objects.filter(pk=wave.pk).update(audience={"limit": 1})
    wave.refresh_from_db()
    lock_wave(wave, **SAID)

    assert set_start(phase, AT, **WHY)
    assert not set_start(phase, AT, **WHY), "it is so already"
    assert set_start(wave, AT, **WHY)
    assert (wave.state, wave.starts_at, wave.schedule_version) == (WaveState.PLANNED, AT, 2)
    assert set_start(wave, None, **WHY)

    wave.refresh_from_db()
    assert (phase.starts_at, wave.starts_at) == (AT, None)
    assert Event.objects.about("wave", wave.pk).last().data == {"from": AT.isoformat(), "to": None}


def test_a_locked_wave_without_a_date_is_planned_again(winter, customers):
    customers(1)
    wave = Wave.objects.get(name="Internal accounts")
    Wave.objects.filter(pk=wave.pk).update(audience={"limit": 1})
    wave.refresh_from_db()
    lock_wave(wave, **SAID)

    set_start(wave, None, **WHY)

    assert (wave.state, wave.starts_at) == (WaveState.PLANNED, None)


def test_what_has_started_is_not_set_for_another_time(winter):
    phase = Phase.objects.get(position=2)
    Phase.objects.update(state=PhaseState.OPEN)
    phase.refresh_from_db()
    with pytest.raises(MoveRefused):
        set_start(phase, AT, **WHY)
    wave = Wave.objects.get(name="Internal accounts")
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.RUNNING)
    wave.refresh_from_db()
    for instant in (AT, None):
        with pytest.raises(MoveRefused):
            set_start(wave, instant, **WHY)
    assert Wave.objects.get(pk=wave.pk).starts_at is not None


def test_setting_another_time_needs_a_reason_and_the_row_as_it_is(winter):
    phase = Phase.objects.get(position=2)
    stale = Phase.objects.get(position=2)
    with pytest.raises(ReasonMissing):
        set_start(phase, AT, **{**WHY, "reason": ""})
    set_start(phase, AT, **WHY)

    with pytest.raises(MoveRefused):
        set_start(stale, AT + DAY, **WHY)
