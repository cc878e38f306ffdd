"""Clean what a payload shows, as the strict policy wants it: the last thing that happens to it.

nh3 (html5ever with an allow-list) takes away what is on no list of the policy; addresses and styles are judged as the policy
judges them, styles by tinycss2. Nothing is changed silently: a second parser (lexbor) has to see the same document in what comes
out as in what went in, else the payload is refused and its default shows. What is shown is always nh3's text, so a way to
deceive the comparison gains nothing. Cost: two parses of each parser for each distinct text; short ones are remembered.
"""

import re
from functools import lru_cache
from typing import Final

import nh3
from selectolax.lexbor import LexborHTMLParser

from slots.errors import IssueCode
from slots.markup.payloads import ATTRIBUTE
from slots.markup.policy import rules, styles
from slots.markup.tree import attributes
from slots.markup.web import SCHEMES, is_web_address
from slots.renderer.limits import PayloadRefused

REMEMBERED: Final = 1_024
SHORT: Final = 8_000  # characters; longer texts are cleaned each time
_FIRST = re.compile(r"(?:[^<]|<!--)*?<([a-zA-Z][a-zA-Z0-9]*)")
_CANDIDATE = re.compile(r"\s*(\S+)[^,]*,?")
# What has to stand around an element for a parser to take it for one.
_TABLE: Final = ("<table>", "</table>")
_ROWS: Final = ("<table><tbody>", "</tbody></table>")
_CELLS: Final = ("<table><tbody><tr>", "</tr></tbody></table>")
AROUND: Final = {
    **dict.fromkeys(("caption", "colgroup", "tbody", "tfoot", "thead"), _TABLE),
    **dict.fromkeys(("td", "th"), _CELLS),
    "tr": _ROWS,
    "col": ("<table><colgroup>", "</colgroup></table>"),
}


def cleaned(kind: str, html: str) -> str:
    """Return the rendered text of a payload as nh3 spells it; `kind` is that of its span.

    Raises:
        PayloadRefused: cleaning takes something away or moves it.
    """
    clean = _attribute if kind == ATTRIBUTE else _content
    return _remembered(kind, html) if len(html) <= SHORT else clean(html)


@lru_cache(maxsize=REMEMBERED)
def _remembered(kind: str, html: str) -> str:
    return _attribute(html) if kind == ATTRIBUTE else _content(html)


def _content(html: str) -> str:
    first = _FIRST.match(html)
    before, after = AROUND.get(first[1].lower(), ("", "")) if first else ("", "")
    clean = _same(f"{before}{html}{after}")
    if not (clean.startswith(before) and clean.endswith(after)):
        raise _refused(html)
    return clean[len(before) : len(clean) - len(after)]


def _attribute(part: str) -> str:
    """Return one attribute, which is cleaned on an element that may have any; nothing may be in or after that."""
    clean = _same(f"<a{part}></a>")
    element = LexborHTMLParser(clean, is_fragment=True).root
    if element is None or element.tag != "a" or element.child is not None or element.next is not None:
        raise _refused(part)
    return clean[len("<a") : -len("></a>")]


def _same(html: str) -> str:
    """Return what nh3 makes of a text, where that is the same document."""
    clean = _CLEANER.clean(html)
    if _document(clean) != _document(html):
        raise _refused(html)
    return clean


def _document(html: str) -> str:
    return LexborHTMLParser(html, is_fragment=True).html or ""


def _refused(html: str) -> PayloadRefused:
    text = f"The strict policy takes something away from {' '.join(html.split())[:80]!r}."
    return PayloadRefused(IssueCode.UNSAFE_HTML, text)


def _kept(_element: str, attribute: str, value: str) -> str | None:
    """Return the value of an attribute that may stay, else None."""
    if attribute == "style":
        declared = attributes.declarations(value)
        return None if any(True for name, each in declared for _ in styles.problems(name, each)) else value
    if attribute in rules.ADDRESSES:
        return value if is_web_address(value) else None
    if attribute in rules.ADDRESS_LISTS:
        return value if all(map(is_web_address, _CANDIDATE.findall(value))) else None
    return value


_CLEANER: Final = nh3.Cleaner(
    tags=set(rules.ELEMENTS),
    attributes={"*": set(rules.ATTRIBUTES)},
    generic_attribute_prefixes={"aria-", "data-"},
    attribute_filter=_kept,
    url_schemes=set(SCHEMES),
    link_rel=None,
    strip_comments=False,
    clean_content_tags={"script", "style"},
)
