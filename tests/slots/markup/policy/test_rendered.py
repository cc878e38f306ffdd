"""The law behind the policy: what it accepts stays without a live script, whatever values the page is given."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.compose import compose
from slots.markup.policy import judge
from slots.markup.tree import parse
from slots.markup.web import is_web_address
from slots.renderer import SlotRenderer, plain_context, render_template
from slots.schema import Contract
from tests.slots.conftest import identified

SAMPLES = Path(__file__).parents[3] / "samples" / "policy"
BASE = (
    '{% load i18n %}<article>{% for tag in product.tags %}{{ tag }}{% endfor %}<a href="{{ product.url }}">a</a><p></p></article>'
)
CONTRACT = Contract(names=frozenset({"product"}))
HOSTILE = [
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    '" onclick="alert(1)" x="',
    "' onclick='alert(1)' x='",
    "--><script>alert(1)</script>",
    "</p><svg onload=alert(1)>",
    "`onclick=alert(1)",
    "expression(alert(1))",
    "{{ product.__class__ }}",
    "{% debug %}",
    "&lt;script&gt;",
    "javascript&colon;alert(1)",
    "x",
    "",
]
RENDERER = SlotRenderer()


def inserted(fragment):
    tree = parse(BASE)
    node = next(node for node in tree.nodes if tree.open(node) == "<p>")
    return identified(ops.Operation(ops.INSERT, describe(tree, node), payload=(fragment,), place="append"))


def rendered(operation, word):
    source = compose(BASE, [operation]).source
    # Addresses that the page's own author shows as such are the page's to answer for.
    product = dict.fromkeys(("name", "link", "brand", "colour", "nick", "sale"), word)
    product |= {"url": "/a", "tags": [word, word], "price": 12, "stock": 3, "reviews": [{"text": word}]}
    return render_template(RENDERER.template(source), plain_context({"product": product}, CONTRACT.names))


def live(html):
    """Return what in a page could run or load something, as a second, independent HTML5 parser sees it."""
    found = []
    for node in LexborHTMLParser(html).css("*"):
        if node.tag in ("script", "iframe", "object", "embed", "base", "meta", "link", "svg", "math", "style", "form"):
            found.append(node.tag)
        for name, value in node.attributes.items():
            if name.startswith("on") or name in ("srcdoc", "formaction"):
                found.append(name)
            if name in ("href", "src", "poster", "cite", "action", "srcset") and not all(
                is_web_address(each.strip().partition(" ")[0]) for each in (value or "").split(",")
            ):
                found.append(f"{name}={value}")
            if name == "style" and "url(" in (value or "").lower():
                found.append(f"style={value}")
    return found


ACCEPTED = [path.read_text("utf-8").strip() for path in sorted((SAMPLES / "accepted").glob("*.html"))]


@pytest.mark.parametrize("word", HOSTILE)
def test_accepted_samples_stay_harmless(word):
    checked = [fragment for fragment in ACCEPTED if judge([inserted(fragment)], CONTRACT, BASE) == ()]

    assert len(checked) == len(ACCEPTED)
    assert [live(rendered(inserted(fragment), word)) for fragment in checked] == [[]] * len(checked)


def test_the_second_parser_sees_what_is_live():
    assert live("<a href='java&Tab;script:x'>") == ["href=java\tscript:x"]
    assert live("<img srcset='/a 1x, javascript:b 2x' onerror=x>") == ["srcset=/a 1x, javascript:b 2x", "onerror"]


PIECES = st.sampled_from(
    [
        "<b", "<a", "<img", "<p", ">", "/>", "</b>", "</a>", "</p>", " ", "x", '"', "'", "=", "<", "&", ";", ":", "/", "#",
        ' class="', " title='", ' href="', ' src="', " onclick=", ' style="', "java", "script", "javascript:", "https://x/",
        "/path", "{{ product.name }}", "{{ product.link|web_address }}", "{{ product.url }}", "{{ product.name|urlencode }}",
        "{{ ", " }}",
        "{% if product.sale %}", "{% else %}", "{% endif %}", "{% for tag in product.tags %}", "{{ tag }}", "{% endfor %}", "{% ",
        " %}", "{# #}", "{#", "#}", "<!--", "-->", "{% comment %}", "{% endcomment %}", '{% translate "x" %}', "color: red",
        "{% with x=product.name %}", "{{ x }}", "{% endwith %}", "<script>", "</script>", "<svg", "|safe", "\n", "\t", "&#115;",
        "{{ product.name|default:'x' }}", '{{ product.tags|join:", " }}', "<details open>", "</details>", "`", "\\",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.lists(PIECES, min_size=1, max_size=14).map("".join), st.sampled_from(HOSTILE))
def test_whatever_is_accepted_stays_harmless(fragment, word):
    operation = inserted(fragment)
    if judge([operation], CONTRACT, BASE):
        return
    try:
        html = rendered(operation, word)
    except Exception:  # what Django does not compile or render shows the base, so nothing of it is live
        return

    assert live(html) == []


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, min_size=1, max_size=25).map("".join), st.sampled_from(HOSTILE))
def test_whatever_is_accepted_stays_harmless_at_length(fragment, word):
    test_whatever_is_accepted_stays_harmless.hypothesis.inner_test(fragment, word)
