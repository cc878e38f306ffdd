"""Previews show what people would see, and say what failed in it."""

import pytest

from slots.actions import import_component, preview_body, save_body
from slots.registry import ComponentRecord
from tests.slots.conftest import AT, CARD, set_text

pytestmark = pytest.mark.django_db
SAMPLES = ({"name": "mug", "context": {"product": {"name": "Mug", "pairs": [[1, 2], [3]]}}},)
FAILING = '{% for a, b in product.pairs|slice:":5" %}{{ a }}{% endfor %}'


def preview(text, policy="standard"):
    contract = {"names": ["product"], "policy": policy}
    version = import_component(
        ComponentRecord("shop.card", "1.0", CARD, contract=contract, samples=SAMPLES), at=AT, by="a"
    ).version
    return preview_body(version, save_body([set_text(CARD, "Buy", text)], at=AT), 0)


def test_preview_shows_the_default_of_what_fails_and_says_so():
    html, issues = preview(f"New {FAILING}")

    assert (">Buy<" in html, "New" in html) == (True, False)
    assert [(issue.code, bool(issue.operation)) for issue in issues] == [("RENDER_ERROR", True)]


@pytest.mark.parametrize(("policy", "shown"), [("strict", "<b>{}</b>"), ("standard", "<B>{}</b>")])
def test_preview_is_cleaned_where_the_page_is(policy, shown):
    html, issues = preview("<B>{{ product.name }}</b>", policy)

    assert (shown.format("Mug") in html, issues) == (True, ())
