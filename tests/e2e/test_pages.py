"""The pages of a plan and a wave in a browser: they fit, a wave at work keeps itself fresh, instants are in one's own time."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from migration.engine.translate import ENGINE_VERSION
from rollout.actions.selections import begin_selection, freeze_selection
from rollout.jobs import carry_out
from rollout.models import Enrolment, Event, Wave
from rollout.states import PersonState, WaveState
from tests.conftest import person as account
from tests.e2e.conftest import PASSWORD, SIZES, fits
from tests.e2e.test_admin import AT, customization, wave

__all__ = ["customization", "wave"]  # fixtures
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def running(wave, customization):
    """The wave at work, with its one person queued."""
    now = timezone.now()
    Enrolment.objects.create(
        plan=wave.phase.plan, wave=wave, person=customization.person, state=PersonState.QUEUED, updated_at=now
    )
    started = {"state": WaveState.RUNNING, "size": 1, "started_at": now - timedelta(minutes=1), "engine_version": ENGINE_VERSION}
    Wave.objects.filter(pk=wave.pk).update(**started)
    Event.objects.create(subject="wave", subject_pk=wave.pk, kind="moved", to_state="running", by="alice", at=AT)
    return wave


def address(live_server, row):
    return live_server.url + reverse(f"admin:rollout_{row._meta.model_name}_change", args=[row.pk])


@SIZES
def test_the_pages_of_plan_phase_and_wave_fit_and_complain_of_nothing(
    tab, live_server, look, alice, sign_in, running, complaints, width
):
    Wave.objects.update(starts_at=timezone.now() - timedelta(hours=2))
    look(width)
    sign_in(alice)
    for row in (running.phase.plan, running.phase, running):
        tab.goto(address(live_server, row))
        tab.wait_for_load_state("networkidle")
        assert fits(tab), row
    assert complaints == []


def test_an_act_on_many_shows_how_far_it_is_and_is_loaded_anew_only_in_the_end(
    tab, live_server, alice, sign_in, wave, complaints
):
    selection = freeze_selection(Wave.objects.all(), "pause", criteria="all rows", by="alice", at=AT)
    begin_selection(selection, digest=selection.digest, reason="somebody calls", by="alice", at=AT)
    sign_in(alice)
    asked = []
    tab.on("request", lambda request: asked.append(request.url.removeprefix(page)) if request.url.startswith(page) else None)
    page = address(live_server, selection).removesuffix("change/")
    with tab.expect_request("**/work/"):
        tab.goto(f"{page}change/")
        assert "0 of 1 are done." in tab.locator("[role=status]").inner_text()
    assert asked == ["change/", "work/"]

    carry_out(selection)
    tab.get_by_text("alice did this on").wait_for()
    assert asked.count("change/") == 2
    assert complaints == []


def test_the_progress_of_a_wave_at_work_keeps_itself_fresh_until_it_is_over(
    tab, live_server, alice, sign_in, running, complaints
):
    sign_in(alice)
    asked = []
    tab.on("request", lambda request: asked.append(request.url) if "/progress/" in request.url else None)
    tab.goto(address(live_server, running))
    progress = tab.locator("section[aria-labelledby=progress]")
    assert "0 of 1 people handled" in " ".join(progress.inner_text().split())

    now = timezone.now()
    Enrolment.objects.filter(wave=running).update(state=PersonState.SWITCHED, switched_at=now)
    Wave.objects.filter(pk=running.pk).update(state=WaveState.MONITORING)
    tab.get_by_text("1 of 1 people handled").wait_for(timeout=15_000)

    assert progress.get_attribute("data-live") is None
    seen = len(asked)
    tab.wait_for_timeout(6_000)
    assert len(asked) == seen >= 1
    assert complaints == []


def test_refreshing_stops_when_somebody_says_so(tab, live_server, alice, sign_in, running):
    sign_in(alice)
    tab.goto(address(live_server, running))
    tab.get_by_role("button", name="Stop refreshing").click()
    Enrolment.objects.filter(wave=running).update(state=PersonState.SWITCHED, switched_at=timezone.now())

    tab.wait_for_timeout(7_000)

    assert "0 of 1 people handled" in " ".join(tab.locator("section[aria-labelledby=progress]").inner_text().split())
    assert tab.get_by_role("button", name="Refresh by itself").get_attribute("aria-pressed") == "true"


def test_instants_are_in_ones_own_time_beside_utc(chromium, live_server, running, db):
    olga = account("olga", staff=True, role="operator")
    olga.set_password(PASSWORD)
    olga.save()
    context = chromium.new_context(timezone_id="Europe/Berlin")
    tab = context.new_page()
    tab.goto(f"{live_server.url}/admin/login/")
    tab.get_by_label("Username").fill("olga")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    tab.wait_for_url(f"{live_server.url}/admin/")
    tab.goto(address(live_server, running))

    said = " ".join(tab.locator(".overview .state").inner_text().split())

    context.close()
    assert "since 2026-11-23 10:00 CET (09:00 UTC), by alice" in said
