"""Say before a draft goes live what that would mean: what a lock keeps out, whom it reaches, which version they see."""

from collections.abc import Sequence
from typing import Any, Final

from slots.actions.explaining import layer_configurations
from slots.actions.people import is_known
from slots.actions.stacks import LAYER_RANK, LOCKING
from slots.errors import Issue, IssueCode
from slots.markup import ops
from slots.markup.locks import Locks
from slots.markup.ops import Operation
from slots.markup.tree import parse
from slots.merger import Provenance
from slots.models import Draft, Layer, SegmentMember, SlotConfiguration
from slots.schema import PersonKey

_ADVICE: Final = "Ask whoever keeps the {} layer to unlock the place, or take the operation out."


def lock_issues(row: Draft | SlotConfiguration, operations: Sequence[Operation]) -> tuple[Issue, ...]:
    """Return an issue for each operation of a place that a lock of a layer below keeps out; `row` is what holds them."""
    held = _locks_below(row)
    if not held:
        return ()
    locks = Locks(parse(row.component_version.source))
    found: list[Issue] = []
    for operation in operations:
        name = locks.holder(frozenset(held), operation)
        if name:
            holder = held[name]
            by = f" by {holder.by} on {holder.at:%Y-%m-%d}" if holder.by and holder.at else ""
            text = f"This is left out: the {holder.layer} layer has locked {name}{by}."
            place = operation.address.name
            found.append(Issue(IssueCode.LAYER_LOCKED, text, place, operation.id, _ADVICE.format(holder.layer)))
    return tuple(found)


def version_hint(row: Draft | SlotConfiguration) -> str:
    """Say that what a place says is made for another version than the current one; empty where it is made for that."""
    current = row.component.current_version
    if current is None or current.pk == row.component_version_id:
        return ""
    mine = row.component_version.version
    shown = "" if row.layer == Layer.DEFAULT else f" Whom it reaches sees {mine}, unless a layer above says otherwise."
    return f"It is made for version {mine}; the component's current version is {current.version}.{shown}"


def key_hint(tenant: str, layer: str, key: str) -> str:
    """Say that nobody has the key of a place; empty where somebody has, or where that cannot be known."""
    if layer == Layer.SEGMENT and not SegmentMember.objects.filter(tenant=tenant, segment=key).exists():
        return f"The segment {key} has no members in the tenant {tenant}: until it has, nobody sees this."
    if layer != Layer.USER or is_known(PersonKey(tenant, key)) is not False:
        return ""
    return f"Nobody of the tenant {tenant} is called {key}: look whether it is spelt right."


def outlook(draft: Draft) -> tuple[str, ...]:
    """Say in sentences what a draft does that its operations do not show: locks, emptiness, whom it reaches, what is odd."""
    said = ops.loads_document(draft.body.operations)
    present = SlotConfiguration.objects.filter(**_place(draft), is_active=True).select_related("body").first()
    before = ops.loads_document(present.body.operations) if present is not None else ops.Document(())
    found = [f"It locks {name}, so that no layer above can change it." for name in sorted({*said.locked} - {*before.locked})]
    found += [f"It unlocks {name}." for name in sorted({*before.locked} - {*said.locked})]
    if not said.operations:
        count = len([each for each in before.operations if not each.layout])
        taken = f"{count} present operation{'' if count == 1 else 's'} away" if count else "nothing away, since it has none"
        found.append(f"It has no change: making it live takes the layer's {taken}.")
    found.append(_reach(draft))
    hints = (version_hint(draft), key_hint(draft.tenant, draft.layer, draft.key))
    return (*found, *filter(None, hints))


def _reach(draft: Draft) -> str:
    """Say whose pages a draft's layer reaches, and how many configurations lie above it."""
    if draft.layer == Layer.PREVIEW:
        return "It reaches nobody's page: previews are looked at in the administration."
    if draft.layer == Layer.USER:
        return f"It reaches the pages of {draft.key}."
    if draft.layer == Layer.SEGMENT:
        members = SegmentMember.objects.filter(tenant=draft.tenant, segment=draft.key).count()
        return f"It reaches the pages of the {members} member{'' if members == 1 else 's'} of the segment {draft.key}."
    higher = [layer for layer, rank in LAYER_RANK.items() if rank > LAYER_RANK[draft.layer] and layer != Layer.PREVIEW]
    rows = SlotConfiguration.objects.active().filter(tenant=draft.tenant, component=draft.component_id, layer__in=higher)
    above = rows.count()
    lying = "1 configuration of a layer above lies" if above == 1 else f"{above} configurations of layers above lie"
    return f"It reaches everybody of the tenant {draft.tenant}; {lying} over it."


def _locks_below(row: Draft | SlotConfiguration) -> dict[str, Provenance]:
    """Return the slots that layers below a place lock, each with the layer that does, who wrote it and when."""
    lower = [layer for layer in LOCKING if LAYER_RANK[layer] < LAYER_RANK[row.layer]]
    rows = SlotConfiguration.objects.active().filter(tenant=row.tenant, component=row.component_id, layer__in=lower, key="")
    fitted, _ = layer_configurations(rows.select_related("body", "component_version"), row.component_version)
    layers = sorted(fitted, key=lambda layer: layer.rank)
    return {name: layer.provenance for layer in layers for name in layer.locked}


def _place(draft: Draft) -> dict[str, Any]:
    return {"tenant": draft.tenant, "layer": draft.layer, "key": draft.key, "component": draft.component_id}
