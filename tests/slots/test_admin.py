"""The admin of slots: every page opens, costs the same with ten rows as with one, and asks for permission."""

from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from slots.actions import record_issues
from slots.actions.issues import FoundIssue
from slots.errors import Issue, IssueCode
from slots.markup import ops
from slots.models import (
    Body,
    Component,
    ComponentVersion,
    ComposedTemplate,
    ConfigurationIssue,
    Layer,
    SegmentMember,
    SlotConfiguration,
)
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

MODELS = (Component, ComponentVersion, SlotConfiguration, Body, ComposedTemplate, ConfigurationIssue)


@pytest.fixture
def alice(db):
    return User.objects.create_superuser("alice", password="a long word of pass")


@pytest.fixture
def staff(client, alice):
    client.force_login(alice)
    return client


def make_rows(count, start=0):
    for number in range(start, start + count):
        version = add_component(f"shop.card{number}", CARD)
        row = lay(version, [set_text(CARD, "Buy", f"Order {number}")], person=PersonKey("default", f"user{number}"))
        issue = Issue(IssueCode.RENDER_ERROR, "It failed.", place=f"place {number}")
        record_issues([FoundIssue(version.pk, ComposedTemplate.objects.get(component_version=version).digest, issue)], at=AT)
    return row


def address(model, page, *args):
    return reverse(f"admin:slots_{model._meta.model_name}_{page}", args=args)


def queries(staff, url):
    with CaptureQueriesContext(connection) as captured:
        response = staff.get(url)
    assert response.status_code == 200
    return len(captured)


@pytest.mark.parametrize("model", MODELS)
def test_list_costs_the_same_with_ten_rows(staff, model):
    make_rows(1)
    staff.get(address(model, "changelist"))  # the session and the content types are read once
    one = queries(staff, address(model, "changelist"))
    make_rows(9, start=1)

    assert queries(staff, address(model, "changelist")) == one


@pytest.mark.parametrize("model", MODELS)
def test_every_row_has_a_page(staff, model):
    make_rows(1)

    response = staff.get(address(model, "change", model.objects.get().pk))

    assert response.status_code == 200


@pytest.mark.parametrize("model", [*MODELS, SegmentMember])
def test_search_and_filters_work(staff, model):
    make_rows(2)

    assert staff.get(address(model, "changelist"), {"q": "card1"}).status_code == 200


def test_configuration_is_shown_in_words_with_its_provenance(staff):
    row = make_rows(1)

    page = unescape(staff.get(address(SlotConfiguration, "change", row.pk)).content.decode())

    assert "Replace the text of" in page
    assert "by “Order 0”" in page
    assert "user user0 layer, revision" in page
    assert "by alice at 2026-11-23 12:00 UTC: test" in page


def test_configuration_has_its_history(staff):
    row = make_rows(1)

    page = staff.get(address(SlotConfiguration, "history", row.pk))
    assert "history_change_reason" not in page.content.decode()

    assert page.status_code == 200
    assert "test" in page.content.decode()


def test_rows_made_by_actions_cannot_be_changed_by_hand(staff):
    row = make_rows(1)

    assert staff.get(address(SlotConfiguration, "add")).status_code == 403
    assert staff.post(address(SlotConfiguration, "delete", row.pk), {"post": "yes"}).status_code == 403
    staff.post(address(SlotConfiguration, "change", row.pk), {"layer": Layer.SITE})
    assert SlotConfiguration.objects.get().layer == Layer.USER


def test_composed_templates_and_issues_may_be_deleted(staff):
    make_rows(1)

    for model in (ComposedTemplate, ConfigurationIssue):
        staff.post(address(model, "delete", model.objects.get().pk), {"post": "yes"})
        assert not model.objects.exists()


def test_version_can_be_shown_to_everybody(staff):
    add_component("shop.card")
    newer = add_component("shop.card", "<p></p>", version="2.0")

    staff.post(address(ComponentVersion, "changelist"), {"action": "show_to_everybody", "_selected_action": [newer.pk]})

    assert Component.objects.get().current_version == newer


