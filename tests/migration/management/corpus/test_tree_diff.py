"""xmldiff as a peer: two readings of one pair."""

import pytest

from migration.management.corpus import tree_diff

needs_xmldiff = pytest.mark.skipif(not tree_diff.is_installed(), reason="xmldiff is not installed: make install")
SOURCE = "<p{% if a %} id=x{% endif %} class='b'>{{ a }}<!-- -- --></p>"


def test_template_tree_says_every_construct_and_attribute():
    tree = tree_diff.template_tree("{% if a %}<a href='/x' hidden>{{ b }}</a>{% else %}c{% endif %}")

    (block,) = tree
    link, separator, text = block
    assert block.tag == "block"
    assert block.text == "{% if a %}"
    assert (link.tag, dict(link.attrib), [kid.tag for kid in link]) == ("a", {"href": "/x", "hidden": ""}, ["variable"])
    assert (separator.tag, separator.text, text.text) == ("separator", "{% else %}", "c")


@needs_xmldiff
@pytest.mark.parametrize("tree_of", [tree_diff.template_tree, tree_diff.html_tree])
def test_both_readings_take_template_source(tree_of):
    assert tree_diff.milliseconds(tree_of, base=SOURCE, customized="<p>b</p>") > 0


@needs_xmldiff
def test_template_reading_takes_what_xml_cannot_hold():
    assert tree_diff.milliseconds(tree_diff.template_tree, base="<p>\f\x00</p>", customized="<p>b</p>") > 0


@needs_xmldiff
def test_html_reading_has_no_tree_for_an_empty_source():
    assert tree_diff.milliseconds(tree_diff.html_tree, base="", customized="<p>b</p>") is None
