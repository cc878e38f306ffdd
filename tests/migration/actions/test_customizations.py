"""Importing customizations: what becomes of every kind of record, and that nothing is lost or done twice."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.actions import import_customizations
from migration.models import Customization, CustomizationEvent, Finding, Person, RejectedRecord
from migration.states import CustomizationState
from slots.models import ComponentVersion
from tests.migration.conftest import AT, CARD, NEW, ORDER_NOW, edit, line, ship

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]


def run(*paths: Path, at: Any = AT) -> Any:
    return import_customizations(paths, at=at, by="alice", reason="first import")


def everything() -> list[Any]:
    """Return what the database holds about customizations."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Person, Customization, CustomizationEvent, Finding, RejectedRecord, Customization.history.model)
    ]


def test_record_becomes_row_with_history(card: ComponentVersion, write: Write) -> None:
    report = run(write([line()]))

    row = Customization.objects.get()
    assert report.as_json() | {"rejected": report.rejected} == {
        "total": 1,
        "imported": 1,
        "updated": 0,
        "unchanged": 0,
        "stored": 0,
        "rejected": [],
        "rejected_by_code": {},
        "ignored_fields": {},
    }
    assert (row.person.user, row.component_key, row.base_version, row.base) == ("bob", CARD, "2.0", card)
    assert row.diff == edit(NEW, ORDER_NOW)
    assert row.state == CustomizationState.IMPORTED
    entry = row.history.get()
    assert (entry.history_type, entry.history_user_id, entry.history_change_reason, entry.history_date) == (
        "+",
        "alice",
        "first import",
        AT,
    )
    assert entry.act is not None


def test_importing_twice_equals_once(card: ComponentVersion, write: Write) -> None:
    lines = [
        line(),
        line("carol", base_version="0.1"),
        line("dave", "no diff at all"),
        line("bob", external_id="second"),
        line("erin", component="shop.unknown"),
        b"{",
        line("frank", external_id="same"),
        line("frank", external_id="same", active=False),
    ]
    path = write(lines)
    first = run(path)
    before = everything()

    second = run(path)

    assert everything() == before
    assert (first.imported, first.unchanged) == (2, 0)
    assert (second.imported, second.unchanged) == (0, 2)
    assert [each.code for each in second.rejected] == [each.code for each in first.rejected]
    assert first.total == second.total == len(lines)


def test_changed_record_starts_again(card: ComponentVersion, write: Write) -> None:
    run(write([line()]))
    Customization.objects.update(state=CustomizationState.VALIDATED)

    report = run(write([line(text=edit(NEW, ("Add to cart", "Take it")))]))

    row = Customization.objects.get()
    assert (report.imported, report.updated) == (1, 1)
    assert '+    <button class="buy">Take it</button>' in row.diff
    assert (row.state, row.version) == (CustomizationState.IMPORTED, 2)
    assert list(row.history.values_list("history_type", flat=True)) == ["~", "+"]


def test_changed_record_of_migrated_person_is_refused(card: ComponentVersion, write: Write) -> None:
    run(write([line()]))
    Customization.objects.update(state=CustomizationState.MIGRATED)

    report = run(write([line(active=False)]))

    assert [each.code for each in report.rejected] == ["ALREADY_MIGRATED"]
    assert Customization.objects.get().is_active
    assert RejectedRecord.objects.get().user == "bob"


def test_mended_record_drops_its_finding(card: ComponentVersion, write: Write) -> None:
    run(write([line(text="broken")]))
    assert Customization.objects.get().state == CustomizationState.REJECTED

    run(write([line()]))

    assert not Finding.objects.exists()
    assert Customization.objects.get().state == CustomizationState.IMPORTED


def test_record_imported_after_all_settles_its_rejection(card: ComponentVersion, write: Write) -> None:
    run(write([line(active="yes")]))
    rejected = RejectedRecord.objects.get()
    assert (rejected.user, rejected.external_id, rejected.settled_at) == ("bob", "bob/card", None)

    run(write([line()]))

    rejected.refresh_from_db()
    assert (rejected.settled_at, rejected.settled_by) == (AT, "alice")


