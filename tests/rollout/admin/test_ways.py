"""Where links lead: no button to an empty history."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_pages_without_a_history_offer_none(page_of, sue, done):
    wave = done(1)
    person = wave.enrolments.get().person

    for name, pk in [("rollout_wave", wave.pk), ("migration_person", person.pk)]:
        assert "historylink" not in page_of(sue, reverse(f"admin:{name}_change", args=[pk])).content.decode()
