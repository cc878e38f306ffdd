"""The history of a configuration in the admin: revisions in words, any two compared, one restored."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from slots.actions import install_configuration, remove_configuration, render
from slots.actions.configurations import Placement
from slots.models import Body, Layer, SlotConfiguration
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

BOB = PersonKey("default", "bob")
PRODUCT = {"product": {"name": "Mug"}}


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def staff(client, db):
    client.force_login(User.objects.create_superuser("alice", password="a long word of pass"))
    return client


@pytest.fixture
def configuration(card):
    """A configuration with three revisions: Order, Take, and both that and a hidden title on a newer version."""
    lay(card, [set_text(CARD, "Buy", "Order")], person=BOB)
    lay(card, [set_text(CARD, "Buy", "Take")], person=BOB, is_pinned=True)
    new = add_component("shop.card", CARD.replace("card", "card wide"), version="2.0")
    return lay(new, [set_text(CARD, "Buy", "Take"), set_text(CARD, "{{ product.name }}", "A mug")], person=BOB, priority=3)


def revision(number):
    return SlotConfiguration.history.order_by("history_date", "history_id")[number - 1].history_id


def history(client, configuration, **chosen):
    return client.get(reverse("admin:slots_slotconfiguration_history", args=[configuration.pk]), chosen).content.decode()


def restore(configuration, number):
    return reverse("admin:slots_slotconfiguration_restore", args=[configuration.pk, revision(number)])


def test_history_says_what_each_revision_changed(staff, configuration):
    page = history(staff, configuration)

    for words in (
        "Instead of “Replace the text of card/actions/buy/text by “Order”” now",
        "New: Replace the text of card/title/product.name by “A mug”.",
        "Made for version 2.0 instead of 1.0.",
        "It was pinned.",
        "It was unpinned.",
        "Priority 3 instead of 0.",
        "alice",
    ):
        assert words in page
    assert page.count("Restore…") == 2  # the present one is not restored


def test_any_two_revisions_are_compared(staff, configuration):
    page = history(staff, configuration, **{"from": revision(3), "to": revision(1)})

    assert f"From revision {revision(3)} to revision {revision(1)}" in page
    assert "Gone: Replace the text of card/title/product.name" in page
    assert "Made for version 1.0 instead of 2.0." in page


def test_comparison_of_nothing_says_what_to_choose(staff, configuration):
    assert "Choose one revision under “from”" in history(staff, configuration, compare="1")
    assert "Choose one revision" not in history(staff, configuration)


def test_restore_says_what_it_did_and_where_it_would_change_nothing(staff, configuration):
    done = staff.post(restore(configuration, 1), {"reason": "it was better"}, follow=True)
    assert f"revision {revision(1)} is restored." in done.content.decode()

    page = staff.get(restore(configuration, 1)).content.decode()
    again = staff.post(restore(configuration, 1), {"reason": "twice"}, follow=True)

    assert "restoring it changes nothing" in page
    assert "said that already: nothing has changed." in again.content.decode()
    assert SlotConfiguration.history.count() == 4


@pytest.mark.parametrize("chosen", [{"from": "x", "to": "1"}, {"from": "1"}, {"from": "1", "to": "987654"}])
def test_revisions_that_are_not_there_are_not_compared(staff, configuration, chosen):
    assert "slots-compared" not in history(staff, configuration, **chosen)


def test_restoring_says_what_it_changes_and_takes_a_reason(staff, configuration):
    page = staff.get(restore(configuration, 1)).content.decode()
    assert "Nothing has happened yet." in page
    assert "Made for version 1.0 instead of 2.0." in page
    assert staff.post(restore(configuration, 1), {"reason": ""}).status_code == 200
    assert "Take" in render("shop.card", BOB, PRODUCT, at=AT)

    assert staff.post(restore(configuration, 1), {"reason": "it was better"}).status_code == 302

    assert "Order" in render("shop.card", BOB, PRODUCT, at=AT)
    newest = SlotConfiguration.history.first()
    assert (newest.history_user_id, newest.history_change_reason) == ("alice", "it was better")
    assert SlotConfiguration.history.count() == 4


def test_restore_that_somebody_overtook_is_asked_again_with_what_they_changed(staff, configuration):
    seen = staff.get(restore(configuration, 1)).context["form"].initial["shown"]
    lay(configuration.component_version, [set_text(CARD, "Buy", "Get")], person=BOB, priority=3)

    answer = staff.post(restore(configuration, 1), {"reason": "it was better", "shown": seen})

    assert "This changed after the page was shown." in answer.content.decode()
    assert "by “Get”." in answer.context["news"][0]
    assert "Get" in render("shop.card", BOB, PRODUCT, at=AT)


def test_removal_is_a_revision_that_can_be_restored_as_well(staff, configuration):
    remove_configuration(configuration, by="alice", at=AT, reason="away")
    again = lay(configuration.component_version, [], person=BOB)
    assert "The layer was taken away" in history(staff, again)

    assert staff.post(restore(again, 4), {"reason": "away again"}).url == reverse("admin:slots_slotconfiguration_changelist")

    assert not SlotConfiguration.objects.exists()


def test_locks_are_told(staff, card):
    lay(card, [], layer=Layer.SITE)
    row = SlotConfiguration.objects.get()
    Body.objects.create(digest="b" * 64, operations='{"locked":["actions"],"ops":[],"schema":1}', created_at=AT)
    install_configuration(Placement("default", Layer.SITE, "", card, "b" * 64), by="alice", at=AT, reason="lock")

    assert "Locks actions." in history(staff, row)
    assert "No longer locks actions." in staff.get(restore(row, 1)).content.decode()


def test_revision_that_cannot_be_read_is_listed_with_why(staff, configuration):
    Body.objects.filter(pk=configuration.body_id).update(operations='{"schema": 99, "ops": []}')

    assert "SCHEMA_INVALID" in history(staff, configuration)


def test_revision_of_another_place_is_not_found(staff, configuration, card):
    other = lay(card, [], person=PersonKey("default", "ben"))

    assert staff.get(restore(other, 1)).status_code == 404
    assert staff.get(reverse("admin:slots_slotconfiguration_history", args=[987654])).status_code == 404


def test_pages_ask_for_their_permissions(client, configuration):
    charlie = User.objects.create_user("charlie", is_staff=True)
    client.force_login(charlie)
    address = reverse("admin:slots_slotconfiguration_history", args=[configuration.pk])
    assert [client.get(each).status_code for each in (address, restore(configuration, 1))] == [403, 403]

    charlie.user_permissions.add(Permission.objects.get(codename="view_slotconfiguration"))
    page = client.get(address)
    assert (page.status_code, "Restore…" in page.content.decode()) == (200, False)
    assert client.get(restore(configuration, 1)).status_code == 403

    charlie.user_permissions.add(Permission.objects.get(codename="change_slotconfiguration"))
    assert client.get(restore(configuration, 1)).status_code == 200


@pytest.mark.parametrize("number", [10**20, int("9" * 30)])
def test_numbers_that_no_row_can_have_are_not_found(staff, configuration, number):
    address = reverse("admin:slots_slotconfiguration_restore", args=[configuration.pk, number])

    assert staff.get(address).status_code == 404
    assert staff.get(f"/admin/slots/draft/{number}/change/").status_code == 404
    assert "slots-compared" not in history(staff, configuration, **{"from": number, "to": "9" * 5_000})
