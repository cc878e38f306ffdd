"""The review queue from the shell: what it lists, what it shows, and that it decides only what was shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from migration.actions import import_customizations, translate_customizations, validate_customizations
from migration.models import Customization, Decision, Finding
from slots.management.base import WrongUsage
from slots.models import ComponentVersion
from tests.migration.conftest import AT, CARD, LOST, NEW, edit, line

pytestmark = pytest.mark.django_db
SCRIPT = edit(NEW, ("In stock", "In stock<hr onclick=x>"))
Call = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def people(card: ComponentVersion, write: Callable[..., Path]) -> None:
    """Have two people whose diffs the policy refuses, and one whose customization the old system lost."""
    lines = [line("bob", SCRIPT), line("carol", SCRIPT), line("dave", LOST, base_version="1.0")]
    import_customizations([write(lines)], at=AT, by="alice")
    keys = list(Customization.objects.values_list("pk", flat=True))
    translate_customizations(keys, at=AT, by="alice")
    validate_customizations(keys, at=AT, by="alice")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Return what runs the command as dora and returns its JSON."""

    def run(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        call_command("review", *arguments, "--by", "dora", "--json")
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def test_list_names_groups_with_most_people_first(call: Call) -> None:
    found = call("list")

    assert (found["total"], found["people"], found["upgrade_conflicts"]) == (2, 3, [])
    first = found["groups"][0]
    assert {
        name: first[name] for name in ("kind", "component", "version", "codes", "people", "severity", "can_accept", "diffs")
    } == {
        "kind": "policy",
        "component": CARD,
        "version": "2.0",
        "codes": ["UNSAFE_HTML"],
        "people": 2,
        "severity": "blocking",
        "can_accept": True,
        "diffs": 1,
    }
    assert [each["kind"] for each in call("list", "--kind", "restores")["groups"]] == ["restores"]
    assert call("list", "--component", "shop.other")["total"] == 0
    assert call("list", "--kind", "upgrade")["total"] == 0


def test_group_is_shown_and_accepted(call: Call) -> None:
    group = call("list", "--kind", "restores")["groups"][0]["digest"]

    shown = call("show", group[:10])
    done = call("accept", group[:10], "--shown", shown["shown"], "--reason", "they asked for it")

    assert [(each["person"], each["look"]) for each in shown["sample"]] == [("dave", "as_found")]
    assert (done["people"], done["findings"], done["validated"]["passed"]) == (1, 1, 1)
    assert Customization.objects.get(person__user="dave").state == "validated"
    assert Finding.objects.get(decision="accepted").decided_by == "dora"


def test_dry_run_decides_nothing(call: Call) -> None:
    group = call("list")["groups"][0]["digest"]
    shown = call("show", group)["shown"]

    done = call("reject", group, "--shown", shown, "--reason", "no", "--dry-run")

    assert (done["people"], done["states"], done["dry_run"]) == (2, {"rejected": 2}, True)
    assert set(Finding.objects.values_list("decision", flat=True)) == {Decision.OPEN}


@pytest.mark.parametrize("word", ["accept", "reject"])
def test_nothing_is_decided_by_who_does_not_say_what_was_shown(call: Call, word: str) -> None:
    group = call("list")["groups"][0]["digest"]
    call("show", group)

    with pytest.raises(CommandError, match="--shown"):
        call(word, group, "--reason", "no")

    assert set(Finding.objects.values_list("decision", flat=True)) == {Decision.OPEN}


def test_a_group_that_changed_since_it_was_shown_is_not_decided(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    group = call("list")["groups"][0]["digest"]
    shown = call("show", group)["shown"]
    Customization.objects.filter(person__user="bob").update(is_active=False)

    with pytest.raises(CommandError) as caught:
        call("reject", group, "--shown", shown, "--reason", "no")

    assert caught.value.returncode == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "GROUP_CHANGED"
    assert set(Finding.objects.values_list("decision", flat=True)) == {Decision.OPEN}


@pytest.mark.parametrize("beginning", ["", "nothing"])
def test_group_is_named_by_one_beginning(call: Call, beginning: str) -> None:
    with pytest.raises(WrongUsage):
        call("show", beginning)


def test_people_read_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("review", "list")
    said = capsys.readouterr().out
    call_command("review", "show", said.split()[0], "--by", "dora")
    shown = capsys.readouterr().out
    hash_ = shown.rpartition("--shown ")[2].split()[0]
    call_command("review", "reject", said.split()[0], "--shown", hash_, "--by", "dora", "--reason", "no")

    assert "shop.card@2.0  UNSAFE_HTML (refused by the policy)" in said
    assert "2 groups of 3 customizations wait for a decision." in said
    assert "A sample of 2 of 2:" in shown
    assert "bob/card, made against 2.0: not rendered" in shown
    assert "2 customizations, 1 findings refused." in capsys.readouterr().out
