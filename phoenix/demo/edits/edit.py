"""An edit that sample customers made to a component, and what the legacy system makes of it today."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from phoenix.demo.edits.strokes import Stroke


class Level(StrEnum):
    """How much of the template an edit touches."""

    SIMPLE = "simple"
    MEDIUM = "medium"
    COMPLEX = "complex"


class Legacy(StrEnum):
    """What GNU `patch -F2` does with the edit's diff on the component's current version."""

    CLEAN = "clean"
    FUZZ = "fuzz"
    PLAIN = "plain"


def legacy_on(table: str) -> dict[str, Legacy]:
    """Return what `1.0 plain, 2.1 clean` says: for each version the edit was made against, what legacy shows today."""
    return {version: Legacy(word) for version, word in (entry.split() for entry in table.split(", "))}


@dataclass(frozen=True, slots=True)
class Edit:
    """Describe one customization as many people made it.

    `on` lists the versions it was made against, each with what the legacy system shows today. Those words were
    found with GNU patch, not with the engine of this project, and a test repeats that where `patch` is installed.
    """

    name: str
    component: str
    level: Level
    strokes: tuple[Stroke, ...]
    on: Mapping[str, Legacy]

    def apply(self, source: str) -> str:
        """Return the customised source; raise `StrokeDoesNotFit` where the edit means nothing in it."""
        for stroke in self.strokes:
            source = stroke(source)
        return source
