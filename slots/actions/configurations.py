"""Lay configurations over components, take them off, and put back what was there: one row or many, with the same history.

The single acts save through the model. The acts over many write the same rows and the same history rows in a fixed number of
queries; a test compares both row by row. Composed sources are made when a configuration is written, so that no page waits for
them.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, prefetch_related_objects

from slots.actions.stacks import Stack, VersionRow, build_stack, compose_stacks, layer_row
from slots.models import Body, Component, ComponentVersion, Layer, Origin, SegmentMember, SlotConfiguration, record_as
from slots.schema import PersonKey

ADDED: Final = "+"
CHANGED: Final = "~"
REMOVED: Final = "-"
_CONTENT: Final = ("component_version_id", "body_id", "is_active", "origin", "priority", "is_pinned")


@dataclass(frozen=True, slots=True)
class Placement:
    """Say what one layer is to say about one component; the fields of a `SlotConfiguration` without who and when."""

    tenant: str
    layer: str
    key: str
    version: ComponentVersion
    body: str
    origin: str = Origin.HAND
    priority: int = 0
    is_active: bool = True
    is_pinned: bool = False

    @classmethod
    def for_person(cls, person: PersonKey, version: ComponentVersion, body: Body, *, origin: str) -> "Placement":
        """Return the placement of a person's own layer."""
        return cls(person.tenant, Layer.USER, person.user, version, body.digest, origin)

    @property
    def place(self) -> tuple[str, str, str, int]:
        """Return what one row exists for."""
        return self.tenant, self.layer, self.key, self.version.component_id

    def fill(self, configuration: SlotConfiguration, at: datetime) -> bool:
        """Write the placement into a row that is not saved yet; say whether that changes anything."""
        wanted = (self.version.pk, self.body, self.is_active, str(self.origin), self.priority, self.is_pinned)
        if configuration.pk is not None and tuple(getattr(configuration, name) for name in _CONTENT) == wanted:
            return False
        for name, value in zip(_CONTENT, wanted, strict=True):
            setattr(configuration, name, value)
        configuration.component_version = self.version
        configuration.updated_at = at
        return True

    def empty_row(self) -> SlotConfiguration:
        """Return a new row for the place."""
        return SlotConfiguration(tenant=self.tenant, layer=self.layer, key=self.key, component_id=self.version.component_id)


@dataclass(frozen=True, slots=True)
class Installed:
    """Count what a placing of many did."""

    created: int
    changed: int
    unchanged: int


