"""Lists and pages: who sees them, who changes nothing there, constant query counts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration.models import Person
from rollout.actions.chunks import process_chunk
from rollout.actions.people import override_person
from rollout.models import Enrolment, Event, FlagOverride, Phase, Plan, Snapshot, Wave
from rollout.waves import System
from tests.rollout.admin.conftest import LISTS
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db


def test_every_list_and_page_opens_for_an_auditor_and_offers_nothing(page_of, arthur, done):
    wave = done(2)
    override_person(wave.enrolments.first().person, system=System.LEGACY, reason="asked", **SAID)

    for name in LISTS:
        listing = page_of(arthur, reverse(f"admin:rollout_{name}_changelist"))
        row = listing.context["cl"].queryset.first()
        page = page_of(arthur, reverse(f"admin:rollout_{name}_change", args=[row.pk]))

        assert (listing.status_code, page.status_code) == (200, 200), name
        assert page.context.get("acts", []) == [], name
        assert not any(page.context[f"has_{right}_permission"] for right in ("add", "change", "delete")), name


@pytest.mark.parametrize("name", LISTS)
def test_who_has_no_rights_sees_nothing(page_of, charlie, name):
    assert page_of(charlie, reverse(f"admin:rollout_{name}_changelist")).status_code == 403


def test_nobody_deletes_and_the_record_is_append_only(admin_client, done):
    override_person(done(1).enrolments.get().person, system=System.LEGACY, reason="asked", **SAID)

    for name in LISTS:
        row = admin_client.get(reverse(f"admin:rollout_{name}_changelist")).context["cl"].queryset.first()

        deleted = admin_client.post(reverse(f"admin:rollout_{name}_delete", args=[row.pk]), {"post": "yes"})
        assert deleted.status_code == 403, name
        if name in ("event", "snapshot", "flag", "flagoverride", "enrolment"):
            assert admin_client.get(reverse(f"admin:rollout_{name}_add")).status_code == 403, name
            assert admin_client.post(reverse(f"admin:rollout_{name}_change", args=[row.pk]), {}).status_code == 403, name


def test_lists_cost_the_same_queries_for_one_and_for_ten(client, alice, done, customers, planned):
    def count(name):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"admin:rollout_{name}_changelist")).status_code == 200
        return len(queries)

    client.force_login(alice)
    first = done(1)
    FlagOverride.objects.create(person=first.enrolments.get().person, system="legacy", reason="asked", by="sue", at=AT)
    for name in LISTS:
        count(name)
    one = {name: count(name) for name in LISTS}

    for number in range(9):
        plan = Plan.objects.create(name=f"Plan {number}", salt="s", author="a", created_at=AT)
        phase = Phase.objects.create(plan=plan, position=1, name=f"Phase {number}")
        wave = Wave.objects.create(phase=phase, position=1, name=f"Wave {number}")
        person = Person.objects.create(user=f"d{number}")
        row = Enrolment.objects.create(plan=plan, wave=wave, person=person, updated_at=AT)
        Snapshot.objects.create(person=person, enrolment=row, act="5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10", digest="d", taken_at=AT)
        FlagOverride.objects.create(person=person, system="legacy", reason="asked", by="sue", at=AT)
        Event.objects.create(subject="wave", subject_pk=wave.pk, kind="made", by="alice", at=AT)

    assert {name: count(name) for name in LISTS} == one


def test_the_waves_page_costs_the_same_queries_for_one_member_and_for_ten(client, alice, customers, started, clock):
    people = customers(11)
    counts = []
    client.force_login(alice)
    for group in (people[:1], people[1:]):
        wave = started(*group)
        process_chunk(wave, clock=clock)
        client.get(reverse("admin:rollout_wave_change", args=[wave.pk]))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("admin:rollout_wave_change", args=[wave.pk]))
        counts.append(len(queries))

    assert counts[0] == counts[1]
