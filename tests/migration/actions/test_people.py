"""Importing people."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.actions import import_people
from migration.models import Person, RejectedRecord
from tests.migration.conftest import AT

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]
BOB = {
    "user": "bob",
    "email": "bob@example.org",
    "region": "eu-west",
    "time_zone": "Europe/Berlin",
    "language": "de",
    "engagement": 0.25,
    "technical": True,
    "internal": False,
    "signed_up_at": "2025-01-31T10:00:00+01:00",
}


def run(*paths: Path) -> Any:
    return import_people(paths, at=AT, by="alice")


def test_person_becomes_row(write: Write) -> None:
    report = run(write([BOB]))

    row = Person.objects.get()
    assert (report.imported, report.rejected) == (1, [])
    assert (row.tenant, row.user, row.email, row.region) == ("default", "bob", "bob@example.org", "eu-west")
    assert (row.engagement, row.is_technical, row.is_internal) == (0.25, True, False)
    assert row.signed_up_at == datetime(2025, 1, 31, 9, tzinfo=UTC)


def test_importing_twice_equals_once(write: Write) -> None:
    path = write([BOB, {"user": "carol", "tenant": "other"}, {"user": 7}])
    run(path)
    before = list(Person.objects.values())

    report = run(path)

    assert (report.imported, report.unchanged, len(report.rejected)) == (0, 2, 1)
    assert list(Person.objects.values()) == before
    assert RejectedRecord.objects.count() == 1


def test_field_left_out_stays_as_it_was(write: Write) -> None:
    run(write([BOB]))

    report = run(write([{"user": "bob", "region": "latam", "engagement": None}]))

    row = Person.objects.get()
    assert (report.updated, row.region, row.engagement, row.email) == (1, "latam", None, "bob@example.org")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("time_zone", "Mars/Olympus"),
        ("engagement", 1.5),
        ("engagement", "high"),
        ("engagement", True),
        ("technical", "yes"),
        ("signed_up_at", "yesterday"),
        ("region", "x" * 51),
        ("user", " bob"),
        ("tenant", 3),
    ],
)
def test_bad_field_is_named_and_the_rest_goes_on(write: Write, field: str, value: Any) -> None:
    report = run(write([BOB | {field: value}, {"user": "carol"}]))

    assert [(each.line, each.code) for each in report.rejected] == [
        (1, "LIMIT_EXCEEDED" if field == "region" else "FIELD_INVALID")
    ]
    assert f"'{field}'" in report.rejected[0].text
    assert list(Person.objects.values_list("user", flat=True)) == ["carol"]
    assert RejectedRecord.objects.get().line == 1


def test_query_count_is_constant(write: Write) -> None:
    counts = []
    for size in (2, 60):
        path = write([{"user": f"user{size}-{index}"} for index in range(size)])
        with CaptureQueriesContext(connection) as queries:
            run(path)
        counts.append(len(queries))

    assert counts[0] == counts[1]
