"""The declared table of spellings that mean the same."""

import pytest

from slots.markup.rebase import spelling


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("{% trans 'A' %}", '{% translate "A" %}'),
        ("{% blocktrans with a=b %}", "{% blocktranslate with a=b %}"),
        ("{% load staticfiles i18n %}", "{%load i18n static%}"),
        ("{% load static from staticfiles %}", "{% load static %}"),
        ("{% ifequal a b %}", "{% if a == b %}"),
        ("{% ifnotequal a 'b' %}", '{% if a != "b" %}'),
        ("{% endblock content %}", "{% endblock %}"),
        ("{{ a|date:'Y' }}", '{{a|date:"Y"}}'),
    ],
)
def test_constructs_that_mean_the_same(left, right):
    assert spelling.construct(left) == spelling.construct(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("{% trans 'A' %}", "{% trans 'B' %}"),
        ("{% trans 'A' %}", "{% trans 'A' noop %}"),
        ("{% trans 'it\"s' %}", '{% trans "it"s" %}'),
        ("{% if a %}", "{% if b %}"),
        ("{{ a }}", "{{ a|safe }}"),
        ("{% load i18n %}", "{% load l10n %}"),
        ("{% ifequal a b c %}", "{% if a == b c %}"),
    ],
)
def test_constructs_that_do_not(left, right):
    assert spelling.construct(left) != spelling.construct(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('<script type="text/javascript" src="a">', "<script src=a>"),
        ('<link type="text/css" href="a">', '<LINK href="a" />'),
        ('<a class="a b" href="{% url \'x\' %}">', '<a href="{% url "x" %}" class="b a">'),
        ('<input checked="checked">', "<input checked>"),
        ('<a title="a  b">', '<a title="a b">'),
    ],
)
def test_open_tags_that_mean_the_same(left, right):
    assert spelling.open_tag(left) == spelling.open_tag(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('<script type="module">', "<script>"),
        ('<input type="text">', "<input>"),
        ('<a class="a">', '<a class="b">'),
        ('<a href="a">', "<a>"),
        ("<a>", "<b>"),
        ("<a {% if x %}b{% endif %}>", "<a {% if y %}b{% endif %}>"),
    ],
)
def test_open_tags_that_do_not(left, right):
    assert spelling.open_tag(left) != spelling.open_tag(right)
