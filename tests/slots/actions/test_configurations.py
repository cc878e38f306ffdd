"""Installing, removing and restoring: one row or many, with the same rows and the same history."""

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from slots.actions import (
    Installed,
    Placement,
    Restored,
    install_configuration,
    install_configurations,
    remove_configuration,
    remove_configurations,
    render,
    restore_people,
    restore_revision,
    save_bodies,
    save_body,
    snapshot_people,
)
from slots.errors import OperationsInvalid
from slots.models import Body, ComposedTemplate, Layer, Origin, SegmentMember, SlotConfiguration
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

DEED = {"by": "alice", "at": AT, "reason": "wave 1"}
PEOPLE = [PersonKey("default", f"user{number}") for number in range(6)]
PRODUCT = {"product": {"name": "Mug"}}


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def bodies(db):
    return save_bodies([[set_text(CARD, "Buy", word)] for word in ("Order", "Take", "Get")], at=AT)


def placements(version, bodies, *, shift=0):
    return [
        Placement.for_person(person, version, bodies[(number + shift) % len(bodies)], origin=Origin.TRANSLATION)
        for number, person in enumerate(PEOPLE)
    ]


def rows():
    names = ("tenant", "layer", "key", "component_id", "component_version_id", "body_id", "is_active", "origin", "priority")
    return sorted(SlotConfiguration.objects.values_list(*names, "updated_at"))


def history():
    skipped = {"history_id", "id"}
    return sorted(
        (
            tuple((name, str(value)) for name, value in row.items() if name not in skipped)
            for row in SlotConfiguration.history.values()
        ),
        key=str,
    )


def one_by_one(version, bodies, act):
    for shift in (0, 0, 1):
        for placement in placements(version, bodies, shift=shift):
            install_configuration(placement, **DEED, act=act)
    for row in SlotConfiguration.objects.filter(key__in=("user0", "user1")):
        remove_configuration(row, **DEED, act=act)


def all_at_once(version, bodies, act):
    for shift in (0, 0, 1):
        install_configurations(placements(version, bodies, shift=shift), **DEED, act=act)
    remove_configurations(SlotConfiguration.objects.filter(key__in=("user0", "user1")), **DEED, act=act)


def test_many_leave_the_same_rows_and_history_as_one_by_one(card, bodies):
    act = uuid.uuid4()
    results = []
    for way in (one_by_one, all_at_once):
        with transaction.atomic():
            way(card, bodies, act)
            results.append((rows(), history(), set(ComposedTemplate.objects.values_list("digest", "source"))))
            transaction.set_rollback(True)

    assert results[0] == results[1]
    assert len(results[0][1]) == 6 + 6 + 2


def test_many_say_what_they_did(card, bodies):
    assert install_configurations(placements(card, bodies), **DEED) == Installed(6, 0, 0)
    assert install_configurations(placements(card, bodies), **DEED) == Installed(0, 0, 6)
    assert install_configurations(placements(card, bodies, shift=3), **DEED) == Installed(0, 0, 6)
    assert install_configurations(placements(card, bodies, shift=1), **DEED) == Installed(0, 6, 0)


def queries_of(act, *args):
    with CaptureQueriesContext(connection) as queries:
        act(*args, **DEED)
    return len(queries)


def test_many_cost_the_queries_of_one(card, bodies):
    one = queries_of(install_configurations, placements(card, bodies)[:1])
    five = queries_of(install_configurations, placements(card, bodies)[1:])
    changed = queries_of(install_configurations, placements(card, bodies, shift=1))

    assert (one, five) == (13, 13)
    assert changed < one  # every body was composed before


def test_nothing_to_install_is_no_error(db):
    assert install_configurations([], **DEED) == Installed(0, 0, 0)
    assert remove_configurations([], **DEED) == 0


def test_stacks_are_composed_when_a_configuration_is_written(card, bodies, bob, django_assert_num_queries):
    lay(card, [set_text(CARD, "Buy", "Site")], layer=Layer.SITE)
    lay(card, [set_text(CARD, "{{ product.name }}", "Segment")], layer=Layer.SEGMENT, key="vip")
    SegmentMember.objects.create(user="bob", segment="vip")
    install_configurations([Placement.for_person(bob, card, bodies[0], origin=Origin.HAND)], **DEED)

    with django_assert_num_queries(2):
        html = render("shop.card", bob, PRODUCT, at=AT)

    assert (">Order<" in html, ">Segment<" in html) == (True, True)


