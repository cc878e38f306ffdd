"""What a step of the demo found, beside what was expected of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """Compare one thing found with what was expected; both are plain values that JSON can hold."""

    text: str
    expected: Any
    found: Any

    @property
    def holds(self) -> bool:
        """Say whether the expectation was met."""
        return bool(self.expected == self.found)

    def as_json(self) -> dict[str, Any]:
        """Return the check as a JSON object."""
        return {"text": self.text, "expected": self.expected, "found": self.found, "holds": self.holds}


@dataclass(frozen=True, slots=True)
class Table:
    """Hold rows to be shown, all values as text; columns whose name starts with `#` are numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the table as a JSON object."""
        return {
            "title": self.title,
            "columns": [name.lstrip("#") for name in self.columns],
            "rows": [list(row) for row in self.rows],
        }


@dataclass(slots=True)
class Step:
    """Collect what one step did: facts in words, checks and tables."""

    title: str
    seconds: float = 0.0
    facts: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Say whether every check holds."""
        return all(check.holds for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """Return the checks that do not hold."""
        return [check for check in self.checks if not check.holds]

    def check(self, text: str, *, expected: Any, found: Any) -> None:
        """Add a check."""
        self.checks.append(Check(text, expected, found))

    def check_counts(self, text: str, *, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
        """Add one check for each name that either side counts."""
        for name in sorted({*expected, *found}):
            self.check(f"{text}: {name}", expected=expected.get(name, 0), found=found.get(name, 0))

    def as_json(self) -> dict[str, Any]:
        """Return the step as a JSON object."""
        return {
            "title": self.title,
            "seconds": round(self.seconds, 3),
            "facts": self.facts,
            "checks": [check.as_json() for check in self.checks],
            "tables": [table.as_json() for table in self.tables],
        }
