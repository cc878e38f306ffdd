"""Canonical texts: what cannot be spelled, where white space counts, what is shared, what must be balanced."""

import tracemalloc

import pytest

from migration.engine.compare import DEFAULT_MASKS, compare, lexbor, libxml2
from migration.engine.compare.limits import OddNames
from migration.engine.compare.markup import is_deeper
from migration.engine.compare.spelling import Speller, unspelled


def spell(markup: str) -> str:
    text = Speller(DEFAULT_MASKS).spell(markup, ()).text
    return text.removeprefix("<#page>").removesuffix("</#page>")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>\n a \n<b> b </b> c </p>\n", "<p>a <b> b </b> c</p>"),
        ("<i>a</i> <p>b</p> <i>c</i> <i>d</i>", "<i>a</i><p>b</p><i>c</i> <i>d</i>"),
        ("a <pre>\n  b <p> c </p></pre> d", "a<pre>  b <p> c </p></pre>d"),
        ('<i style="white-space:pre"> a <p> b  </p></i> <p> c </p>', '<i style="white-space:pre"> a <p> b  </p></i><p>c</p>'),
        ("<head><meta></meta> a <title> b </title></head>", "<head><meta></meta> a<title>b</title></head>"),
        ("<head></head><p>a</p>", "<p>a</p>"),
        ("<table><tr></tr> <tr></tr></table>", "<table><tbody><tr></tr><tr></tr></tbody></table>"),
        ("<table><col></col><tr></tr><p></p></table>", "<table><col></col><tbody><tr></tr></tbody><p></p></table>"),
        ("<table><thead><tr></tr></thead></table>", "<table><thead><tr></tr></thead></table>"),
        ('<P TITLE="a  b" CLASS="y x">a</P>', '<p class="x\x01y" title="a\x01\x01b">a</p>'),
        ('<p z="1" a="2">"&amp;\x01\x03</p>', '<p a="2" z="1">&quot;&amp;&#1;&#3;</p>'),
        ('<p z="1" Z="2">a</p>', '<p z="1">a</p>'),
        ('<p title="a>b" disabled="x">a</p>', '<p disabled="" title="a&gt;b">a</p>'),
    ],
)  # fmt: skip
def test_canonical_text(markup: str, text: str) -> None:
    assert spell(markup) == text


@pytest.mark.parametrize("markup", ["<p", "<a<b>x</a<b>", '<p"x>a</p"x>', "<a&b>x</a&b>", '<p =a="1"></p>', "<p\x03></p\x03>"])
def test_names_that_cannot_be_told_apart_are_refused(markup: str) -> None:
    with pytest.raises(OddNames):
        spell(markup)


def test_a_tag_that_is_known_is_no_excuse_for_one_without_an_end() -> None:
    speller = Speller(DEFAULT_MASKS)
    speller.spell("<p>a</p>", ())

    with pytest.raises(OddNames):
        speller.spell("<p", ())


def test_masks_count_each_time_a_piece_occurs() -> None:
    markup = '<b nonce="1">x</b><b nonce="1">x</b><i nonce="1"><b>x</b></i><pre><b nonce="1">x</b></pre>'

    assert Speller(DEFAULT_MASKS).spell(markup, ()).masked == 4


def test_both_parsers_spell_odd_names_alike() -> None:
    page = '<div><a<b title="x" c<!--="1">y</a<b></div>'

    assert libxml2.read(page, odd_names=True) == (
        f"<html><body>{lexbor.markup(lexbor.serialize(page), odd_names=True)}</body></html>"
    )


def test_unbalanced_markup_of_lexbor_is_refused() -> None:
    with pytest.raises(OddNames):
        lexbor.markup("<p>a</p><b>")


@pytest.mark.parametrize(
    ("serialized", "markup"),
    [
        ('<br>a<img alt="b">', '<br></br>a<img alt="b"></img>'),
        ("<svg><br>a</br></svg><br>", "<svg><br>a</br></svg><br></br>"),
        ("<math><mi><br></mi></math>", "<math><mi><br></br></mi></math>"),
        ("<!DOCTYPE html><script>a<!-- b --></script><!-- c -->", "<script>a&lt;!-- b --&gt;</script>"),
        ("<!--[if IE]><p><![endif]-->", "<#comment>[if IE]&gt;&lt;p&gt;&lt;![endif]</#comment>"),
        ("<plaintext>a<b", "<plaintext>a&lt;b</plaintext>"),
    ],
)
def test_markup_of_lexbor(serialized: str, markup: str) -> None:
    assert lexbor.markup(serialized) == markup


@pytest.mark.parametrize("around", ["<b>{}</b>", "<i>x</i><b>{}</b>y", "<section><p>long text</p>{}</section>"])
@pytest.mark.parametrize("depth", [1, 2, 17, 100])
def test_depth_is_told_to_the_level(around: str, depth: int) -> None:
    markup = ""
    for _ in range(depth):
        markup = around.format(markup)

    deepest = depth + ("<p>" in around)

    assert is_deeper(markup, deepest - 1)
    assert not is_deeper(markup, deepest)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ('<p "x">a</p>', '<P "x">a</P>', True),
        ('<p "x">a &amp; b</p>', '<p "y">a &amp; b</p>', False),
        ('<p "x">a &amp;lt; b</p>', '<p "x">a &lt; b</p>', False),
        ('<a title="</a>">b</a>', "<a title='</a>'>b</a>", True),
        ('<a title="</a>">b</a>', '<a title="</i>">b</a>', False),
        ('<p"x>a</p"x>', '<p"y>a</p"y>', False),
        ('<tab"le><tr><td>a</table>', '<tab"le><tr><td>a </table>', False),  # the parsers disagree
        ("<a<b>x</a<b>", "<a&#60;b>x</a&#60;b>", False),
        ("<p>a</p><math<!-- c -->>b", "<p>a</p><MATH<!-- c -->>b", True),
        ("<script>a &amp; b</script>", "<script>a & b</script>", False),
        ("<svg><br></svg><style>a > b</style>", "<svg><BR></svg><style>a > c</style>", False),
        ('<!doctype html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><p>a<br>b', "<!doctype html><p>a<br>b", False),
    ],
)
def test_odd_spellings(left: str, right: str, equal: bool) -> None:
    assert compare(left, right).equal is equal


@pytest.mark.parametrize("text", ["&lt;", "&amp;lt; &", "< > \" ' &", "&#38;amp;", "\x01&#1; &quot;", "a  b"])
def test_text_is_spelled_and_read_back(text):
    html = f"<pre>{text.replace('&', '&amp;').replace('<', '&lt;')}</pre>"
    spelled = Speller(()).spell(libxml2.read(html), ()).text
    inner = spelled.partition("<pre>")[2].partition("</pre>")[0]

    assert unspelled(inner) == text


@pytest.mark.parametrize(("piece", "times"), [("word \n", 16), ('a "', 36)])
def test_page_of_one_text_is_never_held_in_all_its_pieces(piece, times):
    text = piece * 100_000
    tracemalloc.start()
    compare(f"<p>{text}</p>", f"<p>{text}.</p>")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < times * len(text)
