"""The depth of an edit, from its two sources."""

import pytest

from migration.management.corpus.classes import depth

BASE = '<div class="card">{% if sale %}<b>Sale</b>{% endif %}<p>{{ text }}</p></div>'


@pytest.mark.parametrize(
    ("customized", "expected"),
    [
        (BASE, 0),
        (BASE.replace("Sale", "Now"), 0),
        (BASE.replace('"card"', '"card wide"'), 0),
        (BASE.replace("{{ text }}", "{% url 'x' %}"), 0),
        (BASE.replace('"card"', '"card {% if a %}wide{% endif %}"'), 1),
        (BASE.replace("<p>{{ text }}</p>", ""), 1),
        (BASE.replace("</div>", "<ul><li>a</li></ul></div>"), 1),
        ("{% extends 'x' %}" + BASE, 1),
        (BASE.replace("<p>", "<section><p>").replace("</div>", "</section></div>"), 2),
        (BASE.replace("{% if sale %}", "").replace("{% endif %}", ""), 2),
    ],
)
def test_depth_of_an_edit(customized, expected):
    assert depth(BASE, customized) == expected


def test_run_that_may_slide_counts_where_it_balances():
    assert depth("<p>a</p>", "<p>a</p><p>b</p>") == 1


def test_script_body_counts_as_medium():
    assert depth("<script>a</script>", "<script>b</script>") == 1
