"""Bulk reverts by SQL give the rows and the history that restoring one by one gives."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from slots.actions import Placement, install_configuration, remove_configuration, render, restore_revision, save_body
from slots.actions.reverting import Reverted, Selection, revert_act, revert_to
from slots.models import Layer, SlotConfiguration
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

PRODUCT = {"product": {"name": "Mug"}}
LATER, NOW = AT + timedelta(hours=1), AT + timedelta(hours=2)
DEED = {"by": "olga", "at": NOW, "reason": "taken back"}


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def changed(card):
    """At AT anna, bob and cleo had "Order"; later anna got "Take", bob's went away, dan's came, cleo's stayed."""
    act = uuid.uuid4()
    deed = {"by": "alice", "at": LATER, "reason": "wave", "act": act}
    rows = {
        name: lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", name)) for name in ("anna", "bob", "cleo")
    }
    install_configuration(placement(card, "anna", "Take"), **deed)
    remove_configuration(rows["bob"], **deed)
    install_configuration(placement(card, "dan", "Get"), **deed)
    return act


def placement(card, name, word):
    body = save_body([set_text(CARD, "Buy", word)], at=AT)
    return Placement.for_person(PersonKey("default", name), card, body, origin="hand")


def rows():
    names = (
        "tenant",
        "layer",
        "key",
        "component_id",
        "component_version_id",
        "body_id",
        "is_active",
        "origin",
        "priority",
        "is_pinned",
    )
    return sorted(SlotConfiguration.objects.values_list(*names))


def written():
    """Return what the history says of the deed, without ids."""
    names = (
        "tenant",
        "layer",
        "key",
        "body_id",
        "history_type",
        "history_user_id",
        "history_change_reason",
        "history_date",
        "updated_at",
    )
    return sorted(SlotConfiguration.history.filter(history_date=NOW).values_list(*names))


def shown(name):
    return render("shop.card", PersonKey("default", name), PRODUCT, at=NOW)


def test_revert_to_an_instant_puts_back_what_was_there(changed):
    assert revert_to(AT, **DEED) == Reverted(created=1, changed=1, removed=1)

    assert [row.key for row in SlotConfiguration.objects.order_by("key")] == ["anna", "bob", "cleo"]
    assert all("Order" in shown(name) for name in ("anna", "bob", "cleo"))
    assert "Buy" in shown("dan")


def test_revert_writes_what_restoring_one_by_one_writes(changed):
    revert_to(AT, **DEED)
    in_bulk = rows(), written()
    SlotConfiguration.history.filter(history_date=NOW).delete()
    SlotConfiguration.objects.all().delete()
    SlotConfiguration.history.filter(history_date__gt=LATER).delete()
    for key, body_of in (("anna", "Take"), ("cleo", "Order"), ("dan", "Get")):
        made = placement(SlotConfiguration.history.first().component_version, key, body_of)
        row = made.empty_row()
        made.fill(row, LATER)
        row.skip_history_when_saving = True
        row.save()

    for key in ("anna", "bob"):
        revision = SlotConfiguration.history.filter(key=key, history_date=AT).get()
        restore_revision(revision, **DEED)
    remove_configuration(SlotConfiguration.objects.get(key="dan"), **DEED)

    assert (rows(), written()) == in_bulk


def test_revert_again_changes_nothing(changed):
    revert_to(AT, **DEED)

    assert revert_to(AT, **{**DEED, "at": NOW + timedelta(minutes=1)}) == Reverted(0, 0, 0)


def test_reverted_act_is_as_if_it_had_not_been(changed):
    assert revert_act(changed, **DEED) == Reverted(created=1, changed=1, removed=1)
    assert [row.key for row in SlotConfiguration.objects.order_by("key")] == ["anna", "bob", "cleo"]


def test_revert_can_be_reverted(changed):
    before = rows()
    undoing = uuid.uuid4()
    revert_to(AT, **DEED, act=undoing)

    revert_act(undoing, **{**DEED, "at": NOW + timedelta(minutes=1)})

    assert rows() == before


@pytest.mark.parametrize(
    ("selection", "left"),
    [({"layer": Layer.SITE}, ["a", "other"]), ({"layer": Layer.USER}, [""]), ({"tenant": "other"}, ["", "a"])],
)
def test_revert_leaves_what_is_not_selected(card, selection, left):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "a"))
    lay(card, [set_text(CARD, "Buy", "Take")], layer=Layer.SITE)
    lay(card, [set_text(CARD, "Buy", "Get")], person=PersonKey("other", "other"))

    revert_to(AT - timedelta(days=1), **DEED, selection=Selection(**selection))

    assert sorted(SlotConfiguration.objects.values_list("key", flat=True)) == left


def test_revert_of_one_component_leaves_others(card, changed):
    other = add_component("shop.other")
    lay(other, [set_text(CARD, "Buy", "X")], person=PersonKey("default", "anna"))

    revert_to(AT - timedelta(days=1), **DEED, selection=Selection(component=card.component))

    assert [row.component for row in SlotConfiguration.objects.all()] == [other.component]


def test_statements_do_not_grow_with_the_rows(card):
    def statements(count):
        for number in range(count):
            lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", f"p{number}"))
        with CaptureQueriesContext(connection) as captured:
            revert_to(AT - timedelta(days=1), **DEED)
        return len(captured)

    assert statements(1) == statements(4)
