"""The editor of a draft while somebody types: what is said, what is shown, and that the keyboard alone does it."""

import pytest
from django.urls import reverse

from slots.actions import import_component
from slots.actions.authoring import begin_draft, change_draft
from slots.markup import ops
from slots.markup.changes import Change
from slots.models import Draft
from slots.registry import ComponentRecord
from tests.e2e.conftest import SIZES, fits
from tests.slots.conftest import AT, CARD

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
BUY = "card/actions/buy"


@pytest.fixture
def draft(transactional_db):
    """Return a draft of alice's with two operations, on a component with a sample."""
    samples = [{"name": "mug", "context": {"product": {"name": "A mug"}}}]
    record = ComponentRecord("shop.card", "1.0", CARD, contract={"names": ["product"]}, samples=samples)
    version = import_component(record, at=AT, by="alice").version
    draft = begin_draft("default", "user", "bob", version.component, by="alice", at=AT)
    change_draft(draft, Change("text", BUY, text="Order"), at=AT)
    change_draft(draft, Change("add_class", "card", "wide"), at=AT)
    return draft


def words(draft):
    return [ops.describe(each) for each in ops.loads(Draft.objects.get(pk=draft.pk).body.operations)]


@SIZES
def test_what_is_typed_is_checked_and_shown_at_once(tab, live_server, look, alice, sign_in, draft, complaints, width):
    look(width)
    sign_in(alice)
    tab.goto(live_server.url + reverse("admin:slots_draft_edit", args=[draft.pk]))
    assert fits(tab)
    before, steps = words(draft), tab.evaluate("history.length")

    tab.locator("#text-0").focus()
    tab.keyboard.press("Control+A")
    tab.keyboard.type("Take it")
    tab.frame_locator("iframe[name=slots-frame-0]").get_by_text("Take it").wait_for()
    assert "Take it" in tab.locator("#slots-text").input_value()

    tab.get_by_role("button", name="Add an operation").focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.tagName") == "SELECT"
    tab.locator(".slots-row").nth(2).get_by_label("Change").select_option("set_attr")
    tab.locator(".slots-row").nth(2).get_by_label("Slot").select_option(BUY)
    tab.locator(".slots-row").nth(2).get_by_label("Name").fill("a b")
    tab.locator(".slots-row").nth(2).get_by_text("SCHEMA_INVALID").wait_for()
    assert "cannot be stored" in tab.get_by_role("status").inner_text()
    tab.locator(".slots-row").nth(2).get_by_label("Name").fill("title")
    tab.get_by_text("Nothing is wrong with it.").wait_for()

    tab.locator(".slots-row").nth(2).get_by_role("button", name="Up").focus()
    tab.keyboard.press("Enter")
    tab.locator(".slots-row").nth(2).get_by_role("button", name="Take out").focus()
    tab.keyboard.press("Enter")
    assert (words(draft), tab.evaluate("history.length")) == (before, steps)
    assert fits(tab)

    tab.get_by_role("button", name="Store the operations").focus()
    tab.keyboard.press("Enter")
    tab.get_by_text("The draft says this now.").wait_for()
    assert words(draft) == [f"Replace the text of {BUY}/text by “Take it”.", f"Set title of {BUY} to “”."]
    assert complaints == []


def test_the_text_says_what_is_wrong_and_the_rows_follow_it(tab, live_server, alice, sign_in, draft, complaints):
    sign_in(alice)
    tab.goto(live_server.url + reverse("admin:slots_draft_edit", args=[draft.pk]))
    tab.get_by_text("The operations as text").click()
    text = tab.locator("#slots-text").input_value()

    tab.locator("#slots-text").fill(text.replace('"set_text"', '"set_txt"'))
    tab.locator("#issues-general").get_by_text("ops[0].kind").wait_for()
    tab.locator("#slots-text").fill(text.replace("Order", "Bestellen"))
    tab.get_by_text("Nothing is wrong with it.").wait_for()

    assert tab.locator("#text-0").input_value() == "Bestellen"
    tab.frame_locator("iframe[name=slots-frame-0]").get_by_text("Bestellen").wait_for()
    assert complaints == []


def test_without_scripts_the_buttons_do_the_same(chromium, live_server, alice, sign_in, tab, draft):
    sign_in(alice)
    context = chromium.new_context(java_script_enabled=False, storage_state=tab.context.storage_state())
    page = context.new_page()
    page.goto(live_server.url + reverse("admin:slots_draft_edit", args=[draft.pk]))

    page.locator("#text-0").fill("Unsaved")
    page.get_by_role("button", name="Show what is typed").click()
    page.frame_locator("iframe[name=slots-frame-0]").get_by_text("Unsaved").wait_for()
    page.locator("#name-1").fill("a{b")
    page.get_by_role("button", name="Check").click()
    assert page.locator("#text-0").input_value() == "Unsaved"
    page.locator("#gone-1, [name=gone-1]").check()
    page.get_by_role("button", name="Store the operations").click()
    page.get_by_text("The draft says this now.").wait_for()

    assert words(draft) == [f"Replace the text of {BUY}/text by “Unsaved”."]
    context.close()
