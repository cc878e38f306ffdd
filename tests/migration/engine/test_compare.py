"""Comparison of rendered pages: samples, laws, seeded mutations, limits."""

import json
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.engine.compare import DEFAULT_MASKS, MAX_PAGE_BYTES, Mask, compare
from migration.engine.compare.limits import MAX_OPEN_FORMATTING, MAX_PAGE_DEPTH, MAX_PAGE_NODES
from tests.conftest import examples

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "compare").iterdir())

CARD = """<article class="card wide" id="card-7" data-sku="A-7">
  <header><h3>Kettle <small>1.7 l</small></h3></header>
  <a href="/p/7?ref=a&amp;x=1" title="To the kettle"><img src="/k.png" alt="A kettle" loading="lazy"></a>
  <p style="color: #333; margin: 0 0 4px">Boils <b>fast</b> and <i>quietly</i>.</p>
  <pre>art  7
  black</pre>
  <ul><li>Steel</li><li>2 years</li><li>230 V</li></ul>
  <form method="post" action="/cart"><input type="hidden" name="csrfmiddlewaretoken" value="abc123">
    <label>Amount <input name="amount" type="number" value="1" required></label>
    <select name="colour"><option value="b" selected>Black</option><option value="w">White</option></select>
    <textarea name="note">a
 b</textarea><button disabled>Buy now</button></form>
  <table><thead><tr><th>Unit</th></tr></thead><tbody><tr><td>kg</td><td>1.2</td></tr></tbody></table>
  <script>track("7",  "view")</script>
</article>
"""

PIECES = (
    "<p>|</p>|<div class='a b'>|</div>|<b>|</b>|<tr>|<td>|<table>|</table>|<pre>|</pre>|x| |\n|\u00a0|<br>|<!-- c -->|<li>|<ul>"
    "|<!--[if IE]>x<![endif]-->|<script>|</script>|<a href=1>|</a>|&amp;|<|>|<input disabled>|</body>|<svg viewBox='0'>|</svg>"
    '|<option>|<select>|<body>|<html>|<!doctype html>|<head>|<title>|<p "x">|\x00|\r|</ul>'
).split("|")

pieces = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_sample(sample):
    left, right = ((sample / name).read_bytes().decode() for name in ("left.html", "right.html"))
    expected = json.loads((sample / "expected.json").read_text(encoding="utf-8"))

    result = compare(left, right)

    assert (result.equal, result.proven) == (expected["equal"], expected["proven"]), result
    assert result.first_difference.endswith(expected["first_difference"]), result
    assert bool(result.first_difference) != result.equal
    assert [problem.split(":")[0] for problem in result.problems] == ([expected["problem"]] if expected["problem"] else [])


def test_samples_find_more_differences_than_equalities():
    assert len([sample for sample in SAMPLES if sample.name.startswith("unequal_")]) > len(SAMPLES) / 2


@settings(max_examples=examples(60))
@given(pieces, pieces)
def test_verdict_digests_and_similarity_agree_both_ways(left, right):
    result, mirrored = compare(left, right), compare(right, left)

    assert result.equal == (result.left_digest == result.right_digest) == (result.similarity == 1.0)
    assert 0 <= result.similarity <= 1
    assert (mirrored.equal, mirrored.similarity, mirrored.proven) == (result.equal, result.similarity, result.proven)
    assert (mirrored.left_digest, mirrored.right_digest) == (result.right_digest, result.left_digest)
    assert bool(result.first_difference) != result.equal
    assert result.proven <= result.equal


@given(pieces)
def test_page_equals_itself(page):
    result = compare(page, page)

    assert (result.equal, result.similarity, result.first_difference) == (True, 1.0, "")


