"""The review queue in the admin: each thing once, everything a decision needs, and no decision about what was not shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration.actions import import_customizations, translate_customizations, validate_customizations
from migration.actions.reviewing import open_groups
from migration.admin import review
from migration.models import Customization, Decision, Finding
from phoenix.workers import work_off
from slots.actions import import_component
from slots.actions.upgrades import open_conflicts, plan_upgrade
from slots.models import Component, ComponentVersion
from slots.registry import ComponentRecord
from slots.schema import PersonKey
from tests.conftest import person as account
from tests.migration.admin.test_lists import grant, viewing
from tests.migration.conftest import AT, CARD, CONTRACT, LOST, NEW, SAMPLES, edit, line
from tests.scenes import kept
from tests.slots.conftest import lay, set_text

pytestmark = pytest.mark.django_db
SCRIPT = edit(NEW, ("In stock", "In stock<hr onclick=x>"), ("Handmade", "Made by hand"))
QUEUE = "/admin/migration/finding/review/"
Fill = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def fill(write: Callable[..., Path], card: ComponentVersion) -> Fill:
    """Return what imports, translates and validates many."""

    def bring_all(lines: list[dict[str, Any]]) -> None:
        import_customizations([write(lines)], at=AT, by="alice")
        keys = list(Customization.objects.values_list("pk", flat=True))
        translate_customizations(keys, at=AT, by="alice")
        validate_customizations(keys, at=AT, by="alice")

    return bring_all


@pytest.fixture
@kept
def people(fill: Fill) -> None:
    """Have three people whose customization the old system lost, and two whose diffs the policy refuses."""
    lost = [line(user, LOST, base_version="1.0") for user in ("bob", "carol", "dave")]
    fill([*lost, line("erin", SCRIPT), line("frank", SCRIPT)])


def address(kind: str, query: str = "") -> str:
    """Return the page of the only group of a kind."""
    (group,) = open_groups(kind=kind)
    return reverse("admin:migration_review_group", args=[group.digest]) + query


def decide(client: Client, page: str, decision: str, **more: str) -> HttpResponse:
    """Look at a page and decide what it shows."""
    shown = client.get(page).context["shown"]
    response: Any = client.post(page, {"decision": decision, "reason": "looked at it", "shown": shown, **more}, follow=True)
    return response


def test_queue_names_each_thing_once_with_its_people(people: None, charlie: User) -> None:
    content = viewing(charlie).get(QUEUE).content.decode()

    assert "2 decisions for 5 customizations." in content
    assert content.count("<tr>") == 3
    assert "Add the class wide to" in content
    assert content.index("would be seen again</span>") < content.index("refused by the policy</span>")


@pytest.mark.parametrize(
    ("query", "count"),
    [("?kind=restores", 1), ("?kind=pages", 0), (f"?component={CARD}", 2), ("?component=shop.other&kind=policy", 0)],
)
def test_queue_is_narrowed_down(people: None, charlie: User, query: str, count: int) -> None:
    response = viewing(charlie).get(QUEUE + query)

    assert response.context["page"].paginator.count == count


def test_group_is_shown_with_everything_a_decision_needs(people: None, dora: User) -> None:
    content = viewing(dora, "decide_finding").get(address("restores")).content.decode()

    assert content.count("<iframe sandbox") == content.count("<iframe") == 2 * 5
    for look in ("look-side", "look-overlay", "look-difference", "width-phone", "width-tablet", "width-desktop"):
        assert f'id="{look}"' in content
    assert 'href="#hunk-1"' in content
    assert 'id="hunk-1"' in content
    assert 'href="#operation-1"' in content
    assert "A random sample: 3 of 3" in content
    assert content.count("as it was found") == 3
    assert "Decide for 3 people" in content
    assert " style=" not in content
    assert "script-src 'self'" in viewing(dora).get(address("restores")).headers["Content-Security-Policy"]


def test_each_operation_is_tied_to_its_hunk(people: None, charlie: User) -> None:
    context = viewing(charlie).get(address("policy")).context

    assert [(each["number"], each["hunk"]) for each in context["operations"]] == [(1, 1), (2, 1)]
    assert [(hunk.number, list(hunk.operations)) for hunk in context["hunks"]] == [(1, [1, 2])]


def test_difference_is_marked_in_a_closed_frame(people: None, charlie: User) -> None:
    row = Customization.objects.get(person__user="bob")
    response = viewing(charlie).get(reverse("admin:migration_customization_page", args=[row.pk, "difference", 0]))

    content = response.content.decode()
    assert 'data-difference="changed" title="class: summary → summary wide"' in content
    assert "/difference.css" in content
    assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; ")


def test_any_member_can_be_looked_at(people: None, charlie: User) -> None:
    client = viewing(charlie)
    carol = Customization.objects.get(person__user="carol")
    erin = Customization.objects.get(person__user="erin")

    assert client.get(address("restores", f"?member={carol.pk}")).context["row"] == carol
    for other in (erin.pk, "x", 10**30):
        assert client.get(address("restores", f"?member={other}")).context["row"].person.user == "bob"


def test_acceptance_is_for_all_and_leads_to_the_next(people: None, dora: User) -> None:
    client = viewing(dora, "decide_finding")
    following = address("policy")

    response = decide(client, address("restores"), "accepted")

    assert response.redirect_chain == [(following, 302)]  # type: ignore[attr-defined]
    assert "Accepted for 3 customizations. Their pages were compared again." in response.content.decode()
    assert Customization.objects.filter(state="validated").count() == 3
    assert Finding.objects.filter(decided_by="dora", decision="accepted", decision_reason="looked at it").count() == 1


def test_rejection_of_the_last_leads_back(people: None, dora: User) -> None:
    client = viewing(dora, "decide_finding")
    decide(client, address("restores"), "accepted")

    response = decide(client, address("policy", "?kind=policy"), "refused")

    assert response.redirect_chain == [(f"{QUEUE}?kind=policy", 302)]  # type: ignore[attr-defined]
    assert "Nothing waits for a decision here." in response.content.decode()
    assert Customization.objects.filter(state="rejected").count() == 2


def test_many_are_compared_again_by_the_workers(
    people: None, dora: User, monkeypatch: pytest.MonkeyPatch, queue: Any, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(review, "AT_ONCE", 2)

    with django_capture_on_commit_callbacks(execute=True):
        response = decide(viewing(dora, "decide_finding"), address("restores"), "accepted")

    assert "compared again by the workers" in response.content.decode()
    assert Customization.objects.filter(state="validated").count() == 0
    assert (len(queue), work_off()) == (1, 1)
    assert Customization.objects.filter(state="validated").count() == 3


def test_group_that_changed_is_shown_again_as_it_is(people: None, dora: User, fill: Fill) -> None:
    client = viewing(dora, "decide_finding")
    page = address("restores")
    shown = client.get(page).context["shown"]
    fill([line("gina", LOST, base_version="1.0")])

    response = client.post(page, {"decision": "accepted", "reason": "yes", "shown": shown})

    content = response.content.decode()
    assert "GROUP_CHANGED" in content
    assert "It is about 4 now." in content
    assert "Decide for 4 people" in content
    assert 'value="yes"' in content
    assert set(Finding.objects.values_list("decision", flat=True)) == {Decision.OPEN}
    client.post(page, {"decision": "accepted", "reason": "yes", "shown": response.context["shown"]})
    assert Customization.objects.filter(state="validated").count() == 4


@pytest.mark.parametrize("kind", ["restores", "policy"])
def test_looking_writes_nothing(people: None, dora: User, kind: str) -> None:
    client, page = viewing(dora, "decide_finding"), address(kind)
    client.get(page)  # the session is there

    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200

    assert [each["sql"] for each in queries if not each["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))] == []


def test_decision_about_a_page_that_was_not_asked_for_is_refused(people: None, dora: User) -> None:
    response = viewing(dora, "decide_finding").post(address("restores"), {"decision": "accepted", "reason": "yes"})

    assert "GROUP_NOT_SHOWN" in response.content.decode()
    assert not Finding.objects.exclude(decision=Decision.OPEN).exists()


@pytest.mark.parametrize("missing", ["decision", "reason"])
def test_decision_needs_both(people: None, dora: User, missing: str) -> None:
    decide(viewing(dora, "decide_finding"), address("restores"), **{"decision": "accepted", missing: ""})

    assert not Finding.objects.exclude(decision=Decision.OPEN).exists()


def test_what_cannot_be_installed_is_not_offered_to_be_accepted(fill: Fill, dora: User) -> None:
    fill([line("bob", "broken")])
    client = viewing(dora, "decide_finding")

    content = client.get(address("unusable")).content.decode()
    decide(client, address("unusable"), "accepted")

    assert 'value="accepted"' not in content
    assert "Nothing is rendered" in content
    assert not Finding.objects.exclude(decision=Decision.OPEN).exists()


@pytest.mark.parametrize("role", ["support", "auditor", "operator"])
def test_who_may_not_decide_looks_only(people: None, client: Client, role: str) -> None:
    client.force_login(account("sue", staff=True, role=role))
    page = address("restores")

    response = client.get(page)

    assert 'name="decision"' not in response.content.decode()
    assert client.post(page, {"decision": "accepted", "reason": "x"}).status_code == 403
    assert not Finding.objects.exclude(decision=Decision.OPEN).exists()


@pytest.mark.parametrize("granted", ["view_finding", "view_customization"])
def test_looking_needs_both_rights(people: None, client: Client, charlie: User, granted: str) -> None:
    client.force_login(grant(charlie, granted))

    assert client.get(QUEUE).status_code == client.get(address("restores")).status_code == 403


def test_group_that_is_gone_leads_back_and_says_so(people: None, dora: User) -> None:
    response = viewing(dora).get(f"{QUEUE}{'0' * 64}/", follow=True)

    assert response.redirect_chain == [(QUEUE, 302)]
    assert "Nobody waits in that group any more" in response.content.decode()


def test_edit_leads_to_a_draft_for_those_who_may_begin_one(people: None, client: Client, dora: User) -> None:
    row = Customization.objects.get(person__user="bob")
    client.force_login(account("otto", staff=True, role="operator"))
    place = f"component={Component.objects.get(key=CARD).pk}&layer=user&key=bob&tenant=default"

    assert client.get(address("restores")).context["edit"] == f"{reverse('admin:slots_draft_add')}?{place}"
    assert viewing(dora).get(address("restores")).context["edit"] == reverse(
        "admin:migration_customization_change", args=[row.pk]
    )


@pytest.mark.parametrize("page", ["queue", "group"])
def test_queries_do_not_grow(fill: Fill, dora: User, page: str) -> None:
    client = viewing(dora, "decide_finding")
    counts = []
    for number in (1, 50):
        fill([line(f"user{index}", LOST.replace("wide", f"wide{index}"), base_version="1.0") for index in range(number)])
        fill([line(f"fan{index}", SCRIPT) for index in range(number)])
        shown = QUEUE if page == "queue" else address("policy")
        client.get(shown)
        with CaptureQueriesContext(connection) as queries:
            client.get(shown)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_conflicts_of_upgrades_are_listed_with_their_own_page(people: None, card: ComponentVersion, client: Client) -> None:
    lay(card, [set_text(NEW, "In stock", "Here")], person=PersonKey("default", "hank"))
    record = ComponentRecord(CARD, "3.0", NEW.replace("In stock", "Available"), contract=CONTRACT, samples=SAMPLES)
    upgrade = plan_upgrade(card.component, import_component(record, at=AT, by="alice").version, by="alice", at=AT, reason="new")
    (conflict,) = open_conflicts()
    page = reverse("admin:slots_upgrade_decide", args=[upgrade.pk, conflict.group])
    client.force_login(account("dora2", staff=True, role="approver"))

    assert f'href="{page}"' in client.get(f"{QUEUE}?kind=upgrade").content.decode()
    assert client.get(f"{QUEUE}?kind=upgrade").context["page"].paginator.count == 1
    assert client.get(page).status_code == 200
    client.force_login(account("sue", staff=True, role="support"))
    assert f'href="{page}"' not in client.get(QUEUE).content.decode()
