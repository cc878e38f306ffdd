"""Plans from templates, plans as templates, and copies."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db.models import Max

from rollout.actions.blueprints import (
    blueprint_of,
    copy_plan,
    create_from_template,
    export_plan,
    template,
    template_names,
)
from rollout.actions.contents import content_of, edit_content
from rollout.actions.gates import retire_policy
from rollout.actions.steering import tune_wave
from rollout.actions.waves import cancel_wave
from rollout.blueprints import Blueprint, Day, PhaseEntry, WaveEntry, WindowEntry, laid_out, read, written
from rollout.errors import BlueprintInvalid, PlanNameTaken, TemplateUnknown
from rollout.models import Event, GuardPolicy, Notice, Phase, Plan, SignoffRequirement, Task, Wave, Window
from rollout.states import PhaseState, PlanState, WaveState
from tests.rollout.conftest import AT, SAID
from tests.scenes import kept

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
START = date(2026, 11, 30)


@pytest.fixture
@kept
def winter(db):
    """The plan of eight weeks, from the last of November on."""
    return create_from_template("Winter", template=template("eight-weeks"), starts_on=START, salt="salt", **SAID)


def demands(plan):
    """What a plan demands, without its name and its salt."""
    content = content_of(plan)
    content["plan"] = {name: value for name, value in content["plan"].items() if name not in {"name", "salt"}}
    return content


def test_the_template_of_eight_weeks_comes_with_the_software():
    assert template_names() == ["eight-weeks"]
    with pytest.raises(TemplateUnknown, match="There are: eight-weeks"):
        template("../blueprints/templates/eight-weeks")


def test_a_plan_from_the_template_has_all_of_it(winter):
    assert (winter.state, winter.author, winter.template) == (PlanState.DRAFT, "alice", "eight-weeks@1")
    assert (winter.starts_on, winter.time_zone) == (START, "UTC")
    assert list(winter.phases.values_list("position", "state")) == [(n, PhaseState.PENDING) for n in range(1, 6)]
    assert [phase.waves.count() for phase in winter.phases.all()] == [1, 1, 3, 4, 0]
    assert set(Wave.objects.values_list("state", flat=True)) == {WaveState.PLANNED}
    assert (SignoffRequirement.objects.count(), SignoffRequirement.objects.filter(phase=None).count()) == (18, 3)
    assert (GuardPolicy.objects.count(), GuardPolicy.objects.filter(phase=None).count()) == (19, 3)
    assert (Notice.objects.count(), Window.objects.count(), Task.objects.count()) == (9, 1, 24)
    for row in GuardPolicy.objects.all():
        row.full_clean()
    for model in (Window, Notice, Task, Phase, Wave, SignoffRequirement):
        for row in model.objects.all():
            row.full_clean()


def test_every_date_is_counted_from_the_start(winter):
    pilot = Wave.objects.get(name="Pilot users")
    production = Phase.objects.get(position=4)

    assert pilot.starts_at == datetime(2026, 12, 16, 2, tzinfo=UTC), "the window of its day opens at two"
    assert pilot.lock_lead == timedelta(days=3), "it is locked a day before its people are told"
    assert production.starts_at == datetime(2027, 1, 4, tzinfo=UTC)
    assert list(production.waves.values_list("share", "starts_at")) == [
        (Decimal(share), datetime(2027, 1, day, 2, tzinfo=UTC)) for share, day in [(40, 4), (30, 6), (20, 8), (10, 11)]
    ]
    assert production.waves.aggregate(longest=Max("lock_lead"))["longest"] == timedelta(days=8)
    assert Task.objects.get(text="Cleanup and validation").due_at == datetime(2027, 1, 13, 18, tzinfo=UTC)


def test_in_another_zone_the_wall_times_are_the_same_and_the_pilots_night_is_utc():
    plan = create_from_template("Summer", template=template("eight-weeks"), starts_on=START, time_zone="America/New_York", **SAID)

    starts = dict(Wave.objects.filter(phase__plan=plan).values_list("name", "starts_at"))
    assert starts["Internal accounts"] == datetime(2026, 12, 7, 14, tzinfo=UTC)
    assert starts["Pilot users"] == datetime(2026, 12, 17, 2, tzinfo=UTC)
    assert Window.objects.get().zone == "UTC"


def test_making_a_plan_is_kept_in_the_record(winter):
    made = Event.objects.filter(kind="made")

    assert set(made.values_list("by", "reason")) == {("alice", "made from the template eight-weeks@1")}
    assert made.filter(subject="plan").count() == 1
    assert (made.filter(subject="phase").count(), made.filter(subject="wave").count()) == (5, 9)


def test_a_name_is_taken_once(winter):
    with pytest.raises(PlanNameTaken):
        create_from_template("Winter", template=template("eight-weeks"), starts_on=START, **SAID)
    assert Plan.objects.count() == 1


def test_a_day_before_the_start_makes_no_plan():
    phase = PhaseEntry(name="One", starts=Day(1, weekday=0))

    with pytest.raises(BlueprintInvalid, match=r"phases\[0\]\.starts"):
        create_from_template(
            "Odd", template=Blueprint(name="odd", version=1, phases=(phase,)), starts_on=date(2026, 12, 2), **SAID
        )
    assert not Plan.objects.exists()


def test_a_plan_written_as_a_template_makes_the_same_plan(winter):
    text = export_plan(winter)
    again = create_from_template("Again", template=read(text), starts_on=START, **SAID)

    assert demands(again) == demands(winter)
    assert list(
        again.phases.values_list("starts_at", "waves__starts_at", "tasks__due_at").order_by("position", "waves", "tasks")
    ) == list(winter.phases.values_list("starts_at", "waves__starts_at", "tasks__due_at").order_by("position", "waves", "tasks"))
    assert (again.template, read(text).label, read(text).title) == ("winter@1", "winter@1", "Winter")
    assert written(blueprint_of(again)) == text.replace('name = "winter"', 'name = "again"', 1).replace('"Winter"', '"Again"', 1)


def test_what_is_written_is_the_plan_as_it_is_now(winter):
    first, second = Wave.objects.filter(phase__position=3).order_by("position")[:2]
    tune_wave(first, rate=7, **WHY)
    cancel_wave(second, **WHY)
    retire_policy(GuardPolicy.objects.get(name="Slowdown"), **WHY)
    Phase.objects.filter(position=1).update(starts_at=AT)

    found = read(export_plan(winter))

    beta = found.phases[2]
    assert [wave.name for wave in beta.waves] == ["Conservative users", "Advanced users"]
    assert beta.waves[0].rate == 7
    assert [each.name for each in found.policies] == ["Validation failures", "Negative feedback"]
    assert found.phases[0].starts == Day(1, day=1, at=time(9)), "days are counted from the first date of all"
    layout = laid_out(found, starts_on=AT.date(), zone="UTC")
    assert layout.phases[2].waves[0].starts_at == first.starts_at


def test_a_cancelled_plan_can_be_written_and_copied_whole(winter):
    for wave in Wave.objects.all():
        cancel_wave(wave, **WHY)
    Phase.objects.update(state=PhaseState.CANCELLED)

    assert [len(phase.waves) for phase in blueprint_of(winter).phases] == [1, 1, 3, 4, 0]


def test_waves_of_one_name_are_told_apart(db):
    phase = PhaseEntry(name="One", waves=tuple(WaveEntry(name="Same", audience={"limit": 1}) for _ in range(3)))
    plan = create_from_template("Same", template=Blueprint(name="same", version=1, phases=(phase,)), starts_on=START, **SAID)

    assert [each.name for each in read(export_plan(plan)).phases[0].waves] == ["Same", "Same (2)", "Same (3)"]


def test_a_plan_without_any_date_is_written_too(phase):
    assert read(export_plan(phase.plan)).phases[0].starts is None


def test_a_copy_demands_the_same_from_another_date_on_and_owes_nothing(winter):
    copy = copy_plan(winter, "Spring", starts_on=date(2027, 3, 1), **SAID)

    assert demands(copy) == demands(winter)
    assert (copy.template, copy.starts_on, copy.salt != winter.salt) == ("eight-weeks@1", date(2027, 3, 1), True)
    before = demands(winter)
    edit_content(copy.phases.get(position=3), share=Decimal(30), **WHY)
    assert demands(winter) == before


def test_windows_of_the_plan_open_the_days_of_a_phase_without_its_own(db):
    window = WindowEntry(opens=time(22), closes=time(4), days=(4,))
    wave = WaveEntry(name="First", audience={"limit": 1}, starts=Day(1, day=1))
    made = Blueprint(name="small", version=1, windows=(window,), phases=(PhaseEntry(name="One", waves=(wave,)),))

    plan = create_from_template("Small", template=made, starts_on=START, time_zone="Europe/Berlin", **SAID)

    assert Wave.objects.get().starts_at == datetime(2026, 12, 4, 21, tzinfo=UTC), "Friday is the first day on which it opens"
    assert plan.windows.get().zone == "Europe/Berlin"