def test_component_imported_later_is_linked_by_next_import(write: Write, db: None) -> None:
    path = write([line()])
    assert [each.code for each in run(path).rejected] == ["COMPONENT_UNKNOWN"]
    version = ship("2.0", NEW)

    report = run(path)

    assert (report.imported, report.rejected) == (1, [])
    assert Customization.objects.get().base == version


def test_unknown_version_is_question_for_person(card: ComponentVersion, write: Write) -> None:
    report = run(write([line(base_version="0.9")]))

    assert Customization.objects.get().state == CustomizationState.NEEDS_REVIEW
    assert [(each.code, each.stored, each.line) for each in report.rejected] == [("VERSION_UNKNOWN", True, 1)]


def test_fields_that_nothing_reads_are_named(card: ComponentVersion, write: Write) -> None:
    report = run(write([line(colour="green"), line("carol", colour="red")]))

    assert report.as_json()["ignored_fields"] == {"colour": 2}


def test_corpus_record_brings_component_and_person(write: Write, db: None) -> None:
    report = run(
        write(
            [
                {
                    "id": "theme-1",
                    "base_package": "Shop",
                    "component": "card.html",
                    "base_version": "1.9",
                    "base_source": NEW,
                    "diff": edit(NEW, ORDER_NOW),
                    "upgrades": [{"version": "1.10", "source": NEW + "<!-- more -->\n"}],
                    "kind": "override",
                }
            ]
        )
    )

    row = Customization.objects.get()
    assert (report.imported, report.rejected, report.ignored_fields) == (1, [], {})
    assert (row.person.user, row.component_key, row.base_version) == ("corpus:theme-1", "Shop:card.html", "1.9")
    assert row.component is not None
    assert row.component.current_version.version == "1.10"


def test_query_count_is_constant(card: ComponentVersion, write: Write) -> None:
    counts = []
    for size in (3, 30):  # SQLite takes about 50 rows of this width in one statement
        path = write([line(f"user{size}-{index}") for index in range(size)])
        with CaptureQueriesContext(connection) as queries:
            run(path)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_folder_of_diffs(card: ComponentVersion, tmp_path: Path) -> None:
    folder = tmp_path / "diffs"
    (folder / "bob").mkdir(parents=True)
    (folder / "bob" / f"{CARD}@2.0.diff").write_text(edit(NEW, ORDER_NOW))
    (folder / "carol").mkdir()
    (folder / "carol" / f"{CARD}@2.0.diff").write_bytes(b"--- a\n+++ b\n\xff\n")
    (folder / "stray.txt").write_text("?")

    report = run(folder)

    row = Customization.objects.get()
    assert (row.person.user, row.external_id, row.is_active) == ("bob", f"bob/{CARD}@2.0", True)
    assert [(each.code, each.user) for each in report.rejected] == [("PATH_INVALID", ""), ("NOT_UTF8", "carol")]
    kept = RejectedRecord.objects.get(code="NOT_UTF8")
    assert bytes(kept.content) == b"--- a\n+++ b\n\xff\n"
    assert (kept.user, kept.line) == ("carol", 3)


def test_file_name_that_is_no_utf8_is_kept_aside(card: ComponentVersion, tmp_path: Path) -> None:
    folder = tmp_path / "diffs"
    (folder / "bob").mkdir(parents=True)
    (folder / "bob" / os.fsdecode(b"shop.\xff@2.0.diff")).write_text(edit(NEW, ORDER_NOW))

    report = run(folder)

    assert [(each.code, each.user) for each in report.rejected] == [("FIELD_INVALID", "bob")]
    assert RejectedRecord.objects.get().source.endswith("shop.?@2.0.diff")


def test_history_equals_that_of_single_saves(card: ComponentVersion, write: Write) -> None:
    run(write([line()]))
    row = Customization.objects.get()
    bulk = row.history.get()
    row.save()
    single = row.history.first()

    names = [field.attname for field in Customization.history.model.tracked_fields]
    assert {name: getattr(bulk, name) for name in names} == {name: getattr(single, name) for name in names}
