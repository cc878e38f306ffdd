"""What becomes of an operation when the base under it changes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from slots.errors import Issue, IssueCode
from slots.markup.ops import Operation


class Status(StrEnum):
    """Say how an operation fared; the values are part of the JSON contract."""

    CLEAN = "clean"  # its place is there and nobody touched it
    ADAPTED = "adapted"  # its place moved, was relabelled or got company; what it changes is untouched
    ABSORBED = "absorbed"  # the new base already has it
    KEPT = "kept"  # both sides changed the same thing; the customization's version stands and is reported
    CONFLICT = "conflict"  # a person has to decide; the operation is left out


AUTOMATIC: Final = frozenset({Status.CLEAN, Status.ADAPTED, Status.ABSORBED})
_SEVERITY: Final = (Status.ABSORBED, Status.CLEAN, Status.ADAPTED, Status.KEPT, Status.CONFLICT)


def worst(*statuses: Status) -> Status:
    """Return the status that asks most of a person; an operation of which a part is absorbed is as the rest of it is."""
    return max(statuses, key=_SEVERITY.index)


class Texts(NamedTuple):
    """Hold one place three times: in the old base, as the customization has it, in the new base."""

    base: str
    ours: str
    theirs: str

    @property
    def code(self) -> IssueCode:
        """Say what upstream did to a place of which a person has to decide: removed it, or changed it."""
        return IssueCode.BASE_REMOVED if self.base.strip() and not self.theirs.strip() else IssueCode.BASE_CHANGED


NO_TEXTS: Final = Texts("", "", "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what became of one operation. `reason` is a sentence for people; `place` a readable address in the old base.

    Its JSON has a `code` where the operation was kept or lost its place: BASE_CHANGED or BASE_REMOVED.
    """

    operation_id: str
    status: Status
    texts: Texts = NO_TEXTS
    reason: str = ""
    place: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as the JSON object of commands and reports."""
        return {
            "operation": self.operation_id,
            "status": self.status.value,
            "code": self.texts.code.value if self.status in (Status.KEPT, Status.CONFLICT) else "",
            "reason": self.reason,
            "place": self.place,
            **self.texts._asdict(),
        }


@dataclass(frozen=True, slots=True)
class Carried:
    """Hold an operation on its way: as it is to be made on the new base (None: not at all), and its outcome.

    `part_of` is the id of the operation that stands for this one as well, where a region is kept as a whole. `claims` are the
    orders of the new nodes that say what an absorbed operation says: no other operation may take them away. `fallback` is what
    is left where the guard objects to this.
    """

    operation: Operation | None
    outcome: Outcome
    part_of: str = ""
    claims: frozenset[int] = frozenset()
    fallback: "Carried | None" = None


@dataclass(frozen=True, slots=True)
class Rebased:
    """Hold a configuration on a new base.

    `operations` are those that live on, with their ids; `outcomes` has one entry for each operation that was given, in that
    order; `source` is the new base with `operations` composed into it; `automatic` says that nobody has to look.
    `problems` are what the guard found; each also made an operation a conflict.
    """

    operations: tuple[Operation, ...]
    outcomes: tuple[Outcome, ...]
    source: str
    automatic: bool
    problems: tuple[Issue, ...]

    @property
    def status(self) -> Status:
        """Return the worst status of all operations; clean when there are none."""
        return worst(Status.CLEAN, *(outcome.status for outcome in self.outcomes))
