"""Lay configurations over each other: default < site < segment < user < preview, later ones win.

Operations of all layers are kept in order, except where a higher layer changes the same facet of the same place, or takes the
whole place away: then the lower one is shadowed, and said to be. Class tokens are a set, so two layers may both add some. For
each value that is left the merger knows which layer it came from, in which revision, who made it and when.

What a layer takes from those below is known once it is read (`Claims`), and a layer is merged for many people. So a merge goes
from the highest layer down and compares sets, not operations, unless a layer is taken in part. What was shadowed by what is
worked out when somebody asks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from slots.errors import Issue, IssueCode
from slots.markup.ops import REPLACE_SOURCE, Operation

LAYER_ORDER: Final = ("default", "site", "segment", "user", "preview")
_RANK: Final = {name: rank for rank, name in enumerate(LAYER_ORDER)}
# Facets that several operations share without touching each other: tokens of a class, and gaps that take several insertions.
_SHARED: Final = frozenset({"class", "gap", "space"})

Path = tuple[int, ...]
Key = tuple[Path, str]  # a place and what is changed of it


@dataclass(frozen=True, slots=True)
class Provenance:
    """Say where a value came from; `revision` is the id of the history row, empty where nobody recorded one."""

    layer: str
    key: str = ""
    revision: str = ""
    by: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        """Return the layer, with its key where it has one."""
        return f"{self.layer} {self.key}".strip()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that `explain` shows."""
        at = self.at.isoformat() if self.at else None
        return {"layer": self.layer, "key": self.key, "revision": self.revision, "by": self.by, "at": at}


class Claims:
    """Hold what operations touch, and which of them is the first to take a key, a place or everything from the layers below.

    `keys` are those of the operations, in order; `taken` (by key), `emptied` (by path) and `everything` hold indexes from 0.
    """

    __slots__ = ("emptied", "everything", "keys", "paths", "taken", "touched")

    def __init__(self, operations: Sequence[Operation]) -> None:
        """Read the operations."""
        self.keys = tuple((operation.address.path, operation.facet) for operation in operations)
        self.touched = frozenset(self.keys)
        self.paths = frozenset(path for path, _ in self.keys)
        self.taken: dict[Key, int] = {}
        self.emptied: dict[Path, int] = {}
        self.everything: int | None = None
        for index, (operation, key) in enumerate(zip(operations, self.keys, strict=True)):
            if operation.kind == REPLACE_SOURCE and self.everything is None:
                self.everything = index
            if key[1] not in _SHARED:
                self.taken.setdefault(key, index)
            if key[1] == "node" and not operation.holes:  # the whole node goes: nothing said about it can show
                self.emptied.setdefault(key[0], index)

    def taker(self, key: Key) -> int | None:
        """Return the index of the operation that takes the place of a lower layer's with this key."""
        emptied = None if key[1] == "gap" else self.emptied.get(key[0])
        found = [index for index in (self.taken.get(key), emptied, self.everything) if index is not None]
        return min(found, default=None)


@dataclass(frozen=True)  # no slots: what is worked out of it once stays with it
class LayerConfiguration:
    """Hold what one layer says: its operations in order.

    `priority` orders segments, higher wins. `locked` names the places (readable addresses) that no layer above may change, nor
    anything inside them.
    """

    provenance: Provenance
    operations: tuple[Operation, ...]
    priority: int = 0
    locked: frozenset[str] = frozenset()

    @cached_property
    def rank(self) -> tuple[int, int, str]:
        """Return what layers are sorted by, weakest first."""
        return _RANK[self.provenance.layer], self.priority, self.provenance.key

    @cached_property
    def whole(self) -> "Part":
        """Return the layer as it takes part in a merge where no lock holds against it."""
        return Part(self.provenance, self.operations)


@dataclass(frozen=True)
class Part:
    """Hold those operations of a layer that take part in a merge."""

    provenance: Provenance
    operations: tuple[Operation, ...]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the operations in order."""
        return tuple(operation.id for operation in self.operations)

    @cached_property
    def claims(self) -> Claims:
        """Return what the operations touch and take."""
        return Claims(self.operations)


@dataclass(frozen=True, slots=True)
class Value:
    """Hold one operation that takes effect, where it came from, and what it shadowed, weakest first."""

    operation: Operation
    provenance: Provenance
    shadowed: tuple[tuple[Operation, Provenance], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that `explain` shows."""
        return {
            "place": self.operation.address.name,
            "facet": self.operation.facet,
            "kind": self.operation.kind,
            "operation": self.operation.id,
            **self.provenance.as_json(),
            "shadowed": [{"operation": operation.id, **provenance.as_json()} for operation, provenance in self.shadowed],
        }


