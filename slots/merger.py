"""Lay configurations over each other: default < site < segment < user < preview, later ones win.

Operations of all layers are kept in order, except where a higher layer changes the same facet of the same place, or takes the
whole place away: then the lower one is shadowed, and said to be. Class tokens are a set, so two layers may both add some. For
each value that is left the merger knows which layer it came from, in which revision, who made it and when. One pass over the
operations, a dictionary look-up each: no general-purpose merging of nested values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from slots.errors import Issue, IssueCode
from slots.markup.ops import REPLACE_SOURCE, Operation

LAYER_ORDER: Final = ("default", "site", "segment", "user", "preview")
_RANK: Final = {name: rank for rank, name in enumerate(LAYER_ORDER)}
# Facets that several operations share without touching each other: tokens of a class, and gaps that take several insertions.
_SHARED: Final = frozenset({"class", "gap", "space"})


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


@dataclass(frozen=True, slots=True)
class LayerConfiguration:
    """Hold what one layer says: its operations in order.

    `priority` orders segments, higher wins. `locked` names the places (readable addresses) that no layer above may change, nor
    anything inside them.
    """

    provenance: Provenance
    operations: tuple[Operation, ...]
    priority: int = 0
    locked: frozenset[str] = frozenset()

    @property
    def rank(self) -> tuple[int, int, str]:
        """Return what layers are sorted by, weakest first."""
        return _RANK[self.provenance.layer], self.priority, self.provenance.key


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


@dataclass(frozen=True, slots=True)
class Effective:
    """Hold the effective configuration: values in the order in which they are composed, and what was wrong."""

    values: tuple[Value, ...]
    issues: tuple[Issue, ...]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Return the operations to compose."""
        return tuple(value.operation for value in self.values)

    @property
    def provenance(self) -> Mapping[str, Provenance]:
        """Return where each operation came from, by its id."""
        return {value.operation.id: value.provenance for value in self.values}


@dataclass(slots=True)
class _Entry:
    operation: Operation
    provenance: Provenance
    shadowed: tuple[tuple[Operation, Provenance], ...] = ()
    is_live: bool = True


class ConfigMerger:
    """Merge the layers of one component for one person; holds nothing between two merges."""

    def merge(self, layers: Iterable[LayerConfiguration]) -> Effective:
        """Return the effective configuration of `layers`, given in any order."""
        ordered = sorted(layers, key=lambda layer: layer.rank)
        if len(ordered) == 1:  # the common case: one layer, nothing to shadow
            only = ordered[0]
            return Effective(tuple(Value(operation, only.provenance) for operation in only.operations), ())
        entries: list[_Entry] = []
        by_place: dict[tuple[int, ...], dict[str, list[_Entry]]] = {}
        issues: list[Issue] = []
        locks: dict[str, Provenance] = {}
        for layer in ordered:
            fresh: list[_Entry] = []
            for operation in layer.operations:
                holder = _holder(locks, operation.address.name)
                if holder is not None:
                    issues.append(_locked(operation, layer.provenance, holder))
                    continue
                entry = _Entry(operation, layer.provenance)
                for lower in _overridden(operation, by_place):
                    lower.is_live = False
                    entry.shadowed += (*lower.shadowed, (lower.operation, lower.provenance))
                    issues.append(_shadowed(lower, layer.provenance))
                fresh.append(entry)
            for entry in fresh:  # one layer's own operations never shadow each other: they were made as one list
                by_place.setdefault(entry.operation.address.path, {}).setdefault(entry.operation.facet, []).append(entry)
            entries.extend(fresh)
            locks.update(dict.fromkeys(layer.locked, layer.provenance))
        values = tuple(Value(each.operation, each.provenance, each.shadowed) for each in entries if each.is_live)
        return Effective(values, tuple(issues))


def _overridden(operation: Operation, by_place: dict[tuple[int, ...], dict[str, list[_Entry]]]) -> list[_Entry]:
    """Return the live operations of lower layers that `operation` takes the place of."""
    if operation.kind == REPLACE_SOURCE:
        found = [entry for facets in by_place.values() for entries in facets.values() for entry in entries]
    else:
        facets = by_place.get(operation.address.path, {})
        if operation.facet == "node" and not operation.holes:  # the whole node goes: nothing said about it can show
            found = [entry for facet, entries in facets.items() if facet != "gap" for entry in entries]
        elif operation.facet in _SHARED:
            found = []
        else:
            found = facets.get(operation.facet, [])
    return [entry for entry in found if entry.is_live]


def _holder(locks: Mapping[str, Provenance], place: str) -> Provenance | None:
    """Return who locked the place or one around it."""
    if not locks:
        return None
    while place:
        if place in locks:
            return locks[place]
        place = place.rpartition("/")[0]
    return None


def _shadowed(lower: _Entry, winner: Provenance) -> Issue:
    return Issue(
        IssueCode.OP_SHADOWED,
        f"The {lower.provenance} layer's {lower.operation.kind} does not show: the {winner} layer changes the same place.",
        place=lower.operation.address.name,
        operation=lower.operation.id,
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
