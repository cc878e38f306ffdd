"""Say who is affected by an upgrade, and how: the blast radius, before anything is live and while conflicts are open."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Sum

from slots.actions.upgrades.planning import movable
from slots.models import CaseStatus, Resolution, SlotConfiguration, Upgrade, UpgradeConflict, UpgradeState


@dataclass(frozen=True, slots=True)
class Impact:
    """Count what an upgrade does: configurations by the worst outcome of their operations, and the distinct ones."""

    component: str
    version: str
    counts: Mapping[str, int]
    distinct: int
    ready: int
    waiting: int
    moved: int
    layers: Mapping[str, int]
    pinned: int
    groups: Sequence[Mapping[str, Any]]
    refusals: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of `upgrade_component` and `slots impact`."""
        found = {status: self.counts.get(status, 0) for status in CaseStatus.values}
        return {
            "component": self.component,
            "version": self.version,
            "total": sum(found.values()),
            **found,
            "distinct": self.distinct,
            "ready": self.ready,
            "waiting": self.waiting,
            "moved": self.moved,
            "layers": dict(self.layers),
            "pinned": self.pinned,
            "conflicts": list(self.groups),
            "refusals": dict(self.refusals),
        }


def impact(upgrade: Upgrade) -> Impact:
    """Return who is affected by an upgrade and how, in a fixed number of queries."""
    counts: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    distinct = ready = moved = 0
    columns = ("status", "refusal", "is_ready", "configurations", "moved")
    for status, refusal, is_ready, configurations, gone in upgrade.cases.values_list(*columns):
        counts[status] += configurations
        if refusal:
            refusals[refusal] += configurations
        distinct += 1
        ready += configurations if is_ready else 0
        moved += gone
    rows = movable(upgrade.component, upgrade.version).values_list("layer").annotate(count=Count("pk"))
    pinned = SlotConfiguration.objects.active().filter(component=upgrade.component, is_pinned=True).order_by().count()
    total = sum(counts.values())
    return Impact(
        upgrade.component.key, upgrade.version.version, counts, distinct, ready, total - ready, moved, dict(rows), pinned,
        conflict_groups(upgrade), dict(refusals.most_common()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenConflicts:
    """Hold a group of equal conflicts that wait for a decision: which upgrade's, what it is about, and how many it concerns."""

    upgrade: int
    group: str
    component: str
    version: str
    status: str
    words: str
    place: str
    configurations: int
    planned_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of a command."""
        return asdict(self)


def open_conflicts() -> list[OpenConflicts]:
    """Return the groups of conflicts that keep configurations back until somebody decides, of all upgrades; one query."""
    rows = UpgradeConflict.objects.filter(resolution=Resolution.OPEN, case__is_ready=False)
    rows = rows.exclude(case__upgrade__state=UpgradeState.SUPERSEDED).order_by()
    found = rows.values_list(
        "case__upgrade", "group", "case__upgrade__component__key", "case__upgrade__version__version", "status"
    ).annotate(Min("words"), Min("place"), Sum("case__configurations"), Min("case__upgrade__planned_at"))
    conflicts = [OpenConflicts(*row) for row in found]
    return sorted(conflicts, key=lambda each: (-each.configurations, each.planned_at, each.group))


def conflict_groups(upgrade: Upgrade) -> list[dict[str, Any]]:
    """Return the groups of equal conflicts, those that concern most configurations first."""
    found: dict[str, dict[str, Any]] = {}
    rows = UpgradeConflict.objects.filter(case__upgrade=upgrade).select_related("case").order_by("pk")
    for row in rows:
        group = found.setdefault(
            row.group,
            {
                "group": row.group, "status": row.status, "code": row.code, "words": row.words, "place": row.place,
                "reason": row.reason, "resolution": row.resolution, "configurations": 0,
            },
        )  # fmt: skip
        group["configurations"] += row.case.configurations
    return sorted(found.values(), key=lambda group: (-group["configurations"], group["group"]))
