"""Who is in a wave, from the shell: previews, exclusion, deferral."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from rollout.actions.people import exclude_person
from rollout.actions.waves import lock_wave
from rollout.models import Enrolment, Wave
from rollout.states import PersonState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    """What runs `manage.py rollout` with --json, and returns its object and its exit code."""

    def call(*words):
        code = 0
        try:
            call_command("rollout", *map(str, words), "--json")
        except CommandError as error:
            code = error.returncode
        out = capsys.readouterr().out
        return (json.loads(out) if out else None), code

    return call


@pytest.fixture
def mixed(customer, planned):
    """A planned wave of eight people in three regions, mixed, with a holdout."""
    for number in range(8):
        customer(f"u{number}", region=["EU", "US", ""][number % 3])
    wave = planned(limit=4)
    Wave.objects.filter(pk=wave.pk).update(audience={"limit": 4, "strata": ["region"], "holdout": 25})
    wave.refresh_from_db()
    return wave


def test_a_preview_shows_the_numbers_of_the_lock(run, mixed):
    before, code = run("preview", mixed.pk)
    run("lock", mixed.pk)
    after, _ = run("preview", mixed.pk)

    assert (code, before["fixed"], after["fixed"]) == (0, False, True)
    assert [each["user"] for each in before["taken"]] == [each["user"] for each in after["taken"]]
    assert [each["why"] for each in before["taken"]] == [each["why"] for each in after["taken"]]
    assert before["size"] == after["size"] == 4
    assert after["members"] == {"enrolled": 3, "holdout": 1}
    assert [each["user"] for each in after["taken"] if each["state"] == "holdout"] == before["held_out"]
    assert sum(each["taken"] for each in before["strata"]) == 4
    assert before["reasons"] == [{"code": "BEYOND_THE_NUMBER", "text": "Matches, but 4 others come first.", "people": 4}]


def test_a_preview_on_a_terminal_names_the_first(mixed, capsys):
    call_command("rollout", "preview", str(mixed.pk))

    shown = capsys.readouterr().out
    assert "4 people, 1 of them held out" in shown
    assert "rank " in shown


def test_a_wave_that_falls_short_needs_a_person(run, mixed):
    Wave.objects.update(audience={"limit": 9, "rules": [{"trait": "region", "one_of": ["EU"]}]})

    said, code = run("preview", mixed.pk)

    assert (said["size"], said["short"], code) == (3, 6, 1)
    assert {each["code"]: each["people"] for each in said["reasons"]} == {"RULE_NOT_MET": 3, "TRAIT_UNKNOWN": 2}


def test_people_are_left_out_by_name_and_rule(run, mixed):
    lock_wave(mixed, **SAID)
    waiting = mixed.enrolments.filter(state=PersonState.ENROLLED)
    name = waiting.first().person.user

    said, code = run("exclude-people", mixed.pk, "--users", f"{name},ghost")
    assert (said["excluded"], said["missing"], code) == (1, ["ghost"], 1)
    said, code = run("exclude-people", mixed.pk, "--rules", '[{"trait": "customizations", "at_least": 1}]')
    assert (said["excluded"], code) == (2, 0)
    assert run("exclude-people", mixed.pk, "--rules", "{nonsense")[1] == 2
    said, code = run("exclude-people", mixed.pk, "--rules", '[{"trait": "shoe"}]')
    assert (said["error"]["code"], code) == ("AUDIENCE_INVALID", 1)


def test_one_person_is_left_out(run, mixed):
    lock_wave(mixed, **SAID)
    row = mixed.enrolments.filter(state=PersonState.ENROLLED).first()

    assert run("exclude", row.pk) == ({"enrolment": row.pk, "state": "excluded", "dry_run": False}, 0)
    assert run("exclude", 999_999)[1] == 2


def test_the_comparison_is_ended(run, mixed):
    lock_wave(mixed, **SAID)

    assert run("release-holdout", mixed.pk)[0]["released"] == 1


def test_somebody_is_deferred_and_comes_back(run, mixed, planned):
    lock_wave(mixed, **SAID)
    row = mixed.enrolments.filter(state=PersonState.ENROLLED).first()
    later = planned(limit=1)
    said, code = run("defer", row.pk, "--to", later.pk)
    assert (said["error"]["code"], code) == ("DEFERRAL_MISPLACED", 1)
    Wave.objects.filter(pk=mixed.pk).update(starts_at=AT)
    Wave.objects.filter(pk=later.pk).update(starts_at=AT + timedelta(days=3))

    tried, _ = run("defer", row.pk, "--to", later.pk, "--dry-run")
    assert (tried["state"], Enrolment.objects.get(pk=row.pk).state) == ("deferred", "enrolled")
    said, code = run("defer", row.pk, "--to", later.pk)
    assert (said["state"], said["wave"], said["deferrals"], code) == ("deferred", later.pk, 1, 0)

    assert run("withdraw", row.pk) == ({"enrolment": row.pk, "state": "enrolled", "dry_run": False}, 0)
    exclude_person(Enrolment.objects.get(pk=row.pk), **SAID, reason="because")
    said, code = run("withdraw", row.pk)
    assert (said["error"]["code"], code) == ("MOVE_REFUSED", 1)