def test_two_versions_of_one_component_cannot_be_shown_at_once(staff):
    first = add_component("shop.card")
    newer = add_component("shop.card", "<p></p>", version="2.0")

    staff.post(address(ComponentVersion, "changelist"), {"action": "show_to_everybody", "_selected_action": [first.pk, newer.pk]})

    assert Component.objects.get().current_version == first


@pytest.fixture
def charlie(client, db):
    """Somebody who may enter the admin, and nothing else."""
    user = User.objects.create_user("charlie", password="a long word of pass", is_staff=True)
    client.force_login(user)
    return user


@pytest.mark.parametrize("model", MODELS)
def test_lists_ask_for_permission(client, charlie, model):
    assert client.get(address(model, "changelist")).status_code == 403


def test_previews_ask_for_permission(client, charlie):
    row = make_rows(1)

    assert client.get(address(SlotConfiguration, "preview", row.pk, 0)).status_code == 403
    assert client.get(address(ComponentVersion, "preview", row.component_version_id, 0)).status_code == 403


def test_viewer_of_versions_cannot_choose_what_everybody_sees(client, charlie):
    first = add_component("shop.card")
    newer = add_component("shop.card", "<p></p>", version="2.0")
    charlie.user_permissions.add(Permission.objects.get(codename="view_componentversion"))

    client.post(address(ComponentVersion, "changelist"), {"action": "show_to_everybody", "_selected_action": [newer.pk]})

    assert Component.objects.get().current_version == first


def sample(source, context, **contract):
    version = add_component("shop.card", source, **contract)
    version.samples = [{"name": "plain", "context": context}]
    version.save()
    return version


def test_preview_is_a_document_that_can_do_nothing(staff):
    version = sample("<b>{{ product.name }}</b><script>alert(1)</script>", {"product": {"name": "Mug & saucer"}})

    response = staff.get(address(ComponentVersion, "preview", version.pk, 0))

    policy = response["Content-Security-Policy"].split("; ")
    assert policy[:2] == ["sandbox", "default-src 'none'"]
    assert not any(directive.startswith("script-src") or "allow-" in directive for directive in policy)
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "<b>Mug &amp; saucer</b>" in response.content.decode()


def test_preview_of_a_configuration_shows_its_change(staff):
    version = sample(CARD, {"product": {"name": "Mug"}})
    row = lay(version, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))

    assert ">Order<" in staff.get(address(SlotConfiguration, "preview", row.pk, 0)).content.decode()


def test_preview_does_not_render_what_the_policy_refuses(staff):
    version = sample(CARD, {"product": {"name": "Mug"}})
    row = lay(version, [set_text(CARD, "Buy", "{% debug %}")], person=PersonKey("default", "bob"))

    page = staff.get(address(SlotConfiguration, "preview", row.pk, 0)).content.decode()

    assert "the policy refuses it" in page
    assert ">Buy<" in page


def test_preview_of_a_broken_template_says_so(staff):
    version = sample("{% if %}", {})

    assert "cannot be rendered" in staff.get(address(ComponentVersion, "preview", version.pk, 0)).content.decode()


def test_preview_without_such_a_sample_is_not_found(staff):
    version = sample(CARD, {})

    assert staff.get(address(ComponentVersion, "preview", version.pk, 7)).status_code == 404


def test_source_is_escaped_on_the_version_page(staff):
    version = sample("<script>alert(1)</script>", {})

    assert "<script>alert(1)</script>" not in staff.get(address(ComponentVersion, "change", version.pk)).content.decode()


def test_body_that_cannot_be_read_still_has_a_page(staff):
    body = Body.objects.create(digest="0" * 64, operations="{}", created_at=AT)

    assert "cannot be read" in staff.get(address(Body, "change", body.pk)).content.decode()


def test_layout_operations_are_left_out_of_the_words(staff):
    operation = set_text(CARD, "Buy", "Order")
    row = lay(add_component("shop.card"), [operation], person=PersonKey("default", "bob"))
    assert ops.describe(operation) in unescape(staff.get(address(Body, "change", row.body_id)).content.decode())
