"""The components that the sample shop ships, read from their folders."""

from datetime import UTC, datetime
from pathlib import Path

from slots.actions.component_files import read_version_folder
from slots.errors import Refusal
from slots.registry import ComponentRecord

COMPONENTS = Path(__file__).resolve().parent / "components"

Shelf = dict[str, tuple[ComponentRecord, ...]]


class ShelfBroken(Exception):
    """A folder that the shop ships does not follow the format."""

    def __init__(self, folder: Path, refusal: Refusal) -> None:
        """Keep the folder and what is wrong with it."""
        super().__init__(f"{folder}: {refusal}")
        self.folder = folder
        self.refusal = refusal


def read_shelf(folder: Path = COMPONENTS) -> Shelf:
    """Return every component's versions, oldest first.

    Raises:
        ShelfBroken: if a version is not in the format.
    """
    return {
        component.name: tuple(sorted((_record(each) for each in component.iterdir()), key=released_at))
        for component in sorted(folder.iterdir())
        if component.is_dir()
    }


def released_at(record: ComponentRecord) -> datetime:
    """Return the instant of the release; every version of the shop has one."""
    return record.released_at or datetime.min.replace(tzinfo=UTC)


def _record(folder: Path) -> ComponentRecord:
    record = read_version_folder(folder)
    if isinstance(record, Refusal):
        raise ShelfBroken(folder, record)
    return record
