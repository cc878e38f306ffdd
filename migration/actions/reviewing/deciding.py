"""Deciding a group as it was shown: everything in one transaction, refused where the group changed since.

What was shown is named by a digest over all members and findings, which whoever decides hands back. So nothing is kept of a look,
and nobody decides about a group that is not the one they saw.
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import F

from migration.actions.reviewing.groups import Group, group_named
from migration.actions.reviewing.members import member_keys, sample_of
from migration.actions.settling import settle
from migration.errors import DecisionNotAllowed, GroupChanged, GroupNotShown
from migration.models import Decision, Finding
from slots.models import Keys, insert_selected


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """Say what a decision did: how many findings it decided, for which customizations, and where these stand now."""

    group: str
    decision: Decision
    findings: int
    customizations: tuple[int, ...]
    states: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints."""
        return {
            "group": self.group,
            "decision": self.decision.value,
            "findings": self.findings,
            "people": len(self.customizations),
            "states": self.states,
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """Hold what is shown of a group: all members and the sample to look at, by primary key.

    `digest` is over the members and the findings.
    """

    group: str
    customizations: tuple[int, ...]
    sample: tuple[int, ...]
    digest: str


def preview_group(group: Group) -> Preview:
    """Return what is to be shown of a group now; nothing is written."""
    members = member_keys(group)
    return Preview(group.digest, tuple(members), tuple(sample_of(group, members)), _digest(members, group.findings))


@transaction.atomic
def decide_group(
    digest: str, *, decision: Decision, by: str, at: datetime, reason: str, shown: str, act: uuid.UUID | None = None
) -> GroupDecision:
    """Decide all findings of a group alike, and move every customization that they concern.

    `shown` is the digest of the preview that the decision is about. Each finding and each customization keeps the decision in its
    history, all under one act. After an acceptance the customizations are to be validated again.

    Raises:
        DecisionNotAllowed: there is no reason, or no decision can make what the findings say go away.
        GroupNotShown: it is not said what was shown, so nobody looked at its sample.
        GroupChanged: members or findings came, went or were decided since it was shown.
    """
    if not reason.strip():
        raise DecisionNotAllowed(f"Group {digest[:12]}", "give a reason; it is kept with the decision")
    if not shown:
        raise GroupNotShown(digest)
    group = group_named(digest)
    members = member_keys(group) if group else []
    if group is None or shown != _digest(members, group.findings) or not _hold_open(group.findings):
        raise GroupChanged(digest, members=len(members))
    if decision == Decision.ACCEPTED and not group.can_accept:
        raise DecisionNotAllowed(", ".join(group.codes), "there is nothing to install; correct the diff and import it again")
    decided = _record(group.findings, decision=decision, by=by, at=at, reason=reason, act=act or uuid.uuid4())
    said = f"{', '.join(group.codes)} {decision} by {by} for {len(members)}: {reason}"
    states = settle(members, at=at, reason=said)
    return GroupDecision(digest, decision, decided, tuple(members), dict(Counter(map(str, states.values()))))


def _hold_open(findings: Sequence[int]) -> bool:
    """Lock findings, and say whether all are still to be decided."""
    rows = Finding.objects.select_for_update().filter(pk__in=Keys(findings), decision=Decision.OPEN)
    return len(rows.order_by("pk").values_list("pk")) == len(findings)


def _record(findings: Iterable[int], *, decision: Decision, by: str, at: datetime, reason: str, act: uuid.UUID) -> int:
    """Write a decision to all these findings, and for each the history row that saving it would have written."""
    rows = Finding.objects.filter(pk__in=Keys(findings))
    decided = rows.update(decision=decision, decision_reason=reason, decided_by=by, decided_at=at)
    history: Any = Finding.history.model  # type: ignore[attr-defined]  # simple_history has no stubs
    said = {
        "history_date": at,
        "history_type": "~",
        "history_user_id": by or None,
        "history_change_reason": reason,
        "act": act,
    }
    insert_selected(history, rows.order_by("pk"), {field.attname: F(field.attname) for field in history.tracked_fields} | said)
    return decided


def _digest(members: Iterable[int], findings: Iterable[int]) -> str:
    return sha256(json.dumps([list(members), list(findings)], separators=(",", ":")).encode()).hexdigest()
