"""Plan what a new version does to every configuration: matched once a version, carried once a distinct body.

A plan changes nobody's page. It says who is affected, what goes by itself, what was kept against an upstream change and what lost
its place, and it holds the operations that each body becomes.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.db import transaction
from django.db.models import Count
from django.template import TemplateSyntaxError

from slots.actions.bodies import save_documents
from slots.actions.serving import renderer
from slots.errors import SlotsError, VersionUnknown
from slots.markup import ops
from slots.markup.compose import compose
from slots.markup.ops import Document, Operation
from slots.markup.policy import judge
from slots.markup.rebase import Outcome, Status, prepare, rebase
from slots.models import (
    Body,
    CaseStatus,
    Component,
    ComponentVersion,
    Layer,
    Resolution,
    SlotConfiguration,
    Upgrade,
    UpgradeCase,
    UpgradeConflict,
    UpgradeState,
)

DOUBTFUL: Final = frozenset({Status.KEPT, Status.CONFLICT})
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Carried:
    """Hold what becomes of one body: its operations on the new version, and why it may not go live by itself."""

    operations: tuple[Operation, ...]
    outcomes: tuple[dict[str, Any], ...]
    status: str
    doubtful: tuple[Outcome, ...]
    refusal: str = ""


def movable(component: Component, version: ComponentVersion) -> Any:
    """Return the configurations that an upgrade to `version` is about: active, not pinned, made for another version."""
    rows = SlotConfiguration.objects.active().filter(component=component, is_pinned=False).exclude(layer=Layer.PREVIEW)
    return rows.exclude(component_version=version).order_by()


@transaction.atomic
def plan_upgrade(
    component: Component, version: ComponentVersion | str, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> Upgrade:
    """Work out what the version does to every configuration; an earlier plan for the component is replaced.

    Decisions that people made in the earlier plan are taken over where place and texts are the same.

    Raises:
        VersionUnknown: the component has no such version.
    """
    target = _version(component, version)
    earlier = list(component.upgrades.exclude(state=UpgradeState.SUPERSEDED).filter(version=target))
    decided = _decisions(earlier)
    component.upgrades.filter(state=UpgradeState.PLANNED).delete()
    upgrade = Upgrade.objects.create(
        component=component, version=target, act=act or uuid.uuid4(), by=by, reason=reason, planned_at=at
    )
    shared = movable(component, target).values_list("component_version_id", "body_id").annotate(count=Count("pk"))
    groups: dict[int, list[tuple[str, int]]] = {}
    for version_pk, digest, count in sorted(shared):
        groups.setdefault(version_pk, []).append((digest, count))
    for old in ComponentVersion.objects.in_bulk(groups).values():
        _plan_version(upgrade, old, target, groups[old.pk], decided, at=at)
    return upgrade


def _version(component: Component, version: ComponentVersion | str) -> ComponentVersion:
    if isinstance(version, ComponentVersion) and version.component_id == component.pk:
        return version
    found = component.versions.filter(version=str(version)).first()
    if found is None:
        raise VersionUnknown(component.key, str(version))
    return found


def _plan_version(
    upgrade: Upgrade,
    old: ComponentVersion,
    target: ComponentVersion,
    counted: Sequence[tuple[str, int]],
    decided: Mapping[str, UpgradeConflict],
    *,
    at: datetime,
) -> None:
    """Carry every distinct body of one version; the two sources are matched once for all of them."""
    pairing = prepare(old.source, target.source)
    goes_live = target.terms.kept == "live"
    given_up = frozenset(group for group, row in decided.items() if row.resolution == Resolution.THEIRS)
    for start in range(0, len(counted), _BATCH):
        batch = counted[start : start + _BATCH]
        bodies = Body.objects.in_bulk([digest for digest, _ in batch])
        documents = {digest: ops.loads_document(bodies[digest].operations) for digest, _ in batch}
        carried = [carry(documents[digest].operations, target, pairing, given_up=given_up) for digest, _ in batch]
        saved = save_documents(
            (Document(each.operations, documents[digest].locked) for each, (digest, _) in zip(carried, batch, strict=True)), at=at
        )
        cases = [
            UpgradeCase(
                upgrade=upgrade,
                from_version=old,
                body_id=digest,
                new_body=body,
                status=each.status,
                refusal=each.refusal,
                outcomes=list(each.outcomes),
                configurations=count,
            )
            for (digest, count), each, body in zip(batch, carried, saved, strict=True)
        ]
        UpgradeCase.objects.bulk_create(cases)
        conflicts = [
            _conflict(case, outcome, operation, decided)
            for case, each, (digest, _) in zip(cases, carried, batch, strict=True)
            for outcome, operation in _with_operations(each.doubtful, documents[digest].operations)
        ]
        UpgradeConflict.objects.bulk_create(conflicts)
        settle_cases(cases, goes_live=goes_live)


def carry(
    operations: Sequence[Operation], target: ComponentVersion, pairing: Any, *, given_up: frozenset[str] = frozenset()
) -> Carried:
    """Return what operations become on a version; `pairing` is that of the version they were made for and this one.

    `given_up` are ids of operations, or groups of conflicts, that people gave up in favour of the new base: they are left out.
    """
    rebased = rebase(operations, pairing)
    doubtful = tuple(outcome for outcome in rebased.outcomes if outcome.status in DOUBTFUL)
    gone = {each.operation_id for each in doubtful if each.operation_id in given_up or group_of(each) in given_up}
    left = tuple(operation for operation in rebased.operations if operation.id not in gone)
    source = compose(target.source, left).source if gone else rebased.source
    refusal = "" if source == target.source else refused(left, target, source)
    status = CaseStatus.REFUSED if refusal else CaseStatus(rebased.status.value)
    outcomes = tuple(_short(outcome) for outcome in rebased.outcomes)
    return Carried(left, outcomes, status, doubtful, refusal)


def refused(operations: Sequence[Operation], target: ComponentVersion, source: str) -> str:
    """Return why the policy or the compiler does not take operations on a version, empty where both do."""
    for issue in judge(operations, target.terms, target.source):
        return f"{issue.code}: {issue.text}"
    try:
        renderer.template(source)
    except (TemplateSyntaxError, SlotsError) as error:
        return f"The result cannot be compiled: {error}"
    return ""


def _short(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome without its texts, which stand with the conflicts."""
    return {
        "operation": outcome.operation_id, "status": outcome.status.value, "reason": outcome.reason, "place": outcome.place,
    }  # fmt: skip


