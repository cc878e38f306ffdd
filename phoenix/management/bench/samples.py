"""Customizations to measure on: those of a corpus file, or synthetic edits of the components that a folder holds."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from migration.engine import diff as diffs
from migration.management.corpus.records import Record, read
from migration.management.corpus.synthetic.cases import Case, Lineage, suffixes
from slots.actions.component_files import natural_order, read_version_folder
from slots.errors import Refusal

UNDATED: Final = datetime.min.replace(tzinfo=UTC)

_T = TypeVar("_T")


class Sample(NamedTuple):
    """Hold a customization: base, unified diff and result, with the next release of the base where there is one."""

    base: str
    diff: str
    customized: str
    later: str | None


class InputRefused(Exception):
    """A line of the corpus or a folder of components is not in its format."""


def read_corpus(path: Path) -> list[Record]:
    """Return the records of a corpus file.

    Raises:
        InputRefused: if a line is not a record.
        OSError: if the file cannot be read.
    """
    with path.open("rb") as lines:
        return [_accepted(path, found) for found in read(lines)]


def of_records(records: Iterable[Record]) -> Iterator[Sample]:
    """Yield the records' own customizations."""
    for record in records:
        later = record.releases[0].source if record.releases else None
        yield Sample(record.base, record.diff, record.customized, later)


def of_cases(cases: Iterable[Case]) -> Iterator[Sample]:
    """Yield synthetic edits as customizations."""
    for case in cases:
        yield Sample(case.old, diffs.make(case.old, case.edited, path="template.html"), case.edited, case.new)


def lineages_in(folder: Path) -> list[Lineage]:
    """Return the lineages of the components in a folder `KEY/VERSION/template.html`, versions in order of release.

    Raises:
        InputRefused: if a version is not in the format.
    """
    found: list[Lineage] = []
    for component in sorted(each for each in folder.iterdir() if each.is_dir()):
        versions = [_accepted(each, read_version_folder(each)) for each in component.iterdir() if each.is_dir()]
        versions.sort(key=lambda version: (version.released_at or UNDATED, natural_order(version.version)))
        found += suffixes(component.name, [version.source for version in versions])
    return found


def _accepted(path: Path, found: _T | Refusal) -> _T:
    if isinstance(found, Refusal):
        raise InputRefused(f"{path}: {found}")
    return found
