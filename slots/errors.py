"""What can go wrong with slots, in three kinds: refusals and issues are values, faults are exceptions.

A `Refusal` says why a piece of input was not taken. An `Issue` says what is wrong with one operation of a configuration that
was taken. A `SlotsError` says that a caller broke a contract.
"""

from dataclasses import dataclass
from enum import StrEnum


class IssueCode(StrEnum):
    """Codes of issues; the values are part of the JSON contract."""

    SLOT_UNKNOWN = "SLOT_UNKNOWN"
    SLOT_DEPRECATED = "SLOT_DEPRECATED"
    SLOT_RENAMED = "SLOT_RENAMED"
    TARGET_MISSING = "TARGET_MISSING"
    TARGET_AMBIGUOUS = "TARGET_AMBIGUOUS"
    BASE_CHANGED = "BASE_CHANGED"
    BASE_REMOVED = "BASE_REMOVED"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    KIND_NOT_ALLOWED = "KIND_NOT_ALLOWED"
    LAYER_LOCKED = "LAYER_LOCKED"
    DUPLICATE_ID = "DUPLICATE_ID"
    WRAP_CONFLICT = "WRAP_CONFLICT"
    OP_SHADOWED = "OP_SHADOWED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    UNSAFE_HTML = "UNSAFE_HTML"
    REQUIREMENT_MISSING = "REQUIREMENT_MISSING"
    RENDER_ERROR = "RENDER_ERROR"


@dataclass(frozen=True, slots=True)
class Issue:
    """State one thing that is wrong with an operation or a slot.

    `place` is a readable address (`card/footer/buy-button`) or empty when the issue concerns the whole component.
    `suggestion` is the next step for a person, a full sentence.
    """

    code: IssueCode
    text: str
    place: str = ""
    operation: str = ""
    suggestion: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the issue as the JSON object that commands and pages show."""
        return {
            "code": self.code.value,
            "text": self.text,
            "place": self.place,
            "operation": self.operation,
            "suggestion": self.suggestion,
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """State why one record, diff or configuration was not taken.

    `line` counts from 1 in the input that was refused; 0 when no line is to blame. `text` is a sentence with the next step.
    """

    code: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return `CODE, line N: sentence`."""
        place = f", line {self.line}" if self.line else ""
        return f"{self.code}{place}: {self.text}"

    def as_json(self) -> dict[str, str | int]:
        """Return the refusal as the JSON object that commands show under `rejected`."""
        return {"code": self.code, "line": self.line, "text": self.text}


class SlotsError(Exception):
    """Base of all faults of the slots app; `code` is stable."""

    code = "SLOTS_ERROR"


class Unknown(Exception):
    """Mark the faults that say that what was named is not there: a command leaves with 2 for these, as for any wrong usage."""


class ComponentUnknown(Unknown, SlotsError):
    """A component key is not in the registry."""

    code = "COMPONENT_UNKNOWN"

    def __init__(self, key: str) -> None:
        """Keep the key that was asked for."""
        super().__init__(f"No component is called {key!r}. `manage.py slots list` shows those there are.")
        self.key = key


class VersionUnknown(Unknown, SlotsError):
    """A component has no such version."""

    code = "VERSION_UNKNOWN"

    def __init__(self, key: str, version: str) -> None:
        """Keep the key and the version that were asked for."""
        super().__init__(f"Component {key!r} has no version {version!r}. Its page in the admin names those there are.")
        self.key = key
        self.version = version


class OperationsInvalid(SlotsError):
    """A stored or submitted list of operations does not follow the schema."""

    code = "SCHEMA_INVALID"

    def __init__(self, place: str, text: str) -> None:
        """Keep where in the JSON (`ops[3].payload`) and what."""
        super().__init__(f"{place}: {text}")
        self.place = place
        self.text = text
