"""The files that the old shop's export would hand over: people, customizations and a folder of diffs, with a few bad lines.

Streams: one customer at a time is in memory, whatever their number.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phoenix.demo.customers import INTERNAL, Customer
from phoenix.demo.records import Category, Record

IN_FOLDER = 10  # the records of every tenth ordinary customer come as files in a folder


@dataclass(frozen=True, slots=True)
class BadLine:
    """Hold a line that is no record: its bytes, what is wrong with it, and the code it has to be refused with."""

    label: str
    content: bytes
    code: str


_RECORD = {
    "external_id": "nobody/shop.product_card",
    "user": "nobody",
    "component": "shop.product_card",
    "base_version": "2.2",
    "diff": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "active": True,
    "created_at": "2026-10-01T09:00:00+00:00",
}


def _line(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


BAD_CUSTOMIZATIONS = (
    BadLine("cut off", _line(_RECORD)[:70], "NOT_JSON"),
    BadLine("a list", _line([1, 2, 3]), "NOT_OBJECT"),
    BadLine("no diff", _line({key: value for key, value in _RECORD.items() if key != "diff"}), "FIELD_MISSING"),
    BadLine("diff is a number", _line({**_RECORD, "diff": 42}), "FIELD_INVALID"),
    BadLine("Latin-1", _line(_RECORD)[:-1] + ', "note": "café"}'.encode("latin-1"), "NOT_UTF8"),
    BadLine("impossible date", _line({**_RECORD, "created_at": "2026-02-30"}), "FIELD_INVALID"),
)
BAD_PEOPLE = (
    BadLine("not JSON", b"user=nobody;region=eu-west", "NOT_JSON"),
    BadLine("no user", _line({"email": "nobody@customers.example"}), "FIELD_MISSING"),
    BadLine("engagement above 1", _line({"user": "nobody", "engagement": 1.7}), "FIELD_INVALID"),
)


@dataclass(slots=True)
class Export:
    """Say what was written where: the files, and every record by the place that names it after the import."""

    people: Path
    customizations: Path
    folder: Path
    customers: int = 0
    records: list[Record] = field(default_factory=list)
    bad_lines: dict[tuple[Path, int], BadLine] = field(default_factory=dict)


def write_export(folder: Path, customers: Iterable[Customer], *, with_bad_lines: bool = True) -> Export:
    """Write `people.jsonl`, `customizations.jsonl` and `diffs/USER/COMPONENT@BASE.diff` below `folder`.

    Bad lines are strewn in unless `with_bad_lines` is off. Files of an earlier run are replaced; files that this run does not
    write again are removed from `diffs`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    export = Export(folder / "people.jsonl", folder / "customizations.jsonl", folder / "diffs")
    written: set[Path] = set()
    with export.people.open("wb") as people, export.customizations.open("wb") as customizations:
        lines = _Lines(export, people=people, customizations=customizations, with_bad=with_bad_lines)
        for index, customer in enumerate(customers):
            lines.add_person(customer)
            for record in customer.records:
                if index >= INTERNAL and index % IN_FOLDER == 0 and _fits_folder(record):
                    written.add(_write_file(export.folder, record))
                else:
                    lines.add_record(record)
                export.records.append(record)
            export.customers += 1
        lines.finish()
    _remove_others(export.folder, written)
    return export


class _Lines:
    """Write the two JSON Lines files, with the bad lines strewn in at fixed distances."""

    def __init__(self, export: Export, *, people: Any, customizations: Any, with_bad: bool) -> None:
        self._export = export
        self._files = {export.people: people, export.customizations: customizations}
        self._counts = {export.people: 0, export.customizations: 0}
        self._waiting = {
            export.people: list(BAD_PEOPLE if with_bad else ()),
            export.customizations: list(BAD_CUSTOMIZATIONS if with_bad else ()),
        }
        self._has_doubles = not with_bad

    def add_person(self, customer: Customer) -> None:
        self._write(self._export.people, _line(customer.as_json()))

    def add_record(self, record: Record) -> None:
        path = self._export.customizations
        self._write(path, _line(record.as_json()))
        if record.category is Category.HOSTILE and not self._has_doubles:
            self._has_doubles = True
            for bad in _doubles_of(record):
                self._put_bad(path, bad)

    def finish(self) -> None:
        for path, waiting in self._waiting.items():
            while waiting:
                self._put_bad(path, waiting.pop(0))

    def _write(self, path: Path, line: bytes) -> None:
        self._put(path, line)
        if self._waiting[path] and self._counts[path] % 7 == 0:
            self._put_bad(path, self._waiting[path].pop(0))

    def _put_bad(self, path: Path, bad: BadLine) -> None:
        self._put(path, bad.content)
        self._export.bad_lines[path, self._counts[path]] = bad

    def _put(self, path: Path, line: bytes) -> None:
        self._files[path].write(line + b"\n")
        self._counts[path] += 1


def _doubles_of(record: Record) -> tuple[BadLine, BadLine]:
    """Return two records that contradict one that was just written, of somebody who stays on the old system anyhow."""
    data = record.as_json()
    return (
        BadLine("second active one", _line({**data, "external_id": f"{record.external_id} again"}), "DUPLICATE_ACTIVE"),
        BadLine("same id, other diff", _line({**data, "diff": _RECORD["diff"]}), "DUPLICATE_ID"),
    )


def _fits_folder(record: Record) -> bool:
    """Say whether a path can carry the record; it cannot say that one is inactive."""
    return record.active


def _write_file(folder: Path, record: Record) -> Path:
    path = folder / record.user / f"{record.component}@{record.base_version}.diff"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(record.diff.encode())
    return path


def _remove_others(folder: Path, written: set[Path]) -> None:
    for path in folder.glob("*/*.diff"):
        if path not in written:
            path.unlink()