def mutations(page):
    """Yield (name, page) with one visible change each; every place of the page gets its turn."""
    for match in re.finditer(r"[A-Za-z0-9]+(?=[^<>]*<)", re.sub(r"abc123", "······", page)):
        yield f"text {match.start()}", page[: match.start()] + "X" + page[match.end() :]
    for match in re.finditer(r"<(?!/|!)([a-z0-9]+)", page):
        yield f"attribute added {match.start()}", page[: match.end()] + ' data-mutant="1"' + page[match.end() :]
    for match in re.finditer(r' ([a-z-]+)="([^"]*)"', page):
        yield f"attribute removed {match.start()}", page[: match.start()] + page[match.end() :]
        if match[2] != "abc123":
            yield f"attribute changed {match.start()}", page[: match.end() - 1] + "x" + page[match.end() - 1 :]
    for match in re.finditer(r" (disabled|required|selected)\b", page):
        yield f"boolean removed {match.start()}", page[: match.start()] + page[match.end() :]
    for match in re.finditer(r"<(li|td|option|small|b|i|img|input)\b[^>]*>(?:[^<]*</\1>)?", page):
        yield f"element removed {match.start()}", page[: match.start()] + page[match.end() :]
        yield f"element doubled {match.start()}", page[: match.end()] + match[0] + page[match.end() :]
    for tag, other in (("b", "strong"), ("i", "em"), ("h3", "h4"), ("header", "div"), ("td", "th"), ("label", "span")):
        yield f"renamed {tag}", re.sub(rf"<(/?){tag}\b", rf"<\1{other}", page)
    yield "moved", page.replace("<li>Steel</li><li>2 years</li>", "<li>2 years</li><li>Steel</li>")
    yield "inline space", page.replace("<b>fast</b> and", "<b>fast</b>and")
    yield "space in script", page.replace('"7",  "view"', '"7", "view"')
    yield "space in textarea", page.replace("a\n b</textarea>", "a\nb</textarea>")
    yield "space in pre", page.replace("art  7", "art 7")


RESPELLINGS = {
    "upper-case tags": lambda page: re.sub(r"</?[a-z0-9]+", lambda match: match[0].upper(), page),
    "single quotes": lambda page: re.sub(r'="([^"]*)"(?=[^<]*>)', r"='\1'", page),
    "class order": lambda page: page.replace("card wide", "wide  card"),
    "style order": lambda page: page.replace("color: #333; margin: 0 0 4px", "margin:0 0 4px;COLOR:#333;"),
    "boolean values": lambda page: page.replace("disabled", 'disabled="disabled"').replace("required", 'required=""'),
    "indentation": lambda page: re.sub(r"\n  <(?!pre)", "\n\t\t<", page),
    "no line feeds between blocks": lambda page: re.sub(r"(</[a-z]+>)\n\s*<(ul|p|table|pre|form)", r"\1<\2", page),
    "comments": lambda page: page.replace("<li>", "<!-- item --><li>"),
    "numeric entities": lambda page: page.replace("Boils", "&#66;oils").replace("&amp;", "&#x26;"),
    "end tags left out": lambda page: page.replace("</li>", "").replace("</td>", "").replace("</option>", ""),
    "CSRF token": lambda page: page.replace("abc123", "zzz999"),
    "line ends": lambda page: page.replace("\n", "\r\n"),
    "attribute order": lambda page: page.replace('id="card-7" data-sku="A-7"', 'data-sku="A-7" id="card-7"'),
    "byte order mark": lambda page: "\ufeff" + page,
}


def test_no_mutation_passes():
    mutants = list(mutations(CARD))

    passed = [name for name, mutant in mutants if mutant == CARD or compare(CARD, mutant).equal]

    assert passed == []
    assert len(mutants) > 140


@pytest.mark.parametrize("respell", list(RESPELLINGS.values()), ids=list(RESPELLINGS))
def test_harmless_respelling_is_proven_equal(respell):
    respelled = respell(CARD)

    result = compare(CARD, respelled)

    assert respelled != CARD
    assert result.proven, result


@pytest.mark.slow
def test_mutations_under_respellings_never_pass():
    chance = random.Random(20261123)
    mutants = list(mutations(CARD))
    for name, mutant in mutants:
        for respell in chance.sample(list(RESPELLINGS.values()), 3):
            assert not compare(CARD, respell(mutant)).equal, name


