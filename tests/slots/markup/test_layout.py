"""What is said to be layout is layout: the respelled source has the same tree and the same canonical form."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slots.markup import canonical
from slots.markup.layout import Respelling, is_layout, respell
from slots.markup.tree import parse, quick
from tests.slots.markup.sources import soups, well_formed

SPACES = ("", " ", "\n", "\n  ", "\t", "\f", "\r\n", "  \n\n ", "\r")
SPELLINGS = (
    lambda text: text.replace(" ", "  "),
    lambda text: text.replace('"', "'"),
    lambda text: text.replace(">", " >"),
    lambda text: text.replace(">", "/>"),
    lambda text: text.replace("/>", ">"),
    lambda text: text.replace("card wide", "wide card"),
    lambda text: text.replace("endblock", "endblock x"),
    lambda text: text.replace("<br", "<BR"),
    lambda text: text.replace("=", " = "),
)
sources = st.one_of(soups, well_formed().map("".join))


def one(source: str, old: str, new: str) -> tuple[str, Respelling]:
    """Return the source without the marks `|` around `old`, and the respelling of what stands between them."""
    start = source.index(f"|{old}|")
    return source.replace(f"|{old}|", old), Respelling(start, start + len(old), new)


LAYOUT = {
    "indentation": ("<ul>|\n  |<li>a</li></ul>", "\n  ", "\n\t"),
    "white space lost beside a block-level element": ("<div>|\n|<p>a</p></div>", "\n", ""),
    "white space new beside a block-level element": ("<b>a</b>||<p>b</p>", "", "\n"),
    "white space new before a close tag": ("<div><b>a</b>||</div>", "", "\n"),
    "white space lost after text": ("<p>a|\n|</p>", "\n", ""),
    "white space lost before text": ("<p>|\n|a</p>", "\n", ""),
    "more white space between inline elements": ("<b>a</b>| |<b>b</b>", " ", "\n\n"),
    "line end between two lines of text": ("<p>a|\n |b</p>", "\n ", " \n"),
    "white space at the beginning": ("|\n|{% if a %}b{% endif %}", "\n", ""),
    "white space at the end": ("{% if a %}b{% endif %}|\n|", "\n", ""),
    "white space after a sign that opens nothing": ("<p>a <|\n|<br></p>", "\n", ""),
    "white space after extends": ('{% extends "a" %}|\n|{% block b %}{% endblock %}', "\n", ""),
    "attributes": ('|<a id="x" class="b a">|t</a>', '<a id="x" class="b a">', "<a class='a b' id=x>"),
    "attributes with template tags": (
        '|<a  {% if b %}id="x"{% endif %}>|t</a>', '<a  {% if b %}id="x"{% endif %}>', '<a {% if b %}id="x"{% endif %}>',
    ),
    "slash of a void element": ("a|<br/>|b", "<br/>", "<br>"),
    "close tag": ("<a>t|</a >|", "</a >", "</a>"),
    "name in an end tag": ("{% block a %}b|{% endblock %}|", "{% endblock %}", "{% endblock a %}"),
}  # fmt: skip
UNSURE = {
    "white space lost between inline elements": ("<b>a</b>| |<b>b</b>", " ", ""),
    "white space lost beside a template tag": ("a{% if b %}| |c{% endif %}", " ", ""),
    "white space before an end tag": ("{% if b %}c| |{% endif %}d", " ", ""),
    "white space after an end tag": ("{% if b %}c{% endif %}| |d", " ", ""),
    "white space beside load": ("a{% load b %}| |c", " ", ""),
    "white space in pre": ("<pre>|\n|<b>a</b></pre>", "\n", "\n\n"),
    "white space before the close tag of pre": ("<pre><b>a</b>|\n|</pre>", "\n", "\n\n"),
    "white space around lines of a title": ("<title>a|\n|b</title>", "\n", " "),
    "two lines of text that become one": ("<p>a|\n|b</p>", "\n", " "),
    "brace that would open a construct": ("{|\n|{% extends 'a' %}", "\n", ""),
    "text that goes with the white space after it": ("<div>|a\n|<p>b</p></div>", "a\n", ""),
    "text that goes with the white space before a close tag": ("<div><p>b</p>|a\n|</div>", "a\n", ""),
    "text instead of white space": ("<p>|\n|<b>a</b></p>", "\n", "x"),
    "white space inside a line of text": ("<p>a| |b</p>", " ", "  "),
    "white space that is no layout": ("<div>|\n|<p>a</p></div>", "\n", "\xa0"),
    "part of the white space": ("<b>a</b>| | <b>b</b>", " ", ""),
    "white space in a tag": ("<a| |id=x>t</a>", " ", "  "),
    "other attribute": ("|<a id=x>|t</a>", "<a id=x>", "<a id=y>"),
    "more than a tag": ("|<a id=x>t|</a>", "<a id=x>t", "<a  id=x>t"),
    "tag in a comment": ("<!-- |<b >| -->", "<b >", "<b>"),
    "other element": ("|<b>|t</b>", "<b>", "<i>"),
    "slash that closes": ("|<svg>|a</svg>", "<svg>", "<svg/>"),
    "tag that is two": ("|<br>|a", "<br>", "<br><br>"),
    "other close tag": ("<b><i>a|</i>|</b>", "</i>", "</b>"),
    "other end tag": ("{% if a %}{% for b in c %}d|{% endfor %}|{% endif %}", "{% endfor %}", "{% endif %}"),
    "template tag": ("|{%  a  %}|b", "{%  a  %}", "{% a %}"),
    "end in a string": (
        '{% b %}|<a title="{{ c }}" class="{{ d }} {{ d }}">|e</a>', '<a title="{{ c }}" class="{{ d }} {{ d }}">',
        "<a title=\"{{ c }}\" class=\"{{ d }} {{ '{% endb %}' }}\">",
    ),
    "source with something doubtful": ("<p>a {% b|\n|<br></p>", "\n", "\n\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUT.values(), ids=LAYOUT.keys())
def test_layout_is_known_as_such(case):
    source, respelling = one(*case)
    tree = parse(source)

    assert canonical.equal(respell(source, [respelling]), tree)
    assert is_layout(tree, [respelling])


@pytest.mark.parametrize("case", UNSURE.values(), ids=UNSURE.keys())
def test_nothing_is_said_of_what_may_mean_something(case):
    source, respelling = one(*case)

    assert not is_layout(parse(source), [respelling])


def test_one_respelling_that_means_something_is_enough():
    source = "<div>\n<p>a</p></div><b>a</b> <b>b</b>"

    assert not is_layout(
        parse(source), [Respelling(5, 6, ""), Respelling(source.index("> <") + 1, source.index(" <b>b") + 1, "")]
    )


def test_no_respelling_is_layout_of_any_plain_source():
    assert is_layout(parse("<p>a</p>"), [])


def test_respelling_leaves_the_rest():
    assert respell("abcdef", [Respelling(1, 2, "X"), Respelling(2, 2, "Y"), Respelling(5, 6, "")]) == "aXYcde"


@st.composite
def respelled(draw):
    """Return a tree and respellings of pieces and of white space between them."""
    tree = parse(draw(sources))
    spots = set()
    for node in tree.nodes[1:]:
        spots |= {(node.start, node.head, True), (node.head, node.open_end, False)}
    for node in tree.nodes:
        if node.close < node.end:
            spots |= {(node.tail_start, node.close, True), (node.close, node.end, False)}
    spots.add((tree.root.tail_start, len(tree.source), True))
    chosen = draw(st.lists(st.sampled_from(sorted(spots)), max_size=3, unique=True))
    found, position = [], 0
    for start, end, space in sorted(chosen):
        old = tree.source[start:end]
        new = draw(st.sampled_from(SPACES)) if space else draw(st.sampled_from(SPELLINGS))(old)
        if start >= position and new != old:
            found.append(Respelling(start, end, new))
            position = end
    return tree, found


@example((parse("<b>{\n{% a %}</b>"), [Respelling(4, 5, "")]))
@given(respelled())
def test_what_is_layout_leaves_tree_and_canonical_form(case):
    tree, respellings = case
    if not is_layout(tree, respellings):
        return
    other = parse(respell(tree.source, respellings))

    assert canonical.equal(other, tree)
    shape = [(node.kind, node.name, node.last, node.index) for node in tree.nodes]
    assert [(node.kind, node.name, node.last, node.index) for node in other.nodes] == shape


def test_form_is_of_one_tag():
    assert quick.form("<a {% if b %}c{% endif %}>") == ("loose", "a", ("if", "endif"), ("if",))
    assert quick.form("<BR/>") == quick.form("<br>") == ("element", "br", (), ())
    assert [quick.form(text) for text in ("", "text", " <a>", "<a", "<a>b", "{{ a }}", "<!-- a -->")] == [None] * 7
