"""Put back what was there: one revision, or the whole layer of many people exactly as a snapshot holds it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from slots.actions.configurations import (
    REMOVED,
    Placement,
    install_configuration,
    install_configurations,
    remove_configuration,
    remove_configurations,
)
from slots.models import ComponentVersion, Layer, SlotConfiguration
from slots.schema import PersonKey

Saved = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Restored:
    """Count what a restore did to rows."""

    created: int
    changed: int
    removed: int
    unchanged: int


def snapshot_people(people: Iterable[PersonKey]) -> dict[PersonKey, list[dict[str, Any]]]:
    """Return each person's own layer as JSON objects, ordered by component; one query.

    The members are component_version (its key in the database), body, is_active, origin, priority and is_pinned; an empty list
    says that the person has no layer of their own.
    """
    found: dict[PersonKey, list[dict[str, Any]]] = {person: [] for person in people}
    for row in _own_rows(found).order_by("tenant", "key", "component_id"):
        found[PersonKey(row.tenant, row.key)].append(
            {
                "component_version": row.component_version_id,
                "body": row.body_id,
                "is_active": row.is_active,
                "origin": row.origin,
                "priority": row.priority,
                "is_pinned": row.is_pinned,
            }
        )
    return found


@transaction.atomic
def restore_people(
    snapshots: Mapping[PersonKey, Sequence[Saved]], *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> Restored:
    """Make each person's own layer what the snapshot says, in a fixed number of queries; again changes nothing.

    Rows that the snapshot does not hold are taken off. History goes on: a restore is a change like any other.
    """
    versions = ComponentVersion.objects.defer("source", "samples", "slot_map").in_bulk(
        {saved["component_version"] for rows in snapshots.values() for saved in rows}
    )
    placements = [
        Placement(
            tenant=person.tenant,
            layer=Layer.USER,
            key=person.user,
            version=versions[saved["component_version"]],
            body=saved["body"],
            origin=saved["origin"],
            priority=saved["priority"],
            is_active=saved["is_active"],
            is_pinned=saved.get("is_pinned", False),  # snapshots of earlier releases do not say
        )
        for person, rows in snapshots.items()
        for saved in rows
    ]
    kept = {placement.place for placement in placements}
    surplus = [
        row for row in _own_rows(snapshots).select_for_update() if (row.tenant, row.layer, row.key, row.component_id) not in kept
    ]
    removed = remove_configurations(surplus, by=by, at=at, reason=reason, act=act) if surplus else 0
    installed = install_configurations(placements, by=by, at=at, reason=reason, act=act)
    return Restored(installed.created, installed.changed, removed, installed.unchanged)


@transaction.atomic
def restore_revision(
    revision: Any, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> SlotConfiguration | None:
    """Make a configuration what one of its history rows says; None where that revision is its removal."""
    if revision.history_type == REMOVED:
        row = SlotConfiguration.objects.filter(
            tenant=revision.tenant, layer=revision.layer, key=revision.key, component_id=revision.component_id
        ).first()
        if row is not None:
            remove_configuration(row, by=by, at=at, reason=reason, act=act)
        return None
    placement = Placement(
        tenant=revision.tenant,
        layer=revision.layer,
        key=revision.key,
        version=ComponentVersion.objects.get(pk=revision.component_version_id),
        body=revision.body_id,
        origin=revision.origin,
        priority=revision.priority,
        is_active=revision.is_active,
        is_pinned=revision.is_pinned,
    )
    return install_configuration(placement, by=by, at=at, reason=reason, act=act)


def _own_rows(people: Iterable[PersonKey]) -> Any:
    """Return the rows of these people's own layers."""
    users: dict[str, set[str]] = {}
    for person in people:
        users.setdefault(person.tenant, set()).add(person.user)
    matches = Q(pk__in=[])
    for tenant, keys in users.items():
        matches |= Q(tenant=tenant, key__in=keys)
    return SlotConfiguration.objects.filter(matches, layer=Layer.USER).order_by()
