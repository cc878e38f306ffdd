"""Drafts made by hand: begun from what is live, changed slot by slot, tidied, and live as made."""

import threading

import pytest
from django.db import connections

from slots.actions import Placement, authoring, install_configuration, render, save_body, set_current_version
from slots.actions.authoring import begin_draft, carry_draft, change_draft, drop_operations, lock_slots
from slots.actions.drafts import DraftOutdated, DraftStale, activate_draft, draft_issues
from slots.errors import IssueCode, OperationsInvalid, VersionUnknown
from slots.markup import ops
from slots.markup.changes import Change
from slots.models import Component, Draft, Layer
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

PRODUCT = {"product": {"name": "Mug"}}
BY = {"by": "alice", "at": AT}
BUY = "card/actions/buy"


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def draft(card):
    return begin_draft("default", Layer.USER, "bob", card.component, **BY)


def says(draft):
    return ops.loads_document(Draft.objects.get(pk=draft.pk).body.operations)


def test_draft_of_an_empty_place_begins_with_nothing_on_the_current_version(draft, card):
    assert says(draft).operations == ()
    assert draft.component_version == card


def test_draft_begins_with_what_is_live_on_the_version_that_it_is_made_for(card):
    body = save_body([set_text(CARD, "Buy", "Order")], at=AT, locked=["actions"])
    install_configuration(Placement("default", Layer.SITE, "", card, body.digest), **BY, reason="test")
    add_component("shop.card", CARD.replace("Buy", "Get"), version="2.0")

    draft = begin_draft("default", Layer.SITE, "", card.component, **BY)

    assert [operation.text for operation in says(draft).operations] == ["Order"]
    assert says(draft).locked == ("actions",)
    assert draft.component_version == card


def test_draft_of_a_place_that_is_switched_off_begins_with_what_it_said(card):
    body = save_body([set_text(CARD, "Buy", "Order")], at=AT)
    install_configuration(Placement("default", Layer.SITE, "", card, body.digest, is_active=False), **BY, reason="test")

    draft = begin_draft("default", Layer.SITE, "", card.component, **BY)

    assert [operation.text for operation in says(draft).operations] == ["Order"]


@pytest.mark.django_db(transaction=True)
def test_draft_begun_twice_at_once_is_one_draft(card):
    gate, answers = threading.Barrier(4), []

    def begin():
        try:
            gate.wait(20)
            answers.append(begin_draft("default", Layer.USER, "bob", card.component, **BY).pk)
        except Exception as fault:
            answers.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert answers == [Draft.objects.get().pk] * 4


def test_author_comes_back_to_the_draft_they_have(draft, card):
    change_draft(draft, Change("text", BUY, text="Order"), at=AT)

    again = begin_draft("default", Layer.USER, "bob", card.component, **BY)

    assert again.pk == draft.pk
    assert len(says(again).operations) == 1


def test_component_without_a_current_version_has_nothing_to_begin_with(db):
    with pytest.raises(VersionUnknown):
        begin_draft("default", Layer.SITE, "", Component.objects.create(key="shop.none"), **BY)


def test_changes_go_live_as_made(draft, bob):
    for change in (Change("text", BUY, text="Order"), Change("add_class", "card", "wide"), Change("hide", "card/title")):
        assert change_draft(draft, change, at=AT) == ()

    activate_draft(Draft.objects.get(pk=draft.pk), **BY, reason="by hand")

    page = render("shop.card", bob, PRODUCT, at=AT)
    assert '<article class="card wide">' in page
    assert '<h3 class="title" hidden>Mug</h3>' in page
    assert ">Order</button>" in page


def test_later_change_takes_the_place_of_the_earlier_one(draft):
    for word in ("Order", "Take", "Take"):
        change_draft(draft, Change("text", BUY, text=word), at=AT)

    assert [operation.text for operation in says(draft).operations] == ["Take"]
    assert draft_issues(Draft.objects.get(pk=draft.pk)) == ()


def test_change_that_cannot_be_made_leaves_the_draft_as_it_is(draft):
    change_draft(draft, Change("text", BUY, text="Order"), at=AT)

    (issue,) = change_draft(draft, Change("text", "card/nowhere", text="x"), at=AT)

    assert issue.code is IssueCode.SLOT_UNKNOWN
    assert [operation.text for operation in says(draft).operations] == ["Order"]


