"""The commands: their JSON, their exit codes, and what they choose."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from migration.models import Customization, Person, Translation
from migration.states import CustomizationState
from slots.management.base import NeedsPerson, WrongUsage
from slots.models import ComponentVersion
from tests.migration.conftest import NEW, edit, line, ship

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]
KEYS = {
    "translate": {"total", "translated", "proven", "replaced_source", "failed", "fineness_mean", "ops_by_kind"},
    "validate_users": {"total", "equal", "below_threshold", "similarity_min", "similarity_mean"},
}


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Return what runs a command and returns its exit code and JSON."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        code = 0
        try:
            call_command(*arguments, "--json")
        except NeedsPerson as left:
            code = left.returncode
        return code, json.loads(capsys.readouterr().out)

    return run


def test_whole_way(card: ComponentVersion, write: Write, call: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    people = write([{"user": "bob"}, {"user": "carol"}], "people.jsonl")
    diffs = write([line(), line("carol")])

    assert call("import_people", str(people))[1]["imported"] == 2
    assert call("import_customizations", str(diffs))[1]["imported"] == 2
    code, translated = call("translate", "--all")
    assert (code, KEYS["translate"] <= translated.keys()) == (0, True)
    assert (translated["total"], translated["proven"], translated["failed"], translated["fineness_mean"]) == (2, 2, 0, 1.0)
    code, validated = call("validate_users", "--all")
    assert (code, KEYS["validate_users"] <= validated.keys()) == (0, True)
    assert (validated["equal"], validated["similarity_min"], validated["similarity_mean"]) == (2, 1.0, 1.0)


def test_what_needs_a_person_leaves_with_one(
    card: ComponentVersion, write: Write, call: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    script = edit(NEW, ("In stock", "<script>x</script>"))
    call("import_customizations", str(write([line(), line("carol", script), line("dave", "broken")])))

    code, translated = call("translate", "--all")
    assert (code, translated["translated"], translated["needs_review"], translated["failed"]) == (1, 2, 1, 1)
    code, validated = call("validate_users", "--all")
    assert (code, validated["passed"], validated["not_rendered"], validated["skipped"]) == (1, 1, 1, 1)
    carols, daves = translated["needs_person"]
    assert (carols["user"], carols["component"], carols["code"]) == ("carol", "shop.card", "UNSAFE_HTML")
    assert (carols["place"], carols["more"]) == ("card/hint/text", 1)
    assert (daves["user"], daves["code"], daves["line"], daves["more"]) == ("dave", "DIFF_MALFORMED", 1, 0)
    assert validated["needs_person"] == translated["needs_person"]


@pytest.mark.parametrize("command", ["translate", "validate_users"])
def test_first_ten_who_need_a_person_are_named_in_lines(
    card: ComponentVersion, write: Write, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    diffs = [line(f"user{number:02}", "broken") for number in range(12)]
    with pytest.raises(NeedsPerson):
        call_command("import_customizations", str(write(diffs)))
    capsys.readouterr()

    with pytest.raises(NeedsPerson):
        call_command(command, "--all")

    shown = [text for text in capsys.readouterr().out.splitlines() if text.startswith("  ")]
    assert [text.split()[:2] for text in shown[:-1]] == [[f"user{number:02}", "shop.card"] for number in range(10)]
    assert shown[-1] == "  … and 2 more; --json lists them all."


def test_who_was_never_translated_is_named_by_the_comparison(
    card: ComponentVersion, write: Write, call: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    call("import_customizations", str(write([line()])))

    code, validated = call("validate_users", "--all")

    assert (code, [(each["user"], each["code"]) for each in validated["needs_person"]]) == (1, [("bob", "NOT_TRANSLATED")])


@pytest.mark.parametrize(
    ("chosen", "people"),
    [(["--user", "bob"], {"bob"}), (["--component", "shop.other"], {"carol"}), (["--all"], {"bob", "carol", "dave"})],
)
def test_chosen_customizations_are_translated(card: ComponentVersion, write: Write, chosen: list[str], people: set[str]) -> None:
    ship("2.0", NEW, key="shop.other")
    lines = [line(), line("carol", component="shop.other"), line("dave")]
    call_command("import_customizations", str(write(lines)), "--json")

    call_command("translate", *chosen)

    done = Customization.objects.filter(state=CustomizationState.TRANSLATED)
    assert set(done.values_list("person__user", flat=True)) == people


def test_dry_run_is_the_real_run_without_its_effect(
    card: ComponentVersion, write: Write, call: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    call("import_customizations", str(write([line()])))

    _code, said = call("translate", "--all", "--dry-run")

    assert (said["dry_run"], said["translated"]) == (True, 1)
    assert not Translation.objects.exists()
    assert Customization.objects.get().state == CustomizationState.IMPORTED
    assert {**call("translate", "--all")[1], "dry_run": True} == said


@pytest.mark.parametrize(
    "arguments",
    [
        ("translate",),
        ("translate", "--all", "--user", "bob"),
        ("translate", "--user", "nobody"),
        ("validate_users", "--component", "shop.nothing"),
        ("import_people", "no-such-file.jsonl"),
        ("import_people", "."),
        ("import_customizations", "no-such-file.jsonl"),
    ],
)
def test_wrong_usage_leaves_with_two(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(WrongUsage) as left:
        call_command(*arguments)

    assert left.value.returncode == 2


@pytest.mark.parametrize("command", ["translate", "validate_users"])
def test_an_unknown_person_is_said_as_json(db: None, capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(WrongUsage):
        call_command(command, "--user", "nobody", "--json")

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "PERSON_UNKNOWN"
    assert "import_people" in error["text"]


@pytest.mark.parametrize("command", ["import_people", "import_customizations"])
def test_import_of_nothing_needs_a_person(db: None, write: Write, command: str) -> None:
    with pytest.raises(NeedsPerson, match="There is no record"):
        call_command(command, str(write([])))


def test_people_are_told_what_was_rejected(card: ComponentVersion, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write([line(), b"{", line("carol", "broken", colour="red")])

    with pytest.raises(NeedsPerson, match="2 records need a person: DIFF_MALFORMED 1, NOT_JSON 1"):
        call_command("import_customizations", str(path))

    said = capsys.readouterr().out
    assert f"{path.name}:2 NOT_JSON: " in said
    assert f"{path.name}:3 DIFF_MALFORMED (diff line 1): " in said
    assert "Fields that nothing reads: colour." in said
    assert Person.objects.count() == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "What was read is kept; the admin lists it."), (("--dry-run",), "Nothing was kept: this was a dry run.")],
)
def test_import_says_whether_anything_was_kept(
    card: ComponentVersion, write: Write, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(NeedsPerson) as left:
        call_command("import_customizations", str(write([line(component="shop.nothing")])), *arguments)

    assert str(left.value) == f"1 record needs a person: COMPONENT_UNKNOWN 1. {said}"
    assert "unchanged 0, stored, needs a person: 1." in capsys.readouterr().out
    assert Customization.objects.exists() is not bool(arguments)


def test_bytes_are_counted_from_one_by_every_import(
    db: None, write: Write, call: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    path = str(write([b'{"user": \xff}']))

    for command in ("import_components", "import_people", "import_customizations"):
        assert "Byte 10 " in call(command, path)[1]["rejected"][0]["text"]


def test_lines_round_numbers_and_leave_out_what_there_is_none_of(
    card: ComponentVersion, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_customizations", str(write([line()])))
    with pytest.raises(NeedsPerson):
        call_command("validate_users", "--all")
    assert "similarity" not in capsys.readouterr().out
    call_command("translate", "--all")
    call_command("validate_users", "--all")

    said = capsys.readouterr().out
    assert "0 replace the whole source; mean fineness 1." in said
    assert "smallest similarity 1, mean 1." in said
