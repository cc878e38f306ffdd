import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.markup.tree import attributes, nodes, parse
from tests.slots.markup.sources import soups


@given(soups)
def test_join_returns_every_open_tag(source):
    tree = parse(source)
    for node in tree.nodes:
        if node.kind in nodes.TAGGED:
            assert attributes.join(attributes.read(tree.open(node))) == tree.open(node)


@given(st.lists(st.sampled_from(["a", "=", '"', "'", " ", "{{ x }}", "{% if y %}", "{% endif %}", "/", "{", "b-c"]), max_size=15))
def test_join_returns_odd_tags(pieces):
    text = f"<p {''.join(pieces)}>"
    assert attributes.join(attributes.read(text)) == text


def keys(text):
    return [(part.key, part.value) for part in attributes.read(text).parts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<a href="/x" CHECKED>', [("href", "/x"), ("checked", None)]),
        ("<a b='1' c=2/>", [("b", "1"), ("c", "2/")]),
        ('<a{% if x %} id="a"{% endif %} b>', [('{% if x %} id="a"{% endif %}', None), ("b", None)]),
        ('<a {{ attrs }} c="{% if a > "b" %}d{% endif %}">', [("{{ attrs }}", None), ("c", '{% if a > "b" %}d{% endif %}')]),
        ('<a data-{{ x }}="y">', [("data-{{ x }}", "y")]),
        ('<a DATA-{{ X }}{H="y">', [("data-{{ X }}{h", "y")]),
        ("<a b={{ c }}>", [("b", "{{ c }}")]),
    ],
)
def test_read_finds_parts(text, expected):
    assert keys(text) == expected


@pytest.mark.parametrize(
    ("name", "key", "is_chunk"),
    [
        ("CHECKED", "checked", False),
        ("{{ Attrs }}", "{{ Attrs }}", True),
        ('{% if X %}  ID="a"{% endif %}', '{% if X %} ID="a"{% endif %}', True),
        ("data-{{ X }}", "data-{{ X }}", False),
        ("{H", "{h", False),
        ("/", "/", False),
        ("a b", "a b", False),
    ],
)
def test_bare_name_is_an_attribute_or_a_chunk(name, key, is_chunk):
    part = attributes.bare(name)

    assert (part.key, part.chunk, part.text) == (key, is_chunk, name)


def test_unquoted_value_takes_the_slash_as_browsers_do():
    tag = attributes.read("<a c=2/>")
    assert (tag.parts[0].value, tag.closing) == ("2/", ">")


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        ("a  b\nc", ["a", "b", "c"]),
        ("a {% if x %}b c{% endif %} d", ["a", "{% if x %}b c{% endif %}", "d"]),
        ("a{{ x y }}b c", ["a{{ x y }}b", "c"]),
        ("", []),
    ],
)
def test_class_tokens_keep_template_parts_whole(value, tokens):
    assert attributes.class_tokens(value) == tokens


def test_declarations_are_split_outside_template_parts():
    value = "Color: red; width: {% if a %}1px; {% endif %}; {{ more }}"
    assert attributes.declarations(value) == [("color", "red"), ("width", "{% if a %}1px; {% endif %}"), ("{{ more }}", "")]


def test_with_part_replaces_or_follows():
    tag = attributes.read('<a b="1" c="2">')
    assert attributes.join(tag.with_part(attributes.Part(" ", "b", "=", '"', "3"), None)) == '<a b="3" c="2">'
    assert attributes.join(tag.with_part(attributes.Part(" ", "d"), "b")) == '<a b="1" d c="2">'
    assert attributes.join(tag.with_part(attributes.Part(" ", "d"), "")) == '<a d b="1" c="2">'
    assert attributes.join(tag.with_part(attributes.Part(" ", "d"), None)) == '<a b="1" c="2" d>'
