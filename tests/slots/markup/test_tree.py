import time

import pytest
from hypothesis import given

from slots.markup.tree import nodes, parse, quick, serialize
from slots.markup.tree.build import careful, context_of, parse_piece
from slots.markup.tree.nodes import Tree
from tests.slots.markup.sources import soups


def outline(tree: Tree) -> list[str]:
    """Return one line a node: depth, kind, name."""
    depths = {0: 0}
    lines = []
    for node in tree.nodes[1:]:
        depths[node.order] = depths[node.parent.order] + 1
        lines.append(f"{'  ' * (depths[node.order] - 1)}{node.kind} {node.name}".rstrip())
    return lines


@given(soups)
def test_serialize_returns_every_source(source):
    assert serialize(parse(source)) == source


@given(soups)
def test_spans_nest_and_tile(source):
    tree = parse(source)
    for node in tree.nodes:
        assert node.start <= node.head <= node.open_end <= node.close <= node.end
        assert [kid.start for kid in node.kids] == [node.open_end, *(kid.end for kid in node.kids)][: len(node.kids)]
        assert not tree.lead(node).strip(" \t\n\r\f")
        assert node.kind == nodes.ROOT or not tree.tail(node).strip(" \t\n\r\f")
        assert tree.at(node.path) is node
        assert all(kid.parent is node and node.contains(kid) for kid in node.kids)


def test_elements_and_blocks_nest():
    tree = parse('{% block a %}\n<div class="x"><b>Hi</b> {{ name }}</div>\n{% endblock %}')
    assert outline(tree) == ["block block", "  element div", "    element b", "      text", "    variable {{"]


def test_separators_are_flat_kids_of_their_block():
    tree = parse("{% if a %}<p>1</p>{% elif b %}2{% else %}3{% endif %}")
    kids = tree.root.kids[0].kids
    assert [kid.kind for kid in kids] == ["element", "separator", "text", "separator", "text"]


def test_separator_outside_a_block_is_a_tag():
    assert outline(parse("{% else %}")) == ["tag else"]


@pytest.mark.parametrize(
    ("place", "kinds"),
    [
        ("", ["element", "tag"]),
        ("<p></p>", ["element", "tag"]),
        ("{% if a %}{% endif %}", ["element", "separator"]),
        ("<textarea></textarea>", ["raw", "tag"]),
        ("<textarea>{% if a %}{% endif %}</textarea>", ["raw", "separator"]),
        ("<script></script x <b></b></script>", ["element", "tag"]),
    ],
)
def test_piece_is_read_as_its_place_reads_it(place, kinds):
    innermost = parse(place).nodes[-1]

    assert [kid.kind for kid in parse_piece("<b>x</b>{% else %}", context_of(innermost)).root.kids] == kinds


def test_html_that_crosses_blocks_becomes_loose_leaves():
    tree = parse('{% if a %}<a href="/x">{% else %}<b>{% endif %}text</a>')
    assert outline(tree) == ["block if", "  loose a", "  separator else", "  loose b", "text", "close a"]


def test_unclosed_elements_inside_a_closed_one_become_loose_leaves():
    assert outline(parse("<ul><li>a<li>b</ul>")) == ["element ul", "  loose li", "  text", "  loose li", "  text"]


def test_block_opener_is_a_tag_whose_end_occurs():
    assert outline(parse("{% thing %}x{% endthing %}{% other %}")) == ["block thing", "  text", "tag other"]


def test_opener_without_end_inside_a_block_stays_a_tag():
    assert outline(parse("{% if a %}{% with b %}{% else %}{% endif %}{% with c %}{% endwith %}")) == [
        "block if", "  tag with", "  separator else", "block with",
    ]  # fmt: skip


def test_template_constructs_in_attributes_belong_to_the_tag():
    tree = parse('<a {% if x > 1 %}title=">"{% endif %} href="{% url "home" %}">t</a>')
    assert outline(tree) == ["element a", "  text"]


def test_open_tag_with_half_a_block_is_not_a_tag():
    assert outline(parse('<a {% if x %}href="b">{% else %}>{% endif %}t</a>'))[0] == "text"


def test_raw_elements_hold_lines_and_template_constructs():
    tree = parse("<script>\nlet a = '<b>';\nlet b = {{ b }};\n</script>")
    assert outline(tree) == ["element script", "  raw", "  raw", "  variable {{", "  raw"]


def test_close_tag_inside_a_construct_does_not_end_raw_text():
    tree = parse("<script>{# </script> #}x</script>")
    assert outline(tree) == ["element script", "  comment {#", "  raw"]


def test_comment_with_balanced_tags_is_one_leaf():
    assert outline(parse("<!-- {% if a %}x{% endif %} -->")) == ["comment <!--"]


def test_comment_that_crosses_a_block_is_only_its_opener():
    assert outline(parse("{% if a %}<!-- {% endif %} -->")) == ["block if", "  comment <!--", "text"]


def test_verbatim_and_comment_blocks_are_leaves():
    assert outline(parse("{% verbatim x %}{{ a }}{% endverbatim %}{% endverbatim x %}{% comment %}{% if %}{% endcomment %}")) == [
        "verbatim verbatim", "comment comment",
    ]  # fmt: skip


def test_constructs_end_at_the_line_as_in_django():
    assert outline(parse("{{ a\n}} {% b\n%}")) == ["text", "text", "text"]


def test_void_and_self_closed_elements_have_no_kids():
    assert outline(parse("<br>a<path/>b<IMG>")) == ["element br", "text", "element path", "text", "element img"]


