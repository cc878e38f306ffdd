"""Compose ahead what pages will ask for: after a change that many people's pages stand on, a new base or a site layer.

A page that finds its stack missing composes it itself, so nothing here has to have run; it only spares those pages the wait. The
templates that were shown before stay where they are.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from slots.actions.stacks import Stack, StackLayer, VersionRow, build_stack, compose_stacks, layer_row
from slots.models import Component, ComponentVersion, Layer, SegmentMember, SlotConfiguration

BATCH: Final = 200  # stacks composed and stored together
_Row = tuple[StackLayer, VersionRow]


def compose_component(component: Component, *, at: datetime) -> int:
    """Compose every distinct stack of a component that somebody's page can ask for; return how many were missing.

    Cost: the people's rows are read once, as values; each distinct stack is composed once, however many people share it.
    """
    missing = 0
    batch: dict[str, Stack] = {}
    for stack in distinct_stacks(component):
        batch[stack.digest] = stack
        if len(batch) >= BATCH:
            missing += len(compose_stacks(batch.values(), at=at))
            batch.clear()
    return missing + len(compose_stacks(batch.values(), at=at))


def distinct_stacks(component: Component) -> Iterator[Stack]:
    """Yield the stacks of all tenants: of people with a layer of their own, with segments alone, with nothing."""
    rows = SlotConfiguration.objects.active().filter(component=component).order_by()
    versions = _Versions(component)
    current = versions.of(component.current_version_id) if component.current_version_id is not None else None
    for tenant in rows.values_list("tenant", flat=True).distinct():
        shared = [
            layer_row(row)
            for row in rows.filter(tenant=tenant, layer__in=(Layer.DEFAULT, Layer.SITE, Layer.SEGMENT))
            .select_related("component_version")
            .defer("component_version__source", "component_version__samples", "component_version__slot_map")
        ]
        segments = _segments(tenant, frozenset(layer.key for layer, _ in shared if layer.layer == Layer.SEGMENT))
        if current is not None:
            for held in {frozenset[str](), *segments.values()}:
                yield build_stack(current, _under(shared, held))
        people = rows.filter(tenant=tenant, layer=Layer.USER).order_by("body_id")
        seen: set[tuple[int, int, frozenset[str]]] = set()
        last = ""  # people who share a body come one after the other
        columns = ("body_id", "key", "component_version_id", "priority")
        for body, key, version_pk, priority in people.values_list(*columns).iterator(chunk_size=5_000):
            if body != last:
                seen, last = set(), body
            place = (version_pk, priority, segments.get(key, frozenset()))
            if place not in seen:
                seen.add(place)
                own = (StackLayer(Layer.USER, key, priority, body), versions.of(version_pk))
                yield build_stack(current or own[1], [*_under(shared, place[2]), own])


class _Versions:
    """Know the versions of a component; one that is released meanwhile is asked for when it comes up."""

    def __init__(self, component: Component) -> None:
        self._rows = ComponentVersion.objects.filter(component=component).only("version", "content_digest")
        self._known = {version.pk: self._row(version) for version in self._rows}

    def of(self, pk: int) -> VersionRow:
        """Return what a stack needs to know of a version."""
        if pk not in self._known:
            self._known[pk] = self._row(self._rows.get(pk=pk))
        return self._known[pk]

    @staticmethod
    def _row(version: ComponentVersion) -> VersionRow:
        return VersionRow(version.pk, version.version, version.content_digest)


def _segments(tenant: str, names: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the segments of each person who is in any of these."""
    found: dict[str, set[str]] = {}
    if names:
        members = SegmentMember.objects.filter(tenant=tenant, segment__in=names).values_list("user", "segment")
        for user, segment in members.iterator(chunk_size=5_000):
            found.setdefault(user, set()).add(segment)
    return {user: frozenset(held) for user, held in found.items()}


def _under(shared: list[_Row], segments: frozenset[str]) -> list[_Row]:
    """Return the layers that lie under somebody who is in these segments."""
    return [(layer, version) for layer, version in shared if layer.layer != Layer.SEGMENT or layer.key in segments]
