"""Layers that were made for another version than the one that shows: pages stay what they were, and what has no place is said."""

import pytest

from slots.actions import explain, render, restore_revision
from slots.actions.upgrades import activate_upgrade, decide_conflicts, plan_upgrade
from slots.errors import IssueCode
from slots.markup import edits
from slots.models import ConfigurationIssue, Layer, Resolution, SlotConfiguration, UpgradeCase, UpgradeConflict
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, find, lay, set_text

DEED = {"by": "alice", "at": AT, "reason": "release"}
PRODUCT = {"product": {"name": "Mug"}}
TITLE = "{{ product.name }}"
BOB, EVE = PersonKey("default", "bob"), PersonKey("default", "eve")
NEW = CARD.replace(">Buy<", ">Add to cart<").replace(TITLE, "{{ product.name|upper }}").replace('"card"', '"card new"')


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def decided(card):
    """A site's title and a person's button, both changed upstream; the site's conflict is decided, the person's is not."""
    lay(card, [set_text(CARD, TITLE, "Site: {{ product.name }}")], layer=Layer.SITE)
    lay(card, [set_text(CARD, "Buy", "Mine")], person=BOB)
    before = page(BOB)
    upgrade = plan_upgrade(card.component, add_component("shop.card", NEW, version="2.0"), **DEED)
    activate_upgrade(upgrade, **DEED)
    (group,) = UpgradeConflict.objects.filter(words__contains="Site").values_list("group", flat=True)
    decide_conflicts(upgrade, group, Resolution.OURS, **DEED)
    return before


def page(person):
    return render("shop.card", person, PRODUCT, at=AT)


def versions():
    return {row.layer: row.component_version.version for row in SlotConfiguration.objects.all()}


def test_page_of_who_waits_stays_when_the_layer_below_moves_on(decided):
    assert versions() == {"site": "2.0", "user": "1.0"}

    assert page(BOB) == decided
    assert "Site: Mug" in page(EVE)
    assert "card new" in page(EVE)
    assert not ConfigurationIssue.objects.exists()


def test_explanation_says_what_shows(decided):
    found = explain("shop.card", BOB)

    assert found.version == "1.0"
    assert [value.operation.text for value in found.effective.values] == ["Site: {{ product.name }}", "Mine"]
    assert found.issues == ()


def test_layer_that_was_changed_since_is_carried_back(decided):
    """What the site says now is on the new version only; it shows on the old one all the same."""
    version = SlotConfiguration.objects.get(layer="site").component_version
    lay(version, [set_text(NEW, "{{ product.name|upper }}", "Another: {{ product.name }}")], layer=Layer.SITE)

    assert "Another: Mug" in page(BOB)
    assert 'class="card"' in page(BOB)
    assert ">Mine<" in page(BOB)


def test_restored_revision_that_is_older_than_the_site_keeps_the_site(decided):
    lay(SlotConfiguration.objects.get(layer="site").component_version, [], person=BOB)
    first = SlotConfiguration.history.filter(layer="user").last()

    restore_revision(first, **DEED)

    assert page(BOB) == decided


def test_where_several_bodies_became_one_the_present_one_is_carried_back(decided):
    case = UpgradeCase.objects.get(new_body=SlotConfiguration.objects.get(layer="site").body)
    other = UpgradeCase.objects.exclude(pk=case.pk).first()
    UpgradeCase.objects.filter(pk=other.pk).update(new_body=case.new_body, is_ready=True)

    assert page(BOB) == decided


def test_what_has_no_place_on_the_version_that_shows_is_an_issue(card):
    wide = CARD.replace("</article>", "  <p>{{ product.note }}</p>\n</article>")
    new = add_component("shop.card", wide, version="2.0")
    tree, note = find(wide, "<p>")
    lay(new, list(edits.classes(tree, note, add=["loud"])), layer=Layer.SITE)
    lay(card, [set_text(CARD, "Buy", "Mine")], person=BOB)

    assert "loud" not in page(BOB)
    assert ">Mine<" in page(BOB)
    (issue,) = ConfigurationIssue.objects.all()
    assert issue.code in {IssueCode.BASE_REMOVED, IssueCode.BASE_CHANGED}
    assert "made for version 2.0" in issue.text
    assert any("made for version 2.0" in each.text for each in explain("shop.card", BOB).issues)


def test_stacks_that_mix_versions_are_told_apart_from_those_that_do_not(decided):
    """The same bodies on the version that they were made for make another page."""
    site = SlotConfiguration.objects.get(layer="site")
    bob = SlotConfiguration.objects.get(layer="user")
    mixed = page(BOB)
    SlotConfiguration.objects.filter(pk=bob.pk).update(component_version=site.component_version)

    assert page(BOB) != mixed
