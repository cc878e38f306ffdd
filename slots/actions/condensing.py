"""Reduce stored configurations to their net effect: fewer operations, and for everybody the same page to the letter."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from slots.actions.bodies import save_body
from slots.actions.composing import distinct_stacks
from slots.actions.configurations import Placement, install_configurations
from slots.actions.stacks import Stack, compose_layers
from slots.errors import OperationsInvalid
from slots.markup import ops
from slots.markup.condense import condense
from slots.markup.tree import Tree, parse
from slots.models import Body, Component, ComponentVersion, Origin, SlotConfiguration

BATCH: Final = 500  # configurations that get another body together


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

    A shorter body is used where every stack that the body is in composes to the same text with it. What translations made is as
    short as it gets, and rollbacks compare it with what was migrated: it is left alone.
    """
    rows = SlotConfiguration.objects.active().filter(component=component, origin=Origin.HAND).order_by()
    pairs = sorted(set(rows.values_list("component_version_id", "body_id")))
    versions = ComponentVersion.objects.in_bulk({version for version, _ in pairs})
    stacks = list(distinct_stacks(component)) if pairs else []
    found = Condensation(total=rows.count(), distinct=len(pairs))
    for version_pk, digest in pairs:
        version = versions[version_pk]
        try:
            held = ops.loads_document(Body.objects.get(pk=digest).operations)
        except OperationsInvalid:
            found = replace(found, unreadable=found.unreadable + 1)
            continue
        shorter = condense(version.source, held.operations)
        found = replace(found, operations=found.operations + len(held.operations))
        if not shorter.dropped:
            continue
        if not _is_same_everywhere(stacks, digest, ops.dumps(shorter.operations, locked=held.locked)):
            found = replace(found, needed=found.needed + 1)
            continue
        body = save_body(shorter.operations, at=at, locked=held.locked)
        changed = 0
        for batch in _batches(rows.filter(component_version=version_pk, body=digest)):
            placements = [_with_body(row, version, body.digest) for row in batch]
            changed += install_configurations(placements, by=by, at=at, reason=reason, act=act).changed
        found = replace(found, condensed=found.condensed + changed, dropped=found.dropped + len(shorter.dropped))
    return found


def _is_same_everywhere(stacks: Sequence[Stack], digest: str, operations: str) -> bool:
    """Say whether every stack with the body composes to the same text with `operations` (JSON) in its place."""
    concerned = [stack for stack in stacks if any(layer.body == digest for layer in stack.layers)]
    if any(layer.made_for is not None for stack in concerned for layer in stack.layers):
        return False  # part of it is carried from one version to another; it is condensed when the upgrade is through
    names = {layer.body for stack in concerned for layer in stack.layers}
    bodies = dict(Body.objects.filter(digest__in=names).values_list("digest", "operations"))
    sources = dict(ComponentVersion.objects.filter(pk__in={each.version.pk for each in concerned}).values_list("pk", "source"))
    trees: dict[int, Tree] = {pk: parse(source) for pk, source in sources.items()}
    return all(
        compose_layers(trees[stack.version.pk], stack.layers, bodies).source
        == compose_layers(trees[stack.version.pk], stack.layers, bodies | {digest: operations}).source
        for stack in concerned
    )


def _batches(rows: Any) -> Iterable[list[SlotConfiguration]]:
    """Yield the rows in lists; those that were given another body are no longer among them."""
    while batch := list(rows[:BATCH]):
        yield batch


def _with_body(row: SlotConfiguration, version: ComponentVersion, digest: str) -> Placement:
    place = (row.tenant, row.layer, row.key)
    return Placement(*place, version, digest, row.origin, row.priority, is_active=row.is_active, is_pinned=row.is_pinned)
