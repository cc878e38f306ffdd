"""Deciding findings: who, why, what follows, and what no decision can do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migration.actions import decide_finding, import_customizations, translate_customizations
from migration.errors import DecisionNotAllowed
from migration.models import Customization, Decision, Finding
from migration.states import CustomizationState
from slots.models import ComponentVersion
from tests.migration.conftest import AT, NEW, edit, line

pytestmark = pytest.mark.django_db
Bring = Callable[..., Customization]
SCRIPT = edit(NEW, ("In stock", "In stock<hr onclick=x>"))


def decide(finding: Finding, decision: Decision, reason: str = "looked at it") -> dict[int, CustomizationState]:
    return decide_finding(finding, decision=decision, by="dora", at=AT, reason=reason)


def test_acceptance_is_kept_with_name_and_reason_and_moves_everybody(card: ComponentVersion, write: Callable[..., Path]) -> None:
    import_customizations([write([line("bob", SCRIPT), line("carol", SCRIPT)])], at=AT, by="alice")
    keys = list(Customization.objects.values_list("pk", flat=True))
    translate_customizations(keys, at=AT, by="alice")
    finding = Finding.objects.get()

    states = decide(finding, Decision.ACCEPTED)

    finding.refresh_from_db()
    assert states == dict.fromkeys(keys, CustomizationState.TRANSLATED)
    assert (finding.decided_by, finding.decided_at, finding.decision_reason) == ("dora", AT, "looked at it")
    assert finding.history.first().history_user_id == "dora"
    event = Customization.objects.first().events.last()
    assert event.reason == f"{finding.code} accepted by dora: looked at it"


def test_refusal_rejects_and_can_be_taken_back(bring: Bring) -> None:
    row = bring(SCRIPT)
    finding = Finding.objects.get()

    assert decide(finding, Decision.REFUSED) == {row.pk: CustomizationState.REJECTED}
    assert decide(finding, Decision.OPEN) == {row.pk: CustomizationState.NEEDS_REVIEW}
    finding.refresh_from_db()
    assert (finding.decided_by, finding.decided_at) == ("", None)


def test_decision_needs_a_reason(bring: Bring) -> None:
    bring(SCRIPT)

    with pytest.raises(DecisionNotAllowed, match="reason"):
        decide(Finding.objects.get(), Decision.ACCEPTED, "  ")


def test_what_has_no_operations_cannot_be_accepted(bring: Bring) -> None:
    bring("broken")

    with pytest.raises(DecisionNotAllowed, match="nothing to install"):
        decide(Finding.objects.get(), Decision.ACCEPTED)


def test_unknown_version_can_be_accepted(bring: Bring) -> None:
    row = bring(base_version="0.9")

    states = decide(Finding.objects.get(code="VERSION_UNKNOWN"), Decision.ACCEPTED)

    assert states == {row.pk: CustomizationState.VALIDATED}


def test_migrated_customization_is_not_moved(bring: Bring) -> None:
    row = bring(SCRIPT)
    Customization.objects.update(state=CustomizationState.MIGRATED)

    assert decide(Finding.objects.get(), Decision.REFUSED) == {row.pk: CustomizationState.MIGRATED}
