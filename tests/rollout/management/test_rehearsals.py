"""`rollout rehearse` and `rollout report`: what they print, keep and refuse. Templates are played in tests/rollout/rehearsal."""

import sys
from datetime import timedelta

import pytest
from django.core.management import call_command, execute_from_command_line

from rollout.actions.plans import PhaseDraft, WaveDraft, create_plan
from rollout.actions.rescheduling import set_start
from rollout.audiences import Audience
from rollout.models import Event, Plan, Rehearsal, Wave
from rollout.rehearsal.report import digest_of
from rollout.states import PlanState
from tests.rollout.conftest import AT, SAID
from tests.rollout.management.test_commands import run

__all__ = ["run"]
pytestmark = pytest.mark.django_db
PROMISED = {
    "completed", "digest", "events", "violations", "phases", "gate_trips", "notices", "rollbacks", "worst_rollback_s", "wall_s",
}  # fmt: skip


@pytest.fixture
def dated(customers):
    """A draft whose one wave has a date and two people."""
    customers(2)
    plan = create_plan("Winter", phases=[PhaseDraft("Pilot", [WaveDraft("All", Audience(limit=2))])], salt="salt", **SAID)
    Wave.objects.update(starts_at=AT)
    return plan


def test_a_plan_is_rehearsed_with_its_people_and_the_report_is_kept(run, dated):
    before = Event.objects.count()

    said, code = run("rollout", "rehearse", str(dated.pk), "--seed", "7", by="alice")

    row = Rehearsal.objects.get()
    assert said.keys() >= PROMISED
    assert (said["completed"], said["violations"], said["violated"], code) == (True, 0, [], 0)
    assert (said["plan"], said["people"], said["seed"], said["scenario"]) == ("Winter", 2, 7, "")
    assert [(each["name"], each["by_state"]) for each in said["phases"][0]["waves"]] == [("All", {"settled": 2})]
    assert (said["gate_trips"], said["rollbacks"], said["notices"]) == ([], [], 0)
    assert said["digest"] == digest_of({name: said[name] for name in said.keys() - {"rehearsal", "dry_run"}})
    assert (row.pk, row.plan, row.seed, row.by, row.digest) == (said["rehearsal"], dated, 7, "alice", said["digest"])
    assert (row.is_completed, row.violations, row.people) == (True, 0, 2)
    assert Event.objects.count() == before
    assert Wave.objects.get().state == "planned"


@pytest.mark.slow
def test_a_dry_run_keeps_nothing_and_the_same_seed_gives_the_same_digest(run, dated):
    first, code = run("rollout", "rehearse", str(dated.pk), "--dry-run", seed=3)
    again, _ = run("rollout", "rehearse", str(dated.pk), "--dry-run", seed=3)
    other, _ = run("rollout", "rehearse", str(dated.pk), "--dry-run", seed=4)

    assert (code, first["dry_run"], "rehearsal" in first) == (0, True, False)
    assert first["digest"] == again["digest"] != other["digest"]
    assert not Rehearsal.objects.exists()


@pytest.mark.slow
def test_what_goes_wrong_is_told_for_people_too(dated, capsys):
    call_command("rollout", "rehearse", str(dated.pk), scenario="late-approval", by="alice", reason="")

    out = capsys.readouterr().out
    assert out.startswith("Winter, 2 people, seed 1, late-approval: ")
    assert "invariants checked" in out


@pytest.mark.parametrize("options", [{"people": 5}, {"template": "eight-weeks"}, {"start": "2027-01-04"}])
def test_a_plan_has_its_own_people_and_dates(run, dated, options):
    said, code = run("rollout", "rehearse", str(dated.pk), **options)

    assert (said["error"]["code"], code) == ("WRONG_USAGE", 2)
    assert "leave --people, --template and --start out" in said["error"]["text"]
    assert not Rehearsal.objects.exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("999",), "There is no plan 999. `manage.py rollout plan list` lists them."),
        (("--people", "0"), "--people is at least 1"),
        (("--seed", "-1"), "a seed at least 0"),
    ],
)
def test_what_names_nothing_is_wrong_usage(run, db, words, expected):
    said, code = run("rollout", "rehearse", *words)

    assert code == 2
    assert expected in said["error"]["text"]


def test_a_scenario_that_there_is_not_is_wrong_usage_and_the_others_are_named(dated, capsys):
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", "rollout", "rehearse", str(dated.pk), "--scenario", "aliens", "--json"])

    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "invalid choice: 'aliens'" in said.err
    assert "late-approval" in said.err
    assert not Rehearsal.objects.exists()


