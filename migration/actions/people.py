"""Importing the people of the old system."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from migration.actions.fields import FieldRefused, Fields
from migration.actions.records import Raw, read_lines, read_object, source_of
from migration.actions.rejections import keep_rejected
from migration.actions.reports import ImportReport, rejected
from migration.models import Person
from slots.errors import Refusal
from slots.schema import DEFAULT_TENANT, PersonKey

CHUNK: Final = 500

Progress = Callable[[int], None]


def import_people(
    paths: Iterable[Path],
    *,
    at: datetime,
    by: str = "",
    reason: str = "",
    act: uuid.UUID | None = None,
    progress: Progress = lambda count: None,
) -> ImportReport:
    """Write the people of JSON Lines files; a field that a record leaves out stays as it is.

    A record that cannot be taken is kept as a RejectedRecord; the rest goes on. `progress` is told how many records are done.
    """
    del by, reason, act  # people have no history of their own; the callers' keywords are the same for every action
    report = ImportReport()
    for path in paths:
        with path.open("rb") as stream:
            for chunk in in_chunks(read_lines(stream, source=source_of(path)), CHUNK):
                with transaction.atomic():
                    _write(chunk, report, at=at)
                progress(len(chunk))
    return report


def in_chunks(records: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of at most `size`, in order."""
    chunk: list[Any] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def people_named(keys: Iterable[PersonKey], *, lock: bool = False) -> dict[PersonKey, Person]:
    """Return the rows of those keys that have one, in one query for each tenant; locked if they are to be written."""
    users: dict[str, set[str]] = {}
    for key in keys:
        users.setdefault(key.tenant, set()).add(key.user)
    if not users:
        return {}
    wanted = Q()
    for tenant, names in users.items():
        wanted |= Q(tenant=tenant, user__in=names)
    rows = Person.objects.filter(wanted).order_by("pk")
    return {row.key: row for row in (rows.select_for_update() if lock else rows)}


def ensure_people(keys: Sequence[PersonKey]) -> dict[PersonKey, Person]:
    """Return a locked row for each key, making those that are missing."""
    found = people_named(keys, lock=True)
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    if missing:
        Person.objects.bulk_create([Person(tenant=key.tenant, user=key.user) for key in missing], ignore_conflicts=True)
        found.update(people_named(missing, lock=True))
    return found


def read_person_key(fields: Fields) -> PersonKey:
    """Return whom a record is about."""
    tenant = fields.name("tenant", limit=100, default=DEFAULT_TENANT)
    return PersonKey(tenant or DEFAULT_TENANT, fields.name("user", limit=200))


def _read(raw: Raw, report: ImportReport) -> tuple[PersonKey, dict[str, Any]] | Refusal:
    data = read_object(raw)
    if isinstance(data, Refusal):
        return data
    fields = Fields(data, raw.line)
    try:
        key = read_person_key(fields)
        values = _read_values(fields)
    except FieldRefused as refused:
        return refused.refusal
    report.ignored_fields.update(fields.ignored())
    return key, values


def _read_values(fields: Fields) -> dict[str, Any]:
    """Return the columns that the record names."""
    readers: Mapping[str, tuple[str, Callable[[], Any]]] = {
        "email": ("email", lambda: fields.email("email")),
        "region": ("region", lambda: fields.name("region", limit=50, default="")),
        "time_zone": ("time_zone", lambda: fields.time_zone("time_zone")),
        "language": ("language", lambda: fields.name("language", limit=20, default="")),
        "engagement": ("engagement", lambda: fields.share("engagement")),
        "technical": ("is_technical", lambda: fields.flag("technical", default=False)),
        "internal": ("is_internal", lambda: fields.flag("internal", default=False)),
        "signed_up_at": ("signed_up_at", lambda: fields.instant("signed_up_at")),
    }
    return {column: read() for name, (column, read) in readers.items() if fields.has(name)}


def _write(chunk: Sequence[Raw], report: ImportReport, *, at: datetime) -> None:
    """Write one chunk: one query to read, one to create, one to update."""
    readings = [(raw, _read(raw, report)) for raw in chunk]
    refused = [(raw, reading, None, "") for raw, reading in readings if isinstance(reading, Refusal)]
    taken = [reading for _raw, reading in readings if not isinstance(reading, Refusal)]
    rows = people_named([key for key, _values in taken], lock=True)
    created: dict[PersonKey, Person] = {}
    updated: dict[PersonKey, Person] = {}
    for key, values in taken:
        row = rows.get(key)
        if row is None:
            rows[key] = created[key] = Person(tenant=key.tenant, user=key.user, **values)
            report.imported += 1
        elif changes := {name: value for name, value in values.items() if getattr(row, name) != value}:
            for name, value in changes.items():
                setattr(row, name, value)
            if key not in created:
                updated[key] = row
            report.imported += 1
            report.updated += 1
        else:
            report.unchanged += 1
    Person.objects.bulk_create(created.values())
    columns = ["email", "region", "time_zone", "language", "engagement", "is_technical", "is_internal", "signed_up_at"]
    Person.objects.bulk_update(updated.values(), columns)
    keep_rejected(refused, at=at)
    report.rejected += [rejected(refusal, source=raw.source, line=raw.line) for raw, refusal, _person, _id in refused]
