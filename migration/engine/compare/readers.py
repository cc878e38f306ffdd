"""Two independent readings of a page: libxml2 (through lxml) and lexbor (through selectolax).

libxml2 is lenient in its own way, lexbor builds the tree that browsers build. Each has blind spots, and they differ:
libxml2 drops what stands after `</html>`, lexbor drops rows outside tables. A fragment is read as the content of the element
that it needs around it, so that neither parser moves a leading script into a head or drops a leading table row.
"""

import re
from html import unescape
from typing import Final

from lxml import etree
from selectolax.lexbor import LexborHTMLParser

from migration.engine.compare.attributes import Attributes
from migration.engine.compare.page import Builder, Labels, Node

MAX_OPEN_FORMATTING: Final = 64
MAX_PAGE_DEPTH: Final = 1_000

_BEFORE: Final = r"(?:\s|<!--.*?-->)*+"
_DOCUMENT: Final = re.compile(_BEFORE + r"<(?:!doctype|html|head|body)[\s>]", re.DOTALL | re.IGNORECASE)
_DOCTYPE: Final = re.compile(_BEFORE + r"<!doctype([^>]*)>", re.DOTALL | re.IGNORECASE)
_FIRST_TAG: Final = re.compile(_BEFORE + r"<([a-z]+)[\s/>]", re.DOTALL | re.IGNORECASE)
_CONTEXT: Final = {
    "tr": "tbody",
    "td": "tr",
    "th": "tr",
    "tbody": "table",
    "thead": "table",
    "tfoot": "table",
    "caption": "table",
    "colgroup": "table",
    "col": "colgroup",
}
_FORMATTING: Final = re.compile(
    r"<(/?)(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.IGNORECASE
)  # https://html.spec.whatwg.org/multipage/parsing.html#formatting
_TOKEN: Final = re.compile(
    r"""
      (?P<text>[^<]+)
    | </(?P<close>[^>]*)>
    | <(?P<raw>script|style|xmp|iframe|noembed|noframes|plaintext)(?P<raw_attributes>(?:\s[^\s"=>]+="[^"]*")*+)>
      (?P<content>.*?)(?=</(?P=raw)>|\Z)
    | <(?P<tag>[^\s/>!?]+)(?P<attributes>(?:\s[^\s"=>]+="[^"]*")*+)>
    | <!--(?P<comment>.*?)-->
    | <[?!][^>]*>
    """,
    re.DOTALL | re.VERBOSE,
)
_FOREIGN: Final = frozenset({"svg", "math"})
# https://html.spec.whatwg.org/multipage/parsing.html#html-integration-point
_HTML_AGAIN: Final = frozenset({"foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext"})
_VOID: Final = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)


class Unreadable(Exception):
    """A parser cannot give the whole page; the message is a code, a colon and a sentence."""


def normalized(html: str) -> str:
    """Return the page as HTML's input preprocessing leaves it: without a byte order mark, every line end a line feed."""
    return html.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_with_libxml2(html: str, labels: Labels) -> tuple[Node, int]:
    """Return the canonical tree and the count of masked values.

    Raises:
        Unreadable: if libxml2 ran into one of its limits and would have dropped content.
        TooManyNodes: if the page has too many nodes.
    """
    context = _context(html)
    builder = Builder(labels, _kind(html, context))
    parser = etree.HTMLParser(huge_tree=True, encoding="utf-8")
    root = etree.fromstring(f"{'<body>' if context else ''}{html}".encode(), parser)
    for error in parser.error_log:
        if error.level == etree.ErrorLevels.FATAL:
            raise Unreadable(f"PARSER_LIMIT: libxml2 gave up ({error.message}); split the page or flatten it.")
    if root is not None:  # libxml2 makes nothing of a document that is only a doctype; lexbor then decides
        _walk(root, builder)
    return builder.finish(), builder.masked


