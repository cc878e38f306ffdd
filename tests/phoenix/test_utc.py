"""The administration says and reads instants in UTC, in whatever zone the site's own pages are."""

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from phoenix.utc import PREFIX
from rollout.actions.holds import set_hold
from tests.phoenix.test_home import alice, card, customer, customers, phase, planned, started
from tests.rollout.conftest import AT, SAID

__all__ = ["alice", "card", "customer", "customers", "phase", "planned", "started"]  # the rollout's fixtures
pytestmark = pytest.mark.django_db


@override_settings(TIME_ZONE="Europe/Berlin")
def test_pages_of_a_site_in_berlin_say_utc(client, alice, started, customers):
    wave = started(*customers(1))
    set_hold(wave, reason="looked at first", **SAID)
    client.force_login(alice)

    for address in (reverse("admin:index"), reverse("admin:rollout_wave_change", args=[wave.pk])):
        shown = client.get(address).content.decode()
        assert f"{AT:%Y-%m-%d %H:%M} UTC" in shown  # 09:00, which is 10:00 there
        assert f"{AT:%Y-%m-%d} 10:00" not in shown
    assert timezone.get_current_timezone_name() == "Europe/Berlin", "other pages stay as they were"
    assert reverse("admin:index") == PREFIX
