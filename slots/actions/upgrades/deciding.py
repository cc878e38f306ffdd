"""Settle what an upgrade could not: one decision serves every configuration that has the same conflict."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.text import Truncator

from slots.actions.bodies import save_body
from slots.actions.upgrades.moving import move_ready
from slots.actions.upgrades.planning import carry, settle_cases
from slots.errors import SlotsError
from slots.markup import ops
from slots.markup.rebase import Status, prepare
from slots.models import (
    ComponentVersion,
    Resolution,
    Upgrade,
    UpgradeCase,
    UpgradeConflict,
    UpgradeState,
)


class ResolutionNotPossible(SlotsError):
    """A decision does not fit the conflict."""

    code = "RESOLUTION_NOT_POSSIBLE"

    def __init__(self, conflict: UpgradeConflict, why: str) -> None:
        """Keep the conflict and the sentence that says why."""
        super().__init__(f"{Truncator(conflict.words).chars(80)} {why}")
        self.conflict = conflict


@transaction.atomic
def decide_conflicts(upgrade: Upgrade, group: str, resolution: str, *, by: str, at: datetime, reason: str) -> int:
    """Decide all conflicts of a group alike, and move what becomes ready; return how many configurations moved.

    Raises:
        ResolutionNotPossible: there is no place where the customization's version could stand, or its people moved already.
    """
    rows = list(
        UpgradeConflict.objects.select_for_update(of=("self",))
        .filter(case__upgrade=upgrade, group=group)
        .select_related("case__from_version", "case__body")
        .order_by("pk")
    )
    for row in rows:
        if resolution == Resolution.OURS and row.status == Status.CONFLICT:
            raise ResolutionNotPossible(row, "has no place in the new version: take the base's version, or stay on the old one.")
        if row.case.moved:
            raise ResolutionNotPossible(row, "has gone live already: restore or edit the configurations instead.")
    for row in rows:
        row.resolution = resolution
        row.resolved_by = by if resolution else ""
        row.resolved_at = at if resolution else None
        row.resolved_because = reason if resolution else ""
    UpgradeConflict.objects.bulk_update(rows, ["resolution", "resolved_by", "resolved_at", "resolved_because"], batch_size=500)
    _carry_again(upgrade, [row.case for row in rows], at=at)
    if upgrade.state != UpgradeState.ACTIVE:
        return 0
    return move_ready(upgrade, by=by, at=at, reason=reason)


def _carry_again(upgrade: Upgrade, cases: Sequence[UpgradeCase], *, at: datetime) -> None:
    """Make the bodies of cases anew, without the operations that were given up."""
    target = upgrade.version
    pairings = {}
    distinct = {case.pk: case for case in cases}
    given_up: dict[int, frozenset[str]] = {}
    for case_pk, operation in UpgradeConflict.objects.filter(case__in=distinct, resolution=Resolution.THEIRS).values_list(
        "case_id", "operation"
    ):
        given_up[case_pk] = given_up.get(case_pk, frozenset()) | {operation}
    for case in distinct.values():
        old: ComponentVersion = case.from_version
        if old.pk not in pairings:
            pairings[old.pk] = prepare(old.source, target.source)
        document = ops.loads_document(case.body.operations)
        carried = carry(document.operations, target, pairings[old.pk], given_up=given_up.get(case.pk, frozenset()))
        case.new_body = save_body(carried.operations, at=at, locked=document.locked)
        case.refusal = carried.refusal
        case.status = carried.status
    UpgradeCase.objects.bulk_update(distinct.values(), ["new_body", "status", "refusal"], batch_size=500)
    settle_cases(list(distinct.values()), goes_live=target.terms.kept == "live")
