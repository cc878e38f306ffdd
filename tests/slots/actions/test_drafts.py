"""Drafts: invisible until they are activated, judged then, and stale where somebody else was quicker."""

from dataclasses import replace

import pytest

from slots.actions import Placement, explain, install_configuration, render, save_body
from slots.actions.checking import configuration_issues
from slots.actions.drafts import (
    DraftChanged,
    DraftPlace,
    DraftRefused,
    DraftStale,
    activate_draft,
    discard_draft,
    draft_issues,
    overtaking_revision,
    rebase_draft,
    save_draft,
)
from slots.errors import IssueCode, OperationsInvalid
from slots.markup import ops
from slots.markup.address import describe
from slots.models import ConfigurationIssue, Draft, Layer, SegmentMember, SlotConfiguration
from slots.schema import DEFAULT_TENANT
from tests.slots.conftest import AT, CARD, add_component, find, identified, insert, lay, set_text

PRODUCT = {"product": {"name": "Mug"}}
BY = {"by": "alice", "at": AT}
LIVE = {"by": "alice", "at": AT, "reason": "autumn"}


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def place(card):
    return DraftPlace(DEFAULT_TENANT, Layer.USER, "bob", card)


def shown(bob):
    return render("shop.card", bob, PRODUCT, at=AT)


def test_draft_shows_only_after_it_is_activated(place, bob):
    draft = save_draft(place, [set_text(CARD, "Buy", "Order")], **BY, note="try")
    assert "Buy" in shown(bob)

    row = activate_draft(draft, **LIVE)

    assert "Order" in shown(bob)
    assert (row.origin, row.history.get().history_change_reason) == ("hand", "autumn")
    assert not Draft.objects.exists()


def test_discarded_draft_leaves_everything_as_it_was(place, bob):
    discard_draft(save_draft(place, [set_text(CARD, "Buy", "Order")], **BY))

    assert ("Buy" in shown(bob), Draft.objects.count(), SlotConfiguration.objects.count()) == (True, 0, 0)


def test_saving_again_replaces_the_authors_draft_and_no_other(place):
    first = save_draft(place, [set_text(CARD, "Buy", "Order")], **BY)
    other = save_draft(place, [set_text(CARD, "Buy", "Take")], by="olga", at=AT)
    again = save_draft(place, [set_text(CARD, "Buy", "Get")], **BY)

    assert again.pk == first.pk != other.pk
    assert Draft.objects.count() == 2


def test_draft_is_stale_after_somebody_else_changed_the_place(place, bob):
    mine = save_draft(place, [set_text(CARD, "Buy", "Order")], **BY)
    theirs = save_draft(place, [set_text(CARD, "Buy", "Take")], by="olga", at=AT)
    activate_draft(theirs, by="olga", at=AT, reason="quicker")

    with pytest.raises(DraftStale, match="olga has changed the place"):
        activate_draft(mine, **LIVE)
    assert "Take" in shown(bob)


def test_draft_of_a_row_keeps_its_priority_and_pin(card, bob):
    lay(card, [set_text(CARD, "Buy", "Order")], layer=Layer.SEGMENT, key="eu", priority=7, is_pinned=True)
    place = DraftPlace(DEFAULT_TENANT, Layer.SEGMENT, "eu", card)

    row = activate_draft(save_draft(place, [set_text(CARD, "Buy", "Take")], **BY), **LIVE)

    assert (row.priority, row.is_pinned) == (7, True)


def test_what_the_policy_refuses_does_not_go_live(place, bob):
    tree, node = find(CARD, "Buy")
    script = identified(ops.Operation(ops.REPLACE, describe(tree, node), payload=("<script>x</script>",)))
    draft = save_draft(place, [script], **BY)

    with pytest.raises(DraftRefused) as caught:
        activate_draft(draft, **LIVE)
    assert {issue.code for issue in caught.value.issues} == {IssueCode.UNSAFE_HTML}
    assert "Buy" in shown(bob)


def test_what_has_no_place_does_not_go_live(place):
    operation = set_text(CARD, "Buy", "Order")
    lost = replace(operation, address=operation.address._replace(path=(9, 9), own="0", subtree="0", key="", before="", after=""))

    with pytest.raises(DraftRefused, match="TARGET_MISSING"):
        activate_draft(save_draft(place, [lost], **BY), **LIVE)


