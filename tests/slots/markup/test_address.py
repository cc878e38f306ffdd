import pytest
from hypothesis import given

from slots.errors import Issue, IssueCode
from slots.markup.address import Address, describe, resolve, slot_map
from slots.markup.tree import Node, parse
from tests.slots.markup.sources import soups

CARD = '<article class="card">{% block foot %}<footer><a class="buy-button" href="/b">Buy</a></footer>{% endblock %}</article>'


def address(source, *path):
    tree = parse(source)
    return describe(tree, tree.at(path))


def found(source, wanted):
    tree = parse(source)
    node = resolve(tree, wanted)
    return tree.text(node) if isinstance(node, Node) else node.code


@given(soups)
def test_every_node_resolves_to_itself(source):
    tree = parse(source)
    for node in tree.nodes:
        assert resolve(tree, describe(tree, node)) is node


@given(soups)
def test_json_round_trip(source):
    tree = parse(source)
    for node in tree.nodes:
        wanted = describe(tree, node)
        assert Address.from_json(wanted.as_json(), "address") == wanted


def test_address_holds_several_locators():
    wanted = address(CARD, 0, 0, 0, 0)
    assert (wanted.name, wanted.path, wanted.kind, wanted.tag) == ("card/foot/footer/buy-button", (0, 0, 0, 0), "element", "a")
    assert (wanted.blocks, wanted.depth) == (("block:foot",), 2)
    assert len(wanted.own) == len(wanted.subtree) == 12


@pytest.mark.parametrize(
    ("source", "path", "key"),
    [
        ('<p id="a">x</p>', (0,), "id:a"),
        ('<input name="q">', (0,), "name:q"),
        ('<label for="q">Q</label>', (0,), "for:q"),
        ("<a href=\"{% url 'shop:cart' 3 %}\">c</a>", (0,), "url:shop:cart"),
        ("<h1>{% translate 'Home' %}</h1>", (0,), "text:Home"),
        ('{% include "a.html" %}', (0,), "include:a.html"),
        ('{% slot "badge" %}{% endslot %}', (0,), "slot:badge"),
        ("{% block one %}{% endblock %}", (0,), "block:one"),
        ('<p id="a{{ n }}">x</p>', (0,), ""),
    ],
)
def test_key_of_node(source, path, key):
    assert address(source, *path).key == key


def test_moved_node_is_found_by_key():
    wanted = address('<div><p id="a">x</p></div>', 0, 0)
    assert found('<i>new</i><main><div><p id="a">changed</p></div></main>', wanted) == '<p id="a">changed</p>'


def test_moved_node_is_found_by_unique_content():
    wanted = address("<div><p>one thing</p></div>", 0, 0)
    assert found("<b>first</b><div><i>a</i><p>one thing</p></div>", wanted) == "<p>one thing</p>"


def test_path_to_a_twin_is_not_a_hit():
    wanted = address("<ul><li>a</li><li>b</li></ul>", 0, 1)
    assert found("<ul><li>b</li><li>a</li><li>c</li></ul>", wanted) == "<li>b</li>"


def test_equal_twins_are_ambiguous():
    wanted = address("<ul><li>a</li><li>b</li></ul>", 0, 1)
    assert found("<ul><li>x</li><li>y</li><li>z</li></ul>", wanted) == IssueCode.TARGET_AMBIGUOUS


def test_missing_node_is_an_issue_with_a_next_step():
    tree = parse("<p>other</p>")
    issue = resolve(tree, address(CARD, 0))
    assert isinstance(issue, Issue)
    assert (issue.code, issue.place) == (IssueCode.TARGET_MISSING, "card")
    assert issue.suggestion.endswith(".")


def test_declared_slot_wins_over_the_path():
    wanted = address('{% slot "a" %}x{% endslot %}{% slot "b" %}x{% endslot %}', 0)
    assert found('{% slot "b" %}x{% endslot %}{% slot "a" %}y{% endslot %}', wanted) == '{% slot "a" %}y{% endslot %}'


def test_slot_tags_with_repeated_names_resolve_by_path():
    source = "{% slot body %}one{% endslot %}{% slot body %}two{% endslot %}"
    assert found(source, address(source, 1)) == "{% slot body %}two{% endslot %}"


def test_slot_map_lists_declared_and_derived_slots():
    entries = slot_map('<div class="card">\n  <h2>Hi</h2>\n  {% slot "badge" %} <b>N</b> {% endslot %}\n  <h2>Ho</h2>\n</div>')
    assert [(entry.name, entry.kind, entry.tag, entry.line, entry.default) for entry in entries] == [
        ("card", "derived", "div", 1, '<h2>Hi</h2>\n  {% slot "badge" %} <b>N</b> {% endslot %}\n  <h2>Ho</h2>'),
        ("card/h2", "derived", "h2", 2, "Hi"),
        ("badge", "declared", "slot", 3, "<b>N</b>"),
        ("card/badge/b", "derived", "b", 3, "N"),
        ("card/h2[2]", "derived", "h2", 4, "Ho"),
    ]


def test_slot_map_names_are_unique():
    names = [entry.name for entry in slot_map("<i><b>{% if a %}<u><p>x</p></u>{% endif %}</b></i>" * 2)]
    assert len(set(names)) == len(names)


def test_slot_is_found_by_its_former_name():
    wanted = address('<div>{% slot "price" %}<b>1</b>{% endslot %}</div>', 0, 0)

    assert found('{% slot "amount" aliases="cost price" %}2{% endslot %}', wanted) == (
        '{% slot "amount" aliases="cost price" %}2{% endslot %}'
    )


@pytest.mark.parametrize(
    "source",
    [
        '{% slot "amount" %}2{% endslot %}',
        '{% slot "amount" aliases="price" %}2{% endslot %}{% slot "sum" aliases="price" %}3{% endslot %}',
    ],
    ids=["nobody had it", "two say that they had it"],
)
def test_slot_is_not_found_by_a_name_that_nobody_or_several_had(source):
    wanted = address('<div>{% slot "price" %}<b>1</b>{% endslot %}</div>', 0, 0)

    assert found(source, wanted) == IssueCode.TARGET_MISSING


def test_name_that_a_slot_bears_is_not_the_former_name_of_another_one():
    wanted = address('<div>{% slot "price" %}<b>1</b>{% endslot %}</div>', 0, 0)

    assert found('{% slot "price" %}2{% endslot %}{% slot "sum" aliases="price" %}3{% endslot %}', wanted) == (
        '{% slot "price" %}2{% endslot %}'
    )


def test_chain_of_blocks_is_known_by_the_former_name_of_its_slot():
    old = '{% slot "price" %}<b>x</b><i>y</i>{% endslot %}'
    new = '<b>x</b><i>z</i><b>x</b>{% slot "amount" aliases="price" %}<u>more</u><b>x</b>{% endslot %}'
    tree = parse(new)

    assert resolve(tree, address(old, 0, 0)) is tree.at((3, 1))
