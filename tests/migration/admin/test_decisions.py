"""Deciding and dismissing in the admin: the effect first, a reason always, only who may."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from migration.actions import import_customizations
from migration.admin import reasons
from migration.models import Customization, Decision, Finding, RejectedRecord
from migration.states import CustomizationState
from tests.migration.admin.test_lists import viewing
from tests.migration.conftest import AT, NEW, edit, line
from tests.scenes import kept

pytestmark = pytest.mark.django_db
SCRIPT = edit(NEW, ("In stock", "In stock<hr onclick=x>"))


@pytest.fixture
@kept
def finding(bring: Callable[..., Customization]) -> Finding:
    """Return a finding that blocks bob."""
    bring(SCRIPT)
    return Finding.objects.get()


def page(finding: Finding, decision: str) -> str:
    return f"{reverse('admin:migration_finding_decide')}?ids={finding.pk}&decision={decision}"


def test_effect_is_shown_before_anything_happens(finding: Finding, dora: User) -> None:
    response = viewing(dora, "decide_finding").get(page(finding, "accepted"))

    content = response.content.decode()
    assert "1 customization is concerned" in content
    assert finding.code in content
    finding.refresh_from_db()
    assert finding.decision == Decision.OPEN


def test_acceptance_with_reason_is_recorded(finding: Finding, dora: User) -> None:
    response = viewing(dora, "decide_finding").post(page(finding, "accepted"), {"reason": "known customer"}, follow=True)

    finding.refresh_from_db()
    assert "1 finding is now accepted" in response.content.decode()
    assert (finding.decision, finding.decided_by, finding.decision_reason) == ("accepted", "dora", "known customer")
    assert Customization.objects.get().state == CustomizationState.TRANSLATED


def test_second_decision_is_told_of_the_first_and_asked_again(finding: Finding, dora: User) -> None:
    client = viewing(dora, "decide_finding")
    seen = client.get(page(finding, "refused")).context["form"].initial["shown"]
    client.post(page(finding, "accepted"), {"reason": "known customer"})

    response = client.post(page(finding, "refused"), {"reason": "no", "shown": seen})

    assert "This changed after the page was shown." in response.content.decode()
    assert "Now accepted by dora: known customer" in response.content.decode()
    finding.refresh_from_db()
    assert finding.decision == Decision.ACCEPTED


def test_decision_without_reason_is_asked_again(finding: Finding, dora: User) -> None:
    response = viewing(dora, "decide_finding").post(page(finding, "accepted"), {"reason": ""})

    finding.refresh_from_db()
    assert response.status_code == 200
    assert finding.decision == Decision.OPEN


def test_decision_that_is_not_allowed_is_named(bring: Callable[..., Customization], dora: User) -> None:
    bring("broken")
    finding = Finding.objects.get()

    response = viewing(dora, "decide_finding").post(page(finding, "accepted"), {"reason": "please"}, follow=True)

    assert "there is nothing to install" in response.content.decode()
    finding.refresh_from_db()
    assert finding.decision == Decision.OPEN


@pytest.mark.parametrize("method", ["get", "post"])
def test_deciding_needs_the_right(finding: Finding, charlie: User, method: str) -> None:
    response = getattr(viewing(charlie), method)(page(finding, "accepted"), {"reason": "x"})

    finding.refresh_from_db()
    assert (response.status_code, finding.decision) == (403, Decision.OPEN)


def test_action_leads_to_the_page(finding: Finding, dora: User) -> None:
    changelist = reverse("admin:migration_finding_changelist")

    response = viewing(dora, "decide_finding").post(changelist, {"action": "refuse", "_selected_action": [finding.pk]})

    assert response.headers["Location"] == f"{reverse('admin:migration_finding_decide')}?ids={finding.pk}&decision=refused"


def test_rejected_record_is_dismissed_with_reason(card: object, write: Callable[..., Path], alice: User) -> None:
    import_customizations([write([line(active="?")])], at=AT, by="alice")
    record = RejectedRecord.objects.get()
    address = f"{reverse('admin:migration_rejectedrecord_dismiss')}?ids={record.pk}"
    assert viewing(alice).post(address, {"reason": "x"}).status_code == 403
    client: Client = viewing(alice, "settle_rejectedrecord")
    assert "FIELD_INVALID" in client.get(address).content.decode()

    client.post(address, {"reason": "left by a test"})

    record.refresh_from_db()
    assert (record.settled_by, record.settled_reason) == ("alice", "left by a test")


def test_address_without_a_known_decision_leads_nowhere(finding: Finding, dora: User) -> None:
    client = viewing(dora, "decide_finding")

    assert client.post(page(finding, "whatever"), {"reason": "none"}).status_code == 404
    assert client.get(reverse("admin:migration_finding_decide")).status_code == 404


def test_more_rows_than_an_address_holds_are_not_dropped_in_silence(
    finding: Finding, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasons, "MOST", 1)
    finding.pk = None
    finding.save()
    chosen = list(Finding.objects.values_list("pk", flat=True))

    response = viewing(dora, "decide_finding").post(
        reverse("admin:migration_finding_changelist"), {"action": "accept", "_selected_action": chosen}, follow=True
    )

    content = response.content.decode()
    assert "Only the first 1 of the chosen rows are taken." in content
    assert "Accept 1 finding?" in content


@pytest.mark.parametrize(("line", "shown"), [(0, "–"), (7, "7")])
def test_line_is_a_dash_where_there_is_none(finding: Finding, dora: User, line: int, shown: str) -> None:
    Finding.objects.update(line=line)

    content = viewing(dora, "view_finding").get(reverse("admin:migration_finding_changelist")).content.decode()

    assert re.search(rf'<td[^>]* class="field-diff_line"[^>]*>{shown}</td>', content)
