"""Reduce stored configurations to their net effect: fewer operations, and for everybody the same page to the letter."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import transaction

from slots.actions.bodies import save_body
from slots.actions.composing import distinct_stacks
from slots.actions.configurations import Placement, install_configurations
from slots.actions.stacks import Stack, compose_layers
from slots.errors import OperationsInvalid
from slots.markup import ops
from slots.markup.condense import condense
from slots.markup.ops import Document
from slots.models import Body, Component, ComponentVersion, Layer, Origin, SlotConfiguration

BATCH: Final = 500  # configurations that get another body together, stacks that are looked at together

# For a version and a body's digest: the shorter document, and how many operations are left out.
_Shorter = dict[tuple[int, str], tuple[Document, int]]


@dataclass(frozen=True, slots=True)
class Condensation:
    """Count what was looked at: configurations made by hand, their distinct bodies and operations; and what became of it.

    `condensed` configurations got a shorter body, `dropped` operations of distinct bodies went. `needed` bodies could be shorter,
    but over the layers below somebody's page would change; `unreadable` ones do not follow the schema. Both stay as they are.
    """

    total: int = 0
    distinct: int = 0
    operations: int = 0
    condensed: int = 0
    dropped: int = 0
    needed: int = 0
    unreadable: int = 0


def condense_component(component: Component, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None) -> Condensation:
    """Condense the configurations of a component that were made by hand, each distinct body once.

    A shorter body is used where somebody's page is made of it, and all such pages compose to the same text with it. What
    translations made is as short as it gets, and rollbacks compare it with what was migrated: it is left alone.
    """
    rows = SlotConfiguration.objects.active().filter(component=component, origin=Origin.HAND).exclude(layer=Layer.PREVIEW)
    rows = rows.order_by()
    found, shorter = _shortened(rows)
    fitting = _same_everywhere(component, shorter) if shorter else set()
    found = replace(found, needed=len(shorter.keys() - fitting))
    for (version_pk, digest), (document, dropped) in shorter.items():
        if (version_pk, digest) not in fitting:
            continue
        version = ComponentVersion.objects.get(pk=version_pk)
        body = save_body(document.operations, at=at, locked=document.locked)
        changed = 0
        while True:
            with transaction.atomic():  # what somebody makes live meanwhile has another body, and is not among them
                batch = list(rows.select_for_update().filter(component_version=version_pk, body=digest)[:BATCH])
                placements = [_with_body(row, version, body.digest) for row in batch]
                changed += install_configurations(placements, by=by, at=at, reason=reason, act=act).changed
            if len(batch) < BATCH:
                break
        found = replace(found, condensed=found.condensed + changed, dropped=found.dropped + dropped)
    return found


def _shortened(rows: Any) -> tuple[Condensation, _Shorter]:
    """Return the counts, and for each version and body that can be shorter the document and how many operations go."""
    shorter: _Shorter = {}
    pairs = sorted(set(rows.values_list("component_version_id", "body_id")))
    sources = dict(ComponentVersion.objects.filter(pk__in={pk for pk, _ in pairs}).values_list("pk", "source"))
    operations = unreadable = 0
    for version_pk, digest in pairs:
        try:
            held = ops.loads_document(Body.objects.get(pk=digest).operations)
        except OperationsInvalid:
            unreadable += 1
            continue
        operations += len(held.operations)
        condensed = condense(sources[version_pk], held.operations)
        if condensed.dropped:
            shorter[version_pk, digest] = (Document(condensed.operations, held.locked), len(condensed.dropped))
    return Condensation(rows.count(), len(pairs), operations, unreadable=unreadable), shorter


def _same_everywhere(component: Component, shorter: _Shorter) -> set[tuple[int, str]]:
    """Return those that are in somebody's stack, and whose every stack composes to the same text with the shorter body."""
    seen: set[tuple[int, str]] = set()
    needed: set[tuple[int, str]] = set()
    stacks = distinct_stacks(component)
    while batch := list(islice(stacks, BATCH)):
        names = {layer.body for stack in batch for layer in stack.layers}
        bodies = dict(Body.objects.filter(digest__in=names).values_list("digest", "operations"))
        for stack in batch:
            concerned = [(stack.version.pk, layer.body) for layer in stack.layers if (stack.version.pk, layer.body) in shorter]
            carried = any(layer.made_for is not None for layer in stack.layers)  # condensed when the upgrade is through
            for pair in concerned:
                seen.add(pair)
                if pair not in needed and (carried or not _is_same(stack, pair, bodies, shorter)):
                    needed.add(pair)
            if carried:
                needed.update((layer.made_for.pk, layer.body) for layer in stack.layers if layer.made_for is not None)
    return seen - needed


def _is_same(stack: Stack, pair: tuple[int, str], bodies: Mapping[str, str], shorter: _Shorter) -> bool:
    """Say whether a stack composes to the same text with the shorter body."""
    base = ComponentVersion.objects.values_list("source", flat=True).get(pk=stack.version.pk)
    document = shorter[pair][0]
    changed = {**bodies, pair[1]: ops.dumps(document.operations, locked=document.locked)}
    before, after = (compose_layers(base, stack.layers, each).source for each in (bodies, changed))
    return before == after


def _with_body(row: SlotConfiguration, version: ComponentVersion, digest: str) -> Placement:
    place = (row.tenant, row.layer, row.key)
    return Placement(*place, version, digest, row.origin, row.priority, is_active=row.is_active, is_pinned=row.is_pinned)
