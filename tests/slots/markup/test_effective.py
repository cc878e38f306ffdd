"""The tree of a template as JSON."""

from slots.markup.effective import as_json
from slots.markup.tree import parse


def written(source):
    return as_json(parse(source))


def test_elements_have_their_attributes_and_their_slots_name():
    assert written('<a href="/x/" class="b {{ c }}" id="buy" hidden>Buy</a>') == [
        {
            "type": "element",
            "tag": "a",
            "attributes": {"href": "/x/", "class": "b {{ c }}", "id": "buy", "hidden": True},
            "dynamic": ["class"],
            "slot": "buy",
            "children": [{"type": "text", "text": "Buy"}],
        }
    ]


def test_blocks_have_branches():
    assert written("{% if a %}x{% elif b %}{{ y|upper }}{% else %}{% include 'z' %}{% endif %}") == [
        {
            "type": "block",
            "branches": [
                {"tag": "if", "arguments": "a", "children": [{"type": "text", "text": "x"}]},
                {"tag": "elif", "arguments": "b", "children": [{"type": "value", "expression": "y|upper"}]},
                {"tag": "else", "arguments": "", "children": [{"type": "tag", "tag": "include", "arguments": "'z'"}]},
            ],
        }
    ]


def test_declared_slots_are_nodes_and_loads_and_comments_are_none():
    assert written('{% load i18n %}{# note #}{% slot "a" %}<!-- x -->1{% endslot %}') == [
        {"type": "slot", "name": "a", "children": [{"type": "text", "text": "1"}]}
    ]


def test_white_space_between_words_and_values_is_kept():
    texts = [node.get("text", node.get("expression")) for node in written("a {{ b }} &amp; c")]

    assert texts == ["a", " ", "b", " ", "& c"]


def test_what_has_no_partner_is_markup_and_scripts_are_raw():
    assert [node["type"] for node in written("{% if a %}<b>{% endif %}</b><script>x < 1</script>")] == [
        "block",
        "markup",
        "element",
    ]


def test_deep_nesting_is_written():
    tree = written("<i>" * 150 + "</i>" * 150)

    for _ in range(149):
        (tree,) = (tree[0]["children"],)
    assert tree[0]["children"] == []
