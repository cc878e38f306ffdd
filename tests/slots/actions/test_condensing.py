"""Stored configurations reduced to their net effect: shorter, the same for everybody, history kept."""

import pytest

from slots.actions import condensing, render
from slots.actions.condensing import condense_component
from slots.markup import edits, ops
from slots.markup.address import slot_nodes
from slots.markup.tree import parse
from slots.models import Body, Layer, Origin, SegmentMember, SlotConfiguration
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, lay, set_text

PRODUCT = {"product": {"name": "Mug"}}
DEED = {"by": "alice", "at": AT, "reason": "tidy up"}
TREE = parse(CARD)
TITLE = slot_nodes(TREE)["card/title"]
TWICE = [set_text(CARD, "Buy", "Order"), set_text(CARD, "Buy", "Take")]


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


def page(user):
    return render("shop.card", PersonKey("default", user), PRODUCT, at=AT)


def test_shorter_body_is_given_to_all_who_share_it_and_pages_stay(card):
    for user in ("ann", "ben"):
        lay(card, TWICE, person=PersonKey("default", user), priority=2)
    before = page("ann")

    found = condense_component(card.component, **DEED)

    assert (found.total, found.distinct, found.operations, found.condensed, found.dropped) == (2, 1, 2, 2, 1)
    assert page("ann") == page("ben") == before
    rows = SlotConfiguration.objects.all()
    assert {len(ops.loads(row.body.operations)) for row in rows} == {1}
    assert {(row.priority, row.history.first().history_change_reason) for row in rows} == {(2, "tidy up")}
    assert condense_component(card.component, **DEED).condensed == 0


def test_what_says_something_over_a_layer_below_stays(card):
    """Taking away a class that only the site adds is nothing on the base, and something on the page."""
    lay(card, list(edits.classes(TREE, TITLE, add=["loud"])), layer=Layer.SITE)
    lay(card, list(edits.classes(TREE, TITLE, remove=["loud"])), person=PersonKey("default", "ann"))
    before = page("ann")
    assert "loud" not in before

    found = condense_component(card.component, **DEED)

    assert (found.needed, found.condensed) == (1, 0)
    assert page("ann") == before


def test_translated_and_unreadable_ones_are_left_alone(card):
    lay(card, TWICE, person=PersonKey("default", "ann"), origin=Origin.TRANSLATION)
    broken = lay(card, TWICE[:1], person=PersonKey("default", "ben"))
    Body.objects.filter(pk=broken.body_id).update(operations='{"schema": 99, "ops": []}')

    found = condense_component(card.component, **DEED)

    assert (found.total, found.unreadable, found.condensed) == (1, 1, 0)


def test_what_no_page_is_made_of_is_left_alone(card):
    """A segment without members is for whoever joins it; nobody can look yet what would change for them."""
    lay(card, [set_text(CARD, "Buy", "Order")], layer=Layer.SITE)
    lay(card, [set_text(CARD, "Buy", "Buy")], layer=Layer.SEGMENT, key="vip")

    assert condense_component(card.component, **DEED).condensed == 0

    SegmentMember.objects.create(tenant="default", segment="vip", user="bob")
    assert "Buy" in page("bob")


def test_what_goes_live_meanwhile_is_not_overwritten(card, monkeypatch):
    row = lay(card, TWICE, person=PersonKey("default", "ann"))
    found = condensing._same_everywhere

    def slow(*arguments):
        fitting = found(*arguments)
        lay(card, [set_text(CARD, "Buy", "Fresh")], person=PersonKey("default", "ann"))
        return fitting

    monkeypatch.setattr(condensing, "_same_everywhere", slow)
    condense_component(card.component, **DEED)

    row.refresh_from_db()
    assert [operation.text for operation in ops.loads(row.body.operations)] == ["Fresh"]


def test_many_bodies_are_looked_at_in_a_fixed_number_of_queries_a_batch(card, django_assert_max_num_queries):
    for number in range(20):
        lay(card, [set_text(CARD, "Buy", f"Order {number}")], person=PersonKey("default", f"u{number}"))

    with django_assert_max_num_queries(40):
        assert condense_component(card.component, **DEED).distinct == 20