def test_a_template_that_there_is_not_is_named_with_the_others(run, db):
    said, code = run("rollout", "rehearse", "--template", "nine-weeks", "--people", "3")

    assert (said["error"]["code"], code) == ("TEMPLATE_UNKNOWN", 2)
    assert "nine-weeks" in said["error"]["text"]
    assert "eight-weeks" in said["error"]["text"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"state": PlanState.RUNNING}, "it is running. Copy it, and rehearse the copy."), ({"dates": None}, "has a date")],
)
def test_a_plan_that_cannot_be_rehearsed_needs_somebody(run, dated, changes, expected):
    if "state" in changes:
        Plan.objects.update(state=changes["state"])
    else:
        Wave.objects.update(starts_at=changes["dates"])

    said, code = run("rollout", "rehearse", str(dated.pk))

    assert (said["error"]["code"], code) == ("REHEARSAL_NOT_POSSIBLE", 1)
    assert expected in said["error"]["text"]
    assert not Rehearsal.objects.exists()


def test_a_play_that_dies_leaves_its_last_words_with_the_plan(run, dated, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")

    said, code = run("rollout", "rehearse", str(dated.pk))

    assert (said["error"]["code"], code) == ("REHEARSAL_BROKEN", 1)
    row = Rehearsal.objects.get()
    assert row.error.startswith("REHEARSAL_BROKEN: ")
    assert not row.is_completed


def rehearsed(plan, **report):
    """Keep a rehearsal as if it had been played: its wave began at AT, two days after what is planned now."""
    wave = {"name": "All", "started_at": AT.isoformat(), "members": 2}
    phases = [{"name": "Pilot", "opened_at": AT.isoformat(), "waves": [wave]}]
    told = {"phases": phases, "notices": 4, "gate_trips": [], "rollbacks": [], **report}
    return Rehearsal.objects.create(
        plan=plan, seed=1, people=2, content_hash="x", by="alice", asked_at=AT, finished_at=AT, report=told
    )


def test_a_report_puts_planned_rehearsed_and_actual_side_by_side(run, dated, capsys):
    wave = Wave.objects.get()
    row = rehearsed(dated)
    set_start(wave, AT + timedelta(days=2), reason="later", **SAID)
    Wave.objects.update(started_at=AT + timedelta(days=2, hours=1))

    said, code = run("rollout", "report", str(dated.pk))

    assert (said["plan"], said["name"], said["state"], said["rehearsal"], code) == (dated.pk, "Winter", "draft", row.pk, 0)
    of_phase, of_wave = said["rows"]
    assert of_phase.keys() == {
        "phase", "wave", "state", "planned", "rehearsed", "actual", "finished", "hours_late", "hours_late_rehearsed",
    }  # fmt: skip
    assert (of_phase["phase"], of_phase["wave"], of_phase["actual"], of_phase["hours_late"]) == ("Pilot", "", None, None)
    assert (of_wave["planned"], of_wave["rehearsed"]) == (AT.isoformat(), AT.isoformat())
    assert (of_wave["hours_late"], of_wave["hours_late_rehearsed"]) == (49.0, 0.0)
    assert (of_wave["people_rehearsed"], of_wave["people"]) == (2, 0)
    assert said["notices"] == {"rehearsed": 4, "actual": 0}
    assert said["gate_trips"] == said["rollbacks"] == {"rehearsed": 0, "actual": 0}

    call_command("rollout", "report", str(dated.pk))
    out = capsys.readouterr().out
    assert "49.0" in out
    assert "Notices: 4 in the rehearsal, 0 really." in out


def test_a_report_of_a_plan_that_was_never_rehearsed_says_so(run, dated, capsys):
    said, code = run("rollout", "report", str(dated.pk))

    assert (said["rehearsal"], said["notices"], code) == (None, {"rehearsed": None, "actual": 0}, 0)
    call_command("rollout", "report", str(dated.pk))
    assert "Notices: not rehearsed, 0 really." in capsys.readouterr().out


@pytest.mark.parametrize(("words", "expected"), [((), "Name a plan by its primary key."), (("999",), "There is no plan 999.")])
def test_a_report_of_no_plan_is_wrong_usage(run, db, words, expected):
    said, code = run("rollout", "report", *words)

    assert code == 2
    assert said["error"]["text"].startswith(expected)