@transaction.atomic
def install_configuration(
    placement: Placement, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> SlotConfiguration:
    """Lay one configuration over a component and compose what that changes; the same one again changes nothing."""
    tenant, layer, key, component = placement.place
    existing = SlotConfiguration.objects.filter(tenant=tenant, layer=layer, key=key, component_id=component).first()
    row = existing or placement.empty_row()
    if placement.fill(row, at):
        record_as(row, by=by, reason=reason, at=at, act=act)
        row.save()
        compose_for([row], at=at)
    return row


@transaction.atomic
def install_configurations(
    placements: Sequence[Placement], *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> Installed:
    """Lay many configurations (a chunk of people) in a fixed number of queries; the history is that of the single act."""
    rows = {each.place: each.empty_row() for each in placements}
    rows.update({_place(row): row for row in _rows_at(rows)})
    created: list[SlotConfiguration] = []
    changed: list[SlotConfiguration] = []
    for each in placements:
        row = rows[each.place]
        is_new = row.pk is None
        if each.fill(row, at):
            (created if is_new else changed).append(row)
    _write(created, changed)
    _add_history({ADDED: created, CHANGED: changed}, by=by, at=at, reason=reason, act=act)
    compose_for([*created, *changed], at=at)
    return Installed(len(created), len(changed), len(rows) - len(created) - len(changed))


@transaction.atomic
def remove_configuration(
    configuration: SlotConfiguration, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> None:
    """Take one configuration off; its history stays and can be restored."""
    record_as(configuration, by=by, reason=reason, at=at, act=act)
    configuration.delete()


@transaction.atomic
def remove_configurations(
    configurations: Iterable[SlotConfiguration], *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> int:
    """Take many configurations off in two queries; return how many."""
    rows = list(configurations)
    _add_history({REMOVED: rows}, by=by, at=at, reason=reason, act=act)
    removed = SlotConfiguration.objects.filter(pk__in=[row.pk for row in rows])
    removed._raw_delete(using=removed.db)  # nothing refers to a configuration, so there is nothing to collect first
    return len(rows)


@transaction.atomic
def restore_configurations(
    rows: Sequence[SlotConfiguration], *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> int:
    """Write rows exactly as they once were, keys and instants included, and return how many; `rows` are unsaved instances."""
    present = set(SlotConfiguration.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    _write([], list(rows))
    kinds = {ADDED: [row for row in rows if row.pk not in present], CHANGED: [row for row in rows if row.pk in present]}
    _add_history(kinds, by=by, at=at, reason=reason, act=act)
    prefetch_related_objects(rows, "component_version")
    compose_for(rows, at=at)
    return len(rows)


def compose_for(configurations: Iterable[SlotConfiguration], *, at: datetime) -> int:
    """Compose the stacks of the people whose own layer these rows are, or of the layer alone; return how many were missing.

    A change of a default, site or segment layer composes what people without a layer above it see; the others' stacks are
    composed on their next page, or by the job that carries a site's change.
    """
    rows = [row for row in configurations if row.is_active and row.layer != Layer.PREVIEW]
    if not rows:
        return 0
    components = {row.component_id for row in rows}
    tenants = {row.tenant for row in rows}
    below = (
        SlotConfiguration.objects.active()
        .filter(tenant__in=tenants, component__in=components, layer__in=(Layer.DEFAULT, Layer.SITE, Layer.SEGMENT))
        .select_related("component_version")
        .defer("component_version__source", "component_version__samples", "component_version__slot_map")
    )
    shared: dict[tuple[str, int], list[SlotConfiguration]] = {}
    for row in below:
        shared.setdefault((row.tenant, row.component_id), []).append(row)
    members = _segments_of(rows) if any(row.layer == Layer.SEGMENT for group in shared.values() for row in group) else {}
    current = {
        component.pk: component.current_version
        for component in Component.objects.filter(pk__in=components).select_related("current_version")
    }
    stacks: dict[str, Stack] = {}
    for row in rows:
        version = current[row.component_id] or row.component_version
        segments = members.get((row.tenant, row.key), frozenset()) if row.layer == Layer.USER else frozenset({row.key})
        under = [
            layer_row(each)
            for each in shared.get((row.tenant, row.component_id), [])
            if each.pk != row.pk and (each.layer != Layer.SEGMENT or each.key in segments)
        ]
        stack = build_stack(VersionRow(version.pk, version.version, version.content_digest), [*under, layer_row(row)])
        stacks[stack.digest] = stack
    return len(compose_stacks(stacks.values(), at=at))


def _segments_of(rows: Iterable[SlotConfiguration]) -> dict[tuple[str, str], frozenset[str]]:
    users = {row.key for row in rows if row.layer == Layer.USER}
    found: dict[tuple[str, str], set[str]] = {}
    for tenant, user, segment in SegmentMember.objects.filter(user__in=users).values_list("tenant", "user", "segment"):
        found.setdefault((tenant, user), set()).add(segment)
    return {place: frozenset(segments) for place, segments in found.items()}


def _place(row: SlotConfiguration) -> tuple[str, str, str, int]:
    return row.tenant, row.layer, row.key, row.component_id


def _rows_at(places: Iterable[tuple[str, str, str, int]]) -> list[SlotConfiguration]:
    """Return the rows at the places, in one query; locked where the database can."""
    groups: dict[tuple[str, str, int], set[str]] = {}
    for tenant, layer, key, component in places:
        groups.setdefault((tenant, layer, component), set()).add(key)
    if not groups:
        return []
    matches = Q()
    for (tenant, layer, component), keys in groups.items():
        matches |= Q(tenant=tenant, layer=layer, component_id=component, key__in=keys)
    return list(SlotConfiguration.objects.select_for_update().filter(matches).order_by())


def _write(created: list[SlotConfiguration], changed: list[SlotConfiguration]) -> None:
    fields = ["component_version", "body", "is_active", "origin", "priority", "is_pinned", "updated_at"]
    if created:
        SlotConfiguration.objects.bulk_create(created)
    if changed:
        SlotConfiguration.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=fields)


def _add_history(
    rows: Mapping[str, Sequence[SlotConfiguration]], *, by: str, at: datetime, reason: str, act: uuid.UUID | None
) -> None:
    """Write the history rows that saving each row would have written."""
    historical: Any = SlotConfiguration.history.model  # type: ignore[attr-defined]  # the library has no types
    names = [field.attname for field in historical.tracked_fields]
    historical.objects.bulk_create(
        historical(
            **{name: getattr(row, name) for name in names},
            history_date=at,
            history_type=kind,
            history_user_id=by or None,
            history_change_reason=reason,
            act=act,
        )
        for kind, group in rows.items()
        for row in group
    )
