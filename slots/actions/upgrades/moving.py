"""Make a planned upgrade live: the component's current version, and every configuration of which nothing is left to decide.

All others stay on the version that they were made for, and with them the people who see them. A layer never moves past one that
it lies on: where a site's layer waits, its people wait too.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q, Subquery, Value

from slots.actions.configurations import compose_for
from slots.actions.set_based import Entry, change_rows
from slots.actions.upgrades.planning import movable
from slots.errors import SlotsError
from slots.models import Component, Layer, Origin, SlotConfiguration, Upgrade, UpgradeCase, UpgradeState

# Layers that others lie on, weakest first, each with those that wait for it.
_BELOW = (
    (Layer.DEFAULT, Layer.SITE, Layer.SEGMENT, Layer.USER),
    (Layer.SITE, Layer.SEGMENT, Layer.USER),
    (Layer.SEGMENT, Layer.USER),
)
_COMPOSED_AT_ONCE = 200


class UpgradeBlocked(SlotsError):
    """The component's own default layer does not fit the new version yet."""

    code = "UPGRADE_BLOCKED"

    def __init__(self, upgrade: Upgrade) -> None:
        """Keep the upgrade that cannot go live."""
        super().__init__(f"{upgrade} cannot go live: the default layer, which everybody sees, has conflicts. Decide them first.")
        self.upgrade = upgrade


class UpgradeNotPlanned(SlotsError):
    """The upgrade was superseded by a later one."""

    code = "UPGRADE_NOT_PLANNED"

    def __init__(self, upgrade: Upgrade) -> None:
        """Keep the upgrade."""
        super().__init__(f"{upgrade} was superseded by a later upgrade. Plan it again.")
        self.upgrade = upgrade


@transaction.atomic
def activate_upgrade(upgrade: Upgrade, *, by: str, at: datetime, reason: str) -> int:
    """Show the version to everybody whom no waiting configuration holds back; return how many configurations moved.

    Doing it again moves what became ready since.

    Raises:
        UpgradeBlocked: the default layer has conflicts.
        UpgradeNotPlanned: a later upgrade of the component is live.
    """
    component = Component.objects.select_for_update().get(pk=upgrade.component_id)
    upgrade.refresh_from_db()
    if upgrade.state == UpgradeState.SUPERSEDED:
        raise UpgradeNotPlanned(upgrade)
    if _unready(upgrade).filter(layer=Layer.DEFAULT).exists():
        raise UpgradeBlocked(upgrade)
    if upgrade.state == UpgradeState.PLANNED:
        component.upgrades.filter(state=UpgradeState.ACTIVE).update(state=UpgradeState.SUPERSEDED)
        component.current_version_id = upgrade.version_id
        component.save(update_fields=["current_version"])
        upgrade.state, upgrade.activated_at = UpgradeState.ACTIVE, at
        upgrade.save(update_fields=["state", "activated_at"])
    return move_ready(upgrade, by=by, at=at, reason=reason)


@transaction.atomic
def move_ready(upgrade: Upgrade, *, by: str, at: datetime, reason: str) -> int:
    """Move every configuration of a live upgrade whose case is ready and which no layer below it holds back."""
    entry = Entry(by, at, reason, upgrade.act)
    return sum(_move_layer(upgrade, layer, entry) for layer in (Layer.DEFAULT, Layer.SITE, Layer.SEGMENT, Layer.USER))


def _ready_case(upgrade: Upgrade) -> Any:
    return UpgradeCase.objects.filter(
        upgrade=upgrade, is_ready=True, from_version=OuterRef("component_version_id"), body=OuterRef("body_id")
    )


def _unready(upgrade: Upgrade) -> Any:
    """Return the active configurations that stay behind: pinned ones, and those of which something is to be decided."""
    rows = SlotConfiguration.objects.active().filter(component=upgrade.component_id).exclude(layer=Layer.PREVIEW)
    rows = rows.exclude(component_version=upgrade.version_id)
    return rows.filter(Q(is_pinned=True) | ~Exists(_ready_case(upgrade))).order_by()


def _held_tenants(upgrade: Upgrade, layer: str) -> set[str]:
    """Return the tenants in which a layer below `layer` stays behind."""
    below = [each for each, *above in _BELOW if layer in above]
    return set(_unready(upgrade).filter(layer__in=below).values_list("tenant", flat=True)) if below else set()


def _move_layer(upgrade: Upgrade, layer: str, entry: Entry) -> int:
    cases = _ready_case(upgrade)
    rows = movable(upgrade.component, upgrade.version).filter(Exists(cases), layer=layer)
    held = _held_tenants(upgrade, layer)
    if held:
        rows = rows.exclude(tenant__in=held)
    counted = list(rows.values_list("component_version_id", "body_id").annotate(count=Count("pk")))
    if not counted:
        return 0
    firsts = list(
        rows.values("tenant", "component_version_id", "body_id").annotate(first=Min("pk")).values_list("first", flat=True)
    )
    values = {
        "component_version_id": upgrade.version_id,
        "body_id": Subquery(cases.values("new_body")[:1]),
        "origin": Value(Origin.UPGRADE.value),
    }
    moved = change_rows(rows, values, entry)
    _count_moved(upgrade, counted)
    _compose(firsts, at=entry.at)
    return moved


def _count_moved(upgrade: Upgrade, counted: Iterable[tuple[int, str, int]]) -> None:
    counts = {(version, body): count for version, body, count in counted}
    cases = [case for case in upgrade.cases.all() if (case.from_version_id, case.body_id) in counts]
    for case in cases:
        case.moved += counts[case.from_version_id, case.body_id]
    UpgradeCase.objects.bulk_update(cases, ["moved"], batch_size=500)


def _compose(pks: list[int], *, at: datetime) -> None:
    """Compose each distinct stack once, so that no page waits for it."""
    for start in range(0, len(pks), _COMPOSED_AT_ONCE):
        rows = SlotConfiguration.objects.filter(pk__in=pks[start : start + _COMPOSED_AT_ONCE])
        compose_for(rows.select_related("component_version"), at=at)
