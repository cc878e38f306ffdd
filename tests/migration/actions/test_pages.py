"""Both systems' pages of one customization: on slots as people will see it, and with what failed in it."""

import pytest

from migration.actions import PagePair
from slots.actions import import_component
from slots.markup import ops
from slots.registry import ComponentRecord
from tests.migration.conftest import AT, CARD, NEW, SAMPLES
from tests.slots.conftest import set_text

pytestmark = pytest.mark.django_db
FAILING = "New {{ product.name }}{% for a, b in product.name %}{{ a }}{% endfor %}"


def pair_of(text, policy="standard"):
    contract = {"names": ["product"], "policy": policy}
    version = import_component(ComponentRecord(CARD, "3.0", NEW, contract=contract, samples=SAMPLES), at=AT, by="alice").version
    operations = [set_text(NEW, "Handmade", text), set_text(NEW, "In stock", "In {{ product.name }}")]
    return PagePair(version, "", ops.dumps(operations))


def test_payload_that_fails_is_a_problem_of_the_page_that_shows_its_default():
    page = pair_of(FAILING).pages()[0]

    assert ("<li>Handmade</li>" in page.slots.html, ">In Mug</p>" in page.slots.html) == (True, True)
    assert ("operation" in page.slots.problem, page.is_same) == (True, False)


def test_what_the_strict_policy_would_not_show_is_a_problem():
    cleaned, shown = (pair_of('<b onclick="x">now</b>', policy).pages()[0].slots for policy in ("strict", "standard"))

    assert ("onclick" in cleaned.html, "strict policy" in cleaned.problem) == (False, True)
    assert ("onclick" in shown.html, shown.problem) == (True, "")


def test_page_without_problems_is_the_composed_one():
    page = pair_of("New {{ product.name }}").pages()[0]

    assert ("<li>New Mug</li>" in page.slots.html, page.problems) == (True, ())


def test_what_is_equal_is_compiled_once_and_rendered_each_time():
    first, second = pair_of("New {{ product.name }}"), pair_of("New {{ product.name }}")
    other = pair_of("Old {{ product.name }}")
    cup = {"product": {"name": "Cup"}}

    assert first._pair is second._pair
    assert first._pair is not other._pair
    assert "<li>New Mug</li>" in first.pages()[0].slots.html
    assert "<li>New Cup</li>" in second.render_slots(cup).html


def test_the_policy_is_part_of_what_is_equal():
    assert pair_of("New", "strict")._pair is not pair_of("New", "standard")._pair


def test_what_does_not_compile_is_tried_anew():
    first, second = pair_of("{% nonsense %}"), pair_of("{% nonsense %}")

    assert "does not compile" in second.pages()[0].slots.problem
    assert first._pair is not second._pair
