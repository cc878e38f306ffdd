"""The rollout's commands: JSON keys, exit codes, dry runs."""

import json

import pytest
from django.core.management import CommandError, call_command

from migration.models import Customization
from phoenix.workers import work_off
from rollout.models import Enrolment, Event, Snapshot, Wave, standing_of
from rollout.states import PersonState, WaveState
from rollout.switch import is_killed
from rollout.waves import System
from slots.models import SlotConfiguration
from tests.rollout.conftest import AT, HOSTILE

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    """What runs a command with --json, and returns its object and its exit code."""

    def call(*words, **options):
        code = 0
        try:
            call_command(*words, "--json", **options)
        except CommandError as error:
            code = error.returncode
        out = capsys.readouterr().out
        return (json.loads(out) if out else None), code

    return call


def test_migrate_users_moves_named_accounts_and_says_who_stays(run, customers, customer):
    people = customers(2)
    customer("hostile", HOSTILE)

    said, code = run("migrate_users", "--users", "c1,c2,hostile,ghost")

    assert code == 1
    assert (said["total"], said["migrated"]) == (4, 2)
    assert [(each["user"], each["code"]) for each in said["failed"]] == [("hostile", "FINDING_OPEN")]
    assert [(each["user"], each["code"]) for each in said["skipped"]] == [("ghost", "PERSON_UNKNOWN")]
    assert {standing_of(person.key).decide().system for person in people} == {System.SLOTS}


def test_migrate_users_a_second_time_finds_them_there(run, customers):
    customers(2)
    run("migrate_users", "--users", "c1,c2")

    said, code = run("migrate_users", "--users", "c1,c2")

    assert code == 0
    assert (said["total"], said["migrated"], said["wave"]) == (2, 0, None)
    assert {each["code"] for each in said["skipped"]} == {"ON_SLOTS_ALREADY"}
    assert Wave.objects.count() == 1


def test_migrate_users_moves_the_internal_accounts(run, customer, customers):
    customers(2)
    customer("ann", is_internal=True)

    said, code = run("migrate_users", "--internal")

    assert (said["total"], said["migrated"], code) == (1, 1, 0)


def test_migrate_users_tries_those_again_who_failed_before(run, customer):
    customer("hostile", HOSTILE)
    run("migrate_users", "--users", "hostile")
    Customization.objects.update(is_active=False)
    customer("other")
    Customization.objects.filter(person__user="other").update(person=Enrolment.objects.get().person)

    said, code = run("migrate_users", "--users", "hostile")

    assert (said["migrated"], code) == (1, 0)


def test_a_dry_run_tells_the_same_and_changes_nothing(run, customers, customer):
    customers(2)
    customer("hostile", HOSTILE)

    dry, code = run("migrate_users", "--users", "c1,c2,hostile", "--dry-run")

    assert (dry["migrated"], len(dry["failed"]), dry["dry_run"], code) == (2, 1, True, 1)
    assert (Wave.objects.count(), Enrolment.objects.count(), Event.objects.count()) == (0, 0, 0)
    assert (Snapshot.objects.count(), SlotConfiguration.objects.count()) == (0, 0)
    real, _ = run("migrate_users", "--users", "c1,c2,hostile")
    assert {**real, "wave": 0, "dry_run": 0} == {**dry, "wave": 0, "dry_run": 0}


def test_migrate_users_takes_a_wave_from_wherever_it_stands(run, customers, planned):
    customers(3)
    wave = planned(limit=3)
    run("rollout", "lock", str(wave.pk))

    said, code = run("migrate_users", "--wave", str(wave.pk), "--size", "2")

    assert (said["total"], said["migrated"], code) == (3, 3, 0)


