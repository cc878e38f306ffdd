"""Every list and page of the admin: it opens, costs the same for many rows as for one, and changes nothing by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration.actions import import_customizations, translate_customizations, validate_customizations
from migration.admin.findings import FindingAdmin
from migration.models import Customization, Finding, Person, RejectedRecord, Translation, Validation
from migration.states import CustomizationState
from slots.models import ComponentVersion
from tests.migration.conftest import AT, NEW, edit, line

pytestmark = pytest.mark.django_db
MODELS = [Person, Customization, Translation, Validation, Finding, RejectedRecord]
Write = Callable[..., Path]


def grant(user: User, *names: str) -> User:
    """Give a user permissions of the migration app."""
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="migration", codename__in=names))
    return User.objects.get(pk=user.pk)


def viewing(user: User, *more: str) -> Client:
    """Return a browser in which the user is signed in and may look at everything of the migration."""
    client = Client()
    client.force_login(grant(user, *more, *(f"view_{model._meta.model_name}" for model in MODELS)))
    return client


def fill(write: Write, count: int, start: int = 0) -> None:
    """Import, translate and validate customizations, each with an own diff and two findings, and reject a record for each."""
    lines: list[dict[str, Any]] = []
    for index in range(start, start + count):
        text = edit(NEW, ("In stock", f"In stock {index}<script>x</script>"), ("Handmade", f"Handmade {index}"))
        lines += [line(f"user{index}", text, base_version="0.9"), line(f"fan{index}", edit(NEW, ("In stock", f"Here {index}")))]
        lines += [line(f"bad{index}", active="?")]
    import_customizations([write(lines)], at=AT, by="alice")
    keys = list(Customization.objects.values_list("pk", flat=True))
    translate_customizations(keys, at=AT, by="alice")
    validate_customizations(keys, at=AT, by="alice")


def address(model: type[Model], page: str, *arguments: object) -> str:
    return reverse(f"admin:migration_{model._meta.model_name}_{page}", args=arguments)


def test_every_list_costs_the_same_for_many_rows(card: ComponentVersion, write: Write, charlie: User) -> None:
    client = viewing(charlie)
    counts: dict[type[Model], list[int]] = {model: [] for model in MODELS}
    for start, count in ((0, 1), (1, 9)):
        fill(write, count, start)
        for model, found in counts.items():
            client.get(address(model, "changelist"))
            with CaptureQueriesContext(connection) as queries:
                response = client.get(address(model, "changelist"))
            assert response.status_code == 200
            found.append(len(queries))

    assert all(model._default_manager.count() >= 10 for model in MODELS)
    assert {model: few == many for model, (few, many) in counts.items()} == dict.fromkeys(MODELS, True)


@pytest.mark.parametrize("model", MODELS)
def test_page_of_a_row_opens_and_has_nothing_to_save(
    model: type[Model], card: ComponentVersion, write: Write, charlie: User
) -> None:
    fill(write, 1)
    client = viewing(charlie)

    for row in model._default_manager.all():
        response = client.get(address(model, "change", row.pk))

        assert response.status_code == 200
        assert b'name="_save"' not in response.content


@pytest.mark.parametrize("model", [Customization, Finding])
def test_history_opens(model: type[Model], card: ComponentVersion, write: Write, charlie: User) -> None:
    fill(write, 1)

    response = viewing(charlie).get(address(model, "history", model._default_manager.first().pk))

    assert response.status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_row_cannot_be_added_changed_or_deleted_by_hand(model: type[Model], card: ComponentVersion, write: Write) -> None:
    fill(write, 1)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    row = model._default_manager.first()

    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", row.pk), {}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_staff_without_rights_sees_nothing(model: type[Model], charlie: User, client: Client) -> None:
    client.force_login(charlie)

    assert client.get(address(model, "changelist")).status_code == 403


def test_chosen_customizations_are_translated_and_validated(card: ComponentVersion, write: Write, charlie: User) -> None:
    import_customizations([write([line()])], at=AT, by="alice")
    client = viewing(charlie, "translate_customization")
    pk = Customization.objects.get().pk

    for action in ("translate", "validate"):
        response = client.post(address(Customization, "changelist"), {"action": action, "_selected_action": [pk]}, follow=True)
        assert "1 customizations, 1" in response.content.decode()

    assert Customization.objects.get().state == CustomizationState.VALIDATED
    assert Customization.objects.get().events.last().reason == "admin"


def test_translating_needs_the_right(card: ComponentVersion, write: Write, charlie: User) -> None:
    import_customizations([write([line()])], at=AT, by="alice")
    pk = Customization.objects.get().pk

    viewing(charlie).post(address(Customization, "changelist"), {"action": "translate", "_selected_action": [pk]})

    assert Customization.objects.get().state == CustomizationState.IMPORTED


def test_findings_are_found_by_whose_they_are_and_say_so(card: ComponentVersion, write: Write, charlie: User) -> None:
    script = edit(NEW, ("In stock", "<script>x</script>"))
    lines = [
        line("ann", script),
        line("ben", script, tenant="north"),
        line("cleo", "broken"),
        line("dave", edit(NEW, ("In", "<script>"))),
    ]
    import_customizations([write(lines)], at=AT, by="alice")
    translate_customizations(Customization.objects.values_list("pk", flat=True), at=AT, by="alice")
    client = viewing(charlie)

    def found(words: str) -> set[str]:
        rows = client.get(address(Finding, "changelist"), {"q": words}).context["cl"].result_list
        return {FindingAdmin(Finding, site).persons(row) for row in rows}

    assert found("ben") == found("ann/card") == {"ann and 1 more"}
    assert found("cleo") == {"cleo"}
    assert found("nobody") == set()
    assert found("") == {"ann and 1 more", "cleo", "dave"}


def test_links_lead_from_row_to_row(card: ComponentVersion, write: Write, charlie: User) -> None:
    fill(write, 1)
    client = viewing(charlie)
    row = Customization.objects.get(person__user="user0")
    pages = {
        (Customization, row.pk): [address(Person, "change", row.person_id), address(Translation, "change", row.translation_id)],
        (Person, row.person_id): [f"?person__id__exact={row.person_id}"],
        (Translation, row.translation_id): [f"?translation__id__exact={row.translation_id}"],
        (Finding, row.findings.first().pk): [address(Customization, "change", row.pk)],
    }

    for (model, pk), links in pages.items():
        content = client.get(address(model, "change", pk)).content.decode()
        for link in links:
            assert link in content
            target = link if link.startswith("/") else address(Customization, "changelist") + link
            assert client.get(target).status_code == 200
