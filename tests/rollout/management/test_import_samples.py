"""Importing samples: what is taken in once, and what is refused by line with its reason."""

import json

import pytest

from rollout.models import Sample
from tests.rollout.management.test_commands import run

__all__ = ["run"]
pytestmark = pytest.mark.django_db
RECORD = {
    "metric": "uptime",
    "numerator": 99,
    "denominator": 100,
    "count": 100,
    "taken_at": "2020-01-02T10:00:00Z",
    "source": "p",
}


@pytest.fixture
def file_of(tmp_path):
    """What writes records, or lines as they are, into a file."""

    def write(*records):
        path = tmp_path / "samples.jsonl"
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    return write


def test_samples_are_imported_once_and_bad_ones_are_named(run, file_of, phase):
    place = {"plan": "Autumn", "phase": "Pilot", "arm": "control", "note": "by night"}
    path = file_of({**RECORD, "key": "1"}, "nonsense", {**RECORD, "key": "2", **place}, {**RECORD, "numerator": 101})

    said, code = run("import_samples", path, by="alice")

    assert (said["imported"], said["unchanged"], code) == (2, 0, 1)
    assert [(each["code"], each["line"]) for each in said["rejected"]] == [("NOT_JSON", 2), ("SAMPLE_INVALID", 4)]
    row = Sample.objects.get(key="2")
    assert (row.phase, row.plan, row.arm, row.by) == (phase, phase.plan, "control", "alice")
    said, _ = run("import_samples", path)
    assert (said["imported"], said["unchanged"], Sample.objects.count()) == (0, 2, 2)


def test_a_dry_run_keeps_nothing(run, file_of):
    said, code = run("import_samples", file_of(RECORD), "--dry-run")

    assert (said["imported"], code, Sample.objects.count()) == (1, 0, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "luck"}, "luck"),
        ({"metric": None}, "None"),
        ({"arm": "both"}, "both"),
        ({"arm": "revalidated"}, "measured, not entered"),
        ({"numerator": "99"}, "are numbers"),
        ({"denominator": True}, "are numbers"),
        ({"count": 1.5}, "whole one"),
        ({"numerator": 10**400}, "cannot be read"),
        ({"taken_at": "yesterday"}, "cannot be read"),
        ({"taken_at": 5}, "cannot be read"),
        ({"taken_at": "2020-01-02T10:00:00"}, "has a zone"),
        ({"taken_at": "2099-01-02T10:00:00Z"}, "future"),
        ({"source": 1}, "source is text"),
        ({"source": ""}, "names its source"),
        ({"plan": "Winter"}, "no plan 'Winter'"),
        ({"plan": "Autumn", "phase": "Beta"}, "no phase 'Beta'"),
        ({"phase": "Pilot"}, "together with its plan"),
        ({"mood": "good"}, "no mood"),
    ],
)
def test_what_is_no_measurement_is_refused_with_the_reason(run, file_of, phase, changes, words):
    said, code = run("import_samples", file_of({**RECORD, **changes}))

    assert (said["imported"], code) == (0, 1)
    assert words in said["rejected"][0]["text"]
    assert not Sample.objects.exists()


def test_a_record_that_lacks_something_says_what(run, file_of):
    said, _ = run("import_samples", file_of({"metric": "uptime"}))

    assert "It lacks numerator, denominator, count, taken_at, source." in said["rejected"][0]["text"]


def test_a_file_that_is_not_there_is_wrong_usage(run):
    assert run("import_samples", "nowhere.jsonl")[1] == 2