class Effective:
    """Hold the effective configuration: what is left of the layers, where each value came from, and what was wrong."""

    def __init__(self, parts: Sequence[Part], live: Sequence[Part], locked: Sequence[Issue] = ()) -> None:
        """Keep what was merged and what is left of it, weakest first; `locked` are the issues of what a lock kept out."""
        self._parts = parts
        self._live = live
        self._locked = locked
        self.operations: tuple[Operation, ...] = ()
        for part in live:
            self.operations += part.operations

    @property
    def provenance(self) -> Mapping[str, Provenance]:
        """Return where each operation came from, by its id."""
        found: dict[str, Provenance] = {}
        for part in self._live:
            found.update(dict.fromkeys(part.ids, part.provenance))
        return found

    @property
    def values(self) -> tuple[Value, ...]:
        """Return the operations to compose, in order, with where each came from and what it shadows."""
        return self._traced[0]

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Return what was wrong: what a lock kept out, then what is shadowed."""
        is_whole = len(self.operations) == sum([len(part.operations) for part in self._parts])
        return tuple(self._locked) if is_whole else (*self._locked, *self._traced[1])

    @cached_property
    def _traced(self) -> tuple[tuple[Value, ...], tuple[Issue, ...]]:
        """Find for every operation the first one above that takes its place."""
        live: list[tuple[int, int]] = []
        taken: list[tuple[int, int, int, int]] = []  # by whom (part and index of the operation), then who
        for number, part in enumerate(self._parts):
            for index, key in enumerate(part.claims.keys):
                winner = self._taker(number, key)
                if winner is None:
                    live.append((number, index))
                else:
                    taken.append((*winner, number, index))
        shadowed: dict[tuple[int, int], list[tuple[Operation, Provenance]]] = {}
        issues: list[Issue] = []
        for above, by, number, index in sorted(taken):  # from the lowest winner up: what is taken has taken its own before
            lower = self._parts[number]
            operation = lower.operations[index]
            before = shadowed.pop((number, index), [])
            shadowed.setdefault((above, by), []).extend([*before, (operation, lower.provenance)])
            issues.append(_shadowed(operation, lower.provenance, self._parts[above].provenance))
        values = []
        for number, index in live:
            part = self._parts[number]
            values.append(Value(part.operations[index], part.provenance, tuple(shadowed.get((number, index), ()))))
        return tuple(values), tuple(issues)

    def _taker(self, number: int, key: Key) -> tuple[int, int] | None:
        """Return which part above, and which operation in it, first takes what a part's operation changes."""
        for above in range(number + 1, len(self._parts)):
            by = self._parts[above].claims.taker(key)
            if by is not None:
                return above, by
        return None


Holder = Callable[[frozenset[str], Operation], str]


class ConfigMerger:
    """Merge the layers of one component for one person; holds nothing between two merges."""

    def __init__(self, holder: Holder | None = None) -> None:
        """Take what says which lock an operation may not pass (`slots.markup.locks`); without it names decide."""
        self.holder = holder or _named_holder

    def merge(self, layers: Iterable[LayerConfiguration]) -> Effective:
        """Return the effective configuration of `layers`, given in any order."""
        ordered = sorted(layers, key=_rank)
        locked: list[Issue] = []
        if any(layer.locked for layer in ordered):
            parts = _unlocked(ordered, locked, self.holder)
        else:
            parts = [layer.whole for layer in ordered]
        return Effective(parts, _live(parts), locked)


def _rank(layer: LayerConfiguration) -> tuple[int, int, str]:
    return layer.rank


def _live(parts: Sequence[Part]) -> list[Part]:
    """Return what is left of each part, weakest first, without those of which nothing is."""
    if len(parts) == 1:  # the common case
        return list(parts)
    left: list[Part] = []
    taken: set[Key] = set()
    emptied: set[Path] = set()
    for part in reversed(parts):
        claims = part.claims
        if not claims.touched <= taken:
            if taken.isdisjoint(claims.touched) and emptied.isdisjoint(claims.paths):
                left.append(part)
            else:
                kept = [
                    operation
                    for operation, key in zip(part.operations, claims.keys, strict=True)
                    if key not in taken and (key[0] not in emptied or key[1] == "gap")
                ]
                left.append(Part(part.provenance, tuple(kept)))
        if claims.everything is not None:
            break
        taken.update(claims.taken)
        emptied.update(claims.emptied)
    left.reverse()
    return left


def _unlocked(ordered: Sequence[LayerConfiguration], issues: list[Issue], holder_of: Holder) -> list[Part]:
    """Return the parts without what a lock of a lower layer holds against, and add an issue for each of those."""
    parts: list[Part] = []
    locks: dict[str, Provenance] = {}
    for layer in ordered:
        kept: list[Operation] = []
        for operation in layer.operations:
            name = holder_of(frozenset(locks), operation) if locks else ""
            if name:
                issues.append(_locked(operation, layer.provenance, locks[name]))
            else:
                kept.append(operation)
        parts.append(layer.whole if len(kept) == len(layer.operations) else Part(layer.provenance, tuple(kept)))
        locks.update(dict.fromkeys(layer.locked, layer.provenance))
    return parts


def _named_holder(locked: frozenset[str], operation: Operation) -> str:
    """Return the lock on the place or on one around it, by their readable names."""
    place = operation.address.name
    while place:
        if place in locked:
            return place
        place = place.rpartition("/")[0]
    return ""


def _shadowed(operation: Operation, layer: Provenance, winner: Provenance) -> Issue:
    return Issue(
        IssueCode.OP_SHADOWED,
        f"The {layer} layer's {operation.kind} does not show: the {winner} layer changes the same place.",
        place=operation.address.name,
        operation=operation.id,
        suggestion="Remove one of the two operations, or lock the place in the lower layer.",
    )


def _locked(operation: Operation, layer: Provenance, holder: Provenance) -> Issue:
    return Issue(
        IssueCode.LAYER_LOCKED,
        f"The {layer} layer's {operation.kind} is left out: the {holder} layer has locked the place.",
        place=operation.address.name,
        operation=operation.id,
        suggestion=f"Ask whoever keeps the {holder} layer to unlock the place, or remove the operation.",
    )