def test_what_the_slot_does_not_take_does_not_go_live(db):
    source = CARD.replace('"actions"', '"actions" kinds="text"')
    version = add_component("shop.typed", source)
    draft = save_draft(DraftPlace(DEFAULT_TENANT, Layer.SITE, "", version), [set_text(source, "Buy", "Order")], **BY)
    assert draft_issues(draft) == ()

    tree, node = find(source, '<button class="buy" type="button">')
    draft = save_draft(
        DraftPlace(DEFAULT_TENANT, Layer.SITE, "", version),
        [identified(ops.Operation(ops.ADD_CLASS, describe(tree, node), payload=("x",)))],
        **BY,
    )
    with pytest.raises(DraftRefused, match="KIND_NOT_ALLOWED"):
        activate_draft(draft, **LIVE)


def test_warning_does_not_keep_a_draft_from_going_live(db, bob):
    source = CARD.replace('"actions"', '"actions" deprecated="Use buttons."')
    version = add_component("shop.card", source)
    tree, node = find(source, '{% slot "actions" deprecated="Use buttons." %}')
    operation = identified(ops.Operation(ops.INSERT, describe(tree, node), payload=("!",), place=ops.APPEND))
    draft = save_draft(DraftPlace(DEFAULT_TENANT, Layer.USER, "bob", version), [operation], **BY)
    assert [issue.code for issue in draft_issues(draft)] == [IssueCode.SLOT_DEPRECATED]

    activate_draft(draft, **LIVE)
    assert "!" in shown(bob)


def test_malformed_operations_are_no_draft(place):
    with pytest.raises(OperationsInvalid):
        save_draft(place, [replace(set_text(CARD, "Buy", "x"), id="")], **BY)


def test_site_layer_locks_a_slot_against_people(card, bob):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    site = DraftPlace(DEFAULT_TENANT, Layer.SITE, "", card)
    activate_draft(save_draft(site, [], **BY, locked=["actions"]), **LIVE)

    assert "Buy" in shown(bob)
    (issue,) = ConfigurationIssue.objects.all()
    assert (issue.code, issue.place) == ("LAYER_LOCKED", "card/actions/buy/text")
    assert [found.code for found in explain("shop.card", bob).issues] == [IssueCode.LAYER_LOCKED]


def test_person_cannot_lock(place):
    with pytest.raises(OperationsInvalid, match="user layer cannot lock"):
        save_draft(place, [], **BY, locked=["actions"])


def test_lock_of_a_layer_that_may_not_lock_holds_nothing(card, bob):
    body = save_body([], at=AT, locked=["actions"])
    install_configuration(Placement(DEFAULT_TENANT, Layer.SEGMENT, "eu", card, body.digest), **LIVE)
    SegmentMember.objects.create(user="bob", segment="eu")
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)

    assert "Order" in shown(bob)


def test_draft_says_what_the_strict_policy_could_not_clean(db):
    strict = add_component("shop.strict", policy="strict")
    begin = insert(CARD, '<h3 class="title">', "{% if product.name %}<i>")
    end = insert(CARD, '<h3 class="title">', "{{ product.name }}</i>{% endif %}")
    draft = save_draft(DraftPlace(DEFAULT_TENANT, Layer.USER, "bob", strict), [begin, end], **BY)

    found = [*draft_issues(draft), *configuration_issues(strict, draft.body)]

    assert sum("cannot be cleaned" in issue.text for issue in found) == 2


@pytest.mark.parametrize("deed", [lambda draft: activate_draft(draft, **LIVE), discard_draft])
def test_draft_that_was_changed_or_went_after_it_was_read_is_left_alone(place, deed):
    read = save_draft(place, [set_text(CARD, "Buy", "Take")], **BY)
    save_draft(place, [set_text(CARD, "Buy", "Order")], **BY)
    with pytest.raises(DraftChanged):
        deed(read)
    assert Draft.objects.count() == 1

    Draft.objects.all().delete()
    with pytest.raises(DraftChanged):
        deed(read)
    assert not SlotConfiguration.objects.exists()


def test_draft_is_kept_on_a_revision_of_its_place_only(place):
    mine = save_draft(place, [set_text(CARD, "Buy", "Take")], **BY)
    for word in ("Order", "Get"):
        activate_draft(save_draft(place, [set_text(CARD, "Buy", word)], by="olga", at=AT), **LIVE)
    newest, first = SlotConfiguration.history.order_by("-history_id").values_list("history_id", flat=True)

    rebase_draft(mine, first, at=AT)
    with pytest.raises(DraftStale):
        activate_draft(mine, **LIVE)
    assert overtaking_revision(mine).history_id == newest
    with pytest.raises(DraftChanged):
        rebase_draft(mine, newest + 7, at=AT)

    rebase_draft(mine, newest, at=AT)
    assert overtaking_revision(mine) is None
    activate_draft(mine, **LIVE)
