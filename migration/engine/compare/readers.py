"""Two independent readings of a page: libxml2 (through lxml) and lexbor (through selectolax).

libxml2 is lenient in its own way, lexbor builds the tree that browsers build. Each has blind spots, and they differ:
libxml2 drops what stands after `</html>`, lexbor drops rows outside tables. A fragment is read as the content of the element
that it needs around it, so that neither parser moves a leading script into a head or drops a leading table row.
"""

import re
from typing import Final

from lxml import etree
from selectolax.lexbor import LexborHTMLParser

from migration.engine.compare.attributes import Attributes
from migration.engine.compare.page import Node
from migration.engine.compare.tokens import MAX_PAGE_NODES, START, TooManyNodes, Unreadable, Vocabulary

MAX_OPEN_FORMATTING: Final = 64

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
    r"<(/?(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u))[\s/>]", re.IGNORECASE
)  # https://html.spec.whatwg.org/multipage/parsing.html#formatting
_ENDED: Final = r"(?:[^<]*+</[^>]*+>)?+"  # an element that holds a text only is one token
_XML_TOKEN: Final = re.compile(rf"{START}{_ENDED}|[^<]++|</[^>]*+>|<!--.*?-->", re.DOTALL)
_VOID: Final = "area|base|basefont|bgsound|br|col|embed|frame|hr|img|input|keygen|link|meta|param|source|track|wbr"
_RAW: Final = "script|style|xmp|iframe|noembed|noframes|plaintext"
_RAW_ELEMENT: Final = "|".join(rf"(?=<{tag}[\s>]){START}.*?(?:</{tag}>|\Z)" for tag in _RAW.split("|"))
_SPECIAL: Final = rf"(?=<(?:{_VOID}|{_RAW})[\s>])(?:{_RAW_ELEMENT}|{START})"  # spelled as canonical XML does not
_HTML_TOKEN: Final = re.compile(
    rf"[^<]++|</[^>]*+>|(?!<(?:{_VOID}|{_RAW})[\s>]){START}{_ENDED}|{_SPECIAL}|<!--.*?-->|<[?!][^>]*+>", re.DOTALL
)
_NOT_XML: Final = re.compile(rf"<(?:{_VOID}|{_RAW})[\s>]")
_SPLIT: Final = re.compile(rf"({START})(.*?)(</[^<>]*>|)", re.DOTALL)
_FOREIGN: Final = frozenset({"svg", "math"})
# https://html.spec.whatwg.org/multipage/parsing.html#html-integration-point
_HTML_AGAIN: Final = frozenset({"foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext"})


def normalized(html: str) -> str:
    """Return the page as HTML's input preprocessing leaves it: without a byte order mark, every line end a line feed."""
    return html.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_with_libxml2(html: str, vocabulary: Vocabulary) -> tuple[Node, int]:
    """Return the canonical tree and the count of masked values.

    Raises:
        Unreadable: if libxml2 ran into one of its limits and would have dropped content.
        TooManyNodes: if the page has too many nodes.
    """
    context = _context(html)
    parser = etree.HTMLParser(huge_tree=True, encoding="utf-8")
    root = etree.fromstring(f"{'<body>' if context else ''}{html}".encode(), parser)
    for error in parser.error_log:
        if error.level == etree.ErrorLevels.FATAL:
            raise Unreadable(f"PARSER_LIMIT: libxml2 gave up ({error.message}); split the page or flatten it.")
    # libxml2 makes nothing of a document that is only a doctype; lexbor then decides
    return vocabulary.read([] if root is None else _tokens(root, vocabulary), _kind(html, context))


def serialize_with_lexbor(html: str) -> str:
    """Return lexbor's own spelling of the page; the page has been read by libxml2, so its depth is bounded.

    Raises:
        Unreadable: if so many formatting elements are open that HTML's rules would multiply them.
    """
    if _open_formatting(html) > MAX_OPEN_FORMATTING:
        raise Unreadable("PARSER_LIMIT: too many formatting elements (b, i, a, …) are never closed; close them.")
    context = _context(html)
    return LexborHTMLParser(html, is_fragment=context is not None, fragment_tag=context or "div").html or ""


