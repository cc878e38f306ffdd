"""Journeys in a real browser: the sample shop, people with customizations, and what a browser complains about."""

import os

import pytest
from django.conf import settings
from django.test import Client, TransactionTestCase
from playwright.sync_api import sync_playwright

from tests.browser import NAMES, browser_in
from tests.phoenix.demo.conftest import bob, shop

__all__ = ["bob", "shop"]  # the storefront's own fixtures

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SIZES = pytest.mark.parametrize("width", [1280, 390])
SCHEMES = ("dark", "light")
PASSWORD = "correct horse battery staple"


def follow(tab, element, key=""):
    """Click, or press a key on, what leads to a page, and return once that page is there.

    Until then a question would be about either page, or about none: between two there is no document.
    """
    with tab.expect_navigation(wait_until="load"):
        if key:
            element.press(key)
        else:
            element.click()


def reach(tab, element, most=120):
    """Press Tab until the focus is on an element, as somebody does who has no mouse; the focus has to be seen there."""
    for _ in range(most):
        if element.evaluate("element => element === document.activeElement"):
            assert element.evaluate("element => element.matches(':focus-visible')"), element
            return
        tab.keyboard.press("Tab")
    raise AssertionError(f"not reached by keyboard: {element}")


def fits(tab):
    """Say whether the page is no wider than its window, in either scheme of the system; ends with a light one."""
    tab.wait_for_load_state("load")
    tab.locator("body").wait_for(state="attached")
    found = []
    for scheme in SCHEMES:
        tab.emulate_media(color_scheme=scheme)
        found.append(tab.evaluate(FITS))
    return all(found)


def find_browser(environ):
    """Return the path of a browser; without one the tests are skipped, except in CI, which may skip nothing."""
    found = browser_in(environ)
    if found is None and environ.get("CI"):
        pytest.fail("BROWSER_MISSING: install Debian's package chromium; in CI no browser test may be skipped.", pytrace=False)
    if found is None:
        pytest.skip(f"No browser: none of {', '.join(NAMES)} is in PATH. On Debian: apt-get install chromium")
    return found


FLUSH = TransactionTestCase._fixture_teardown


@pytest.fixture(autouse=True, scope="package")
def _flushed(django_db_setup):
    """Empty the database as Django does: beside a server's threads, putting rows back met a lock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", FLUSH)
        yield


@pytest.fixture(scope="package")
def chromium():
    """Run Debian's Chromium; Django has to allow the database beside playwright's loop, which lives in this thread."""
    path = find_browser(os.environ)
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
    if before is not None:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def tab(chromium):
    """Return an empty page in a profile of its own."""
    context = chromium.new_context(reduced_motion="reduce")  # what fades has no contrast yet
    yield context.new_page()
    context.close()


def complaints_of(tab):
    """Return a list in which all gathers that the browser complains about: what is blocked or not found, errors, dialogs."""
    found = []
    tab.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: found.append(str(error)))
    tab.on("dialog", lambda dialog: (found.append(dialog.message), dialog.dismiss()))
    return found


def enter(tab, site, user):
    """Sign a member of staff in, through the form of the admin."""
    user.set_password(PASSWORD)
    user.save()
    tab.goto(f"{site}/admin/login/")
    tab.get_by_label("Username").fill(user.get_username())
    tab.get_by_label("Password").fill(PASSWORD)
    follow(tab, tab.get_by_role("button", name="Log in"))
    assert tab.url == f"{site}/admin/"


@pytest.fixture
def complaints(tab):
    """Collect what the browser complains about: blocked scripts and styles, what is not found, dialogs."""
    return complaints_of(tab)


@pytest.fixture
def sign_in(tab, live_server):
    """What gives the browser a session of a member of staff, as one who came through the form before has, and opens the admin."""

    def resume(user):
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        tab.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        response = tab.goto(f"{live_server.url}/admin/")
        assert (response.status, tab.url) == (200, f"{live_server.url}/admin/")

    return resume


@pytest.fixture
def look(tab):
    """What sets the width of the window."""
    return lambda width: tab.set_viewport_size({"width": width, "height": 900})
