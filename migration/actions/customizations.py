"""Importing the customizations of the old system: nothing is lost, whatever is wrong with it.

A record becomes a Customization, or a RejectedRecord with its bytes. A Customization whose diff cannot be used, or whose
component or version nobody knows, is stored with a Finding that says so; its person stays on the legacy system. Both kinds
are in the report under `rejected`. Importing a file a second time changes nothing.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

from django.db import transaction
from django.db.models import Q

from migration.actions.components import Catalogue
from migration.actions.corpus import import_releases
from migration.actions.entries import Entry, Reading, read_entries
from migration.actions.people import CHUNK, Progress, ensure_people, in_chunks
from migration.actions.rejections import keep_rejected, settle_imported
from migration.actions.reports import ImportReport, Rejected, rejected
from migration.engine import diff
from migration.models import Customization, CustomizationEvent, Finding, Person, Severity
from migration.states import CustomizationState
from slots.errors import Refusal
from slots.schema import PersonKey

CLOSED: Final = {
    CustomizationState.MIGRATED: (
        "ALREADY_MIGRATED",
        "Its person is on slots; change their slot configuration, or roll them back and import the record again.",
    ),
    CustomizationState.ARCHIVED: ("ALREADY_ARCHIVED", "The customization is archived; restore it and import the record again."),
}
_COLUMNS: Final = (
    "component_key", "base_version", "component", "base", "diff", "diff_digest", "is_active", "created_at", "state",
    "translation", "version",
)  # fmt: skip


def import_customizations(
    paths: Iterable[Path],
    *,
    at: datetime,
    by: str,
    reason: str = "import",
    act: uuid.UUID | None = None,
    progress: Progress = lambda count: None,
) -> ImportReport:
    """Write the customizations of JSON Lines files and of folders of `USER/COMPONENT@BASE.diff`.

    Records stream through in chunks, one transaction each. `progress` is told how many records are done.
    """
    run = _Run(at=at, by=by, reason=reason, act=act or uuid.uuid4())
    for path in paths:
        for chunk in in_chunks(read_entries(path), CHUNK):
            with transaction.atomic():
                _Chunk(run, chunk).write()
            progress(len(chunk))
    return run.report


@dataclass(slots=True)
class _Run:
    """Hold what lasts from chunk to chunk; `seen` keeps 8 bytes of hash for each record of the run."""

    at: datetime
    by: str
    reason: str
    act: uuid.UUID
    report: ImportReport = field(default_factory=ImportReport)
    catalogue: Catalogue = field(default_factory=Catalogue)
    seen: set[bytes] = field(default_factory=set)

    def is_second(self, name: tuple[PersonKey, str]) -> bool:
        """Say whether a record of that name came before in this run."""
        key = blake2b(repr(name).encode(), digest_size=8).digest()
        if key in self.seen:
            return True
        self.seen.add(key)
        return False


class _Chunk:
    """Decide about some records one after the other in memory, then write them all by few statements."""

    def __init__(self, run: _Run, readings: Sequence[Reading]) -> None:
        self._run = run
        self._readings = readings
        self._created: list[Customization] = []
        self._updated: list[Customization] = []
        self._troubles: dict[tuple[int, str], list[Refusal]] = {}
        self._refused: list[tuple[Reading, Refusal]] = []
        self._diffs: dict[str, Refusal | None] = {}
        self._people: dict[PersonKey, Person] = {}
        self._rows: dict[tuple[PersonKey, str], Customization] = {}
        self._active: dict[tuple[int, str], Customization] = {}

    def write(self) -> None:
        """Read what there is, decide, write."""
        self._read()
        for reading in self._readings:
            self._run.report.ignored_fields.update(reading.ignored)
            if isinstance(reading.entry, Refusal):
                self._refuse(reading, reading.entry)
            else:
                self._decide(reading, reading.entry)
        self._save()

    def _read(self) -> None:
        entries = [reading.entry for reading in self._readings if isinstance(reading.entry, Entry)]
        releases = {(entry.component_key, entry.releases): None for entry in entries if entry.releases}
        if releases and import_releases(list(releases), at=self._run.at, by=self._run.by):
            self._run.catalogue.forget()
        self._run.catalogue.learn((entry.component_key, entry.base_version) for entry in entries)
        self._people = ensure_people(sorted({entry.person for entry in entries}))
        names = {key: person.pk for key, person in self._people.items()}
        keys = {pk: key for key, pk in names.items()}
        wanted = Q(external_id__in={entry.external_id for entry in entries}) | Q(
            is_active=True, component_key__in={entry.component_key for entry in entries}
        )
        for row in Customization.objects.filter(wanted, person__in=names.values()):
            self._rows[keys[row.person_id], row.external_id] = row
            if row.is_active:
                self._active[row.person_id, row.component_key] = row
        for row in self._rows.values():
            row.person = self._people[keys[row.person_id]]

    def _refuse(self, reading: Reading, refusal: Refusal) -> None:
        self._refused.append((reading, refusal))

    def _decide(self, reading: Reading, entry: Entry) -> None:
        """Find out whether the entry is new, changed, unchanged or refused."""
        person = self._people[entry.person]
        row = self._rows.get(entry.name)
        again = self._run.is_second(entry.name)
        changed = row is None or self._differs(row, entry)
        refusal = self._refusal(reading, entry, person, row, again=again) if changed else None
        if refusal is not None:
            self._refuse(reading, refusal)
            return
        if changed:
            row = self._change(entry, person, row)
        troubles = self._find_troubles(entry)
        if changed:
            self._troubles[person.pk, entry.external_id] = troubles
        if troubles:
            self._report_stored(reading, entry, troubles[0])
        elif not changed:
            self._run.report.unchanged += 1
        else:
            self._run.report.imported += 1

    def _refusal(
        self, reading: Reading, entry: Entry, person: Person, row: Customization | None, *, again: bool
    ) -> Refusal | None:
        """Return why the entry cannot become a row."""
        line = reading.raw.line
        if again:
            text = (
                f"Another record of this import has the external id {entry.external_id!r} with other content; keep one of them."
            )
            return Refusal("DUPLICATE_ID", line, text)
        if row is not None and row.state in CLOSED:
            code, text = CLOSED[CustomizationState(row.state)]
            return Refusal(code, line, text)
        other = self._active.get((person.pk, entry.component_key))
        if entry.is_active and other is not None and other is not row:
            text = (
                f"{entry.person} already has the active customization {other.external_id!r} of {entry.component_key}; "
                "set one of the two to inactive and import it again."
            )
            return Refusal("DUPLICATE_ACTIVE", line, text)
        return None

    def _differs(self, row: Customization, entry: Entry) -> bool:
        component, base = self._resolve(entry)
        stored = (row.component_key, row.base_version, row.diff_digest, row.is_active, row.created_at)
        stated = (entry.component_key, entry.base_version, entry.diff_digest, entry.is_active, entry.created_at)
        return stored != stated or (row.component_id, row.base_id) != (component, base)

    def _resolve(self, entry: Entry) -> tuple[int | None, int | None]:
        component = self._run.catalogue.components[entry.component_key]
        base = self._run.catalogue.versions[entry.component_key, entry.base_version]
        return component.pk if component else None, base.pk if base else None

    def _change(self, entry: Entry, person: Person, row: Customization | None) -> Customization:
        """Return the row as the entry wants it, noted down to be created or updated."""
        if row is None:
            row = Customization(person=person, external_id=entry.external_id, imported_at=self._run.at)
            self._created.append(row)
        else:
            self._updated.append(row)
            self._run.report.updated += 1
            row.version += 1
            if self._active.get((person.pk, row.component_key)) is row:
                del self._active[person.pk, row.component_key]
        row.component_key, row.base_version = entry.component_key, entry.base_version
        row.component_id, row.base_id = self._resolve(entry)
        row.diff, row.diff_digest = entry.diff, entry.diff_digest
        row.is_active, row.created_at = entry.is_active, entry.created_at
        row.translation = None
        row.state = state_after_import(self._find_troubles(entry))
        self._rows[entry.name] = row
        if row.is_active:
            self._active[person.pk, row.component_key] = row
        return row

    def _find_troubles(self, entry: Entry) -> list[Refusal]:
        """Return what keeps a stored customization from being used, the gravest first."""
        component, base = self._resolve(entry)
        troubles = []
        malformed = self._malformed(entry)
        if malformed is not None:
            troubles.append(malformed)
        if component is None:
            text = f"No component is called {entry.component_key!r}; import it with import_components, then translate again."
            troubles.append(Refusal("COMPONENT_UNKNOWN", 0, text))
        elif base is None:
            text = (
                f"{entry.component_key} has no version {entry.base_version!r}; import that version, or accept that the diff "
                "is translated from what the legacy system shows today."
            )
            troubles.append(Refusal("VERSION_UNKNOWN", 0, text))
        return troubles

    def _malformed(self, entry: Entry) -> Refusal | None:
        """Return why the diff cannot be read; equal diffs come in numbers and are read once a chunk."""
        key = entry.diff_digest
        if key not in self._diffs:
            read = diff.accept(entry.diff)
            self._diffs[key] = read if isinstance(read, Refusal) else None
        return self._diffs[key]

    def _report_stored(self, reading: Reading, entry: Entry, trouble: Refusal) -> None:
        self._run.report.rejected.append(
            Rejected(
                reading.raw.source,
                reading.raw.line,
                trouble.code,
                trouble.text,
                stored=True,
                diff_line=trouble.line,
                user=str(entry.person),
                external_id=entry.external_id,
            )
        )

    def _save(self) -> None:
        """Write rows, history, events, findings and rejected records."""
        run = self._run
        Customization.objects.bulk_create(self._created)
        Finding.objects.filter(customization__in=[row.pk for row in self._updated]).delete()
        Customization.objects.bulk_update(self._updated, _COLUMNS)
        for rows, is_update in ((self._created, False), (self._updated, True)):
            Customization.history.bulk_history_create(  # type: ignore[attr-defined]  # simple_history has no stubs
                rows,
                update=is_update,
                default_user=run.by,
                default_change_reason=run.reason,
                default_date=run.at,
                custom_historical_attrs={"act": run.act},
            )
        written = [*self._created, *self._updated]
        CustomizationEvent.objects.bulk_create(
            [CustomizationEvent(customization=row, to_state=row.state, reason=run.reason, at=run.at) for row in written]
        )
        Finding.objects.bulk_create(
            [finding_of(row, trouble, at=run.at) for row in written for trouble in self._troubles[row.person_id, row.external_id]]
        )
        settle_imported([(row.person.key, row.external_id) for row in written], by=run.by, at=run.at)
        self._save_refused()

    def _save_refused(self) -> None:
        kept = []
        for reading, refusal in self._refused:
            kept.append((reading.raw, refusal, reading.person, reading.external_id))
            user = str(reading.person or "")
            self._run.report.rejected.append(
                rejected(refusal, source=reading.raw.source, line=reading.raw.line, user=user, external_id=reading.external_id)
            )
        keep_rejected(kept, at=self._run.at)


def state_after_import(troubles: Sequence[Refusal]) -> CustomizationState:
    """Return where a customization begins: an unknown version is a question for a person, anything graver an end."""
    if not troubles:
        return CustomizationState.IMPORTED
    if all(trouble.code == "VERSION_UNKNOWN" for trouble in troubles):
        return CustomizationState.NEEDS_REVIEW
    return CustomizationState.REJECTED


def finding_of(customization: Customization, refusal: Refusal, *, at: datetime) -> Finding:
    """Return the blocking finding that a refusal makes."""
    return Finding(
        customization=customization,
        code=refusal.code,
        severity=Severity.BLOCKING,
        line=refusal.line,
        place=f"{customization.component_key}@{customization.base_version}",
        text=refusal.text,
        created_at=at,
    )
