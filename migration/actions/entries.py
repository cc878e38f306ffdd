"""What an export says about one customization, read and checked; nothing is written here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from migration.actions.fields import FieldRefused, Fields
from migration.actions.people import read_person_key
from migration.actions.records import DIFF_SUFFIX, Raw, find_files, read_file, read_lines, read_object, source_of
from slots.errors import Refusal
from slots.schema import DEFAULT_TENANT, PersonKey

CORPUS_USER: Final = "corpus"
_CORPUS_FIELDS: Final = frozenset({"id", "base_package", "component", "base_version", "base_source", "diff"})
_PATH: Final = re.compile(r"(?P<component>[^/@]+)@(?P<base>[^/]+)\.diff")


@dataclass(frozen=True, slots=True)
class Release:
    """Hold one version of a component that came along with a record."""

    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one customization as an export states it; `releases` come with records of the corpus, oldest first."""

    person: PersonKey
    external_id: str
    component_key: str
    base_version: str
    diff: str
    is_active: bool = True
    created_at: datetime | None = None
    releases: tuple[Release, ...] = ()

    @property
    def diff_digest(self) -> str:
        """Return the SHA-256 of the diff."""
        return sha256(self.diff.encode()).hexdigest()

    @property
    def name(self) -> tuple[PersonKey, str]:
        """Return what a customization is known by."""
        return (self.person, self.external_id)


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold a record beside what it says, or why it says nothing, and whom it names even so."""

    raw: Raw
    entry: Entry | Refusal
    person: PersonKey | None = None
    external_id: str = ""
    ignored: tuple[str, ...] = ()


def read_entries(path: Path) -> Iterator[Reading]:
    """Yield the records of a JSON Lines file or of a folder of diffs."""
    if path.is_dir():
        yield from (read_diff_file(file, root=path) for file in find_files(path))
        return
    with path.open("rb") as stream:
        for raw in read_lines(stream, source=source_of(path)):
            yield read_line(raw)


def read_diff_file(path: Path, *, root: Path) -> Reading:
    """Read `USER/COMPONENT@BASE.diff` below a folder; the path without its suffix is the external id."""
    relative = path.relative_to(root)
    if path.is_symlink() or not path.is_file():
        raw = Raw(source_of(path, root=root), 0, b"", sha256(str(relative).encode(errors="surrogateescape")).hexdigest(), 0)
        return Reading(raw, Refusal("PATH_INVALID", 0, "The path is no ordinary file; put the diff itself there."))
    raw = read_file(path, source=source_of(path, root=root))
    match = _PATH.fullmatch(relative.name)
    if match is None or len(relative.parts) != 2:
        text = "The path is not USER/COMPONENT@BASE.diff; rename the file, or import it from JSON Lines."
        return Reading(raw, Refusal("PATH_INVALID", 0, text))
    data: dict[str, Any] = {
        "external_id": str(relative).removesuffix(DIFF_SUFFIX),
        "user": relative.parts[0],
        "component": match["component"],
        "base_version": match["base"],
    }
    if not raw.is_whole:
        return _refused(raw, data, Refusal("LIMIT_EXCEEDED", 0, f"The file has {raw.size:,} bytes; split the customization."))
    try:
        data["diff"] = raw.content.decode()
    except UnicodeDecodeError as error:
        line = raw.content.count(b"\n", 0, error.start) + 1
        text = f"Byte {error.start + 1} (from 1), in line {line}, is not UTF-8; convert the file to UTF-8 and import it again."
        return _refused(raw, data, Refusal("NOT_UTF8", line, text))
    return _read(raw, data, _customization)


def read_line(raw: Raw) -> Reading:
    """Read one line: a customization, or a record of the corpus."""
    data = read_object(raw)
    if isinstance(data, Refusal):
        return Reading(raw, data)
    return _read(raw, data, _corpus_record if data.keys() >= _CORPUS_FIELDS else _customization)


def _read(raw: Raw, data: Mapping[str, Any], reader: Any) -> Reading:
    fields = Fields(data, raw.line)
    try:
        entry: Entry = reader(fields)
    except FieldRefused as refused:
        return _refused(raw, data, refused.refusal)
    ignored = () if reader is _corpus_record else tuple(fields.ignored())
    return Reading(raw, entry, entry.person, entry.external_id, ignored)


def _refused(raw: Raw, data: Mapping[str, Any], refusal: Refusal) -> Reading:
    """Return the refusal with what the record still tells about whom it belongs to."""
    fields = Fields(data, raw.line)
    person, external_id = None, ""
    try:
        person = read_person_key(fields)
        external_id = fields.name("external_id", limit=200)
    except FieldRefused:
        pass
    return Reading(raw, refusal, person, external_id)


def _customization(fields: Fields) -> Entry:
    return Entry(
        person=read_person_key(fields),
        external_id=fields.name("external_id", limit=200),
        component_key=fields.name("component", limit=200),
        base_version=fields.name("base_version", limit=100),
        diff=_read_diff(fields),
        is_active=fields.flag("active", default=True),
        created_at=fields.instant("created_at"),
    )


def _corpus_record(fields: Fields) -> Entry:
    """Read a record that brings its component along; its person is named after it."""
    identity = fields.name("id", limit=190)
    base_version = fields.name("base_version", limit=100)
    releases = [Release(base_version, fields.text("base_source", limit=None))]
    releases += [
        Release(upgrade.name("version", limit=100), upgrade.text("source", limit=None)) for upgrade in fields.objects("upgrades")
    ]
    return Entry(
        person=PersonKey(DEFAULT_TENANT, f"{CORPUS_USER}:{identity}"),
        external_id=identity,
        component_key=f"{fields.name('base_package', limit=99)}:{fields.name('component', limit=100)}",
        base_version=base_version,
        diff=_read_diff(fields),
        releases=tuple(releases),
    )


def _read_diff(fields: Fields) -> str:
    """Return the diff, which may be empty: that is for the engine to say."""
    return fields.text("diff", limit=None, blank=True)