def read_with_lexbor(html: str, serialized: str, vocabulary: Vocabulary) -> Node:
    """Return the canonical tree of a page from lexbor's spelling of it, which is so regular that one pattern reads it.

    Raises:
        Unreadable: if it is not, because of odd names.
        TooManyNodes: if the page has too many nodes.
    """
    tokens = _HTML_TOKEN.findall(serialized)
    if sum(map(len, tokens)) != len(serialized):
        raise Unreadable("PARSER_LIMIT: a tag of the page cannot be read back; check names of tags and attributes.")
    spelled = {token: _as_xml(token) for token in set(filter(_NOT_XML.match, tokens))}
    if spelled:
        is_html = "<svg" not in serialized and "<math" not in serialized
        tokens = [spelled.get(token, token) for token in tokens] if is_html else _outside_foreign(tokens, spelled)
    return vocabulary.read(tokens, _kind(html, _context(html)))[0]


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


def _tokens(root: etree._Element, vocabulary: Vocabulary) -> list[str]:
    """Return a tree as tokens; canonical XML spells it quickly, and what it cannot spell without ambiguity is walked."""
    spelled = etree.tostring(root, method="c14n").decode()
    if spelled.count("</") > MAX_PAGE_NODES and sum(1 for _ in root.iter(etree.Element)) > MAX_PAGE_NODES:
        raise TooManyNodes
    tokens = _XML_TOKEN.findall(spelled)
    return tokens if sum(map(len, tokens)) == len(spelled) else _walked(root, vocabulary)


def _walked(root: etree._Element, vocabulary: Vocabulary) -> list[str]:
    tokens: list[str] = []
    ends: list[str] = []
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            start, end = vocabulary.register(node.tag, node.items())
            tokens.append(start)
            ends.append(end)
            if node.text:
                tokens.append(_escaped(node.text))
            continue
        if event == "end":
            tokens.append(ends.pop())
        elif event == "comment":
            tokens.append(f"<!--{node.text or ''}-->")
        if node.tail and node is not root:
            tokens.append(_escaped(node.tail))
    return tokens


def _as_xml(token: str) -> str:
    """Return a void element with an end tag, raw text escaped."""
    split = _SPLIT.fullmatch(token)
    if split is None:
        raise Unreadable("PARSER_LIMIT: a tag of the page cannot be read back; check names of tags and attributes.")
    start, content, end = split.groups()
    return f"{start}{_escaped(content)}{end or f'</{_name(start)}>'}"


def _outside_foreign(tokens: list[str], spelled: dict[str, str]) -> list[str]:
    """Return the tokens in XML's spelling; in SVG and MathML no tag is void."""
    replaced: list[str] = []
    still_open: list[str] = []
    for token in tokens:
        xml = spelled.get(token)
        if xml is not None and (token.endswith(f"</{_name(token)}>") or not _is_foreign(still_open)):
            token = xml
        elif token.startswith("</"):
            if still_open:
                still_open.pop()
        elif token[0] == "<" and token[1] not in "!?" and not token.endswith(f"</{_name(token)}>"):
            still_open.append(_name(token))
        replaced.append(token)
    return replaced


def _is_foreign(still_open: list[str]) -> bool:
    """Say whether elements here are SVG or MathML."""
    turning = (tag.lower() for tag in reversed(still_open) if tag.lower() in _FOREIGN or tag.lower() in _HTML_AGAIN)
    return next(turning, "") in _FOREIGN


def _name(token: str) -> str:
    return token[1:].split(">", 1)[0].split()[0]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _open_formatting(html: str) -> int:
    """Return how many formatting elements are open at most at one place."""
    still_open: dict[str, int] = {}
    most = total = 0
    for tag in _FORMATTING.findall(html):
        name = tag.lower()
        if name[0] != "/":
            still_open[name] = still_open.get(name, 0) + 1
            total += 1
            most = max(most, total)
        elif still_open.get(name[1:]):
            still_open[name[1:]] -= 1
            total -= 1
    return most
