"""Deciding a group as it was shown: everything in one transaction, refused where the group changed since.

What was shown is kept on the server, with the primary keys of all members. Later members are named when a decision comes too
late for them, and stay open.
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from migration.actions.reviewing.groups import Group, group_named
from migration.actions.reviewing.members import member_keys, sample_of
from migration.actions.settling import settle
from migration.errors import DecisionNotAllowed, GroupChanged, GroupNotShown
from migration.models import Customization, Decision, Finding, GroupPreview
from slots.models import Keys, insert_selected

KEPT: Final = timedelta(days=7)


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


def preview_group(group: Group, *, by: str, at: datetime) -> GroupPreview:
    """Keep what `by` is shown of a group now: its members, and the sample that the caller has to show.

    Whatever anybody was shown longer ago than `KEPT` is forgotten.
    """
    GroupPreview.objects.filter(at__lt=at - KEPT).delete()
    members = member_keys(group)
    shown = {
        "customizations": members,
        "findings": list(group.findings),
        "sample": sample_of(group, members),
        "digest": _digest(members, group.findings),
        "at": at,
    }
    preview, _is_new = GroupPreview.objects.update_or_create(by=by, group=group.digest, defaults=shown)
    return preview


@transaction.atomic
def decide_group(
    digest: str, *, decision: Decision, by: str, at: datetime, reason: str, shown: str = "", act: uuid.UUID | None = None
) -> GroupDecision:
    """Decide all findings of a group alike, and move every customization that they concern.

    `shown` is the digest of the preview that the decision is about; left out, it is about the last one that `by` saw. Each
    finding and each customization keeps the decision in its history, all under one act. After an acceptance the customizations
    are to be validated again.

    Raises:
        DecisionNotAllowed: there is no reason, or no decision can make what the findings say go away.
        GroupNotShown: `by` was not shown the group, so nobody looked at its sample.
        GroupChanged: members or findings came, went or were decided since it was shown.
    """
    preview = GroupPreview.objects.select_for_update().filter(by=by, group=digest).first()
    if not reason.strip():
        raise DecisionNotAllowed(f"Group {digest[:12]}", "give a reason; it is kept with the decision")
    if preview is None:
        raise GroupNotShown(digest)
    list(Finding.objects.select_for_update().filter(pk__in=Keys(preview.findings)).order_by("pk").values_list("pk"))
    group = group_named(digest)
    members = member_keys(group) if group else []
    if group is None or preview.digest != _digest(members, group.findings) or shown not in ("", preview.digest):
        raise GroupChanged(digest, came=_names(set(members) - set(preview.customizations)), is_gone=group is None)
    if decision == Decision.ACCEPTED and not group.can_accept:
        raise DecisionNotAllowed(", ".join(group.codes), "there is nothing to install; correct the diff and import it again")
    decided = _record(group.findings, decision=decision, by=by, at=at, reason=reason, act=act or uuid.uuid4())
    said = f"{', '.join(group.codes)} {decision} by {by} for {len(members)}: {reason}"
    states = settle(members, at=at, reason=said)
    preview.delete()
    return GroupDecision(digest, decision, decided, tuple(members), dict(Counter(map(str, states.values()))))


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


def _names(customizations: Iterable[int]) -> list[str]:
    """Return whose these are, by name."""
    rows = (
        Customization.objects.filter(pk__in=Keys(customizations)).select_related("person").only("person__tenant", "person__user")
    )
    return sorted(str(row.person) for row in rows)
