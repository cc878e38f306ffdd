"""The admin's own pages: both systems side by side, waves and the acts on them, one person's switch."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from migration.actions import translate_customizations, validate_customizations
from migration.models import Person
from phoenix.demo.edits.product_card import EDITS
from rollout.actions.plans import (
    PhaseDraft,
    WaveDraft,
    add_wave,
    approve_plan,
    create_plan,
    open_phase,
    schedule_plan,
    submit_plan,
)
from rollout.audiences import Audience
from rollout.models import FlagOverride, Wave
from rollout.states import WaveState
from rollout.waves import System
from tests.conftest import person as account
from tests.e2e.conftest import SIZES, fits, follow
from tests.phoenix.demo.test_views import customise

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
SAID = {"by": "alice", "at": AT}


@pytest.fixture
def customization(shop):
    """Return a validated customization of a product card."""
    carla = Person.objects.create(user="carla", email="carla@customers.example", region="eu-west")
    row = customise(carla, next(edit for edit in EDITS if edit.name == "order-now"))
    translate_customizations([row.pk], reason="test", **SAID)
    validate_customizations([row.pk], reason="test", **SAID)
    row.refresh_from_db()
    assert row.state == "validated"
    return row


@pytest.fixture
def wave(customization):
    """Return a planned wave whose only person has that customization."""
    plan = create_plan("Autumn", phases=[PhaseDraft("Pilot")], salt="salt", **SAID)
    submit_plan(plan, **SAID)
    approve_plan(plan, by="dora", at=AT, reason="looks right")
    schedule_plan(plan, **SAID)
    phase = plan.phases.get()
    open_phase(phase, reason="all signed", **SAID)
    return add_wave(phase, draft=WaveDraft("First people", Audience(users=("carla",))), **SAID)


@SIZES
def test_both_systems_stand_side_by_side_in_closed_frames(
    tab, live_server, look, alice, sign_in, customization, complaints, width
):
    look(width)
    sign_in(alice)
    tab.goto(live_server.url + reverse("admin:migration_customization_compare", args=[customization.pk]))
    pairs = tab.locator(".sample > .pair")
    assert pairs.count() == len(customization.translation.target.samples)

    for number in range(pairs.count()):
        legacy, slots = (pairs.nth(number).locator("iframe").nth(side) for side in (0, 1))
        assert [frame.get_attribute("sandbox") for frame in (legacy, slots)] == ["", ""]
        legacy.scroll_into_view_if_needed()
        seen = [frame.content_frame.locator("article.product-card").inner_text() for frame in (legacy, slots)]
        assert seen[0] == seen[1] != ""

    left, right = (pairs.first.locator("iframe").nth(side).bounding_box() for side in (0, 1))
    assert (left["y"] == right["y"]) is (width > 1000)
    assert fits(tab)
    assert complaints == []


@pytest.mark.parametrize("name", ["migration_customization", "migration_finding", "rollout_wave", "rollout_enrolment"])
def test_every_column_of_a_list_is_seen_on_a_small_screen(tab, live_server, look, alice, sign_in, wave, complaints, name):
    look(1280)
    sign_in(alice)
    tab.goto(live_server.url + reverse(f"admin:{name}_changelist"))

    assert not tab.evaluate(
        "Array.from(document.querySelectorAll('#changelist .results')).some(e => e.scrollWidth > e.clientWidth + 4)"
    )
    assert complaints == []


@SIZES
def test_an_act_shows_its_effect_first_and_happens_once_confirmed(
    tab, live_server, look, alice, sign_in, wave, complaints, width
):
    look(width)
    sign_in(alice)
    tab.goto(live_server.url + reverse("admin:rollout_wave_changelist"))
    follow(tab, tab.get_by_role("link", name="First people"))
    follow(tab, tab.get_by_role("link", name="Lock…"))
    assert "1 people are frozen as its members: carla" in tab.locator("#content").inner_text()
    assert Wave.objects.get().state == WaveState.PLANNED
    assert fits(tab)

    tab.get_by_label("Reason").fill("the pilot begins")
    follow(tab, tab.get_by_role("button", name="Lock"))
    tab.get_by_text("1 members are frozen").wait_for()
    assert Wave.objects.get().state == WaveState.LOCKED
    assert complaints == []


@SIZES
def test_support_finds_a_person_and_switches_them(tab, live_server, look, sign_in, customization, complaints, width):
    look(width)
    sign_in(account("sue", staff=True, role="support"))
    tab.goto(live_server.url + reverse("admin:rollout_find_person"))
    tab.get_by_label("External id or address").fill("carl")
    follow(tab, tab.get_by_label("External id or address"), "Enter")
    assert tab.get_by_role("heading", name="carla").is_visible()
    assert fits(tab)

    tab.get_by_label("Reason").fill("asked on the phone")
    tab.get_by_label("Slots", exact=True).check()
    follow(tab, tab.get_by_role("button", name="Switch"))
    tab.get_by_text("carla is on slots").wait_for()
    assert FlagOverride.objects.get().system == System.SLOTS
    assert fits(tab)
    assert complaints == []
