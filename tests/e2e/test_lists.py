"""Lists in a browser: rows as cards on a phone, many people chosen and acted on as they were shown."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from rollout.models import Enrolment, Selection
from rollout.states import PersonState
from tests.conftest import person as account
from tests.e2e.conftest import fits
from tests.rows import make_row

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [320, 1600])
def test_no_list_is_wider_than_the_window_and_each_value_on_a_phone_has_its_name(
    tab, live_server, look, sign_in, complaints, width
):
    sign_in(User.objects.create_superuser("root", "root@example.org"))
    look(width)
    for model in admin.site._registry:
        make_row(model)
        tab.goto(live_server.url + reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        assert fits(tab), model
        cell = tab.locator("#result_list tbody tr [data-label]").first
        shown = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert (shown == f'"{cell.get_attribute("data-label")}"') == (width == 320), model
    assert complaints == []


def test_all_people_of_a_list_are_chosen_shown_and_left_out(tab, live_server, look, sign_in, complaints):
    first = make_row(Enrolment)
    for _ in range(2):
        make_row(Enrolment, wave=first.wave, plan=first.plan)
    admin.site._registry[Enrolment].list_per_page, before = 2, admin.site._registry[Enrolment].list_per_page
    sign_in(account("alice", staff=True, role="operator"))
    look(390)
    try:
        tab.goto(live_server.url + reverse("admin:rollout_enrolment_changelist"))
        for box in tab.locator("#result_list input.action-select").all():
            box.check()
        tab.get_by_role("button", name="Select all 3").click()
        tab.get_by_label("Action:").select_option("exclude")
        tab.get_by_role("button", name="Go").click()
    finally:
        admin.site._registry[Enrolment].list_per_page = before
    assert fits(tab)
    tab.get_by_label("Reason").fill("They asked for it.")
    tab.get_by_role("button", name="Leave out: 3 people").click()

    tab.get_by_text("Leave out: 3 of 3 done.").wait_for()
    assert Selection.objects.get().criteria.startswith("all rows")
    assert set(Enrolment.objects.values_list("state", flat=True)) == {PersonState.EXCLUDED}
    assert complaints == []
