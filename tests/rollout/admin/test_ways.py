"""Where links lead: no button to an empty history, words for what happened."""

import pytest
from django.urls import reverse

from rollout.models import Event
from tests.rollout.admin.conftest import text_of

pytestmark = pytest.mark.django_db


def test_pages_without_a_history_offer_none(page_of, arthur, done):
    wave = done(1)
    person = wave.enrolments.get().person

    for name, pk in [("rollout_wave", wave.pk), ("migration_person", person.pk)]:
        assert "historylink" not in page_of(arthur, reverse(f"admin:{name}_change", args=[pk])).content.decode()


def test_the_timeline_speaks_in_words_and_ids_keep_their_spelling(client, sue, done):
    person = done(1).enrolments.get().person
    client.force_login(sue)

    address = reverse("admin:rollout_person", args=[person.pk])
    shown = text_of(client.post(address, {"system": "legacy", "reason": "called"}, follow=True))

    assert "Put by support on legacy. “called”" in shown
    assert "override_set" not in shown
    assert f"{person} is on legacy" in shown


def test_a_state_in_an_event_is_said_in_words():
    event = Event(kind="moved", from_state="monitoring", to_state="completed_with_exceptions")

    assert (event.kind_label, event.from_label, event.to_label) == ("moved", "monitoring", "completed with exceptions")


def test_support_is_led_to_the_switch_and_others_from_where_they_look(page_of, sue, arthur, done):
    person = done(1).enrolments.get().person

    index = page_of(sue, reverse("admin:index")).content.decode()
    shown = page_of(arthur, reverse("admin:migration_person_change", args=[person.pk])).content.decode()

    assert reverse("admin:rollout_find_person") in index
    assert f'href="{reverse("admin:rollout_stop")}"' not in index, "support may not use it"
    assert page_of(sue, reverse("admin:rollout_stop")).status_code == 403
    assert reverse("admin:rollout_person", args=[person.pk]) in shown


def test_who_may_do_everything_sees_every_way(page_of, admin_user):
    index = page_of(admin_user, reverse("admin:index")).content.decode()

    for name in (
        "admin:rollout_stop",
        "admin:migration_finding_changelist",
        "admin:rollout_wave_changelist",
        "django_rq:home",
    ):
        assert f'href="{reverse(name)}"' in index


def test_everything_stops_in_one_step_from_every_page(client, alice, done):
    wave = done(1)
    client.force_login(alice)
    for address in ("admin:index", "admin:rollout_wave_changelist", "admin:migration_customization_changelist"):
        assert f'href="{reverse("admin:rollout_stop")}"' in client.get(reverse(address)).content.decode()

    shown = client.get(reverse("admin:rollout_stop")).content.decode()
    assert (
        "Freeze every plan" in shown
        and "Pause every plan" not in shown
        and "queued again before the switch" in " ".join(shown.split())
    )
    for name, to, said in (("freeze", "on", "Every plan is frozen"), ("kill_switch", "engage", "The kill switch is on")):
        address = reverse(f"admin:rollout_{name}")
        assert f'action="{address}"' in shown
        client.post(address, {"to": to, "reason": "pages look wrong"})
        assert said in text_of(client.get(reverse("admin:rollout_wave_change", args=[wave.pk])))


def test_the_list_of_plans_leads_with_a_plan_from_a_template(client, alice):
    client.force_login(alice)

    shown = client.get(reverse("admin:rollout_plan_changelist")).content.decode()

    assert f'class="primary" href="{reverse("admin:rollout_plan_new")}"' in shown
    assert shown.count('class="primary"') == 1
