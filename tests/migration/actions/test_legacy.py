"""The old system: to the byte what GNU patch makes, and the plain base where it makes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.actions import LegacyRenderer, fallbacks, import_customizations
from migration.models import Customization
from slots.models import ComponentVersion
from slots.schema import DEFAULT_TENANT, PersonKey
from tests.migration.conftest import AT, CARD, FUZZED, NEW, ORDER_NOW, SAMPLES, edit, line

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]
CONTEXT = SAMPLES[0]["context"]
PLAIN = NEW.replace("{{ product.name }}", "Mug").replace("{{ product.summary }}", "For tea.").replace("{{ product.price }}", "18")


@pytest.fixture
def show(card: ComponentVersion, write: Write) -> Callable[[str], str]:
    """Return what imports a diff for bob and shows his page."""

    def show_page(text: str) -> str:
        import_customizations([write([line(text=text)])], at=AT, by="alice")
        return LegacyRenderer(PersonKey(DEFAULT_TENANT, "bob")).render(CARD, "2.0", NEW, CONTEXT)

    return show_page


def counted(code: str) -> int:
    return fallbacks.counts().get(code, 0)


def test_diff_is_patched_onto_current_source(show: Callable[[str], str]) -> None:
    assert show(edit(NEW, ORDER_NOW)) == PLAIN.replace("Add to cart", "Order now")


def test_fuzz_is_used_as_gnu_patch_does(show: Callable[[str], str]) -> None:
    assert show(FUZZED) == PLAIN.replace("Handmade", "Made by hand")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (edit("<ul>\n<li>a</li>\n</ul>\n", ("a", "b")), "LEGACY_DOES_NOT_APPLY"),
        ("no diff", "LEGACY_DOES_NOT_APPLY"),
        (edit(NEW, ("Add to cart", "{% if %}")), "LEGACY_DOES_NOT_COMPILE"),
        (edit(NEW, ("Add to cart", "{% widthratio product.name %}")), "LEGACY_DOES_NOT_COMPILE"),
        (edit(NEW, ("Add to cart", '{% include "nothing.html" %}')), "LEGACY_RENDER_ERROR"),
        (edit(NEW, ("Add to cart", '{{ product.name|center:"900000000" }}')), "LEGACY_RENDER_ERROR"),
        (edit(NEW, ("Add to cart", '{{ product.name|stringformat:"900000000s" }}')), "LEGACY_RENDER_ERROR"),
        (edit(NEW, ("Add to cart", "{% lorem 900000 w %}")), "LEGACY_RENDER_ERROR"),
    ],
)
def test_plain_base_is_shown_and_counted(
    show: Callable[[str], str], text: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = counted(code)

    assert show(text) == PLAIN

    assert counted(code) == before + 1
    assert code in caplog.text


@pytest.mark.parametrize(
    "expression",
    [
        '{{ product.name|center:"9" }}',
        '{{ product.name|ljust:"9" }}',
        '{{ product.name|rjust:"9" }}',
        '{{ product.price|stringformat:"05d" }}',
    ],
)
def test_bounded_filters_give_what_django_gives(show: Callable[[str], str], expression: str) -> None:
    expected = {"center": "   Mug   ", "ljust": "Mug      ", "rjust": "      Mug", "stringformat": "00018"}
    name = expression.split("|")[1].split(":")[0]

    assert show(edit(NEW, ("Add to cart", expression))) == PLAIN.replace("Add to cart", expected[name])


def test_inactive_customization_is_not_shown(card: ComponentVersion, write: Write) -> None:
    import_customizations([write([line(active=False)])], at=AT, by="alice")

    assert LegacyRenderer(PersonKey(DEFAULT_TENANT, "bob")).render(CARD, "2.0", NEW, CONTEXT) == PLAIN


def test_another_tenants_person_of_the_same_name_is_another_person(card: ComponentVersion, write: Write) -> None:
    import_customizations([write([line(tenant="other")])], at=AT, by="alice")

    assert LegacyRenderer(PersonKey(DEFAULT_TENANT, "bob")).render(CARD, "2.0", NEW, CONTEXT) == PLAIN
    assert "Order now" in LegacyRenderer(PersonKey("other", "bob")).render(CARD, "2.0", NEW, CONTEXT)


def test_many_components_cost_one_query(show: Callable[[str], str]) -> None:
    show(edit(NEW, ORDER_NOW))
    renderer = LegacyRenderer(PersonKey(DEFAULT_TENANT, "bob"))

    with CaptureQueriesContext(connection) as queries:
        for _component in range(24):
            renderer.render(CARD, "2.0", NEW, CONTEXT)

    assert len(queries) == 1


def test_state_of_migration_does_not_change_the_page(show: Callable[[str], str]) -> None:
    before = show(edit(NEW, ORDER_NOW))
    pages = []
    for state in ("imported", "validated", "migrated", "rejected", "needs_review"):
        Customization.objects.update(state=state)
        pages.append(LegacyRenderer(PersonKey(DEFAULT_TENANT, "bob")).render(CARD, "2.0", NEW, CONTEXT))

    assert pages == [before] * 5
