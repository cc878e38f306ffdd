"""What the page of a wave says about its pace and about who is proven, and the act that proves ahead."""

import pytest
from django.urls import reverse

from rollout.actions.prevalidation import readiness_of
from rollout.actions.waves import lock_wave
from rollout.models import Event, Wave
from rollout.states import PersonState
from tests.rollout.admin.conftest import text_of
from tests.rollout.conftest import HOSTILE, SAID

pytestmark = pytest.mark.django_db


def page(wave):
    return reverse("admin:rollout_wave_change", args=[wave.pk])


def test_a_throttled_wave_says_what_claims_wait_for(page_of, alice, customers, started):
    wave = started(*customers(2))
    assert "What claims wait for" not in text_of(page_of(alice, page(wave)))

    Wave.objects.update(rate=30, allowance=0, allowed_at="2126-01-01T00:00:00Z")

    assert "The rate of 30 people a minute lets the next one be claimed at" in text_of(page_of(alice, page(wave)))


def test_members_are_proven_by_an_act_and_counted_on_the_page(act_as, page_of, alice, customers, customer, planned):
    wave = planned(*customers(2), customer("hostile", HOSTILE))
    lock_wave(wave, **SAID)
    assert "0 of 3 people are proven, 0 are blocked, 3 have not been looked at yet." in text_of(page_of(alice, page(wave)))

    response = act_as(alice, "prevalidate", wave)

    assert "2 of 3 people are proven, 1 blocked" in text_of(response)
    said = text_of(page_of(alice, page(wave)))
    assert "2 of 3 people are proven, 1 are blocked, 0 have not been looked at yet." in said
    assert all(code in said for code, _ in readiness_of(wave).causes)
    assert wave.members_by_state() == {PersonState.ENROLLED: 3}


def test_an_auditor_sees_and_does_not_prove(act_as, page_of, arthur, customers, planned):
    wave = planned(*customers(1))
    lock_wave(wave, **SAID)
    before = Event.objects.count()

    assert "Proven ahead" in text_of(page_of(arthur, page(wave)))
    act_as(arthur, "prevalidate", wave)

    assert (readiness_of(wave).open, Event.objects.count()) == (1, before)
