"""The admin of upgrades: every page opens, shows the effect first, asks why, and asks for permission."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from slots.actions.upgrades import decide_conflicts, plan_upgrade
from slots.models import SlotConfiguration, Upgrade, UpgradeConflict, UpgradeState
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

NEW = CARD.replace(">Buy<", ">Add to cart<")


@pytest.fixture
def upgrade(card):
    for name in ("bob", "ben"):
        lay(card, [set_text(CARD, "Buy", "Order & go")], person=PersonKey("default", name))
    new = add_component("shop.card", NEW, version="2.0")
    return plan_upgrade(card.component, new, by="alice", at=AT, reason="release")


@pytest.fixture
def staff(client, db):
    client.force_login(User.objects.create_superuser("alice", password="a long word of pass"))
    return client


def decide_address(upgrade):
    return reverse("admin:slots_upgrade_decide", args=[upgrade.pk, UpgradeConflict.objects.first().group])


def test_pages_of_an_upgrade_open_and_say_what_it_does(staff, upgrade):
    page = staff.get(reverse("admin:slots_upgrade_change", args=[upgrade.pk])).content.decode()

    assert "2 configurations, 1 distinct: 0 ready, 2 waiting, 0 moved, 0 pinned." in page
    assert "2 configurations</td>" in page
    assert decide_address(upgrade) in page
    for model in ("upgrade", "upgradeconflict"):
        assert staff.get(reverse(f"admin:slots_{model}_changelist")).status_code == 200
    conflict = UpgradeConflict.objects.first()
    assert "Order &amp; go" in staff.get(reverse("admin:slots_upgradeconflict_change", args=[conflict.pk])).content.decode()


def test_going_live_shows_the_effect_first_and_takes_a_reason(staff, upgrade):
    address = reverse("admin:slots_upgrade_activate", args=[upgrade.pk])
    page = staff.get(address).content.decode()
    assert "Nothing has happened yet." in page
    assert "2 configurations wait for a decision" in page

    assert staff.post(address, {"reason": ""}).status_code == 200
    upgrade.refresh_from_db()
    assert upgrade.state == UpgradeState.PLANNED

    assert staff.post(address, {"reason": "release"}).status_code == 302
    upgrade.refresh_from_db()
    assert upgrade.state == UpgradeState.ACTIVE


def test_decision_shows_three_texts_and_moves_everybody_alike(staff, upgrade):
    staff.post(reverse("admin:slots_upgrade_activate", args=[upgrade.pk]), {"reason": "release"})
    page = staff.get(decide_address(upgrade)).content.decode()
    assert [text in page for text in ("Buy", "Order &amp; go", "Add to cart")] == [True] * 3

    assert staff.post(decide_address(upgrade), {"resolution": "ours", "reason": "theirs is no verb"}).status_code == 302

    versions = set(SlotConfiguration.objects.values_list("component_version__version", flat=True))
    assert versions == {"2.0"}
    assert {row.resolved_because for row in UpgradeConflict.objects.all()} == {"theirs is no verb"}


def test_second_decision_is_told_of_the_first_and_asked_again(staff, upgrade):
    address = decide_address(upgrade)
    seen = staff.get(address).context["form"].initial["shown"]
    decide_conflicts(upgrade, UpgradeConflict.objects.first().group, "theirs", by="dora", at=AT, reason="one wording")

    answer = staff.post(address, {"resolution": "ours", "reason": "mine", "shown": seen})

    assert "This changed after the page was shown." in answer.content.decode()
    assert answer.context["news"] == ["dora decided: the new base's version stands, the operation goes. Reason: one wording"]
    assert {row.resolution for row in UpgradeConflict.objects.all()} == {"theirs"}
    again = re.search(r'name="shown" value="([^"]+)"', answer.content.decode())[1]
    assert staff.post(address, {"resolution": "ours", "reason": "mine", "shown": again}).status_code == 302
    assert {row.resolution for row in UpgradeConflict.objects.all()} == {"ours"}


def test_nothing_is_offered_to_move_where_nothing_is_ready(staff, upgrade):
    page = reverse("admin:slots_upgrade_change", args=[upgrade.pk])
    assert "Make it live…" in staff.get(page).content.decode()
    staff.post(reverse("admin:slots_upgrade_activate", args=[upgrade.pk]), {"reason": "release"})
    staff.post(decide_address(upgrade), {"resolution": "theirs", "reason": "one wording"})

    content = staff.get(page).content.decode()

    assert "Nothing is ready to move." in content
    assert "Move what is ready" not in content


def test_what_cannot_be_decided_so_is_said_on_the_page(staff, upgrade):
    UpgradeConflict.objects.update(status="conflict")
    page = staff.get(decide_address(upgrade)).content.decode()
    assert 'value="ours"' not in page

    answer = staff.post(decide_address(upgrade), {"resolution": "ours", "reason": "x"})
    assert answer.status_code == 200
    assert "Select a valid choice" in answer.content.decode()


def test_refused_activation_is_said_on_the_page(staff, upgrade):
    Upgrade.objects.update(state=UpgradeState.SUPERSEDED)

    answer = staff.post(reverse("admin:slots_upgrade_activate", args=[upgrade.pk]), {"reason": "x"})

    assert "UPGRADE_NOT_PLANNED" in answer.content.decode()


@pytest.mark.parametrize(("permission", "page"), [("change_upgrade", "activate"), ("change_upgradeconflict", "decide")])
def test_each_page_asks_for_its_permission(client, upgrade, permission, page):
    addresses = {"activate": reverse("admin:slots_upgrade_activate", args=[upgrade.pk]), "decide": decide_address(upgrade)}
    charlie = User.objects.create_user("charlie", is_staff=True)
    client.force_login(charlie)
    assert client.get(addresses[page]).status_code == 403

    charlie.user_permissions.add(Permission.objects.get(codename=permission))
    assert [client.get(address).status_code for name, address in addresses.items() if name == page] == [200]
    assert [client.get(address).status_code for name, address in addresses.items() if name != page] == [403]


def test_result_that_the_policy_refuses_says_why(staff, card):
    lay(card, [set_text(CARD, "Buy", "a < b")], person=PersonKey("default", "bob"))
    new = add_component("shop.card", CARD.replace('"card"', '"card wide"'), version="2.0")
    row = plan_upgrade(card.component, new, by="alice", at=AT, reason="release")

    page = staff.get(reverse("admin:slots_upgrade_change", args=[row.pk])).content.decode()
    assert "1 refused: UNSAFE_HTML" in page


def test_unknown_group_is_not_found(staff, upgrade):
    assert staff.get(reverse("admin:slots_upgrade_decide", args=[upgrade.pk, "none"])).status_code == 404
    assert staff.get(reverse("admin:slots_upgrade_activate", args=[999])).status_code == 404


@pytest.mark.parametrize("model", ["upgrade", "upgradeconflict"])
def test_lists_cost_the_same_with_more_rows(staff, upgrade, card, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(reverse(f"admin:slots_{model}_changelist")).status_code == 200
        return len(captured)

    queries()
    first = queries()
    for number in range(3):
        other = add_component(f"shop.x{number}", CARD)
        lay(other, [set_text(CARD, "Buy", f"Order {number}")], person=PersonKey("default", "bob"))
        new = add_component(f"shop.x{number}", NEW, version="2.0")
        plan_upgrade(other.component, new, by="alice", at=AT, reason="release")
    assert queries() == first