@pytest.mark.parametrize(
    "words",
    [
        ["migrate_users"],
        ["migrate_users", "--internal", "--wave", "1"],
        ["migrate_users", "--wave", "999"],
        ["migrate_users", "--internal", "--size", "0"],
        ["rollback_users", "--wave", "999"],
        ["rollback_users", "--user", " , "],
        ["rollback_users", "--phase", "999"],
        ["rollout", "lock"],
        ["rollout", "lock", "999"],
        ["tick", "--every", "0"],
        ["tick", "--loop", "--dry-run"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(run, words, db):
    assert run(*words)[1] == 2


@pytest.mark.django_db(transaction=True)
def test_migrate_users_async_leaves_the_work_to_the_workers(run, queue, customers):
    customers(3)

    said, code = run("migrate_users", "--users", "c1,c2,c3", "--async", "--size", "2")
    assert (said["total"], said["migrated"], said["waiting"], code) == (3, 0, 3, 0)

    assert work_off() == 2
    assert set(Enrolment.objects.values_list("state", flat=True)) == {PersonState.SWITCHED}


def test_rollback_users_takes_one_person_back(run, customers):
    customers(2)
    run("migrate_users", "--users", "c1,c2")

    said, code = run("rollback_users", "--user", "c1")

    assert (said["total"], said["rolled_back"], code) == (1, 1, 0)
    assert 0 < said["effective_ms"] <= said["reconciled_ms"]
    again, code = run("rollback_users", "--user", "c1")
    assert (again["error"]["code"], code) == ("NOTHING_TO_UNDO", 1)
    nobody, code = run("rollback_users", "--user", "ghost")
    assert (nobody["error"]["code"], code) == ("PERSON_UNKNOWN", 2)


@pytest.mark.parametrize("words", [["--user", "c1, c2"], ["--user", "c1", "--user", "c2"], ["--users", "c2,c1,c2"]], ids=" ".join)
def test_rollback_users_takes_a_list_of_people_back(run, customers, words):
    customers(3)
    run("migrate_users", "--users", "c1,c2,c3")

    said, code = run("rollback_users", *words)

    assert (said["total"], said["rolled_back"], said["skipped"], code) == (2, 2, [], 0)
    assert 0 < said["effective_ms"] <= said["reconciled_ms"]
    assert set(Snapshot.objects.standing().values_list("person__user", flat=True)) == {"c3"}


def test_rollback_users_takes_the_others_back_where_one_is_unknown(run, customers):
    customers(2)
    run("migrate_users", "--users", "c1")

    said, code = run("rollback_users", "--user", "ghost,c1,c2")

    assert (said["total"], said["rolled_back"], code) == (1, 1, 1)
    assert [(each["user"], each["code"]) for each in said["skipped"]] == [("ghost", "PERSON_UNKNOWN"), ("c2", "NOTHING_TO_UNDO")]


@pytest.mark.parametrize("whom", ["wave", pytest.param("phase", marks=pytest.mark.slow), "all"])
def test_rollback_users_takes_many_back(run, customers, started, clock, whom):
    wave = started(*customers(3))
    run("migrate_users", "--wave", str(wave.pk))
    words = {"wave": ["--wave", str(wave.pk)], "phase": ["--phase", str(wave.phase_id)], "all": ["--all"]}[whom]

    dry, _ = run("rollback_users", *words, "--dry-run")
    assert (dry["rolled_back"], Snapshot.objects.standing().count(), is_killed()) == (3, 3, False)
    said, code = run("rollback_users", *words, reason="smoke")

    assert (said["total"], said["rolled_back"], said["edited"], code) == (3, 3, [], 0)
    assert is_killed() == (whom == "all")
    assert not SlotConfiguration.objects.exists()
    assert Event.objects.filter(reason="smoke").exists()


@pytest.mark.django_db(transaction=True)
def test_everybody_is_taken_back_while_the_queues_server_is_away(run, customers, started, settings, monkeypatch, tmp_path):
    wave = started(*customers(2))
    run("migrate_users", "--wave", str(wave.pk))
    monkeypatch.setitem(settings.RQ_QUEUES["phoenix"], "URL", f"unix://{tmp_path}/nobody.sock")

    said, code = run("rollback_users", "--all")

    assert (said["rolled_back"], code, SlotConfiguration.objects.count()) == (2, 0, 0)


def test_rollback_users_of_a_wave_that_has_not_started_is_refused(run, customers, planned):
    customers(1)

    said, code = run("rollback_users", "--wave", str(planned(limit=1).pk))

    assert (said["error"]["code"], code) == ("MOVE_REFUSED", 1)


def test_tick_counts_what_was_due_and_done(run, customers, started):
    wave = started(*customers(2))

    said, code = run("tick")

    assert (said["due"], said["done"], said["waves_to_wake"], code) == (1, 1, [wave.pk], 0)


def test_rollout_drives_a_wave_and_shows_the_state_of_all(run, customers, planned):
    customers(2)
    wave = planned(limit=2)
    for act, state in [("lock", "locked"), ("announce", "announced"), ("start", "running")]:
        said, code = run("rollout", act, str(wave.pk))
        assert (said["state"], code) == (state, 0)

    said, _ = run("rollout", "status")

    assert said["kill_switch"] is False
    assert said["plans"][0]["phases"][0]["waves"][0] == {
        "pk": wave.pk, "name": "Wave 1", "state": "running", "size": 2, "attempt": 1, "members": {"queued": 2},
        "stands": [],
        "progress": {
            "groups": {"waiting": 2, "working": 0, "on_slots": 0, "stuck": 0, "deferred": 0, "off": 0},
            "left": 2, "per_minute": None, "measured_s": None, "ends_at": None, "success": None, "causes": [],
        },
    }  # fmt: skip
    assert said["stands"] == []


def test_the_failed_of_a_wave_are_tried_again_and_status_says_what_went_wrong(run, customers, started, capsys):
    wave = started(*customers(3))
    failed = {"state": PersonState.NEEDS_ATTENTION, "code": "POISON", "text": "Look at the data.", "updated_at": AT}
    Enrolment.objects.filter(pk=wave.enrolments.first().pk).update(**failed)

    progress = run("rollout", "status")[0]["plans"][0]["phases"][0]["waves"][0]["progress"]
    capsys.readouterr()
    call_command("rollout", "status")

    assert progress["causes"] == [
        {"code": "POISON", "state": "needs_attention", "example": "Look at the data.", "people": 1}
    ]  # fmt: skip
    assert "1 of 3 people handled, 2 left" in capsys.readouterr().out
    chosen, _ = run("rollout", "select", "retry", "--wave", str(wave.pk), "--state", "validation_failed,needs_attention")
    said, code = run("rollout", "apply", str(chosen["pk"]), "--hash", chosen["hash"], "--reason", "mended")
    assert (said["applied"], wave.members_by_state(), code) == (1, {"queued": 3}, 0)


def test_what_waits_for_somebody_answers_four_questions(run, customers, planned, capsys):
    customers(1)
    wave = planned(limit=1)
    run("rollout", "lock", str(wave.pk))
    run("rollout", "pause", str(wave.pk), "--reason", "the shop is full", "--by", "mira")
    Wave.objects.filter(pk=wave.pk).update(starts_at=AT)

    stands = run("rollout", "needs")[0]["stands"]
    of_wave = run("rollout", "status")[0]["plans"][0]["phases"][0]["waves"][0]["stands"]

    assert [each for each in stands if each["subject"] == "wave"] == of_wave
    held = next(each for each in stands if each["code"] == "WAVE_HELD")
    assert (held["subject"], held["pk"], held["since"]) == ("wave", wave.pk, AT.isoformat())
    assert "the shop is full" in held["why"] and "mira" in held["why"] and held["then"] and held["who"] and held["by"]
    capsys.readouterr()
    call_command("rollout", "needs")
    assert "the shop is full" in capsys.readouterr().out


def test_the_same_commands_speak_to_people(customers, planned, capsys):
    customers(2)
    wave = planned(limit=2)

    call_command("migrate_users", wave=wave.pk)
    call_command("rollout", "status")
    call_command("rollback_users", wave=wave.pk)

    out = capsys.readouterr().out
    assert "2 of 2 migrated, 0 waiting." in out
    assert "2 members: 2 switched" in out
    assert "2 of 2 taken back" in out
    assert Wave.objects.get(pk=wave.pk).state == WaveState.ROLLED_BACK


def test_wrong_usage_is_one_object_that_names_the_next_step(run):
    said, code = run("rollout", "lock", "999")

    assert (said["error"]["code"], code) == ("WAVE_UNKNOWN", 2)
    assert said["error"]["text"] == "There is no wave 999. `manage.py rollout status` lists them."


def test_migrate_users_sends_nobody_to_a_wave_that_is_not_there(customer):
    customer("hostile", HOSTILE)

    with pytest.raises(CommandError) as unknown:
        call_command("migrate_users", users="ghost")
    with pytest.raises(CommandError) as dry:
        call_command("migrate_users", users="hostile", dry_run=True)
    with pytest.raises(CommandError) as real:
        call_command("migrate_users", users="hostile")

    assert "import_people" in str(unknown.value)
    assert "wave" not in f"{unknown.value} {dry.value}"
    assert str(real.value).endswith(f"Open wave {Wave.objects.get().pk} in the admin.")