def test_no_break_space_is_text():
    tree = parse("<b>a</b>\u00a0<b>c</b>")
    assert [node.kind for node in tree.root.kids] == ["element", "text", "element"]


def spans(tree: Tree) -> list[tuple]:
    """Return all that makes a tree."""
    return [
        (node.kind, node.name, node.start, node.head, node.open_end, node.close, node.end, node.last, node.path)
        for node in tree.nodes
    ]


@given(soups)
def test_both_ways_of_reading_agree(source):
    assert spans(parse(source)) == spans(careful(source))


@pytest.mark.parametrize(
    "source",
    [
        "a < b { c {% url 'x' %}\n <b>d</b> <br> <i/> e { {{ f }}{# g #}<!-- h --> <!doctype html> <!-- {{ i }} -->",
        '<a href=/x/{{ y }} b = \'{{ ">" }}\' {{ c }}{% url "d" %} {e} f={g}/>',
        '<a {% if x %}b="c"{% else %}d{% endif %} {% trans "e" %}>{% if x %}f{% elif y %}g{% else %}h{% endif %}</a>',
        "{% comment %}{% if a %}<b>{% endcomment %}{% else %}<p>a<p>b</i>{% for a in b %}{% empty %}<li>{% endfor %}</p>",
        "<script>\n if (a < b) { {{ c }} } {# d #} {% if e %}\n f {% endif %}{% url 'g' %}\n</script><style></style>",
    ],
)
def test_source_without_doubt_is_read_in_one_pass(source):
    tree = quick.parse(source)
    assert tree is not None
    assert spans(tree) == spans(careful(source))


@pytest.mark.parametrize(
    "source",
    [
        '<p a"b>c</p>',
        "<a <b>",
        "{{ a",
        "{% endif %}{% if a %}{% endif %}",
        "{% if a %}{% for b in c %}{% endif %}{% endfor %}",
        "{% verbatim a %}{% endverbatim %}{% endverbatim a %}",
        "{% endcomment %}{% comment %}",
        "{% comment %}{{{% endcomment %}",
        "{% if a %}{% comment %}{% endif %}{% endcomment %}",
        "<b {% comment %}>{% endcomment %}>",
        "{% if a %}<b {% else %}>{% endif %}",
        "{% if a %}<b {% endif %}>",
        "<b {% if a %}>{% endif %}",
        "<!-- {{ '--> }} -->",
        "<!-- {% if a %} -->{% endif %}",
        "<script>a",
        "<script>{{ '</script>' }}</script>",
        "<script>{% comment %}</script>{% endcomment %}</script>",
    ],
)
def test_doubtful_source_is_read_with_care(source):
    assert quick.parse(source) is None
    assert spans(parse(source)) == spans(careful(source))


HOSTILE = {
    "80 KB line of openers": "{%" * 40_000,
    "unclosed depth": "<div>" * 30_000,
    "closed depth": "<div>" * 30_000 + "</div>" * 30_000,
    "attributes": "<a " + 'x="1" ' * 100_000 + ">",
    "templated attributes": "<a " + 'x="{{ y }}" ' * 100_000 + ">",
    "unclosed quotes": '<a b="' * 40_000,
    "unclosed tags with constructs": "<a {{ x }} " * 30_000,
    "unclosed blocks": "{% if x %}" * 20_000,
    "crossing blocks": "{% if x %}<div>" * 20_000 + "{% endif %}" * 20_000,
    "separators": "{% if x %}{% else %}" * 20_000 + "{% endif %}" * 20_000,
    "separators of openers without end": "{% if a %}" * 10_000 + "{% trans %}{% else %}" * 10_000 + "{% endtrans %}{% endif %}",
    "comment openers": "<!--" * 50_000,
    "crossing comments": "{% if a %}" + "<!--{{x}}" * 30_000 + "{% endif %}-->",
    "unclosed scripts": "<script>" * 40_000,
    "nearly closed scripts": "<script></scrip" * 40_000,
    "half blocks in tags": "<a {% if x %}" * 20_000 + ">" + "{% endif %}" * 20_000,
    "equals": "<a =" * 50_000,
    "declarations": "<!" * 60_000,
    "openers in a value": '<a b="' + "{%" * 40_000 + '">',
    "openers in a comment block": "{% comment %}" + "{{" * 40_000 + "{% endcomment %}",
    "openers in raw text": "<script>" + "{#" * 40_000 + "</script>",
    "white space between signs": "a <" + " " * 100_000 + "{ " * 50_000,
    "hyphens in comments": "<!--" + "- " * 100_000 + "{{ x }}",
    "comment blocks never closed": "{% comment %}" * 20_000,
    "raw elements": "<title></title>" * 20_000,
    "openers in a comment": "<!-- " + "{%" * 100_000 + " -->",
    "blank lines at the end": "<b>x</b>" + "\n" * 200_000,
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_source_is_read_in_linear_time(source):
    began = time.process_time()
    tree = parse(source)
    assert time.process_time() - began < 5
    assert serialize(tree) == source


def test_leaves_share_one_list_of_kids_that_stays_empty():
    tree = parse("<ul>\n<li>one</li>\n<li><br></ul>{% if a %}<b>{% else %}{{ c }}{% endif %}")

    leaves = [node for node in tree.nodes if node.kind not in nodes.CONTAINERS]
    assert {node.kind for node in leaves} >= {nodes.TEXT, nodes.LOOSE, nodes.SEPARATOR, nodes.VARIABLE}
    assert all(node.kids is nodes.NO_KIDS for node in leaves)
    assert nodes.NO_KIDS == []
