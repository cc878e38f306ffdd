"""The components that the sample shop ships, read from their folders."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

COMPONENTS = Path(__file__).resolve().parent / "components"


@dataclass(frozen=True, slots=True)
class Edition:
    """Hold one released version of a component's template."""

    version: str
    released_at: datetime
    source: str


Shelf = dict[str, tuple[Edition, ...]]


def read_shelf(folder: Path = COMPONENTS) -> Shelf:
    """Return every component's editions, oldest first."""
    return {
        component.name: tuple(sorted((_edition(each) for each in component.iterdir()), key=lambda edition: edition.released_at))
        for component in sorted(folder.iterdir())
        if component.is_dir()
    }


def _edition(folder: Path) -> Edition:
    terms = tomllib.loads((folder / "contract.toml").read_text(encoding="utf-8"))
    return Edition(folder.name, terms["released_at"], (folder / "template.html").read_text(encoding="utf-8"))
