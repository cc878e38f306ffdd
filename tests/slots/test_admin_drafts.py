"""The admin of drafts: begin, change, look, go live; who may do what; and what a page says where something cannot be done."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from migration.models import Person
from slots.actions import Placement, install_configuration, remove_configuration, save_body
from slots.actions.authoring import begin_draft, change_draft, lock_slots
from slots.markup import ops
from slots.markup.changes import Change
from slots.models import Component, Draft, Layer, SegmentMember, SlotConfiguration
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

BUY = "card/actions/buy"


@pytest.fixture
def staff(client, db):
    client.force_login(User.objects.create_superuser("alice", password="a long word of pass"))
    return client


@pytest.fixture
def draft(card):
    return begin_draft("default", Layer.USER, "bob", card.component, by="alice", at=AT, note="autumn")


def address(draft, page="change"):
    return reverse(f"admin:slots_draft_{page}", args=[draft.pk])


def operations(draft):
    return ops.loads(Draft.objects.get(pk=draft.pk).body.operations)


def add(client, draft, **change):
    return client.post(address(draft), {"change": "1", "slot": BUY, "what": "text", "name": "", "text": "", **change})


def test_draft_is_begun_changed_and_made_live(staff, card):
    begun = staff.post(
        reverse("admin:slots_draft_add"), {"component": card.component_id, "layer": "user", "key": "bob", "tenant": "default"}
    )
    draft = Draft.objects.get()
    assert begun.url == address(draft)

    assert add(staff, draft, text="Order").status_code == 302
    page = staff.get(address(draft)).content.decode()
    assert "Order" in page
    assert "Add the change" in page

    assert "Nothing has happened yet." in staff.get(address(draft, "activate")).content.decode()
    assert staff.post(address(draft, "activate"), {"reason": ""}).status_code == 200
    live = staff.post(address(draft, "activate"), {"reason": "autumn"})
    row = SlotConfiguration.objects.get(layer="user")
    assert live.url == reverse("admin:slots_slotconfiguration_change", args=[row.pk])
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"layer": "site", "key": "x"}, "have no key"),
        ({"layer": "user", "key": ""}, "Name the segment, person or preview."),
    ],
)
def test_place_that_cannot_be_is_not_begun(staff, card, given, words):
    page = staff.post(reverse("admin:slots_draft_add"), {"component": card.component_id, "tenant": "default", **given})

    assert words in page.content.decode()
    assert not Draft.objects.exists()


def test_change_that_cannot_be_made_is_said_on_the_page(staff, draft):
    page = add(staff, draft, what="unset_style", name="color").content.decode()

    assert "TARGET_MISSING" in page
    assert operations(draft) == ()


def test_slots_that_the_draft_takes_away_are_marked_and_changes_of_them_refused(staff, draft):
    add(staff, draft, slot="actions", what="remove")
    (removal,) = operations(draft)

    page = staff.get(address(draft)).content.decode()
    answer = add(staff, draft, text="Order").content.decode()

    assert f"{BUY} (taken away by this draft)" in page
    assert "card/title (taken" not in page
    assert f"{BUY} is taken away by this draft" in answer
    assert "Take that change out first" in answer
    assert operations(draft) == (removal,)


def test_change_needs_what_it_needs(staff, draft):
    assert add(staff, draft).context["form"].errors["text"] == ["Fill in the text, shown as it is written."]
    attribute = add(staff, draft, slot="card/title", what="set_style").context["form"].errors
    assert list(attribute) == ["name", "text"]
    unfit = add(staff, draft, slot="card/title", what="set_attr", name="a b", text="x").context["form"].errors
    assert list(unfit) == ["name"]
    assert "SCHEMA_INVALID" not in str(unfit)
    assert "Select a valid choice" in add(staff, draft, slot="card/nowhere", text="x").content.decode()


def test_what_keeps_a_draft_from_going_live_is_said_beside_its_operation(staff, draft):
    add(staff, draft, what="content", text="<script>alert(1)</script>")
    page = staff.get(address(draft)).content.decode()
    assert "UNSAFE_HTML" in page
    assert "keep" in page

    answer = staff.post(address(draft, "activate"), {"reason": "x"})
    assert "DRAFT_REFUSED" in answer.content.decode()
    assert not SlotConfiguration.objects.filter(layer="user").exists()


def test_ticked_operations_are_taken_out(staff, draft):
    add(staff, draft, text="Order")
    add(staff, draft, slot="card/title", what="hide")
    first, second = operations(draft)

    staff.post(address(draft), {"drop": "1", "operation": first.id})

    assert operations(draft) == (second,)


def test_site_layer_locks_slots_and_others_are_not_offered_to(staff, card, draft):
    site = begin_draft("default", Layer.SITE, "", card.component, by="alice", at=AT)
    assert "Lock these" in staff.get(address(site)).content.decode()
    assert "Lock these" not in staff.get(address(draft)).content.decode()

    staff.post(address(site), {"lock": "1", "locked": ["actions"]})

    assert ops.loads_document(Draft.objects.get(pk=site.pk).body.operations).locked == ("actions",)


def test_samples_show_the_draft(staff, draft):
    version = draft.component_version
    version.samples = [{"name": "mug", "context": {"product": {"name": "Mug"}}}]
    version.save()
    change_draft(draft, Change("text", BUY, text="Order"), at=AT)

    page = staff.get(reverse("admin:slots_draft_preview", args=[draft.pk, 0]))

    assert ">Order</button>" in page.content.decode()
    assert "sandbox" in page["Content-Security-Policy"]
    assert staff.get(reverse("admin:slots_draft_preview", args=[draft.pk, 7])).status_code == 404


def test_discarding_asks_first(staff, draft):
    assert "dropped for good" in staff.get(address(draft, "discard")).content.decode()
    assert Draft.objects.exists()

    staff.post(address(draft, "discard"))

    assert not Draft.objects.exists()


def shown(client, address):
    return client.get(address).context["form"].initial["shown"]


@pytest.mark.parametrize("page", ["activate", "discard"])
def test_what_changed_after_the_page_was_shown_is_shown_before_it_is_done(staff, draft, page):
    add(staff, draft, text="Order")
    seen = shown(staff, address(draft, page))
    add(staff, draft, slot="card/title", what="hide")

    answer = staff.post(address(draft, page), {"reason": "autumn", "shown": seen})

    assert "This changed after the page was shown." in answer.content.decode()
    assert answer.context["news"] == ["New: Hide card/title."]
    assert len(operations(draft)) == 2
    assert not SlotConfiguration.objects.exists()

    again = re.search(r'name="shown" value="([^"]+)"', answer.content.decode())[1]
    assert staff.post(address(draft, page), {"reason": "autumn", "shown": again}).status_code == 302
    assert not Draft.objects.exists()


@pytest.mark.parametrize(("page", "fate"), [("activate", "went live"), ("discard", "was discarded")])
def test_what_became_of_a_draft_is_told_to_whoever_still_has_its_page(staff, draft, page, fate):
    add(staff, draft, text="Order")
    staff.post(address(draft, page), {"reason": "autumn", "shown": shown(staff, address(draft, page))})

    content = staff.post(address(draft, "activate"), {"reason": "twice"}, follow=True).content.decode()

    assert f"This draft is no more: shop.card · user bob by alice {fate} by alice at" in content


def test_overtaken_draft_says_what_the_place_says_now_and_is_kept_on_top_of_it(staff, card, draft):
    add(staff, draft, text="Order")
    lay(card, [set_text(CARD, "Buy", "Get")], person=PersonKey("default", "bob"))
    refused = staff.post(address(draft, "activate"), {"reason": "autumn"}).content.decode()
    assert "DRAFT_STALE" in refused

    page = staff.get(address(draft)).content.decode()
    assert "alice has changed the place after this draft was" in page
    assert "by “Get”." in page

    staff.post(address(draft), {"rebase": re.search(r'name="rebase" value="([0-9]+)"', page)[1]})

    assert "DRAFT_STALE" not in staff.get(address(draft)).content.decode()
    assert staff.post(address(draft, "activate"), {"reason": "autumn"}).status_code == 302
    row = SlotConfiguration.objects.get(layer="user")
    assert [operation.text for operation in ops.loads(row.body.operations)] == ["Order"]


def test_overtaken_draft_says_that_the_layer_was_taken_away(staff, card):
    row = lay(card, [set_text(CARD, "Buy", "Get")], person=PersonKey("default", "bob"))
    draft = begin_draft("default", Layer.USER, "bob", card.component, by="alice", at=AT)
    remove_configuration(row, by="olga", at=AT, reason="away")

    assert "It says nothing now" in staff.get(address(draft)).content.decode()


def test_draft_that_one_has_already_is_said_to_be_that_one(staff, card, draft):
    Draft.objects.update(note="")
    place = {"component": card.component_id, "layer": "user", "key": "bob", "tenant": "default"}

    first = staff.post(reverse("admin:slots_draft_add"), {**place, "note": "spring"}, follow=True).content.decode()
    second = staff.post(reverse("admin:slots_draft_add"), {**place, "note": "summer"}, follow=True).content.decode()

    assert "You have had a draft of this place since" in first
    assert "what you typed is not stored" not in first
    assert "what you typed is not stored: summer" in second
    assert Draft.objects.get().note == "spring"


def messages(answer):
    return [str(message) for message in answer.context["messages"]]


def test_added_change_is_said_with_what_it_takes_the_place_of(staff, draft):
    change = {"change": "1", "slot": "card/title", "what": "text", "name": "", "text": "Order"}

    first = staff.post(address(draft), change, follow=True)
    second = staff.post(address(draft), {**change, "what": "remove", "text": ""}, follow=True)

    assert messages(first) == ["Say something else: card/title. It is in the draft."]
    (told,) = messages(second)
    assert told.startswith("Take it away: card/title. It is in the draft. It takes the place of: Replace card/title")


def test_words_show_a_text_as_it_was_typed(staff, draft):
    add(staff, draft, text="5 < {{ x }} & more")

    (words,) = (each["words"] for each in staff.get(address(draft)).context["operations"])

    assert "by “5 < {{ x }} & more”." in words


def test_reason_that_is_too_long_is_refused_and_not_cut(staff, draft):
    add(staff, draft, text="Order")
    assert "maxlength" not in staff.get(address(draft, "activate")).content.decode().partition("slots-ask")[2]

    answer = staff.post(address(draft, "activate"), {"reason": "x" * 501})

    assert "at most 500 characters" in answer.content.decode()
    assert Draft.objects.exists()


def lock_site(card, *names, operations=()):
    body = save_body(operations, at=AT, locked=names)
    return install_configuration(Placement("default", Layer.SITE, "", card, body.digest), by="olga", at=AT, reason="lock")


def test_lock_of_a_layer_below_is_said_wherever_the_change_is_shown(staff, card, draft):
    lock_site(card, "actions")
    add(staff, draft, text="Order")
    says_so = "the site layer has locked actions by olga on"

    for page in ("change", "activate"):
        content = staff.get(address(draft, page)).content.decode()
        assert "LAYER_LOCKED" in content
        assert says_so in content
    assert staff.post(address(draft, "activate"), {"reason": "autumn"}).status_code == 302
    row = SlotConfiguration.objects.get(layer="user")
    page = staff.get(reverse("admin:slots_slotconfiguration_change", args=[row.pk])).content.decode()
    assert says_so in page


def test_lock_of_a_layer_below_does_not_hold_beside_its_slot_or_for_the_layer_itself(staff, card, draft):
    lock_site(card, "actions")
    add(staff, draft, slot="card/title", what="hide")
    site = begin_draft("default", Layer.SITE, "", card.component, by="alice", at=AT)
    add(staff, site, text="Order")

    assert "LAYER_LOCKED" not in staff.get(address(draft)).content.decode()
    assert "LAYER_LOCKED" not in staff.get(address(site)).content.decode()


def test_going_live_of_a_site_says_locks_and_whom_it_reaches(staff, card):
    row = lock_site(card, "actions")
    for name in ("bob", "ben"):
        lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", name))
    site = begin_draft("default", Layer.SITE, "", card.component, by="alice", at=AT)
    staff.post(address(site), {"lock": "1", "locked": ["card/title"]})

    lines = staff.get(address(site, "activate")).context["lines"]

    assert "It locks card/title, so that no layer above can change it." in lines
    assert "It unlocks actions." in lines
    assert "It reaches everybody of the tenant default; 2 configurations of layers above lie over it." in lines
    page = staff.get(reverse("admin:slots_slotconfiguration_change", args=[row.pk])).content.decode()
    assert "Locks actions: no layer above can change it." in page


@pytest.mark.parametrize(
    ("layer", "key", "words"),
    [
        ("user", "bob", "It reaches the pages of bob."),
        ("segment", "pro", "It reaches the pages of the 1 member of the segment pro."),
        ("preview", "spring", "It reaches nobody's page"),
    ],
)
def test_going_live_says_whom_a_layer_reaches(staff, card, layer, key, words):
    SegmentMember.objects.create(segment="pro", user="bob")
    draft = begin_draft("default", layer, key, card.component, by="alice", at=AT)

    assert any(line.startswith(words) for line in staff.get(address(draft, "activate")).context["lines"])


def test_empty_draft_says_that_it_takes_the_layers_operations_away(staff, card):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    draft = begin_draft("default", Layer.USER, "bob", card.component, by="alice", at=AT)
    staff.post(address(draft), {"drop": "1", "operation": [each.id for each in operations(draft)]})

    lines = staff.get(address(draft, "activate")).context["lines"]

    assert "It has no change: making it live takes the layer's 1 present operation away." in lines


def test_draft_made_for_an_older_version_says_so_on_both_pages(staff, card):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    draft = begin_draft("default", Layer.USER, "bob", card.component, by="alice", at=AT)
    pages = [address(draft), address(draft, "activate")]
    hint = "It is made for version 1.0; the component&#x27;s current version is 2.0."
    assert [hint in staff.get(page).content.decode() for page in pages] == [False, False]

    new = add_component("shop.card", CARD.replace("Buy", "Get"), version="2.0")
    Component.objects.update(current_version=new)

    assert [hint in staff.get(page).content.decode() for page in pages] == [True, True]


def people(tenant):
    yield PersonKey(tenant, "bob"), {}


@pytest.mark.parametrize(("key", "words"), [("who-is-this", "is called who-is-this"), ("ann", "")])
def test_key_of_nobody_is_hinted_at_where_only_the_resolver_knows_people(staff, card, key, words):
    Person.objects.create(user="ann")

    begun = staff.post(
        reverse("admin:slots_draft_add"),
        {"component": card.component_id, "layer": "user", "key": key, "tenant": "default"},
        follow=True,
    )
    live = staff.get(address(Draft.objects.get(), "activate"))

    assert [words in hint for hint in messages(begun)] == ([True] if words else [])
    assert any("is called" in line for line in live.context["lines"]) == bool(words)


@pytest.mark.parametrize(
    ("layer", "key", "words"),
    [("user", "bop", "is called bop"), ("user", "bob", ""), ("segment", "pro", "has no members"), ("segment", "basic", "")],
)
def test_key_that_nobody_has_is_hinted_at_and_not_refused(staff, card, settings, layer, key, words):
    settings.SLOTS_PEOPLE = f"{__name__}.people"
    SegmentMember.objects.create(segment="basic", user="ann")
    place = {"component": card.component_id, "layer": layer, "key": key, "tenant": "default"}

    begun = staff.post(reverse("admin:slots_draft_add"), place, follow=True)
    live = staff.get(address(Draft.objects.get(), "activate"))

    hints = messages(begun)
    assert [words in hint for hint in hints] == ([True] if words else [])
    assert any("is called" in line or "has no members" in line for line in live.context["lines"]) == bool(words)


@pytest.mark.parametrize("page", ["change", "activate", "discard"])
def test_draft_that_went_live_or_was_discarded_is_said_to_be_no_more(staff, draft, page):
    gone = address(draft, page)
    draft.delete()

    answer = staff.post(gone, {"reason": "x"}, follow=True)

    assert answer.redirect_chain[0][0] == reverse("admin:slots_draft_changelist")
    assert "This draft is no more: it went live or was discarded." in answer.content.decode()


def test_drafts_of_others_are_looked_at_and_not_changed(client, draft):
    olga = User.objects.create_user("olga", is_staff=True)
    olga.user_permissions.set(Permission.objects.filter(content_type__model="draft"))
    client.force_login(olga)

    page = client.get(address(draft)).content.decode()
    assert "begin one of your own" in page
    assert "Add the change" not in page
    assert add(client, draft, text="Mine").status_code == 403
    assert client.post(address(draft, "discard")).status_code == 403
    assert operations(draft) == ()


@pytest.mark.parametrize(
    ("permission", "page"),
    [
        ("add_draft", "admin:slots_draft_add"),
        ("view_draft", "admin:slots_draft_change"),
        ("view_draft", "admin:slots_draft_preview"),
        ("change_slotconfiguration", "admin:slots_draft_activate"),
    ],
)
def test_each_page_asks_for_its_permission(client, draft, permission, page):
    charlie = User.objects.create_user("charlie", is_staff=True)
    client.force_login(charlie)
    arguments = {"admin:slots_draft_add": [], "admin:slots_draft_preview": [draft.pk, 0]}.get(page, [draft.pk])
    assert client.get(reverse(page, args=arguments)).status_code == 403

    charlie.user_permissions.add(Permission.objects.get(codename=permission))
    assert client.get(reverse(page, args=arguments)).status_code == 200


@pytest.mark.parametrize("pk", ["x", "1_000"])
def test_draft_that_is_not_there_is_not_found(staff, db, pk):
    assert staff.get(f"/admin/slots/draft/{pk}/change/").status_code == 404


def test_configuration_leads_to_a_draft_of_its_place(staff, card):
    row = lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    page = staff.get(reverse("admin:slots_slotconfiguration_change", args=[row.pk])).content.decode()
    link = re.search(r'href="(/admin/slots/draft/add/[?][^"]*)"', page)[1].replace("&amp;", "&")

    form = staff.get(link).context["form"]

    place = {name: form.initial[name] for name in ("component", "layer", "key", "tenant")}
    staff.post(reverse("admin:slots_draft_add"), place)
    assert [operation.text for operation in operations(Draft.objects.get())] == ["Order"]


def test_lock_by_a_name_that_no_slot_bears_stays_until_it_is_taken_off(staff, card):
    site = begin_draft("default", Layer.SITE, "", card.component, by="alice", at=AT)
    lock_slots(site, ["former"], at=AT)

    page = staff.get(address(site)).content.decode()

    assert re.search(r'value="former"\s+checked', page)
