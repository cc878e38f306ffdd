"""Say in words what changed between two lists of operations, such as two revisions of one configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from slots.markup import ops
from slots.markup.ops import Operation


class Change(StrEnum):
    """What happened to an operation from one list to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold one change; `before` is None for what was added, `after` for what was removed."""

    change: Change
    before: Operation | None
    after: Operation | None

    @property
    def words(self) -> str:
        """Return the change as one sentence."""
        if self.before is None and self.after is not None:
            return f"New: {ops.describe(self.after)}"
        if self.after is None and self.before is not None:
            return f"Gone: {ops.describe(self.before)}"
        before, after = (ops.describe(each).rstrip(".") for each in (self.before, self.after) if each is not None)
        if before == after and self.before is not None and self.after is not None:
            is_same = _deed(self.before) == _deed(self.after)
            return f"{'Made for the new version' if is_same else 'Changed beyond what is shown here'}: {after}."
        return f"Instead of “{before}” now: {after}."

    def as_json(self) -> dict[str, Any]:
        """Return the change as a JSON object."""
        ids = {each.id: None for each in (self.before, self.after) if each is not None}
        return {"change": self.change.value, "operations": list(ids), "words": self.words}


def differences(before: Sequence[Operation], after: Sequence[Operation]) -> tuple[Difference, ...]:
    """Return what changed, in the order of the second list, what is gone last; layout is left out.

    An operation is the same where its JSON is, and a changed one where place and facet, or else
    all but the addresses, are those of one that is gone.
    """
    old = [operation for operation in before if not operation.layout]
    new = [operation for operation in after if not operation.layout]
    same = {_content(operation) for operation in old} & {_content(operation) for operation in new}
    gone = [operation for operation in old if _content(operation) not in same]
    by_place: dict[tuple[tuple[int, ...], str, str], list[Operation]] = {}
    by_deed: dict[tuple[str, ...], list[Operation]] = {}
    for operation in gone:
        by_place.setdefault(_place(operation), []).append(operation)
        by_deed.setdefault(_deed(operation), []).append(operation)
    found: list[Difference] = []
    replaced: set[int] = set()
    for operation in new:
        if _content(operation) in same:
            continue
        rivals = [*by_place.get(_place(operation), ()), *by_deed.get(_deed(operation), ())]
        rival = next((each for each in rivals if id(each) not in replaced), None)
        if rival is not None:
            replaced.add(id(rival))
            found.append(Difference(Change.CHANGED, rival, operation))
        else:
            found.append(Difference(Change.ADDED, None, operation))
    found.extend(Difference(Change.REMOVED, operation, None) for operation in gone if id(operation) not in replaced)
    return tuple(found)


def _content(operation: Operation) -> str:
    return ops.dumps([operation])


def _deed(operation: Operation) -> tuple[str, ...]:
    """Return what an operation does and where in words, whatever the version that its addresses are of."""
    return operation.kind, operation.facet, operation.place, operation.name, operation.text, ops.describe(operation)


def _place(operation: Operation) -> tuple[tuple[int, ...], str, str]:
    return operation.address.path, operation.facet, operation.place
