"""The doors: the site's own sign-in page and the admin's, by keyboard, wide and narrow."""

import pytest

from tests.e2e.conftest import PASSWORD, SIZES, fits, follow

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@SIZES
def test_sign_in_says_what_is_wrong_and_lets_in_who_is_right(tab, live_server, look, shop, alice, complaints, width):
    alice.set_password(PASSWORD)
    alice.save()
    look(width)
    tab.goto(f"{live_server.url}/login/?next=/admin/")
    assert fits(tab)

    tab.get_by_label("Username").fill("alice")
    tab.get_by_label("Password").fill("wrong")
    follow(tab, tab.get_by_label("Password"), "Enter")
    tab.get_by_text("enter a correct username and password").wait_for()
    assert tab.get_by_label("Username").input_value() == "alice"

    tab.get_by_label("Password").fill(PASSWORD)
    follow(tab, tab.get_by_label("Password"), "Enter")
    assert tab.url == f"{live_server.url}/admin/"
    assert tab.get_by_role("heading", name="Home").is_visible()
    assert complaints == []


def test_every_page_names_an_icon_that_is_there(tab, live_server, shop, alice, sign_in, complaints):
    tab.goto(f"{live_server.url}/login/")
    icons = [tab.locator('link[rel="icon"]').get_attribute("href")]
    sign_in(alice)
    icons.append(tab.locator('link[rel="icon"]').get_attribute("href"))

    for icon in icons:
        answer = tab.request.get(f"{live_server.url}{icon}")
        assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert complaints == []