def test_similarity_falls_with_the_size_of_the_change():
    word = compare(CARD, CARD.replace("quietly", "loudly")).similarity
    item = compare(CARD, CARD.replace("<li>Steel</li>", "")).similarity
    form = compare(CARD, re.sub(r"<form.*</form>", "", CARD, flags=re.DOTALL)).similarity
    nothing = compare(CARD, "<p>gone</p>").similarity

    assert 1 > word > form > nothing > 0
    assert 1 > item > form
    assert word > 0.97
    assert nothing < 0.1


def test_similarity_counts_moved_content_for_half():
    items = [f"<li>item number {number}</li>" for number in range(8)]
    left = f"<ul>{''.join(items)}</ul>"
    swapped = f"<ul>{''.join(items[4:] + items[:4])}</ul>"
    replaced = f"<ul>{''.join(items[:4])}{'<li>quite another one</li>' * 4}</ul>"

    assert compare(left, replaced).similarity < compare(left, swapped).similarity < 1


def test_wrapped_content_still_counts():
    left = "<h3>a b c d e f</h3><p>g h i j k l</p>"

    assert compare(left, f"<div>{left}</div>").similarity > compare(left, "<div><p>m n o p q r s t u v</p></div>").similarity


@pytest.mark.parametrize("count", [100, 20_000])
def test_words_of_a_text_count_from_both_ends(count):
    words = [f"word{number}" for number in range(count)]
    others = [*words[:20], "other\xa0one", *words[30:]]

    found = compare(f"<p>{' '.join(words)}</p>", f"<p>{' '.join(others)}</p>").similarity

    shared, left, right = 2 + 20 + count - 30, 3 + count, 3 + count - 9  # a blank that does not break parts no words in a weight
    assert found == pytest.approx(2 * shared / (left + right), rel=0.02)


def test_masks_are_counted_on_both_pages():
    page = '<input name="csrfmiddlewaretoken" value="{}"><script nonce="{}">a()</script><meta name="csrf-token" content="{}">'

    result = compare(page.format(1, 2, 3), page.format(4, 5, 6))

    assert (result.equal, result.masked) == (True, 6)
    assert not compare(page.format(1, 2, 3), page.format(4, 5, 6), masks=()).equal


def test_masks_may_be_added():
    mask = Mask("session", "data-session", "body")
    left, right = '<body data-session="1">', '<body data-session="2">'

    assert not compare(left, right).equal
    assert compare(left, right, masks=(*DEFAULT_MASKS, mask)).proven


