"""The locator finds what is certain, leaves out what is not, and knows where things stand to the character."""

import pytest
from hypothesis import given

from migration.management.corpus.synthetic.locator import Identity, elements, identify
from tests.slots.markup.sources import soups


def outer(source):
    return [source[each.start : each.end] for each in elements(source)]


def inner(source):
    return [source[each.inside : each.after] for each in elements(source)]


def test_elements_end_where_their_own_end_tag_does():
    source = '<div><div class="a">x</div><p>y</p></div>'

    assert outer(source) == ['<div class="a">x</div>', "<p>y</p>", source]
    assert inner(source) == ["x", "y", '<div class="a">x</div><p>y</p>']


def test_void_elements_have_no_inside():
    (found,) = elements('<input name="q">')

    assert found.is_void
    assert (found.inside, found.after, found.end) == (16, 16, 16)


@pytest.mark.parametrize(
    "source",
    [
        "{% if a %}<div>{% else %}<div class='b'>{% endif %}x</div>",
        "<div>{% if a %}</div>{% endif %}",
        "<section>{% if a %}</div>{% endif %}</section>",
        "{% for x in y %}<li>{% endfor %}</li>",
        "<ul><li>a<li>b</ul>",
        "{% comment %}<b>x</b>{% endcomment %}{% verbatim %}<b>x</b>{% endverbatim %}<!-- <b>x</b> -->",
        "{{ '<b>x</b>' }}{% x '<b>x</b>' %}",
    ],
)
def test_what_crosses_a_block_or_is_no_markup_is_left_out(source):
    assert elements(source) == []


def test_an_element_beside_something_that_crosses_is_found():
    source = "{% if a %}<div>{% endif %}<b>x</b>{% if a %}</div>{% endif %}"

    assert outer(source) == ["<b>x</b>"]


def test_raw_text_is_not_looked_into():
    assert outer("<script>if (a<b>c</b>) {}</script>") == ["<script>if (a<b>c</b>) {}</script>"]


def test_attributes_are_found_with_their_values_to_the_character():
    source = """<a href="{% url 'x' %}?a=">b" class='one {{ "two" }}' {% if q %}id="never"{% endif %} hidden>t</a>"""
    (found,) = elements(source.replace('?a=">b"', '?a=b"'))

    assert [each.name for each in found.attributes] == ["href", "class"]
    assert found.conditional == {"id", "hidden"}
    value = found.attribute("class")
    assert source.replace('?a=">b"', '?a=b"')[value.start : value.end] == value.value == """one {{ "two" }}"""


def test_an_identity_is_that_of_one_element_only():
    source = '<p id="a">1</p><p class="b">2</p><p class="b">3</p><p>some longer content</p><i>some longer content</i><p>1</p>'

    assert set(identify(source)) == {
        Identity("id", "p", "a"),
        Identity("content", "p", "some longer content"),
        Identity("content", "i", "some longer content"),
    }


def test_an_element_that_is_left_out_still_makes_its_twin_ambiguous():
    source = '<p class="b">2</p>{% if a %}<p class="b">{% endif %}'

    assert identify(source) == {}


def test_keys_with_template_parts_are_none():
    assert identify('<p class="a {{ b }}" id="{{ c }}">1</p>') == {}


@given(soups)
def test_every_element_found_is_cut_out_of_the_source_at_its_tags(source):
    for each in elements(source):
        assert source[each.start] == "<"
        assert source[each.inside - 1] == ">"
        assert source[each.end - 1] == ">"
        assert each.start < each.inside <= each.after <= each.end
        for attribute in each.attributes:
            assert source[attribute.start : attribute.end] == attribute.value
