"""What all commands share: one JSON object, exit codes, and a dry run that leaves nothing behind."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from slots.errors import ComponentUnknown
from slots.management.base import NeedsPerson, PhoenixCommand, Report, WrongUsage
from slots.models import Component

pytestmark = pytest.mark.django_db


class AddComponent(PhoenixCommand):
    """Add one component, or fail in the way that is asked for."""

    def add_options(self, parser):
        parser.add_argument("key")

    def work(self, deed, *, key, **options):
        if key == "wrong":
            raise WrongUsage("Name a component.")
        if key == "unknown":
            raise ComponentUnknown(key)
        Component.objects.create(key=key, title=f"{deed.by}: {deed.reason}")
        needs = "Look at the half of it." if key == "half" else ""
        return Report({"added": [key]}, [f"Added {key}."], needs)


def run(*args, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(AddComponent(), *args, stdout=out, stderr=err, **options)
    return out.getvalue()


def test_json_is_one_object_with_the_dry_run_named():
    printed = run("a", as_json=True)

    assert json.loads(printed) == {"added": ["a"], "dry_run": False}


def test_dry_run_does_the_work_and_undoes_it():
    printed = run("a", dry_run=True)

    assert printed == "Added a.\nDry run: everything above was undone.\n"
    assert not Component.objects.exists()


def test_real_run_stays():
    run("a", by="alice", reason="spring")

    assert list(Component.objects.values_list("key", "title")) == [("a", "alice: spring")]


def test_exit_code_is_one_where_a_person_is_needed():
    with pytest.raises(NeedsPerson) as raised:
        run("half")

    assert raised.value.returncode == 1
    assert raised.value.report.data == {"added": ["half"]}


def test_what_is_not_there_is_said_with_its_code_and_exit_code_two():
    out = io.StringIO()
    with pytest.raises(CommandError) as raised:
        call_command(AddComponent(), "unknown", as_json=True, stdout=out)

    assert raised.value.returncode == 2
    assert json.loads(out.getvalue())["error"]["code"] == "COMPONENT_UNKNOWN"


def test_wrong_usage_has_exit_code_two_and_is_one_object_with_json():
    out = io.StringIO()
    with pytest.raises(WrongUsage) as raised:
        call_command(AddComponent(), "wrong", as_json=True, stdout=out)

    assert raised.value.returncode == 2
    assert json.loads(out.getvalue()) == {"error": {"code": "WRONG_USAGE", "text": "Name a component."}}


def test_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    command = AddComponent()

    call_command(command, "a", stdout=io.StringIO())

    assert command.style.ERROR("x") == "x"


def test_progress_is_silent_without_a_terminal():
    command = AddComponent(stderr=io.StringIO())

    with command.ticking("Adding", total=3) as ticker:
        ticker.advance(3)

    assert command.stderr._out.getvalue() == ""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_progress_shows_on_a_terminal():
    command = AddComponent(stderr=Terminal())

    with command.ticking("Adding", total=3) as ticker:
        ticker.advance(3)

    assert "Adding" in command.stderr._out.getvalue()
