"""The play is a process of its own with a database of its own: nothing of the real one is locked or written."""

import json
import sys

import pytest
from django.db import connections

from migration.models import Customization, Person
from rollout.actions.plans import PhaseDraft, WaveDraft, create_plan
from rollout.audiences import Audience
from rollout.errors import RehearsalBroken, RehearsalNotPossible, RehearsalTooSlow
from rollout.models import Enrolment, Event, Plan, Rehearsal, Wave
from rollout.rehearsal.copying import copy_plan
from rollout.rehearsal.orders import Order
from rollout.rehearsal.performing import perform
from rollout.rehearsal.process import play_apart
from rollout.rehearsal.report import digest_of
from rollout.rehearsal.runs import ask_for_rehearsal, play_rehearsal
from rollout.rehearsal.scratch import scratch_database
from rollout.states import PlanState, WaveState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db


@pytest.fixture
def dated(customers):
    """A draft with one phase and one wave that has a date, and five people for it."""
    customers(5)
    draft = PhaseDraft("Everybody", waves=[WaveDraft("All", Audience(limit=5))])
    plan = create_plan("Winter", phases=[draft], salt="salt", **SAID)
    Wave.objects.filter(phase__plan=plan).update(starts_at=AT)
    return plan


@pytest.fixture
def program(tmp_path, monkeypatch):
    """What makes a module that is run instead of the play."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(text):
        (tmp_path / "pretender.py").write_text(text)
        return "pretender"

    return make


def test_the_copy_has_people_and_plan_and_the_plan_is_a_draft_again(dated, started, customer):
    other = started(customer("busy"))
    Plan.objects.filter(pk=dated.pk).update(state=PlanState.SCHEDULED)
    Wave.objects.filter(phase__plan=dated).update(state=WaveState.LOCKED, size=3)

    with scratch_database() as (file, alias):
        copy_plan(dated, alias)

        assert Person.objects.using(alias).count() == Person.objects.count() == 6
        assert Customization.objects.using(alias).count() == 6
        assert Plan.objects.using(alias).get(pk=dated.pk).state == PlanState.DRAFT
        wave = Wave.objects.using(alias).get(phase__plan=dated)
        assert (wave.state, wave.size, wave.starts_at) == (WaveState.PLANNED, 0, AT)
        assert Wave.objects.using(alias).get(pk=other.pk).state == WaveState.COMPLETED
        assert Plan.objects.using(alias).get(pk=other.phase.plan_id).state == PlanState.CANCELLED
        assert Enrolment.objects.using(alias).get().person.user == "busy"
        assert Event.objects.using(alias).count() == 0
        assert file.exists()
    assert not file.exists()
    assert alias not in connections.databases
    assert Wave.objects.get(pk=other.pk).state == WaveState.RUNNING
    assert Plan.objects.get(pk=dated.pk).state == PlanState.SCHEDULED


def test_the_play_refuses_any_database_but_its_own(dated, tmp_path):
    with pytest.raises(RehearsalBroken, match="another database"):
        perform(tmp_path / "else.sqlite3", Order(plan=dated.pk).as_json(), began=0.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys; sys.stderr.write('no such luck'); sys.exit(3)", "ended with 3. Its last words: no such luck"),
        ("import os; os.kill(os.getpid(), 9)", "ended with -9. It said nothing"),
        ("print('all is well')", "no JSON, but 'all is well"),
        ("print('[1, 2]')", "lacks everything"),
        ("print('{\"completed\": true}')", "lacks digest, events"),
        ('print(\'{"error": "no such thing", "code": "ELSE"}\')', "no such thing"),
    ],
)
def test_a_process_that_dies_or_talks_nonsense_is_an_error_with_its_words(program, tmp_path, text, words):
    with pytest.raises(RehearsalBroken) as refused:
        play_apart(Order(), tmp_path / "file", module=program(text))

    assert words in str(refused.value)
    assert "rehearse again" in str(refused.value)


def test_what_the_process_finds_impossible_is_said_with_that_code_alone(program, tmp_path):
    text = 'print(\'{"error": "Autumn cannot be rehearsed: no dates", "code": "REHEARSAL_NOT_POSSIBLE"}\')'

    with pytest.raises(RehearsalNotPossible) as refused:
        play_apart(Order(), tmp_path / "file", module=program(text))

    assert str(refused.value) == "Autumn cannot be rehearsed: no dates"


def test_a_process_that_takes_too_long_is_stopped(program, tmp_path):
    with pytest.raises(RehearsalTooSlow):
        play_apart(Order(), tmp_path / "file", patience=0.5, module=program("import time; time.sleep(60)"))


def test_the_process_has_the_file_as_its_database_and_no_queue(program, tmp_path):
    text = "import os, sys, json; print(json.dumps({'error': os.environ['DATABASE_URL'] + ' ' + os.environ['REDIS_URL']}))"

    with pytest.raises(RehearsalBroken) as refused:
        play_apart(Order(), tmp_path / "file", module=program(text))

    assert f"sqlite:///{tmp_path}/file unix://{tmp_path}/no-queue" in str(refused.value)


def test_a_failed_rehearsal_says_why_on_its_row(dated, monkeypatch):
    row = ask_for_rehearsal(dated, seed=1, by="alice", at=AT)
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(RehearsalBroken):
        play_rehearsal(row, clock=lambda: AT)

    assert row.error.startswith("REHEARSAL_BROKEN: The rehearsal has no report: its process ended with 1.")
    assert (row.finished_at, row.is_completed, row.report) == (AT, False, {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scenario": "aliens"}, "no scenario 'aliens'"),
        ({"seed": -1}, "a seed is a whole number"),
        ({"state": PlanState.RUNNING}, "it is running. Copy it"),
        ({"dates": None}, "has a date"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_with_the_next_step(dated, changes, words):
    if "state" in changes:
        Plan.objects.filter(pk=dated.pk).update(state=changes.pop("state"))
        dated.refresh_from_db()
    if "dates" in changes:
        Wave.objects.update(starts_at=changes.pop("dates"))

    with pytest.raises(RehearsalNotPossible, match=words):
        ask_for_rehearsal(dated, **{"seed": 1, "by": "alice", "at": AT, **changes})

    assert not Rehearsal.objects.exists()


def test_the_digest_is_over_all_but_seconds():
    report = {"events": 3, "wall_s": 1.0, "worst_rollback_s": 2.0, "measured": [], "digest": ""}

    assert digest_of(report) == digest_of({**report, "wall_s": 9.0, "worst_rollback_s": 8.0, "digest": "x"})
    assert digest_of(report) != digest_of({**report, "events": 4})


@pytest.mark.slow
def test_a_plan_is_rehearsed_apart_with_its_people_and_nothing_real_changes(dated):
    before = list(Event.objects.values()), list(Wave.objects.values()), list(Plan.objects.values())
    row = ask_for_rehearsal(dated, seed=1, by="alice", at=AT)

    went_well = play_rehearsal(row, clock=lambda: AT)

    assert row.error == ""
    assert went_well, (row.report["waits"], row.report["violated"], row.report["phases"], row.report["timeline"][-5:])
    assert (row.is_completed, row.violations, row.people) == (True, 0, 5)
    assert row.digest == digest_of(row.report)
    assert row.report["phases"][0]["waves"][0]["by_state"] == {"settled": 5}
    assert (list(Event.objects.values()), list(Wave.objects.values()), list(Plan.objects.values())) == before
    assert json.dumps(row.report)
    again = ask_for_rehearsal(dated, seed=1, by="alice", at=AT)
    play_rehearsal(again, clock=lambda: AT)
    assert again.digest == row.digest