def _with_operations(outcomes: Iterable[Outcome], operations: Iterable[Operation]) -> list[tuple[Outcome, Operation]]:
    by_id = {operation.id: operation for operation in operations}
    return [(outcome, by_id[outcome.operation_id]) for outcome in outcomes]


def group_of(outcome: Outcome) -> str:
    """Return what equal conflicts have in common: the digest over status, place and the three texts."""
    parts = (outcome.status.value, outcome.place, *outcome.texts)
    return sha256("\x00".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()


def _conflict(
    case: UpgradeCase, outcome: Outcome, operation: Operation, decided: Mapping[str, UpgradeConflict]
) -> UpgradeConflict:
    group = group_of(outcome)
    earlier = decided.get(group)
    made = UpgradeConflict(
        case=case,
        operation=outcome.operation_id,
        status=outcome.status.value,
        words=ops.describe(operation),
        place=outcome.place[:500],
        reason=outcome.reason,
        base=outcome.texts.base,
        ours=outcome.texts.ours,
        theirs=outcome.texts.theirs,
        group=group,
    )
    if earlier is not None:
        for name in ("resolution", "resolved_by", "resolved_at", "resolved_because"):
            setattr(made, name, getattr(earlier, name))
    return made


def _decisions(upgrades: Iterable[Upgrade]) -> dict[str, UpgradeConflict]:
    rows = UpgradeConflict.objects.filter(case__upgrade__in=list(upgrades)).exclude(resolution=Resolution.OPEN)
    return {row.group: row for row in rows.order_by("resolved_at")}


def settle_cases(cases: Sequence[UpgradeCase], *, goes_live: bool) -> None:
    """Say of each case whether its configurations may move.

    A case is ready when nothing in it is open: kept operations count as decided where the contract says `kept = "live"`.
    """
    rows = UpgradeConflict.objects.filter(case__in=[case.pk for case in cases]).order_by()
    by_case: dict[int, list[UpgradeConflict]] = {}
    for row in rows:
        by_case.setdefault(row.case_id, []).append(row)
    for case in cases:
        mine = by_case.get(case.pk, [])
        case.is_ready = case.status != CaseStatus.REFUSED and all(_is_settled(row, goes_live=goes_live) for row in mine)
    UpgradeCase.objects.bulk_update(cases, ["is_ready"], batch_size=_BATCH)


def _is_settled(conflict: UpgradeConflict, *, goes_live: bool) -> bool:
    if conflict.resolution == Resolution.OPEN:
        return goes_live and conflict.status == Status.KEPT
    return conflict.resolution != Resolution.PINNED