@pytest.mark.parametrize(
    ("first", "then", "says_so"),
    [
        (("remove", "card/title"), ("text", "card/title", "", "New"), "card/title is taken away by this draft"),
        (("remove", "actions"), ("wrap", BUY, "", "<b>[here]</b>"), f"{BUY} is taken away by this draft"),
        (("remove", "actions"), ("add_class", BUY, "wide"), f"{BUY} is taken away by this draft"),
        (("replace", BUY, "", "<b>1</b>"), ("replace", BUY, "", "<b>2</b>"), f"{BUY} is replaced by this draft"),
        (("replace", BUY, "", "<b>1</b>"), ("remove", BUY), f"{BUY} is replaced by this draft"),
        (("wrap", BUY, "", "<b>[here]</b>"), ("wrap", BUY, "", "<i>[here]</i>"), f"{BUY} is changed otherwise by this draft"),
        (("text", BUY, "", "Order"), ("text", BUY, "", "Order"), "says that already"),
    ],
)
def test_change_that_would_not_show_is_refused_with_what_is_in_its_way(draft, first, then, says_so):
    assert change_draft(draft, Change(*first), at=AT) == ()
    before = says(draft)

    (issue,) = change_draft(draft, Change(*then), at=AT)

    assert says_so in issue.text
    assert says(draft) == before


def test_change_back_to_what_the_component_shows_says_what_to_take_out(draft):
    change_draft(draft, Change("text", BUY, text="Order"), at=AT)
    change_draft(draft, Change("hide", "card/title"), at=AT)

    (issue,) = change_draft(draft, Change("text", BUY, text="Buy"), at=AT)
    (elsewhere,) = change_draft(draft, Change("unset_style", "card/title", "color"), at=AT)

    assert "it is this draft that says otherwise: Replace the text of card/actions/buy/text by “Order”." in issue.text
    assert issue.suggestion == "Take that out instead."
    assert "says otherwise" not in elsewhere.text


def test_operations_are_taken_out_by_their_ids(draft):
    change_draft(draft, Change("text", BUY, text="Order"), at=AT)
    change_draft(draft, Change("hide", "card/title"), at=AT)
    first = says(draft).operations[0]

    assert drop_operations(draft, [first.id, "unknown"], at=AT) == 1
    assert first not in says(draft).operations
    assert len(says(draft).operations) == 1


def test_locks_are_set_where_the_layer_may_lock(card, draft):
    site = begin_draft("default", Layer.SITE, "", card.component, **BY)
    lock_slots(site, ["actions"], at=AT)
    assert says(site).locked == ("actions",)

    with pytest.raises(OperationsInvalid, match="cannot lock"):
        lock_slots(draft, ["actions"], at=AT)


WIDE = CARD.replace('"card"', '"card wide"').replace(">Buy<", ">Get<")


def upgraded(card):
    new = add_component("shop.card", WIDE, version="2.0")
    set_current_version(card.component, new, **BY)
    return new


def test_draft_for_a_version_that_nobody_sees_any_more_takes_nobody_back(card):
    draft = begin_draft("default", Layer.SITE, "", card.component, **BY)
    change_draft(draft, Change("hide", "card/title"), at=AT)
    upgraded(card)

    with pytest.raises(DraftOutdated, match=r"made for version 1.0, and 2.0 is shown"):
        activate_draft(Draft.objects.get(pk=draft.pk), **BY, reason="late")


def test_draft_is_carried_to_the_version_that_shows(card, bob):
    draft = begin_draft("default", Layer.SITE, "", card.component, **BY)
    for change in (Change("hide", "card/title"), Change("text", BUY, text="Order")):
        change_draft(draft, change, at=AT)
    new = upgraded(card)

    issues = carry_draft(draft, new, at=AT)

    assert [issue.code for issue in issues] == [IssueCode.BASE_CHANGED]
    activate_draft(Draft.objects.get(pk=draft.pk), **BY, reason="carried")
    page = render("shop.card", bob, PRODUCT, at=AT)
    assert '<article class="card wide">' in page
    assert '<h3 class="title" hidden>Mug</h3>' in page
    assert ">Order</button>" in page


def test_draft_of_a_place_that_stays_on_its_version_goes_live_there(card, bob):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    upgraded(card)
    draft = begin_draft("default", Layer.USER, "bob", card.component, **BY)
    change_draft(draft, Change("hide", "card/title"), at=AT)

    assert activate_draft(Draft.objects.get(pk=draft.pk), **BY, reason="as before").component_version == card


def test_what_goes_live_while_a_draft_is_begun_makes_it_stale(card, bob, monkeypatch):
    lay(card, [set_text(CARD, "Buy", "First")], person=bob)
    saved = authoring.save_draft

    def overtaken(*arguments, **options):
        lay(card, [set_text(CARD, "Buy", "Second")], person=bob)
        return saved(*arguments, **options)

    monkeypatch.setattr(authoring, "save_draft", overtaken)
    draft = begin_draft("default", Layer.USER, "bob", card.component, **BY)

    with pytest.raises(DraftStale):
        activate_draft(draft, **BY, reason="late")
