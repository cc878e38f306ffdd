"""Compiling and rendering: plain values in, escaped HTML out, a bounded cache in between."""

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from threading import Thread
from typing import NamedTuple

import pytest
from django.contrib.auth.models import User
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import FilterExpression, Variable
from django.test.signals import template_rendered
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override
from hypothesis import given
from hypothesis import strategies as st

from slots.renderer import (
    BoundedCache,
    ComponentParser,
    ContextNotPlain,
    SlotRenderer,
    TemplateNotCompiled,
    is_plain,
    plain,
    plain_context,
    render_template,
    stack_digest,
)
from slots.templatetags.slots import SlotNode

NAMES = frozenset({"a"})


def shown(source, **context):
    renderer = SlotRenderer()
    return renderer.render(renderer.compile("x", lambda: source, NAMES), context)


def test_values_are_escaped_even_if_the_page_marked_them_safe():
    assert shown("{{ a }}", a=mark_safe("<b>")) == "&lt;b&gt;"


def test_only_names_of_the_contract_are_seen():
    assert shown("[{{ a }}{{ b }}]", a=1, b=2) == "[1]"


def test_no_file_can_be_reached():
    with pytest.raises(TemplateDoesNotExist):
        shown('{% include "admin/base.html" %}')


def test_error_is_shown_as_the_base_with_an_issue():
    renderer = SlotRenderer()
    base = renderer.compile("base", lambda: "base {{ a.x }}", NAMES)
    broken = renderer.compile("broken", lambda: '{% widthratio a 0 "x" %}{% include a %}', NAMES)

    rendered = renderer.render_or_base(broken, lambda: base, {"a": {"x": 1}}, place="shop.card")

    assert rendered.html == "base 1"
    (issue,) = rendered.issues
    assert (issue.code, bool(issue.suggestion)) == ("RENDER_ERROR", True)


def test_template_that_does_not_compile_fails_once_and_shows_the_base():
    renderer = SlotRenderer()
    calls = []

    def source():
        calls.append(1)
        return "{% nothing %}"

    for _ in range(2):
        compiled = renderer.compile("x", source, NAMES)

    assert (len(calls), compiled.template) == (1, None)
    with pytest.raises(TemplateNotCompiled):
        renderer.render(compiled, {})


def test_cache_is_bounded_and_keeps_what_was_used_last():
    cache = BoundedCache(2)
    for key in ("a", "b"):
        cache.put(key, key)
    cache.get("a")
    cache.put("c", "c")

    assert (len(cache), "a" in cache, "b" in cache) == (2, True, False)


def test_threads_compile_a_template_once():
    renderer = SlotRenderer()
    calls = []

    def source():
        calls.append(1)
        return "x" * 10_000

    threads = [Thread(target=renderer.compile, args=("x", source, NAMES)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(calls) == 1


SLOTTED = (
    '{% slot "a" %}x{% if a %}{% slot "b" %}[{{ a }}]{% endslot %}{% else %}{% slot "c" %}no{% endslot %}{% endif %}{% endslot %}'
    '{% for each in "12" %}{% slot "d" %}{% cycle "odd" "even" %}'
    "{% ifchanged a %}{{ each }}{% endifchanged %}{% endslot %}{% endfor %}"
)


def test_slots_leave_nothing_but_their_content_in_a_compiled_template():
    template = SlotRenderer().template(SLOTTED)

    assert template.nodelist.get_nodes_by_type(SlotNode) == []
    assert render_template(template, {"a": "<"}) == "x[&lt;]odd1even"


@pytest.mark.parametrize("source", ['{% slot "a" %}{% if a %}{% endslot %}{% endif %}', '{% slot "a" %}', "{% endslot %}"])
def test_slots_have_to_be_nested_properly(source):
    with pytest.raises(TemplateSyntaxError):
        SlotRenderer().template(source)


def test_tag_that_changes_its_expression_changes_no_other():
    renderer = SlotRenderer()
    translated, plain_one = (renderer.template(source) for source in ("{% load i18n %}{% translate a %}|{{ a }}", "{{ a }}"))

    with override("de"):
        shown = [render_template(each, {"a": "Yes"}) for each in (translated, plain_one, translated)]

    assert shown == ["Ja|Yes", "Yes", "Ja|Yes"]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("{{ 'x' }}{{ 1.50 }}{{ a.b }}{{ a.b.0 }}{{ None }}", "x1.5[&#x27;&lt;&#x27;]&lt;None"),
        ('{% if a.b and 1 == 1 %}{{ a.b|first }}{% endif %}{{ _("Yes") }}', "&lt;Yes"),
        ("{% for each in a.b %}{{ forloop.counter }}{{ each }}{% endfor %}{{ missing.x }}", "1&lt;"),
    ],
)
def test_expressions_mean_what_they_mean_to_django(source, html):
    assert render_template(SlotRenderer().template(source), {"a": {"b": ["<"]}}) == html


