"""A support user's day by keyboard alone: from the first page to a person who is rolled back, in at most three actions."""

import pytest
from django.urls import reverse
from django.utils import timezone

from migration.actions import translate_customizations, validate_customizations
from migration.models import Person
from phoenix.demo.edits.product_card import EDITS
from rollout.actions.people import override_person
from rollout.models import standing_of
from rollout.waves import System
from tests.conftest import person as account
from tests.e2e.conftest import SIZES, fits, reach
from tests.phoenix.demo.test_views import customise

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def carla(shop):
    """Return a person whose page is proven and who was switched to slots."""
    carla = Person.objects.create(user="carla", email="carla@customers.example", region="eu-west")
    row = customise(carla, next(edit for edit in EDITS if edit.name == "order-now"))
    said = {"by": "alice", "at": timezone.now()}
    translate_customizations([row.pk], reason="test", **said)
    validate_customizations([row.pk], reason="test", **said)
    override_person(carla, system=System.SLOTS, reason="asked", **said)
    return carla


@SIZES
def test_support_rolls_somebody_back_by_keyboard(tab, live_server, look, sign_in, carla, complaints, width):
    look(width)
    sign_in(account("sue", staff=True, role="support"))

    reach(tab, tab.locator("#find-q"))
    tab.keyboard.type("carla@")
    tab.keyboard.press("Enter")  # the first action
    tab.wait_for_url(f"{live_server.url}{reverse('admin:rollout_person', args=[carla.pk])}")
    assert "slots because support switched this person to slots" in tab.locator("#content").inner_text()
    assert fits(tab)

    reach(tab, tab.locator("#id_roll-back_reason"))
    tab.keyboard.type("cannot order")
    reach(tab, tab.get_by_role("button", name="Roll back"))
    tab.keyboard.press("Enter")  # the second
    tab.get_by_text("carla is back.").wait_for()

    assert standing_of(carla.key).decide().system == System.LEGACY
    assert "cannot order" in tab.locator("#timeline ~ .story").inner_text()
    frames = tab.locator(".component .pair").first.locator("iframe")
    assert [frames.nth(side).get_attribute("sandbox") for side in (0, 1)] == ["", ""]
    frames.first.scroll_into_view_if_needed()
    assert frames.first.content_frame.locator("article.product-card").inner_text()
    assert fits(tab)
    assert complaints == []


def test_support_is_led_nowhere_else(tab, live_server, sign_in, carla, complaints):
    sign_in(account("sue", staff=True, role="support"))
    tab.goto(live_server.url + reverse("admin:rollout_person", args=[carla.pk]))

    links = set(tab.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)"))
    assert {link for link in links if tab.request.get(link).status >= 400} == set()
    assert complaints == []