LIMITS = {
    "bytes": ("x" * (MAX_PAGE_BYTES + 1), "LIMIT_EXCEEDED"),
    "attributes of a tag": ("<p " + " ".join(f"a{number}=1" for number in range(10_001)) + ">x</p>", "LIMIT_EXCEEDED"),
    "attributes of many tags": (("<p " + "a='>' b=\"<\" c " * 1_200 + ">x</p>") * 8, "LIMIT_EXCEEDED"),
    "attributes of one body": ("".join(f"<body a{number}=1>" for number in range(10_001)), "LIMIT_EXCEEDED"),
    "attributes behind a quote in a script": ("<script>a<b='</script><p " + "a " * 10_001 + ">x</p>", "LIMIT_EXCEEDED"),
    "attributes behind an empty comment": ("<!--><p " + "a " * 10_001 + ">x</p>", "LIMIT_EXCEEDED"),
    "attributes behind values with ends": ("<p " + "a='>' " * 10_001 + ">x</p>", "LIMIT_EXCEEDED"),
    "styles": ("".join(f'<p style="{"a:b;" * 500}p{number}:1">x</p>' for number in range(500)), "LIMIT_EXCEEDED"),
    "nodes": ("<br>" * MAX_PAGE_NODES, "LIMIT_EXCEEDED"),
    "signs that begin references": ("&" * 1_000_001, "LIMIT_EXCEEDED"),
    "signs that begin tags": ("<!---->" * (5 * MAX_PAGE_NODES // 2 + 1), "LIMIT_EXCEEDED"),
    "depth": ("<div>" * (MAX_PAGE_DEPTH + 1), "LIMIT_EXCEEDED"),
    "depth of the parser": ("<div>" * 5000, "PARSER_LIMIT"),
    "surrogate": ("<p>\ud800</p>", "PAGE_NOT_TEXT"),
    "open formatting": ("".join(f"<b id={number}><p>" for number in range(MAX_OPEN_FORMATTING + 1)), "PARSER_LIMIT"),
}


@pytest.mark.parametrize(
    ("page", "code"),
    [pytest.param(*case, id=name, marks=[pytest.mark.slow] if name == "styles" else []) for name, case in LIMITS.items()],
)
def test_page_beyond_a_limit_is_never_proven(page, code):
    same, other = compare(page, page), compare(page, page + " ")

    assert [problem.split(":")[0] for problem in same.problems] == [code]
    assert (same.equal, same.proven) == (True, False)
    assert not other.proven
    assert other.problems


def test_text_that_only_looks_like_attributes_counts_for_nothing():
    words = "a b " * 10_000
    page = f'<p title="{words}" class=\'{words}\' a = "{words}">a <b>{words}</b></p>'

    assert compare(page, page.replace("<p", "<P")).proven


@pytest.mark.slow
def test_page_just_within_the_limits_is_proven():
    assert compare("<br>" * (MAX_PAGE_NODES - 3), "<BR>" * (MAX_PAGE_NODES - 3)).proven
    assert compare("<div>" * (MAX_PAGE_DEPTH - 2), "<DIV>" * (MAX_PAGE_DEPTH - 2)).proven
    assert compare("<b>" * 60 + "x", "<B>" * 60 + "x").proven


def test_void_names_inside_svg_are_ordinary_elements():
    page = "<p><svg viewBox='0'><input disabled><input disabled><br></svg></p>"

    assert compare(page, page.replace("<p>", "<P>")).proven
    assert not compare(page, page.replace("<br>", "<br><br>")).equal


def test_unread_page_does_not_equal_a_read_one():
    result = compare("<p>" + "x" * MAX_PAGE_BYTES, "<p>x")

    assert (result.equal, result.similarity, result.proven) == (False, 0.0, False)


def test_long_texts_are_cut_around_the_difference():
    text = "word " * 100

    result = compare(f"<p>{text}left {text}</p>", f"<p>{text}right {text}</p>")

    assert "left" in result.first_difference
    assert len(result.first_difference) < 250


def page_of(count, chance):
    card = '<div class="card c{0}" id="c{1}"><h3>Title {1}</h3><p style="color:red">{2} <b>of</b></p></div>\n'
    cards = [card.format(number % 7, number, chance.randrange(99)) for number in range(count // 4)]
    return f"<!doctype html><html><head><title>t</title></head><body>{''.join(cards)}</body></html>"


@pytest.mark.slow
def test_two_pages_of_ten_thousand_elements_are_told_apart_within_the_budget():
    left = page_of(10_000, random.Random(1))
    right = page_of(10_000, random.Random(2)).replace("Title 100<", "Heading 100<")

    started = time.process_time()
    result = compare(left, right)

    assert not result.equal
    assert time.process_time() - started < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("<p>a</p>" * 20_000, "<p>b</p>" * 20_000),
        ("<p>a</p><p>b</p>" * 10_000, "<p>b</p><p>a</p>" * 10_000),
        ("<i>x</i>" * 30_000, "<i>x</i><b>y</b>" * 15_000),
        ("<div><p>x" * 400, "<div><p>y" * 400),
        ("".join(f"<p>{n}</p>" for n in range(20_000)), "".join(f"<p>{n}</p>" for n in reversed(range(20_000)))),
        ("<!--" * 50_000, "<!-- " * 50_000),
        ("<!-- x -->" * 50_000 + "a", "<!-- y -->" * 50_000 + "b"),
        ("<a " * 50_000, "<a  " * 50_000),
        ("<p style='" + "a:b;" * 20_000 + "'>", "<p style='" + "a:c;" * 20_000 + "'>"),
    ],
)
def test_pages_made_to_be_slow_are_not(left, right):
    started = time.process_time()

    compare(left, right)

    assert time.process_time() - started < 10
