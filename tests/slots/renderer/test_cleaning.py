"""The strict policy's last step: what a payload shows goes through nh3, and nothing is taken away silently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from slots.markup import ops
from slots.markup.ops import Hole, Operation
from slots.markup.payloads import ATTRIBUTE, CONTENT
from slots.renderer import PayloadRefused
from slots.renderer.cleaning import SHORT, cleaned
from tests.slots.conftest import identified
from tests.slots.markup.policy.test_rendered import live
from tests.slots.renderer.test_payload_nodes import HEAD, NAME, OLD, at, attribute, base_html, insertion, replacement, shown

SAME = [
    "<p>x</p>",
    "x &amp; y",
    '<b class="a" title="a &lt; b">x</b><br>',
    "  \n<i>x</i> ",
    '<a href="/x?a=1&amp;b=2" rel="nofollow">x</a>',
    '<img src="https://x/y.png" alt="" loading="lazy">',
    '<img srcset="/a.png 1x, /b.png 2x" src="/a.png">',
    "<tr><td>x</td></tr>",
    "<td>x</td><td>y</td>",
    "<tbody><tr><td>x</td></tr></tbody>",
    "<caption>x</caption>",
    "<col><col>",
    "<li>x</li><li>y</li>",
    '<i style="color: red; margin: 0">x</i>',
    "<!-- note --><p>x</p>",
    '<button type="button" data-action="add" disabled="">x</button>',
    '<details open=""><summary>x</summary></details>',
    '<a href="mailto:a@x">x</a><a href="tel:1">y</a>',
    "",
]
RESPELLED = {
    "<p>x": "<p>x</p>",
    "<P CLASS=a>x</p>": '<p class="a">x</p>',
    "<b title='a\"b'>x</b>": '<b title="a&quot;b">x</b>',
    "<br/>x": "<br>x",
    "a < b & c": "a &lt; b &amp; c",
}
REFUSED = [
    "<script>alert(1)</script>",
    "x<script src=/x></script>",
    '<b onclick="x">x</b>',
    "<svg><a/></svg>",
    "<math></math>",
    "<iframe></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java&#x09;script:alert(1)">x</a>',
    '<a href=" &#1;javascript:alert(1)">x</a>',
    '<a href="data:text/html,x">x</a>',
    '<img src="vbscript:x">',
    '<img srcset="/a 1x, javascript:b 2x">',
    '<video poster="data:x"></video>',
    '<blockquote cite="javascript:x">x</blockquote>',
    '<i style="background: url(/x)">x</i>',
    '<i style="position: fixed">x</i>',
    '<i style="color: red; background: \\75 rl(/x)">x</i>',
    "<form><input></form>",
    "<style>*{}</style>",
    "<base href=/>",
    "<link href=/x>",
    "<meta http-equiv=refresh>",
    "<object></object>",
    '<b srcdoc="x">x</b>',
    "<textarea>x</textarea>",
    "<title>x</title>",
    "<x-y>x</x-y>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "<table><form></form></table>",
    "<tr><td>x</td></tr></tbody></table><script></script>",
    "<tr><td>x</td></tr></tbody></table><p>x</p>",
    "<td>x</td></tr></table><b onclick=x></b>",
    "<template><b></b></template>",
]


@pytest.mark.parametrize("html", SAME)
def test_text_that_is_clean_is_shown_as_it_is(html):
    assert cleaned(CONTENT, html) == html


@pytest.mark.parametrize(("html", "expected"), RESPELLED.items())
def test_spelling_is_all_that_changes(html, expected):
    assert cleaned(CONTENT, html) == expected


@pytest.mark.parametrize("html", REFUSED)
def test_text_that_loses_something_is_refused(html):
    with pytest.raises(PayloadRefused) as refused:
        cleaned(CONTENT, html)

    assert refused.value.issue_code == "UNSAFE_HTML"


@pytest.mark.parametrize(
    ("part", "expected"),
    [(' title="x"', ' title="x"'), (" title='x'", ' title="x"'), ("", ""), (' title="a < b"', ' title="a &lt; b"')],
)
def test_attribute_is_cleaned_by_itself(part, expected):
    assert cleaned(ATTRIBUTE, part) == expected


@pytest.mark.parametrize(
    "part",
    [
        ' onclick="x"',
        ' title="x"><b></b',
        ' title="x">y',
        ' title="x"></a><b>y</b><a',
        ' href="javascript:x"',
        ' style="top: url(x)"',
        ' title="x" onclick="y"',
    ],
)
def test_attribute_that_is_more_than_one_harmless_attribute_is_refused(part):
    with pytest.raises(PayloadRefused):
        cleaned(ATTRIBUTE, part)


def test_long_text_is_cleaned_as_short_text_is():
    assert cleaned(CONTENT, "<b>x" * (SHORT // 4)) == "<b>x" * (SHORT // 4) + "</b>" * (SHORT // 4)
    with pytest.raises(PayloadRefused):
        cleaned(CONTENT, "x" * SHORT + "<script></script>")


SOUP = st.lists(
    st.sampled_from(
        [
            "<b",
            "<a",
            "<p>",
            "</p>",
            "<table>",
            "<tr>",
            "<td>",
            "</td>",
            "<svg>",
            "<math>",
            "<mtext>",
            "<style>",
            "</style>",
            "<title>",
            "<noscript>",
            "</noscript>",
            "<!--",
            "-->",
            "--!>",
            "<![CDATA[",
            "]]>",
            ">",
            "/>",
            " ",
            "x",
            '"',
            "'",
            "=",
            "<",
            "&",
            "&lt;",
            " href=",
            " src=x",
            " onerror=alert(1)",
            ' title="',
            "javascript:",
            "<script>",
            "</script>",
            "<img",
            "<template>",
            "<select>",
            "<option>",
            "\x00",
            "&#0;",
            "<br>",
            "</b>",
            "</a>",
        ]
    ),
    max_size=12,
).map("".join)


@given(SOUP, st.sampled_from([CONTENT, ATTRIBUTE]))
def test_whatever_is_shown_is_harmless_and_the_same_document(text, kind):
    try:
        found = cleaned(kind, text)
    except PayloadRefused:
        return

    around = ("<a", "></a>") if kind == ATTRIBUTE else ("", "")
    assert live(around[0] + found + around[1]) == []
    if not text.lstrip().startswith(("<tr", "<td")):
        before, after = (LexborHTMLParser(around[0] + each + around[1], is_fragment=True).html for each in (text, found))
        assert before == after


LIVE = "{{ p.name|live }}"


@pytest.mark.parametrize(
    "operation",
    [replacement(f"<p>{LIVE}</p>"), insertion(LIVE), insertion('<b onclick="x">static</b>'), attribute("onclick", "x()")],
)
def test_strict_policy_shows_the_default_of_what_it_cleaned(operation):
    html, issues = shown(operation, is_strict=True)

    assert html == base_html()
    assert [(issue.code, issue.operation) for issue in issues] == [("UNSAFE_HTML", operation.id)]


def test_standard_policy_does_not_clean():
    assert "<script>" in shown(insertion(LIVE)).html


def test_strict_policy_shows_what_is_clean():
    html, issues = shown(replacement("<p class=new>{{ p.name }}"), attribute("title", "{{ p.name }}"), is_strict=True)

    expected = base_html().replace("<p>old</p>", f'<p class="new">{NAME}</p>').replace('title="t"', f'title="{NAME}"')
    assert (html, issues) == (expected, ())


@pytest.mark.parametrize(("before", "is_shown"), [("<div>{% if p.name %}", True), ("<div>{{ p.name }}{% if p.name %}", False)])
def test_strict_policy_takes_nothing_that_it_cannot_clean(before, is_shown):
    wrap = identified(Operation(ops.WRAP, at(*OLD), (before, Hole(at(*OLD)), "{% endif %}</div>")))

    html, issues = shown(wrap, insertion("<i>x</i>", HEAD), is_strict=True)

    assert ("<div><p>old</p></div>" in html, html == base_html(), len(issues)) == (is_shown, not is_shown, not is_shown)


def test_addresses_are_checked_under_the_strict_policy_too():
    html, issues = shown(insertion('<a href="/{{ p.url }}">x</a>'), is_strict=True)

    assert ('<a href="//mug">x</a>' in html, issues) == (True, ())
