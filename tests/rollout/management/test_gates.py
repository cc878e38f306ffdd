"""Pausing, resuming, freezing, gates and breaches from the shell: what is said, and with which exit code."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from rollout.actions.chunks import process_chunk
from rollout.actions.gates import add_policy
from rollout.gates import Action, Metric, Policy, Purpose, Response
from rollout.models import Breach, GuardPolicy, Hold, Waiver
from rollout.states import BreachState
from tests.rollout.conftest import HOSTILE, SAID, bring_to_start
from tests.rollout.management.test_commands import run

__all__ = ["run"]
pytestmark = pytest.mark.django_db
FAILURES = Policy(
    Metric.MIGRATION_SUCCESS,
    0.95,
    0.98,
    timedelta(days=1),
    min_sample=1,
    responses=(Response(Action.PAUSE),),
    needs_revalidation=True,
)


@pytest.fixture
def failing(customers, customer, planned, phase):
    """A wave with one of two failed, at the real time, and its guard."""
    customers(1)
    customer("hostile", HOSTILE)
    add_policy(phase.plan, phase=phase, name="Failures", policy=FAILURES, reason="the plan", **SAID)
    wave = bring_to_start(planned("c1", "hostile"), at=timezone.now())
    process_chunk(wave, clock=timezone.now)
    return wave


def test_a_wave_is_paused_and_resumed_and_says_what_still_holds_it(run, customers, planned):
    customers(1)
    wave = planned("c1")

    said, code = run("rollout", "pause", str(wave.pk), by="alice", reason="smoke")
    assert (said["held"], code) == ([f"{wave}: paused by somebody (“smoke”, alice)."], 0)
    assert run("rollout", "freeze")[0]["frozen"]
    assert run("rollout", "status")[0]["frozen"]

    said, code = run("rollout", "resume", str(wave.pk))
    assert (len(said["held"]), code) == (1, 1), "a person is needed: it is frozen still"
    assert run("rollout", "freeze")[0]["changed"] is False
    assert len(run("rollout", "holds")[0]["holds"]) == 1
    assert run("rollout", "unfreeze")[0] == {"frozen": False, "changed": True, "dry_run": False}
    assert run("rollout", "resume", str(wave.pk)) == (
        {"pk": wave.pk, "name": "Wave 1", "state": "planned", "size": 0, "attempt": 1, "members": {}, "held": [],
         "dry_run": False}, 0,
    )  # fmt: skip


def test_a_dry_run_of_the_freeze_freezes_nothing(run):
    assert run("rollout", "freeze", "--dry-run")[0]["frozen"]
    assert not Hold.objects.exists()


def test_migrating_accounts_says_that_they_are_held(run, customers, planned):
    customers(1)
    wave = planned("c1")
    run("migrate_users", "--wave", str(wave.pk), "--async")
    run("rollout", "freeze", by="alice", reason="holidays")

    said, code = run("migrate_users", "--wave", str(wave.pk))

    assert (said["migrated"], said["waiting"], code) == (0, 1, 1)
    assert said["held"] == ["everything: everything is frozen (“holidays”, alice)."]
    said, code = run("migrate_users", "--users", "c1")
    assert code == 0, "whoever is in a wave is skipped, as ever"


def test_a_breach_is_shown_validated_again_and_waived(run, failing, capsys):
    run("tick")
    said, code = run("rollout", "breaches")
    (breach,) = said["breaches"]
    assert (breach["wave"], breach["affected"], breach["failed"][0]["user"], code) == (failing.pk, 2, "hostile", 0)

    said, code = run("rollout", "revalidate", str(breach["pk"]))
    assert (said["state"], said["code"], said["value"], code) == ("open", "CROSSED", 0.5, 1)
    assert run("rollout", "retire", str(GuardPolicy.objects.get().pk))[1] == 1

    said, code = run("rollout", "waive", str(breach["pk"]), by="dora", reason="a test account")
    assert (said["state"], code, Breach.objects.get().closed_by) == ("waived", 0, "dora")
    assert run("rollout", "waive", str(breach["pk"]), by="phoenix")[0]["error"]["code"] == "NAME_MISSING"
    assert run("rollout", "retire", str(GuardPolicy.objects.get().pk))[0]["changed"] is True
    assert Breach.objects.get().state == BreachState.WAIVED


def test_gates_are_shown_and_waived_for_one_wave(run, failing, customer, planned, phase):
    gate = Policy(Metric.MIGRATION_SUCCESS, 0.98, 0.98, timedelta(days=1), Purpose.GATE, min_sample=1)
    row = add_policy(phase.plan, phase=phase, name="Success", policy=gate, reason="the plan", **SAID)
    customer("late")
    wave = planned("late")

    said, code = run("rollout", "gates", str(wave.pk))
    assert ([(each["policy"], each["code"]) for each in said["gates"]], code) == ([(row.pk, "TARGET_MISSED")], 1)
    assert run("rollout", "waive-gates", str(wave.pk), by="dora", reason="seen")[0]["waived"] == [row.pk]

    assert (Waiver.objects.get().by, run("rollout", "gates", str(wave.pk))[1]) == ("dora", 0)


def test_the_same_commands_speak_to_people(failing, capsys):
    call_command("tick")
    for act in ("holds", "breaches", "status"):
        call_command("rollout", act)

    out = capsys.readouterr().out
    assert "1 holds stand." in out
    assert "hostile: FINDING_OPEN." in out
    assert f"Failures (policy {GuardPolicy.objects.get().pk}): guard of migration_success" in out


@pytest.mark.parametrize(
    "words", [["pause"], ["pause", "999"], ["revalidate", "999"], ["waive"], ["retire", "999"], ["gates", "999"]], ids=" ".join
)
def test_wrong_usage_exits_with_2_and_names_the_next_step(run, words):
    said, code = run("rollout", *words)

    assert code == 2
    assert "lists them" in said["error"]["text"]


def test_everything_that_keeps_a_wave_from_starting_is_said_with_who_can_clear_it(run, customers, planned):
    customers(1)
    wave = planned("c1")
    run("rollout", "lock", str(wave.pk))
    run("rollout", "announce", str(wave.pk), reason="told")
    assert run("rollout", "keeps", str(wave.pk)) == ({"dry_run": False, "wave": wave.pk, "state": "announced", "keeps": []}, 0)

    run("rollout", "pause", str(wave.pk), by="alice", reason="smoke")
    said, code = run("rollout", "keeps", str(wave.pk))

    assert (said["keeps"][0]["code"], said["keeps"][0]["who"], code) == ("WAVE_HELD", "an operator, who clears it", 1)


def test_a_wave_is_rescheduled_to_another_instant(run, customers, planned):
    customers(1)
    wave = planned("c1")
    run("rollout", "lock", str(wave.pk))

    said, code = run("rollout", "reschedule", str(wave.pk), "--to", "2030-12-24T02:00+01:00", reason="holidays")

    wave.refresh_from_db()
    assert (said["state"], code, wave.starts_at.isoformat()) == ("planned", 0, "2030-12-24T01:00:00+00:00")
