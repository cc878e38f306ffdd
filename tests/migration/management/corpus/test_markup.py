"""The checker's own scanner: what the checks can see."""

import pytest

from migration.management.corpus.markup import Token, nesting, scan, template_tags


def test_scan_cuts_elements_tags_variables_and_text():
    found = scan('<p class="a">Hi {{ name }}<br>{% if x %}</p>')

    assert found == [
        Token("open", "p", 'class="a"'),
        Token("text", text="Hi"),
        Token("variable", text="{{ name }}"),
        Token("void", "br"),
        Token("tag", "if", "{% if x %}"),
        Token("close", "p"),
    ]


def test_scan_keeps_a_tag_whole_whose_value_holds_its_own_quote_and_a_bracket():
    assert scan('<a href="{% url "x" %}" {% if a > b %}id="i"{% endif %}>') == [
        Token("open", "a", 'href="{% url "x" %}" {% if a > b %}id="i"{% endif %}')
    ]


def test_scan_takes_script_bodies_as_one():
    assert scan("<script>if (a < b) { '<p>' }</script>") == [Token("raw", "script", "", "if (a < b) { '<p>' }")]


def test_scan_leaves_nothing_of_what_comment_and_verbatim_hold():
    assert [token.name for token in scan("{% comment %}<p>{% endcomment %}{% verbatim %}{{ a }}</i>{% endverbatim %}")] == [
        "comment",
        "endcomment",
        "verbatim",
        "endverbatim",
    ]


def test_template_tags_are_found_in_attributes_scripts_and_comments():
    source = '<a href="{% url %}"><script>{% one %}</script><!-- {% two %} --></a>'

    assert [token.name for token in template_tags(source)] == ["url", "one", "two"]


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("{% if a %}{% endif %}", ()),
        ("{% if a %}", ("if is not closed",)),
        ("{% endif %}", ("endif closes nothing",)),
        ("{% else %}", ("else stands outside a block",)),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", ("block a stands 2 times",)),
        ("{% load x %}{% extends 'y' %}", ("extends is not the first tag",)),
        ("{% if a %}{% for x in y %}{% endif %}{% endfor %}", ("endif closes nothing", "endfor closes nothing")),
        ("{% card %}{% endcard %}", ()),
    ],
)
def test_nesting_of_template_tags(source, problems):
    assert nesting(source).template == problems


@pytest.mark.parametrize(
    ("source", "problems", "balances"),
    [
        ("<ul><li>a<li>b</ul>", (), True),
        ("<div><p></div>", (), True),
        ("<div>", ("<div> is not closed",), False),
        ("</div>", ("</div> closes nothing",), False),
        ("{% if a %}<b>{% else %}<i>{% endif %}</b>", (), False),
        ("{% if a %}<b></b>{% else %}<i></i>{% endif %}", (), True),
    ],
)
def test_nesting_of_html_follows_the_first_branch(source, problems, balances):
    assert nesting(source).html == problems
    assert nesting(source).branches_balance is balances
