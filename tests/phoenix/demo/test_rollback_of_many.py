"""Thousands of people go to slots and back: to the byte, and no edit of theirs is lost."""

import os

import pytest
from django.utils import timezone

from migration.models import Customization, Person
from phoenix.demo import crowd
from rollout.actions.accounts import start_chosen_accounts, work_off
from rollout.actions.rollback import roll_back_wave
from rollout.audiences import Audience
from rollout.models import Enrolment, Event, Snapshot
from rollout.states import PersonState, WaveState
from slots.actions import PersonPage, save_body
from slots.models import Layer, Origin, SlotConfiguration
from tests.phoenix.demo.conftest import AT

pytestmark = pytest.mark.django_db
PEOPLE = int(os.environ.get("ROLLBACK_PEOPLE", "2000"))  # 10000 takes minutes
SHOWN = 97  # the pages of one person in so many are compared
EDITED = 20  # one in so many edits between the switch and the rollback
SAID = {"by": "alice", "at": AT}
PRODUCT = {"name": "Mug", "price": 18, "currency": "€", "tags": [], "in_stock": True, "stock": 4, "url": "/", "image_url": ""}


def configurations():
    return list(SlotConfiguration.objects.filter(layer=Layer.USER).order_by("pk").values())


def diffs():
    names = ("pk", "person_id", "component_key", "base_id", "diff", "diff_digest", "is_active", "state", "translation_id")
    return list(Customization.objects.order_by("pk").values(*names))


def pages(people):
    return [PersonPage(person.key, at=AT).render("shop.product_card", {"product": PRODUCT}) for person in people[::SHOWN]]


def edit(people):
    """Change, take off or switch off what some have, each in turn; return their names."""
    body = save_body([], at=AT)
    for number, person in enumerate(people[::EDITED]):
        rows = SlotConfiguration.objects.filter(layer=Layer.USER, key=person.user, origin=Origin.TRANSLATION)
        if number % 3 == 0:
            rows.update(body=body, origin=Origin.HAND)
        elif number % 3 == 1:
            rows.delete()
        else:
            rows.update(is_active=False)
    return sorted(str(person) for person in people[::EDITED])


@pytest.mark.slow
def test_thousands_of_people_go_back_to_the_byte_and_their_edits_are_set_aside(shop):
    crowd.seed_people(
        PEOPLE, seed=7, is_switched=False, clock=timezone.now, reason="test", act="00000000-0000-0000-0000-000000000007", **SAID
    )
    people = list(Person.objects.order_by("pk"))
    rows, shown = configurations(), pages(people)
    wave, skipped = start_chosen_accounts(Audience(users=tuple(person.user for person in people)), reason="test", **SAID)
    assert work_off(wave, clock=lambda: AT, size=500).switched == PEOPLE
    before = [row | {"state": "validated" if row["is_active"] else row["state"]} for row in diffs()]
    assert configurations() != rows
    edited = edit(people)
    wave.refresh_from_db()

    report = roll_back_wave(wave, reason="it looks odd", **SAID)

    assert (skipped, report.rolled_back, report.kept, report.failed) == ((), PEOPLE, (), ())
    assert sorted(report.edited) == edited
    assert configurations() == rows
    assert diffs() == before
    assert pages(people) == shown
    assert (wave.state, wave.members_by_state()) == (WaveState.ROLLED_BACK, {PersonState.ROLLED_BACK: PEOPLE})
    aside = Snapshot.objects.exclude(set_aside=[])
    assert sorted(str(each.person) for each in aside.select_related("person")) == edited
    assert Enrolment.objects.filter(code="EDITED_SINCE_SWITCH").count() == len(edited)
    assert Event.objects.filter(kind="edits_set_aside").count() == len(edited)
