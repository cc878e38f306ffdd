"""A reviewer's way through the queue: by keyboard alone, with what was decided in the end."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from migration.actions import import_customizations, translate_customizations, validate_customizations
from migration.models import Customization, Finding
from tests.e2e.conftest import SIZES, fits
from tests.migration.conftest import AT, LOST, NEW, OLD, edit, line, ship, write

__all__ = ["write"]  # the fixture that writes files to import

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SCRIPT = edit(NEW, ("In stock", "In stock<hr onclick=x>"))


@pytest.fixture
def people(write):
    """Have three people whose customization the old system lost, one with another such, and two whom the policy refuses."""
    ship("1.0", OLD)
    ship("2.0", NEW)
    lost = [line(user, LOST, base_version="1.0") for user in ("bob", "carol", "dave")]
    other = line("gina", LOST.replace("wide", "narrow"), base_version="1.0")
    lines = [*lost, other, line("erin", SCRIPT), line("frank", SCRIPT)]
    import_customizations([write(lines)], at=AT, by="alice")
    keys = list(Customization.objects.values_list("pk", flat=True))
    translate_customizations(keys, at=AT, by="alice")
    validate_customizations(keys, at=AT, by="alice")


@pytest.fixture
def reviewing(tab, live_server, look, dora, sign_in, people):
    """Open the queue as an approver; return the page."""
    look(1280)
    sign_in(dora)
    tab.goto(live_server.url + reverse("admin:migration_review"))
    return tab


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)


def arrive(tab, place, said=""):
    """Wait for the group at a place, for what the page says of the last decision, and until it hears keys."""
    tab.locator(".steps").get_by_text(place).wait_for()
    assert said in tab.locator("body").inner_text()
    tab.get_by_text("Keyboard shortcuts").wait_for()


def test_reviewer_decides_everything_by_keyboard(reviewing, complaints):
    tab = reviewing
    assert "3 decisions for 6 customizations." in tab.locator("#content").inner_text()
    press(tab, "j", "j", "k", "Enter")
    arrive(tab, "1 of 3")
    frame = tab.locator(".look-side iframe").nth(1)
    frame.scroll_into_view_if_needed()
    assert frame.content_frame.locator("p.summary.wide").inner_text() == "For tea."

    press(tab, "a")
    tab.keyboard.type("all jars are really wanted back")  # each of these letters is a shortcut elsewhere
    press(tab, "Enter")
    arrive(tab, "1 of 2", said="Accepted for 3 customizations.")
    press(tab, "j")
    arrive(tab, "2 of 2")
    press(tab, "k")
    arrive(tab, "1 of 2")
    press(tab, "r")
    tab.keyboard.type("no scripts")
    press(tab, "Enter")
    arrive(tab, "1 of 1", said="Rejected for 2 customizations.")
    press(tab, "e")
    tab.wait_for_url("**/migration/customization/**")
    tab.go_back()
    arrive(tab, "1 of 1")
    press(tab, "r")
    tab.keyboard.type("too narrow")
    press(tab, "Enter")
    tab.get_by_text("Nothing waits for a decision.").wait_for()

    decided = dict(Finding.objects.values_list("decision_reason", "decision"))
    assert decided == {"all jars are really wanted back": "accepted", "no scripts": "refused", "too narrow": "refused"}
    assert Customization.objects.filter(state="validated").count() == 3
    assert complaints == []


def test_shortcuts_are_announced_and_can_be_switched_off(reviewing, complaints):
    tab = reviewing
    press(tab, "j", "Enter")
    arrive(tab, "1 of 3")
    entry = tab.get_by_text("next group", exact=True)
    expect(entry).to_be_hidden()
    press(tab, "?")
    expect(entry).to_be_visible()
    tab.get_by_label("Single-key shortcuts are on").uncheck()
    tab.reload()
    arrive(tab, "1 of 3")

    press(tab, "j", "r")
    assert tab.locator(".steps").get_by_text("1 of 3").is_visible()
    assert not tab.get_by_label("Reject").is_checked()
    tab.get_by_text("Keyboard shortcuts").click()
    tab.get_by_label("Single-key shortcuts are on").check()
    press(tab, "j")
    arrive(tab, "2 of 3")
    press(tab, "Control+k", "Alt+k")
    assert "2 of 3" in tab.locator("#content").inner_text()
    assert complaints == []


def test_three_looks_and_three_widths_are_kept_for_the_next_group(reviewing, complaints):
    tab = reviewing
    press(tab, "j", "Enter")
    arrive(tab, "1 of 3")
    tab.get_by_label("difference", exact=True).check()
    marked = tab.locator(".look-difference iframe").first
    assert (
        marked.content_frame.locator("[data-difference=changed]").first.get_attribute("title") == "class: summary → summary wide"
    )
    assert not tab.locator(".look-side").first.is_visible()
    for name, width in (("phone", 390), ("tablet", 768), ("desktop", 1280)):
        tab.get_by_label(name).check()
        assert marked.evaluate("frame => frame.offsetWidth") == width
        assert marked.bounding_box()["width"] <= tab.locator(".looks").bounding_box()["width"]
        assert fits(tab)
    tab.get_by_label("overlay").check()
    assert tab.locator(".look-overlay").first.is_visible()

    press(tab, "j")
    arrive(tab, "2 of 3")
    press(tab, "j")
    arrive(tab, "3 of 3")
    assert tab.get_by_label("overlay").is_checked()
    assert tab.get_by_label("desktop").is_checked()
    assert complaints == []


def test_operation_leads_to_its_hunk_and_back(reviewing, complaints):
    tab = reviewing
    press(tab, "j", "Enter")
    arrive(tab, "1 of 3")
    tab.get_by_role("link", name="hunk 1").first.click()
    assert tab.evaluate("document.querySelector(':target').id") == "hunk-1"
    tab.get_by_role("link", name="operation 1").first.click()
    assert tab.evaluate("document.querySelector(':target').id") == "operation-1"
    assert complaints == []


@SIZES
def test_queue_and_group_fit_every_screen(tab, live_server, look, dora, sign_in, people, complaints, width):
    look(width)
    sign_in(dora)
    tab.goto(live_server.url + reverse("admin:migration_review"))
    assert fits(tab)
    tab.locator("[data-row]").first.click()
    arrive(tab, "1 of 3")
    assert fits(tab)
    assert complaints == []
