"""The tags of slots in templates of pages and components."""

import pytest
from django.template import Context, Engine, TemplateSyntaxError

from slots.markup.web import is_web_address
from slots.models import ConfigurationIssue, Layer
from tests.slots.conftest import CARD, lay, set_text

ENGINE = Engine(builtins=["slots.templatetags.slots"])


def shown(source, **values):
    return ENGINE.from_string(source).render(Context(values))


def test_slot_shows_its_default():
    assert shown('a{% slot "x" %}[{{ y }}]{% endslot %}b', y="<") == "a[&lt;]b"


@pytest.mark.parametrize(
    "source", ["{% slot %}{% endslot %}", "{% slot x %}{% endslot %}", '{% slot "x" "y" %}{% endslot %}', '{% slot "x" %}']
)
def test_slot_takes_one_quoted_name(source):
    with pytest.raises(TemplateSyntaxError):
        shown(source)


@pytest.mark.parametrize("source", ["{% render_component %}", '{% render_component "x" product %}'])
def test_render_component_takes_a_key_and_named_values(source):
    with pytest.raises(TemplateSyntaxError):
        shown(source)


def test_component_is_rendered_without_a_request(card):
    assert "Mug" in shown("{% render_component key product=product %}", key="shop.card", product={"name": "Mug"})


def test_issues_are_stored_without_a_request_too(card):
    lay(card, [set_text(CARD, "Buy", "{% if %}")], layer=Layer.SITE)

    shown('{% render_component "shop.card" product=product %}', product={"name": "Mug"})

    assert ConfigurationIssue.objects.get().code == "RENDER_ERROR"


ADDRESSES = [
    ("/a", True),
    ("a/b:c", True),
    ("?a=javascript:b", True),
    ("#x:y", True),
    ("https://shop.example/", True),
    ("MAILTO:a@b", True),
    ("//shop.example/x", True),
    ("", True),
    ("javascript:alert(1)", False),
    (" \x01javascript:alert(1)", False),
    ("java\nscript:alert(1)", False),
    ("java\x00script:alert(1)", False),
    ("data:text/html,x", False),
    ("blob:x", False),
    ("\\\\evil.example", False),
    (":x", False),
]


@pytest.mark.parametrize(("address", "is_harmless"), ADDRESSES)
def test_scheme_of_an_address_decides(address, is_harmless):
    assert is_web_address(address) is is_harmless


def test_filter_replaces_what_is_not_harmless():
    template = '<a href="{{ x|web_address }}">'

    assert shown(template, x="/a?b=1&c") == '<a href="/a?b=1&amp;c">'
    assert shown(template, x="javascript:alert(1)") == '<a href="#">'
    assert shown(template, x="") == '<a href="#">'
    assert shown(template, x=None) == '<a href="#">'


def test_filter_has_references_in_safe_strings_escaped():
    template = '{% with x="javascript&colon;alert(1)" %}<a href="{{ x|web_address }}">{% endwith %}'

    assert shown(template) == '<a href="javascript&amp;colon;alert(1)">'


def test_slot_hands_its_data_to_its_content():
    slot = '{% slot "tag" data="item=tag number=forloop.counter" %}{{ number }}{{ item }}{% endslot %}'
    source = f"{{% for tag in tags %}}{slot}{{% endfor %}}"

    assert shown(source, tags=["<a>", "b"]) == "1&lt;a&gt;2b"


def test_data_of_a_slot_ends_with_it():
    assert shown('{% slot "x" data="y=z" %}{{ y }}{% endslot %}{{ y }}', y="outer", z="inner") == "innerouter"


def test_explanation_shows_layer_and_what_it_displaced(card, settings):
    settings.DEBUG = True
    lay(card, [set_text(CARD, "Buy", "Take <b>")], layer=Layer.SITE)

    html = shown('{% explain_slots "shop.card" %}')

    assert "shop.card@1.0" in html
    assert "Take &lt;b&gt;" in html
    assert "<td>site</td>" in html


def test_explanation_is_for_debugging_only(card, settings):
    settings.DEBUG = False

    assert shown('{% explain_slots "shop.card" %}') == ""
