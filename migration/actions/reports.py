"""What an import says when it is through."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from slots.errors import Refusal


@dataclass(frozen=True, slots=True)
class Rejected:
    """Name a record that was not taken, or was taken but cannot be used: where it stands, the code and a sentence.

    `line` is the record's line in its file. For a diff that was stored, `diff_line` is the line of the diff.
    """

    source: str
    line: int
    code: str
    text: str
    stored: bool = False
    diff_line: int = 0
    user: str = ""
    external_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the members that commands show under `rejected`."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class ImportReport:
    """Count what became of the records of one run: every record is in exactly one of imported, unchanged and rejected.

    `imported` counts rows that were written, `updated` those among them that were there before. `ignored_fields` counts
    fields that the format does not know.
    """

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    ignored_fields: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Return how many records were read."""
        return self.imported + self.unchanged + len(self.rejected)

    @property
    def stored(self) -> int:
        """Return how many of the rejected have a row all the same, which waits for a person."""
        return sum(each.stored for each in self.rejected)

    @property
    def by_code(self) -> dict[str, int]:
        """Return how often each code occurs among the rejected."""
        return dict(sorted(Counter(each.code for each in self.rejected).items()))

    def as_json(self) -> dict[str, Any]:
        """Return the object that the commands print."""
        return {
            "total": self.total,
            "imported": self.imported,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "stored": self.stored,
            "rejected": [each.as_json() for each in self.rejected],
            "rejected_by_code": self.by_code,
            "ignored_fields": dict(sorted(self.ignored_fields.items())),
        }


def rejected(refusal: Refusal, *, source: str, line: int, user: str = "", external_id: str = "") -> Rejected:
    """Return the report's entry for a record that did not become a row."""
    return Rejected(source, line or refusal.line, refusal.code, refusal.text, user=user, external_id=external_id)
