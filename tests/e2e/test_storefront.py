"""The storefront in a real browser: narrow and wide, light and dark, with everything that customers did to it."""

import pytest
from django.contrib.auth.models import User

from migration.models import Customization, Person
from phoenix.demo.edits.hostile import HOSTILE
from phoenix.demo.records import EDITS
from phoenix.demo.shelf import read_shelf
from tests.e2e.conftest import fits, follow
from tests.phoenix.demo.test_views import customise

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def _sign_in(tab, live_server, user):
    tab.goto(f"{live_server.url}/customers/")
    follow(tab, tab.get_by_role("button", name=user))
    assert tab.url == f"{live_server.url}/"


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_storefront_fits_and_breaks_no_policy(tab, live_server, shop, bob, complaints, width):
    tab.set_viewport_size({"width": width, "height": 900})
    _sign_in(tab, live_server, "bob")
    assert tab.locator("article.product-card").count() == 24
    assert fits(tab)
    tab.goto(f"{live_server.url}/customers/")
    assert fits(tab)
    assert complaints == []


def test_storefront_fits_a_phone_whatever_customers_did(tab, live_server, shop, bob, complaints):
    tab.set_viewport_size({"width": 320, "height": 900})
    _sign_in(tab, live_server, "bob")
    shelf, wide = read_shelf(), []
    for edit in EDITS:
        Customization.objects.all().delete()
        assert shelf[edit.component][-1].version in edit.on
        customise(bob, edit)
        tab.reload()
        if not fits(tab):
            wide.append(f"{edit.component} {edit.name}")
    assert wide == []
    assert complaints == []


@pytest.mark.parametrize("name", ["script", "event-handler", "javascript-url", "svg-handler"])
def test_storefront_runs_no_script_that_a_customer_brought(tab, live_server, shop, bob, complaints, name):
    """The old system still shows such customizations; the page's content policy stops them."""
    customise(bob, next(edit for edit in HOSTILE if edit.name == name))
    _sign_in(tab, live_server, "bob")
    for selector in ('a[href^="javascript:"]', "[onclick]"):
        if tab.locator(selector).count():
            tab.locator(selector).first.click()
    tab.wait_for_timeout(200)
    assert tab.url.startswith(live_server.url)
    blocked = [text for text in complaints if "Content Security Policy" in text]
    assert blocked
    assert blocked == complaints


def test_door_is_found_by_keyboard(tab, live_server, shop, bob):
    Person.objects.create(user="charlie", email="charlie@customers.example")
    User.objects.create_user("charlie")
    tab.goto(f"{live_server.url}/customers/")
    tab.get_by_label("Name or region").fill("char")
    follow(tab, tab.get_by_label("Name or region"), "Enter")
    follow(tab, tab.get_by_role("button", name="charlie"), "Enter")
    assert tab.url == f"{live_server.url}/"
    assert "charlie" in tab.locator(".system").inner_text()
