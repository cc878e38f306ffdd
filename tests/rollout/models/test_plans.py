"""Members of a wave by group and by state: each counted once, so that they sum up to its frozen size wherever they are shown."""

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from rollout.actions.deferrals import defer_person
from rollout.actions.people import exclude_person
from rollout.actions.waves import lock_wave
from rollout.models import Wave
from rollout.states import GROUPS, PersonState
from tests.rollout.admin.conftest import text_of
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "on holiday"}


@pytest.fixture
def deferred(customers, planned):
    """A locked wave of four, one of whom waits for a later one and one of whom is left out."""
    customers(5)
    first, second = planned(limit=4), planned(limit=1)
    for wave, days in ((first, 1), (second, 8)):
        Wave.objects.filter(pk=wave.pk).update(starts_at=AT + days * DAY)
        wave.refresh_from_db()
        lock_wave(wave, **SAID)
    one, other, *_ = first.enrolments.order_by("pk")
    defer_person(one, to=second, **WHY)
    exclude_person(other, **WHY)
    return first


def test_every_state_of_a_person_is_in_one_group_and_no_more():
    states = [state for group in GROUPS.values() for state in group]

    assert len(states) == len(set(states))
    assert set(states) == set(PersonState)


def test_who_was_deferred_is_a_group_of_their_own_and_all_sum_up_to_the_size(deferred):
    wave = Wave.objects.counted().get(pk=deferred.pk)

    counts = {name: getattr(wave, f"n_{name}") for name in GROUPS}
    assert counts == {"waiting": 2, "working": 0, "on_slots": 0, "stuck": 0, "deferred": 1, "off": 1}
    assert sum(counts.values()) == wave.size == 4


def test_the_lists_of_the_admin_and_the_shell_show_sums_that_are_the_size(deferred, admin_client, capsys):
    shown = text_of(admin_client.get(reverse("admin:rollout_wave_changelist")))
    assert "Wave 1 Autumn / Pilot locked 4 2 0 0 0 1 1 1" in shown, (
        "size; waiting, working, on slots, stuck, deferred, off; attempt"
    )

    call_command("rollout", "status", "--json")
    (phase,) = json.loads(capsys.readouterr().out)["plans"][0]["phases"]
    for wave in phase["waves"]:
        assert sum(wave["members"].values()) == wave["size"]
    assert phase["waves"][0]["members"] == {"enrolled": 2, "deferred": 1, "excluded": 1}