NAMES_AND_OTHERS = st.from_regex(r"[A-Za-z0-9_.'\"-]{1,8}", fullmatch=True) | st.sampled_from(
    ["product.url", "a.0", "a._b", "nan", "inf", "infinity.e", "e", "1e5", "e5", "None", "True", "a..b", ".a", "a.", "é", "a.é"]
)


@given(NAMES_AND_OTHERS)
def test_expression_is_what_django_makes_of_it(token):
    parser = ComponentParser([])
    try:
        expected = FilterExpression(token, parser)
    except (TemplateSyntaxError, ValueError) as refused:
        with pytest.raises(type(refused)):
            parser.compile_filter(token)
        return

    found = parser.compile_filter(token)

    assert [getattr(found, name) for name in ("token", "filters", "is_var")] == [token, [], expected.is_var]
    if expected.is_var:
        assert [getattr(found.var, name) for name in Variable.__slots__] == [
            getattr(expected.var, name) for name in Variable.__slots__
        ]
    else:
        assert found.var == expected.var


@pytest.mark.parametrize(
    "source",
    ["{{ a b }}", "{{ _a }}", "{{ a._b }}", "{{ }}", "{{ a|nothing }}", "{{ a|upper:1 }}", "{{ a|add }}", '{{ a|date:"Y":1 }}'],
)
def test_expression_that_cannot_be_read_is_refused_every_time(source):
    renderer = SlotRenderer()

    for _ in range(2):
        with pytest.raises(TemplateSyntaxError):
            renderer.template(source)


def test_filters_take_the_arguments_that_they_take():
    source = '{{ a|upper }}{{ a|add:1 }}{{ a|date }}{{ a|date:"Y" }}{{ a|default:a|add:"x" }}'

    assert render_template(SlotRenderer().template(source), {"a": "b"}) == "Bbx"


def test_filters_are_those_that_the_template_has_loaded():
    renderer = SlotRenderer()
    assert render_template(renderer.template("{% load l10n %}{{ a|unlocalize }}"), {"a": 1}) == "1"

    with pytest.raises(TemplateSyntaxError):
        renderer.template("{{ a|unlocalize }}")


def test_state_of_tags_is_not_shared_between_two_pages():
    template = SlotRenderer().template(SLOTTED)

    assert render_template(template, {}) == render_template(template, {}) == "xnoodd1even"


def test_rendering_is_told_to_the_test_client():
    rendered = []

    def note(sender, template, **kwargs):
        rendered.append(template)

    template = SlotRenderer().template("x")
    template_rendered.connect(note)
    try:
        render_template(template, {})
    finally:
        template_rendered.disconnect(note)

    assert rendered == [template]


def test_stacks_have_the_digests_of_their_order():
    one, two = "1" * 64, "2" * 64

    assert len({stack_digest(one, (two,)), stack_digest(two, (one,)), stack_digest(one, (two, one)), stack_digest(one, ())}) == 4


@dataclass
class Product:
    name: str
    price: Decimal


class Point(NamedTuple):
    x: int
    y: int


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OrderedDict(x=(1, 2)), {"x": (1, 2)}),
        (defaultdict(list, x=[1]), {"x": [1]}),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Product("Mug", Decimal("1.5")), {"name": "Mug", "price": Decimal("1.5")}),
        (gettext_lazy("Buy"), "Buy"),
        (Size.SMALL, 1),
        (range(2), [0, 1]),
        ({"x": [mark_safe("<b>")]}, {"x": ["<b>"]}),
        (date(2026, 1, 1), date(2026, 1, 1)),
    ],
)
def test_values_become_plain(value, expected):
    found = plain(value, "a")

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (User(), "a"),
        ({"x": [User()]}, "a.x.0"),
        (Colour.RED, "a"),
        (len, "a"),
        (User, "a"),
        (iter([1]), "a"),
    ],
)
def test_objects_are_refused_with_their_place(value, place):
    with pytest.raises(ContextNotPlain) as raised:
        plain_context({"a": value}, NAMES)

    assert raised.value.place == place


def test_circle_is_refused():
    value = []
    value.append(value)

    with pytest.raises(ContextNotPlain):
        plain_context({"a": value}, NAMES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda kid: st.lists(kid) | st.dictionaries(st.text(), kid),
    max_leaves=20,
)


@given(JSON)
def test_plain_values_are_handed_on_as_they_are(value):
    assert plain(value, "a") is value
    assert plain_context({"a": value}, NAMES)["a"] is value


@given(JSON)
def test_quick_look_agrees_with_the_thorough_one(value):
    assert is_plain(value)
    assert not is_plain({"x": [value, mark_safe("<b>")]})
