"""Plans, phases and tasks from the shell."""

import json
from datetime import date

import pytest
from django.core.management import call_command

from rollout.actions.audiences import waves_without_people
from rollout.actions.blueprints import create_from_template, export_plan, template
from rollout.actions.gates import add_policy
from rollout.actions.plans import PhaseDraft, WaveDraft, create_plan
from rollout.audiences import Audience
from rollout.models import Hold, Phase, Plan, Task, Wave
from rollout.states import PhaseState, PlanState, WaveState
from tests.rollout.actions.test_phases import UPTIME
from tests.rollout.conftest import AT, SAID
from tests.rollout.management.test_commands import run
from tests.scenes import kept

__all__ = ["run"]
pytestmark = pytest.mark.django_db


@pytest.fixture
@kept
def winter(db):
    """The plan of eight weeks, a year from now."""
    return create_from_template("Winter", template=template("eight-weeks"), starts_on=date(2027, 11, 29), **SAID)


def test_a_plan_is_made_from_the_template_of_eight_weeks(run):
    said, code = run(
        "rollout", "plan", "create", "--template", "eight-weeks", "--start", "2026-11-30", by="alice", reason="it is time"
    )

    assert (said["name"], said["template"], said["starts_on"], said["state"], code) == (
        "Phoenix migration, from 2026-11-30", "eight-weeks@1", "2026-11-30", "draft", 0,
    )  # fmt: skip
    assert [len(each["waves"]) for each in said["phases"]] == [1, 1, 3, 4, 0]
    assert said["phases"][1]["waves"][0]["starts_at"] == "2026-12-16T02:00:00Z"
    assert Plan.objects.get().author == "alice"


def test_a_dry_run_makes_no_plan(run):
    said, code = run("rollout", "plan", "create", "--start", "2026-11-30", "--dry-run")

    assert (len(said["phases"]), said["dry_run"], code, Plan.objects.count()) == (5, True, 0, 0)


