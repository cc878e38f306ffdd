"""Deciding findings: somebody with the right accepts what blocks, or refuses it for good."""

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from migration.actions.settling import settle
from migration.errors import DecisionNotAllowed
from migration.models import Customization, Decision, Finding
from migration.states import CustomizationState
from slots.models import record_as


@transaction.atomic
def decide_finding(
    finding: Finding, *, decision: Decision, by: str, at: datetime, reason: str, act: uuid.UUID | None = None
) -> dict[int, CustomizationState]:
    """Record a decision and move every customization that it concerns; return their states.

    After an acceptance the customizations are to be validated again; a validation then passes where nothing else is in the
    way. Opening a decided finding again takes the decision back.

    Raises:
        DecisionNotAllowed: there is no reason, or no decision can make what the finding says go away.
    """
    finding = Finding.objects.select_for_update().get(pk=finding.pk)
    if not reason.strip():
        raise DecisionNotAllowed(finding.code, "give a reason; it is kept with the decision")
    if decision == Decision.ACCEPTED and not can_accept(finding):
        raise DecisionNotAllowed(finding.code, "there is nothing to install; correct the diff and import it again")
    finding.decision, finding.decision_reason = decision, reason
    finding.decided_by, finding.decided_at = (by, at) if decision != Decision.OPEN else ("", None)
    record_as(finding, by=by, reason=reason, at=at, act=act)
    finding.save()
    return settle(concerned(finding), at=at, reason=f"{finding.code} {decision} by {by}: {reason}")


def can_accept(finding: Finding) -> bool:
    """Say whether accepting lets anybody move: there are operations, or only the recorded version is unknown."""
    translation = finding.translation
    is_installable = translation is not None and translation.body_id is not None and translation.is_proven
    return is_acceptable(finding.code, is_own=finding.customization_id is not None, is_installable=is_installable)


def is_acceptable(code: str, *, is_own: bool, is_installable: bool) -> bool:
    """Say the same of a code, of a customization's own finding, or of a translation that has proven operations or not."""
    return code == "VERSION_UNKNOWN" if is_own else is_installable


def concerned(finding: Finding) -> list[int]:
    """Return the customizations that a finding keeps back."""
    about = Q(pk=finding.customization_id) if finding.customization_id else Q(translation=finding.translation_id)
    return list(Customization.objects.filter(about).order_by("pk").values_list("pk", flat=True))
