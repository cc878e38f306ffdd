"""The main tasks without a mouse: Tab, letters, Enter and Space, from the first page to the answer.

Support's task is in `test_support.py`, the reviewer's in `test_review.py`.
"""

import pytest
from playwright.sync_api import expect

from rollout.actions.holds import holds_on
from rollout.actions.plans import PhaseDraft, create_plan, submit_plan
from rollout.actions.signing import require_role
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.models import Plan, Wave
from rollout.states import PlanState, WaveState
from tests.conftest import person as account
from tests.e2e.conftest import SIZES, follow, reach
from tests.e2e.test_admin import AT, SAID, customization, wave

__all__ = ["customization", "wave"]  # their rows are what the tasks are about
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def keyboard(tab, look, complaints):
    """What goes to an element by Tab and presses a key there, or types; in the end the browser has complained of nothing."""

    def go(element, key="", text="", leads=True):
        reach(tab, element)
        if text:
            tab.keyboard.type(text)
        elif leads:
            follow(tab, element, key or "Enter")
        else:
            tab.keyboard.press(key)

    yield go
    assert complaints == []


@pytest.fixture
def announced(wave):
    """The wave, told and ready to start."""
    lock_wave(wave, **SAID)
    announce_wave(wave, reason="told by letter", **SAID)
    return wave


@pytest.fixture
def to_sign(db):
    """A plan in review that one role signs."""
    plan = create_plan("Winter", phases=[PhaseDraft("Pilot")], salt="salt", **SAID)
    require_role(plan, "CTO", reason="asked", **SAID)
    submit_plan(plan, **SAID)
    return plan


@SIZES
def test_a_wave_is_started_and_paused_by_keyboard(tab, look, keyboard, alice, sign_in, announced, width):
    look(width)
    sign_in(alice)
    if width < 1024:
        keyboard(tab.locator("#header .menu summary"), "Enter", leads=False)
    ways = tab.locator("#ways" if width >= 1024 else "#header .menu nav")
    keyboard(ways.get_by_role("link", name="Waves", exact=True))
    keyboard(tab.get_by_role("link", name="First people"))
    keyboard(tab.get_by_role("link", name="Start…"))
    keyboard(tab.get_by_label("Reason"), text="everybody was told")
    keyboard(tab.get_by_role("button", name="Start"))
    expect(tab.locator(".messagelist")).to_contain_text("1 people are queued.")
    assert Wave.objects.get().state == WaveState.RUNNING

    keyboard(tab.get_by_role("link", name="Pause…"))
    keyboard(tab.get_by_label("Reason"), text="somebody calls")
    keyboard(tab.get_by_role("button", name="Pause"))
    expect(tab.locator(".messagelist")).to_contain_text("is paused.")
    assert [each.text for each in holds_on(Wave.objects.get(), at=AT)]


@SIZES
def test_a_wave_is_rolled_back_by_keyboard(tab, look, keyboard, alice, sign_in, announced, width):
    start_wave(announced, **SAID)
    look(width)
    sign_in(alice)
    keyboard(tab.locator("#content").get_by_role("link", name="Pilot / First people").first)
    keyboard(tab.get_by_role("link", name="Roll back…"))
    keyboard(tab.get_by_label("Reason"), text="pages look wrong")
    keyboard(tab.get_by_label("To go on, type"), text="First people")
    keyboard(tab.get_by_role("button", name="Roll back"))
    expect(tab.locator(".messagelist")).to_contain_text("of 1 people are back.")
    assert Wave.objects.get().state == WaveState.ROLLED_BACK


@SIZES
def test_a_plan_is_signed_by_keyboard(tab, look, keyboard, sign_in, to_sign, width):
    look(width)
    sign_in(account("cecil", staff=True, role="CTO"))
    keyboard(tab.locator("#content").get_by_role("link", name="Winter").first)
    keyboard(tab.get_by_role("link", name="Sign off…"))
    keyboard(tab.get_by_label("I agree", exact=True), "Space", leads=False)
    keyboard(tab.get_by_label("Reason"), text="read it")
    keyboard(tab.get_by_role("button", name="Decide"))
    expect(tab.locator(".messagelist")).to_contain_text("CTO has approved Winter.")
    assert Plan.objects.get().state == PlanState.APPROVED