def test_a_plan_is_made_from_a_file_in_another_zone(run, winter, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(export_plan(winter).replace("limit = 50", "limit = 40"), "utf-8")

    said, code = run("rollout", "plan", "create", template=str(file), start="2027-01-04", name="Mine", zone="Europe/Berlin")

    assert (said["name"], said["template"], said["time_zone"], code) == ("Mine", "winter@1", "Europe/Berlin", 0)
    assert said["phases"][1]["waves"][0]["audience"]["limit"] == 40


def test_what_is_exported_is_what_the_command_prints(run, winter, capsys):
    call_command("rollout", "plan", "export", str(winter.pk))

    assert capsys.readouterr().out.strip() == export_plan(winter).strip()
    assert run("rollout", "plan", "export", str(winter.pk))[0]["toml"] == export_plan(winter)


def test_a_template_is_checked_before_it_is_used(run, tmp_path):
    said, code = run("rollout", "plan", "check", "eight-weeks", start="2026-11-30")
    assert (said["template"], len(said["phases"]), code) == ("eight-weeks@1", 5, 0)
    assert {"at": "2026-12-14T02:00:00Z", "what": "Limited pilot / Pilot users: “48 hours before”"} in said["appointments"]

    file = tmp_path / "broken.toml"
    file.write_text('format = 1\nname = "broken"\nversion = 1\n[[phases]]\nname = "One"\nsoak = "long"\n', "utf-8")
    said, code = run("rollout", "plan", "check", str(file))

    assert (said["error"]["code"], code) == ("BLUEPRINT_INVALID", 1)
    assert said["error"]["text"].startswith("phases[0].soak: ")


def test_plans_and_templates_are_listed(run, winter):
    assert run("rollout", "plan", "list")[0]["plans"] == [
        {"pk": winter.pk, "name": "Winter", "state": "draft", "template": "eight-weeks@1", "starts_on": "2027-11-29"}
    ]
    assert run("rollout", "plan", "templates")[0]["templates"] == [
        {"name": "eight-weeks", "version": 1, "title": "Phoenix migration"}
    ]


def test_a_plan_is_shown_for_people(winter, capsys):
    call_command("rollout", "plan", "show", str(winter.pk))

    lines = capsys.readouterr().out.splitlines()
    pilot = Wave.objects.get(name="Pilot users")
    assert lines[0] == f"Winter (plan {winter.pk}): draft, from 2027-11-29 (UTC)"
    assert f"  2027-12-15 02:00    Pilot users (wave {pilot.pk}): planned" in lines


def test_a_plan_is_copied(run, winter):
    said, code = run("rollout", "plan", "copy", str(winter.pk), start="2028-03-06", name="Spring")

    assert (said["name"], said["template"], said["starts_on"], code) == ("Spring", "eight-weeks@1", "2028-03-06", 0)


def test_a_plan_goes_its_way_from_the_shell(run):
    plan = create_plan("Autumn", phases=[PhaseDraft("One"), PhaseDraft("Two")], **SAID)
    pk = str(plan.pk)
    for word, by, state in [
        ("submit", "alice", "in_review"),
        ("approve", "dora", "approved"),
        ("schedule", "alice", "scheduled"),
    ]:
        said, code = run("rollout", "plan", word, pk, by=by)
        assert (said["state"], code) == (state, 0)

    first, second = plan.phases.all()
    assert run("rollout", "advance", pk)[0]["entered"] == [{"phase": "One", "entered": "awaiting_signoff"}]
    assert run("rollout", "phase", "open", str(first.pk), reason="all signed")[0]["state"] == "open"
    assert run("rollout", "phase", "skip", str(second.pk), reason="not needed")[0]["state"] == "skipped"
    assert run("rollout", "advance", pk)[0]["left"] == ["The phase “One” is open.", "No phase of it was completed."]
    Phase.objects.filter(pk=first.pk).update(state=PhaseState.COMPLETED)
    assert run("rollout", "advance", pk)[0]["entered"] == [
        {"phase": None, "entered": "soaking"}, {"phase": None, "entered": "completed"},
    ]  # fmt: skip
    assert run("rollout", "plan", "deprecate", pk)[0]["state"] == "deprecating"
    assert run("rollout", "plan", "close", pk)[0]["state"] == "closed"


def test_a_plan_is_cancelled(run, winter):
    said, code = run("rollout", "plan", "cancel", str(winter.pk), reason="no money")

    assert (said["state"], code) == ("cancelled", 0)
    assert set(Wave.objects.values_list("state", flat=True)) == {WaveState.CANCELLED}
    said, code = run("rollout", "plan", "cancel", str(winter.pk))
    assert (said["error"]["code"], code) == ("MOVE_REFUSED", 1)


def test_a_plan_is_rescheduled_as_a_whole_and_in_part(run, winter):
    pk, phase = str(winter.pk), Phase.objects.get(position=4)

    said, code = run("rollout", "plan", "reschedule", pk, start="2027-12-06", reason="late")
    assert (said["days"], said["waves"], code) == (7, 9, 0)
    said, code = run("rollout", "plan", "reschedule", pk, days=-1, phase=phase.pk)
    assert (said["days"], said["phases"], said["waves"], code) == (-1, 2, 4, 0)
    said, code = run("rollout", "plan", "reschedule", pk, days=1, wave=phase.waves.last().pk)
    assert (said["waves"], code) == (1, 0)
    said, code = run("rollout", "plan", "reschedule", pk)
    assert (said["error"]["code"], code) == ("SCHEDULE_INVALID", 1)


@pytest.mark.parametrize("noun", ["plan", "phase"])
def test_a_plan_or_a_phase_is_paused_and_resumed(run, phase, noun):
    pk = str(phase.plan.pk if noun == "plan" else phase.pk)

    said, code = run("rollout", noun, "pause", pk, by="alice", reason="smoke")
    assert (said["held"], code) == ([f"{phase.plan if noun == 'plan' else phase}: paused by somebody (“smoke”, alice)."], 0)
    run("rollout", "freeze")
    said, code = run("rollout", noun, "resume", pk)
    assert (len(said["held"]), code) == (1, 1), "a person is needed: it is frozen still"
    assert Hold.objects.standing().count() == 1


def test_what_keeps_a_phase_is_said_and_its_tasks_are_ticked_off(run, phase):
    task = Task.objects.create(phase=phase, position=1, text="Look around")
    assert run("rollout", "phase", "show", str(phase.pk))[0]["kept_by"] == ["The task “Look around” is not done."]

    said, code = run("rollout", "task", "done", str(task.pk), by="alice", reason="looked")

    assert (said["done_by"], said["changed"], code) == ("alice", True, 0)
    assert run("rollout", "task", "done", str(task.pk))[0]["changed"] is False
    assert run("rollout", "task", "reopen", str(task.pk))[0]["done_at"] is None


def test_what_keeps_a_phase_is_shown_without_a_gate_being_forgotten(run, phase):
    Phase.objects.update(state=PhaseState.SOAKING, soaking_at=AT)
    add_policy(phase.plan, phase=phase, name="Uptime", policy=UPTIME, **SAID)

    kept = run("rollout", "phase", "show", str(phase.pk))[0]["kept_by"]

    assert len(kept) == 1
    assert kept[0].startswith("Uptime: ")
    assert kept[0].endswith("(NO_READING)")


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "create"],
        ["plan", "create", "--start", "soon"],
        ["plan", "create", "--start", "2026-11-30", "--template", "nowhere.toml"],
        ["plan", "show"],
        ["task", "done"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(run, words):
    said, code = run("rollout", *words)

    assert (said["error"]["code"], code) == ("WRONG_USAGE", 2)


def test_waves_that_would_take_nobody_are_named_before_anybody_signs(run, customer):
    customer("ann")
    some, none = WaveDraft("Some", Audience(users=("ann",))), WaveDraft("Colleagues", Audience(internal=True, limit=10))
    plan = create_plan("Spring", phases=[PhaseDraft("Pilot", (some, none))], **SAID)
    colleagues = Wave.objects.get(name="Colleagues")

    submitted, code = run("rollout", "plan", "submit", str(plan.pk), by="alice")
    run("rollout", "plan", "approve", str(plan.pk), by="dora")
    scheduled, _code = run("rollout", "plan", "schedule", str(plan.pk), by="alice")

    assert code == 0
    assert (
        submitted["warnings"]
        == scheduled["warnings"]
        == [
            "Pilot / Colleagues would take nobody now: look at its audience, or free people "
            f"(`manage.py rollout preview {colleagues.pk}` says why)."
        ]
    )


def test_waves_that_share_a_population_are_asked_together(winter, customer):
    customer("ann")

    empty = [wave.name for wave in waves_without_people(winter, at=AT)]

    assert empty[:2] == ["Internal accounts", "Pilot users"]
    assert "40 %" not in empty  # the one person is the largest share of everybody who remains


def test_a_plan_whose_audience_cannot_be_read_is_warned_of(run, db):
    plan = create_plan("Spring", phases=[PhaseDraft("Pilot", (WaveDraft("Odd", Audience(internal=True)),))], **SAID)
    Wave.objects.update(audience={"rules": [{"trait": "nope"}]})

    said, code = run("rollout", "plan", "submit", str(plan.pk), by="alice")

    assert (code, said["state"]) == (0, "in_review")
    assert said["warnings"][0].startswith("It cannot be said whom its waves take: ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["create", "--start", "2026-11-30", "--zone", "Berlin"], "BLUEPRINT_INVALID"),
        (["create", "--start", "2026-11-30", "--name", "Winter"], "PLAN_NAME_TAKEN"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_cannot_be_made_exits_with_1(run, winter, words, code):
    said, status = run("rollout", "plan", *words)

    assert (said["error"]["code"], status) == (code, 1)
    assert Plan.objects.count() == 1


def test_the_shared_options_may_stand_before_and_behind_each_word(winter, capsys):
    for words in (["--json", "plan", "list"], ["plan", "--json", "list"], ["plan", "list", "--json"]):
        call_command("rollout", *words)
        assert len(json.loads(capsys.readouterr().out)["plans"]) == 1
    assert Plan.objects.get().state == PlanState.DRAFT