def test_identical_stacks_of_many_people_are_composed_once(card, bodies):
    install_configurations(placements(card, bodies), **DEED)

    assert ComposedTemplate.objects.count() == 3


def test_inactive_configuration_does_not_show(card, bob):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob, is_active=False)

    assert ">Buy<" in render("shop.card", bob, PRODUCT, at=AT)


def test_history_keeps_who_why_when_and_the_act(card, bodies, bob):
    act = uuid.uuid4()
    install_configuration(Placement.for_person(bob, card, bodies[0], origin=Origin.HAND), **DEED, act=act)

    revision = SlotConfiguration.history.get()

    assert (revision.history_user_id, revision.history_change_reason, revision.history_date, revision.act) == (
        "alice",
        "wave 1",
        AT,
        act,
    )


def test_snapshot_is_restored_exactly(card, bodies):
    other = add_component("shop.other")
    install_configurations(placements(card, bodies)[:3], **DEED)
    before = snapshot_people(PEOPLE)
    wave = [*placements(card, bodies, shift=1), *placements(other, bodies)]
    install_configurations(wave, **DEED)

    first = restore_people(before, **DEED)
    second = restore_people(before, **DEED)

    assert snapshot_people(PEOPLE) == before
    assert first == Restored(created=0, changed=3, removed=9, unchanged=0)
    assert second == Restored(created=0, changed=0, removed=0, unchanged=3)


def test_restore_brings_back_what_was_removed(card, bodies):
    install_configurations(placements(card, bodies), **DEED)
    before = snapshot_people(PEOPLE)
    remove_configurations(SlotConfiguration.objects.all(), **DEED)

    assert restore_people(before, **DEED).created == 6
    assert snapshot_people(PEOPLE) == before


def test_restore_of_many_costs_the_queries_of_one(card, bodies):
    install_configurations(placements(card, bodies), **DEED)
    before = snapshot_people(PEOPLE)
    install_configurations(placements(card, bodies, shift=1), **DEED)

    one = queries_of(restore_people, {PEOPLE[0]: before[PEOPLE[0]]})
    six = queries_of(restore_people, before)

    assert one == six


def test_people_of_another_tenant_are_left_alone(card, bodies):
    twin = PersonKey("acme", "user0")
    install_configurations([Placement.for_person(twin, card, bodies[0], origin=Origin.HAND)], **DEED)

    restore_people({PEOPLE[0]: []}, **DEED)

    assert SlotConfiguration.objects.of(twin).exists()


def test_any_revision_can_be_restored(card, bodies, bob):
    row = install_configuration(Placement.for_person(bob, card, bodies[0], origin=Origin.HAND), **DEED)
    install_configuration(Placement.for_person(bob, card, bodies[1], origin=Origin.HAND), **DEED)
    remove_configuration(SlotConfiguration.objects.get(pk=row.pk), **DEED)
    removed, _, first = SlotConfiguration.history.order_by("-history_id")

    assert restore_revision(first, **DEED).body == bodies[0]
    assert restore_revision(removed, **DEED) is None
    assert not SlotConfiguration.objects.exists()


def test_layers_keys_are_held_by_the_database(card, bodies):
    with pytest.raises(IntegrityError), transaction.atomic():
        install_configuration(Placement("default", Layer.USER, "", card, bodies[0].digest), **DEED)
    with pytest.raises(IntegrityError), transaction.atomic():
        install_configuration(Placement("default", Layer.SITE, "bob", card, bodies[0].digest), **DEED)


def test_bodies_are_stored_once(db):
    one = save_body([set_text(CARD, "Buy", "Order")], at=AT)
    two = save_body([set_text(CARD, "Buy", "Order")], at=AT)

    assert one == two
    assert Body.objects.count() == 1


@pytest.mark.parametrize("operations", [[set_text(CARD, "Buy", "x")] * 1_001, [set_text(CARD, "Buy", "x" * 300_000)]])
def test_body_beyond_the_limits_is_refused(db, operations):
    with pytest.raises(OperationsInvalid):
        save_body(operations, at=AT)
