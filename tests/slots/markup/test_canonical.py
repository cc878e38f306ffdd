import pytest
from hypothesis import given

from slots.markup import canonical
from slots.markup.tree import parse
from tests.slots.markup.sources import soups

SAME = {
    "attribute order": ('<a href="/x" id="y">t</a>', '<a id="y" href="/x">t</a>'),
    "quotes": ('<a href="/x">t</a>', "<a href='/x' >t</a>"),
    "class order": ('<a class="b  a">t</a>', '<a class="a b a">t</a>'),
    "style spacing": ('<p style="color:red;">t</p>', '<p style=" color: red ">t</p>'),
    "boolean attribute": ("<input checked>", '<input checked="checked">'),
    "void slash": ("<br>", "<br />"),
    "names in capitals": ("<DIV ID=x></DIV>", '<div id="x"></div>'),
    "indentation": ("<div>\n  <p>a b</p>\n</div>", "<div><p>a\n b</p></div>"),
    "lines of text": ("<p>one\ntwo</p>", "<p>one two</p>"),
    "entities": ("<p>&eacute;&nbsp;x</p>", "<p>é\u00a0x</p>"),
    "entity in a value": ('<a href="?a=1&amp;b=2">t</a>', '<a href="?a=1&b=2">t</a>'),
    "tag spacing": ("{%if a%}x{%  endif %}", "{% if a %}x{% endif %}"),
    "load as a set": ("{% load a %}{% load b c %}\nx", "{% load c b a %}x"),
    "load of names": ("{% load a b from c %}x", "{% load b from c %}{% load a from c %}x"),
    "name after endblock": ("{% block a %}x{% endblock a %}", "{% block a %}x{% endblock %}"),
}
DIFFERENT = {
    "space between inline elements": ("<b>a</b> <i>b</i>", "<b>a</b><i>b</i>"),
    "space inside an inline element": ("<b>a </b>b", "<b>a</b>b"),
    "space beside a condition": ("a{% if b %} c{% endif %}", "a{% if b %}c{% endif %}"),
    "space in pre": ("<pre>a  b</pre>", "<pre>a b</pre>"),
    "line in a script": ("<script>a\nb</script>", "<script>a b</script>"),
    "space in blocktranslate": (
        "{% blocktranslate %}a  b{% endblocktranslate %}",
        "{% blocktranslate %}a b{% endblocktranslate %}",
    ),
    "no-break space": ("<p>a\u00a0b</p>", "<p>a b</p>"),
    "space in an argument": ("{% trans 'a  b' %}", "{% trans 'a b' %}"),
    "text that looks like a tag": ("<p>&lt;b&gt;</p>", "<p><b></p>"),
    "other library": ("{% load a %}x", "{% load b %}x"),
    "attribute value": ('<a href="/x">t</a>', '<a href="/X">t</a>'),
    "class token": ('<a class="a">t</a>', '<a class="A">t</a>'),
    "style order": ('<p style="margin: 0; margin-top: 1px">t</p>', '<p style="margin-top: 1px; margin: 0">t</p>'),
    "self-closed element that is not void": ("<path/>", "<path></path>"),
    "comment": ("<!-- a --><p></p>", "<p></p>"),
    "order of blocks": ("{% if a %}x{% endif %}{% if b %}x{% endif %}", "{% if b %}x{% endif %}{% if a %}x{% endif %}"),
}


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME.keys())
def test_canonical_form_ignores(left, right):
    assert canonical.equal(left, right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_canonical_form_keeps(left, right):
    assert not canonical.equal(left, right)


@given(soups)
def test_canonical_of_tree_and_source_agree(source):
    assert canonical.canonical(source) == canonical.canonical(parse(source))


def test_separator_of_the_form_cannot_be_forged():
    assert not canonical.equal("<b>\x1e</b", "<b></b>")
    assert not canonical.equal("a\x1etb", "a b")
