"""The admin's pages of slots: a draft made by hand, and a new version that people's configurations are carried to."""

import pytest
from django.urls import reverse

from slots.actions import Placement, import_component, install_configuration, save_body
from slots.actions.authoring import begin_draft
from slots.actions.upgrades import plan_upgrade
from slots.markup.changes import Change, make
from slots.markup.tree import parse
from slots.models import Draft, SlotConfiguration, Upgrade
from slots.registry import ComponentRecord
from tests.conftest import person as account
from tests.e2e.conftest import SIZES, fits, follow
from tests.slots.conftest import AT, CARD

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
BUY = "card/actions/buy"


def version(name, source):
    samples = [{"name": "mug", "context": {"product": {"name": "A mug"}}}]
    record = ComponentRecord("shop.card", name, source, contract={"names": ["product"]}, samples=samples)
    return import_component(record, at=AT, by="alice").version


@SIZES
def test_draft_is_made_by_hand_and_goes_live(tab, live_server, look, alice, sign_in, complaints, width):
    version("1.0", CARD)
    look(width)
    sign_in(alice)
    tab.goto(live_server.url + reverse("admin:slots_draft_add"))
    tab.get_by_label("Component").select_option(label="shop.card")
    follow(tab, tab.get_by_role("button", name="Begin"))
    tab.get_by_label("Name:").wait_for(state="hidden")

    tab.get_by_label("Slot:").select_option(BUY)
    tab.get_by_label("Text:").fill("Order now")
    follow(tab, tab.get_by_role("button", name="Add the change"))
    tab.get_by_text("Order now").first.wait_for()
    tab.get_by_label("Slot:").select_option("card")
    tab.get_by_label("Change:").select_option("add_class")
    tab.get_by_label("Text:").wait_for(state="hidden")
    tab.get_by_label("Name:").fill("wide")
    follow(tab, tab.get_by_role("button", name="Add the change"))

    frame = tab.locator("iframe").first
    frame.scroll_into_view_if_needed()
    assert frame.content_frame.locator("article.card.wide button").inner_text() == "Order now"
    assert fits(tab)

    follow(tab, tab.get_by_role("link", name="Make it live"))
    assert "Nothing has happened yet." in tab.locator("#content").inner_text()
    assert fits(tab)
    tab.get_by_label("Reason").fill("autumn")
    follow(tab, tab.get_by_role("button", name="Make it live"))
    tab.get_by_text("shop.card").first.wait_for()
    assert SlotConfiguration.objects.get(layer="site").origin == "hand"
    assert not Draft.objects.exists()
    assert complaints == []


def test_long_keys_and_histories_fit_a_narrow_window(tab, live_server, look, alice, sign_in, complaints):
    key = "a-very-long-key-of-a-person-" * 7
    old = version("1.0", CARD)
    for word in ("Order now", "Take it"):
        body = save_body(make(parse(CARD), Change("text", BUY, text=word)).operations, at=AT)
        install_configuration(Placement("default", "user", key, old, body.digest), by="alice", at=AT, reason="test")
    draft = begin_draft("default", "user", key, old.component, by="alice", at=AT)
    look(380)
    sign_in(alice)

    row = SlotConfiguration.objects.get()
    pages = [
        reverse("admin:slots_slotconfiguration_history", args=[row.pk]),
        *(reverse(f"admin:slots_draft_{name}", args=[draft.pk]) for name in ("change", "activate", "discard")),
    ]
    for page in pages:
        tab.goto(live_server.url + page)
        assert tab.locator("#content").inner_text()
        assert fits(tab), page

    tab.goto(live_server.url + pages[0])
    words = tab.locator(".slots-revisions ul").first
    assert words.bounding_box()["width"] > 250  # so that words break between letters seldom
    assert complaints == []


@SIZES
def test_new_version_is_decided_and_goes_live(tab, live_server, look, alice, sign_in, complaints, width):
    old = version("1.0", CARD)
    body = save_body(make(parse(CARD), Change("text", BUY, text="Order now")).operations, at=AT)
    install_configuration(Placement("default", "user", "bob", old, body.digest), by="alice", at=AT, reason="test")
    new = version("2.0", CARD.replace(">Buy<", ">Add to cart<"))
    upgrade = plan_upgrade(old.component, new, by="alice", at=AT, reason="release")
    look(width)
    sign_in(alice)

    tab.goto(live_server.url + reverse("admin:slots_upgrade_change", args=[upgrade.pk]))
    assert "1 configurations, 1 distinct: 0 ready, 1 waiting" in tab.locator("#content").inner_text()
    assert fits(tab)
    follow(tab, tab.get_by_role("link", name="Make it live"))
    tab.get_by_label("Reason").fill("release")
    follow(tab, tab.get_by_role("button", name="Make it live"))
    tab.get_by_text("live, 0 configurations moved").wait_for()

    assert tab.locator("a[href*='/decide/']").count() == 0  # an operator may not take the decision
    tab.locator("#user-tools summary").click()
    follow(tab, tab.get_by_role("button", name="Log out"))
    sign_in(account("dora", staff=True, role="approver"))
    tab.goto(live_server.url + reverse("admin:slots_upgrade_change", args=[upgrade.pk]))
    follow(tab, tab.locator("a[href*='/decide/']"))
    tab.locator(".slots-texts").wait_for()
    texts = [text.inner_text() for text in tab.locator(".slots-texts pre").all()]
    assert [word in text for word, text in zip(("Buy", "Order now", "Add to cart"), texts, strict=True)] == [True] * 3
    assert fits(tab)
    tab.locator("input[value='ours']").check()
    tab.get_by_label("Reason").fill("theirs is no verb")
    follow(tab, tab.get_by_role("button", name="Decide"))
    tab.get_by_text("Decided; 1 configuration moved.").wait_for()
    assert SlotConfiguration.objects.get(layer="user").component_version.version == "2.0"
    assert Upgrade.objects.get().state == "active"
    assert complaints == []