def serialize_with_lexbor(html: str) -> str:
    """Return lexbor's own spelling of the page; the page has been read by libxml2, so its depth is bounded.

    Raises:
        Unreadable: if so many formatting elements are open that HTML's rules would multiply them.
    """
    if _open_formatting(html) > MAX_OPEN_FORMATTING:
        raise Unreadable("PARSER_LIMIT: too many formatting elements (b, i, a, …) are never closed; close them.")
    context = _context(html)
    return LexborHTMLParser(html, is_fragment=context is not None, fragment_tag=context or "div").html or ""


def read_with_lexbor(html: str, serialized: str, labels: Labels) -> Node:
    """Return the canonical tree of a page from lexbor's spelling of it, which is so regular that one pattern reads it.

    Raises:
        Unreadable: if it is not, because of odd names.
        TooManyNodes: if the page has too many nodes.
    """
    builder = Builder(labels, _kind(html, _context(html)))
    _scan(serialized, builder)
    return builder.finish()


def _context(html: str) -> str | None:
    """Return the tag that a fragment is content of, or None for a whole document."""
    if _DOCUMENT.match(html):
        return None
    first = _FIRST_TAG.match(html)
    return _CONTEXT.get(first[1].lower(), "div") if first else "div"


def _kind(html: str, context: str | None) -> Attributes:
    """Return what the root says of the page: whole or fragment, and its doctype, which decides how browsers lay it out."""
    doctype = _DOCTYPE.match(html)
    return (("context", context or "document"), ("doctype", " ".join(doctype[1].lower().split()) if doctype else ""))


def _walk(root: etree._Element, builder: Builder) -> None:
    depth = 0
    parsed = builder.labels.parsed
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            depth += 1
            if depth > MAX_PAGE_DEPTH:
                raise Unreadable(f"LIMIT_EXCEEDED: elements are nested deeper than {MAX_PAGE_DEPTH:,}; close them.")
            builder.start(parsed(element.tag, tuple(element.items())))
            if element.text:
                builder.text(element.text)
            continue
        if event == "end":
            depth -= 1
            builder.end()
        elif event == "comment":
            builder.comment(element.text or "")
        if element.tail and element is not root:
            builder.text(element.tail)


def _scan(html: str, builder: Builder) -> None:
    position = 0
    spelled = builder.labels.spelled
    still_open: list[str] = []
    for token in _TOKEN.finditer(html):
        text, close, raw, raw_attributes, content, tag, attributes, comment = token.groups()
        if token.start() != position or (close and (not still_open or still_open.pop() != close)):
            break
        position = token.end()
        if text:
            builder.text(unescape(text) if "&" in text else text)
        elif close:
            builder.end()
        elif tag:
            builder.start(spelled(tag, attributes))
            if tag in _VOID and not _is_foreign(still_open):
                builder.end()
            else:
                still_open.append(tag)
        elif raw:
            builder.start(spelled(raw, raw_attributes))
            builder.text(content)
            still_open.append(raw)
        elif comment:
            builder.comment(comment)
    if position != len(html) or still_open:
        raise Unreadable("PARSER_LIMIT: a tag of the page cannot be read back; check names of tags and attributes.")


def _is_foreign(still_open: list[str]) -> bool:
    """Say whether elements here are SVG or MathML, where no tag is void."""
    turning = (tag.lower() for tag in reversed(still_open) if tag.lower() in _FOREIGN or tag.lower() in _HTML_AGAIN)
    return next(turning, "") in _FOREIGN


def _open_formatting(html: str) -> int:
    """Return how many formatting elements are open at most at one place."""
    still_open: dict[str, int] = {}
    most = total = 0
    for close, tag in _FORMATTING.findall(html):
        name = tag.lower()
        count = still_open.get(name, 0)
        if close and count:
            still_open[name] = count - 1
            total -= 1
        elif not close:
            still_open[name] = count + 1
            total += 1
            most = max(most, total)
    return most
