"""How many actions the main tasks take from the first page: a click or a submitted form each; typing is none."""

import pytest
from django.urls import reverse

from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.models import Enrolment, Wave
from rollout.states import PersonState, WaveState
from tests.e2e.conftest import follow
from tests.e2e.test_admin import AT, SAID, customization, wave

__all__ = ["customization", "wave"]  # their rows are what the tasks are about
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def at_home(tab, live_server, look, sign_in, admin_user):
    """Sign in and stand on the first page; each call of what is returned is one action."""
    look(1280)
    sign_in(admin_user)
    taken = []

    def act(element, key=""):
        taken.append(element)
        follow(tab, element, key)

    return act, taken


def test_a_wave_is_started_in_at_most_four(tab, at_home, wave):
    act, taken = at_home
    lock_wave(wave, **SAID)
    announce_wave(wave, reason="told by letter", **SAID)

    act(tab.locator("#ways").get_by_role("link", name="Waves", exact=True))
    act(tab.get_by_role("link", name="First people"))
    act(tab.get_by_role("link", name="Start…"))
    tab.get_by_label("Reason").fill("everybody was told")
    act(tab.get_by_role("button", name="Start"))

    assert Wave.objects.get(pk=wave.pk).state != WaveState.ANNOUNCED
    assert len(taken) <= 4


def test_why_a_person_failed_is_known_in_at_most_three(tab, at_home, wave):
    act, taken = at_home
    lock_wave(wave, **SAID)
    announce_wave(wave, reason="told by letter", **SAID)
    start_wave(wave, **SAID)
    why = "Two workers died with this person in hand."
    Enrolment.objects.update(state=PersonState.NEEDS_ATTENTION, code="POISON", text=why, updated_at=AT)
    tab.reload()

    tab.locator("#find-q").fill("carla")
    act(tab.locator("#find-q"), "Enter")

    assert why in tab.locator("#content").inner_text()
    assert len(taken) <= 3


def test_a_person_is_taken_back_in_at_most_three(tab, at_home, customization):
    act, taken = at_home
    tab.goto(tab.url)  # the person was made after signing in
    tab.locator("#find-q").fill("carla")
    act(tab.locator("#find-q"), "Enter")

    tab.get_by_label("Slots", exact=True).check()
    tab.locator("form", has=tab.get_by_role("button", name="Switch")).get_by_label("Reason").fill("asked on the phone")
    act(tab.get_by_role("button", name="Switch"))
    taken.clear()  # that was only so that there is something to take back
    taken.append("the search from home")
    tab.locator("form", has=tab.get_by_role("button", name="Roll back")).get_by_label("Reason").fill("cannot order")
    act(tab.get_by_role("button", name="Roll back"))

    assert "carla is back" in tab.locator(".messagelist").inner_text()
    assert len(taken) <= 3


def test_a_report_is_exported_in_at_most_two(tab, at_home, wave):
    act, taken = at_home
    act(tab.locator("#ways").get_by_role("link", name="People in waves"))
    with tab.expect_download() as download:
        tab.get_by_role("link", name="CSV").click()
    taken.append("the file")

    assert download.value.suggested_filename.endswith(".csv")
    assert len(taken) <= 2
    assert reverse("admin:rollout_enrolment_changelist") in tab.url
