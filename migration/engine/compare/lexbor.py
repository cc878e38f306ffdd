"""How lexbor (through selectolax) reads a page: as browsers do. It drops rows outside tables."""

import re
from collections.abc import Sequence
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from migration.engine.compare.documents import context
from migration.engine.compare.limits import MAX_OPEN_FORMATTING, OddNames, Unreadable
from migration.engine.compare.markup import attribute_name, comment, escaped, tag_name

# https://html.spec.whatwg.org/multipage/parsing.html#formatting
_FORMATTING: Final = re.compile(r"<(/?(?:[abisu]|big|code|em|font|nobr|small|strike|strong|tt))[\s/>]")
_PAIR: Final = re.compile(r"(?<![^ ])([a-z]+) /\1(?![^ ])")
_VOID_NAMES: Final = "area|basefont|base|bgsound|br|col|embed|frame|hr|img|input|keygen|link|meta|param|source|track|wbr"
_VOID: Final = re.compile(rf"<({_VOID_NAMES})((?: [^>]*)?)>")
_FOREIGN: Final = frozenset({"svg", "math"})
# https://html.spec.whatwg.org/multipage/parsing.html#html-integration-point
_HTML_AGAIN: Final = frozenset({"foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext"})
_RAW_NAMES: Final = "script|style|xmp|iframe|noembed|noframes|plaintext"
_NOT_MARKUP: Final = re.compile(
    rf"<!--(?P<comment>.*?)-->|<[!?][^>]*>|<(?P<raw>{_RAW_NAMES})(?P<rest>(?: [^>]*)?)>(?P<text>.*?)(?:</(?P=raw)>|\Z)", re.DOTALL
)
_NOT_PLAIN: Final = re.compile(
    rf'{_NOT_MARKUP.pattern}|<(?P<tag>/?[^\s/>!?]+)(?P<attributes>(?:\s[^\s"=>]+="[^"]*")*+)>', re.DOTALL
)
_ATTRIBUTE: Final = re.compile(r'(?<=\s)[^\s"=>]+(?==")')
_HAS_RAW: Final = ("<!", "<?", *(f"<{name}" for name in _RAW_NAMES.split("|")))


def check(html: str) -> None:
    """Check that lexbor may read the page, which libxml2 has read, so that its depth is bounded.

    Raises:
        Unreadable: if so many formatting elements are open that HTML's rules would multiply them.
    """
    if _open_formatting(html) > MAX_OPEN_FORMATTING:
        raise Unreadable("PARSER_LIMIT: too many formatting elements (b, i, a, …) are never closed; close them.")


def serialize(html: str) -> str:
    """Return lexbor's own spelling of the page."""
    around = context(html)
    return LexborHTMLParser(html, is_fragment=around is not None, fragment_tag=around or "div").html or ""


def markup(serialized: str, *, odd_names: bool = False) -> str:
    """Return the markup of a page from lexbor's spelling of it; `odd_names` spells names so that they can be told apart.

    Raises:
        OddNames: if its tags are not balanced then.
    """
    if odd_names:
        serialized = _NOT_PLAIN.sub(_as_markup, serialized)
    elif any(begin in serialized for begin in _HAS_RAW):
        serialized = _NOT_MARKUP.sub(_as_markup, serialized)
    if not _is_balanced(serialized):  # there are void elements
        is_html = "<svg" not in serialized and "<math" not in serialized
        serialized = _VOID.sub(r"<\1\2></\1>", serialized) if is_html else _outside_foreign(serialized)
        if not _is_balanced(serialized):
            raise OddNames
    return serialized


def _is_balanced(markup: str) -> bool:
    return markup.count("<") == 2 * markup.count("</")


def _as_markup(found: re.Match[str]) -> str:
    """Return the markup of what lexbor spells otherwise: comments, raw text, odd names; a doctype has none."""
    parts = found.groupdict()
    if parts.get("tag"):
        end, name = ("/", parts["tag"][1:]) if parts["tag"][0] == "/" else ("", parts["tag"])
        return f"<{end}{tag_name(name)}{_ATTRIBUTE.sub(lambda each: attribute_name(each[0]), parts['attributes'])}>"
    if parts["raw"]:
        return f"<{parts['raw']}{parts['rest']}>{escaped(parts['text'])}</{parts['raw']}>"
    return comment(parts["comment"] or "")


def _outside_foreign(markup: str) -> str:
    """Return the markup with end tags for void elements, but for their namesakes in SVG and MathML, which have some."""
    first, *pieces = markup.split("<")
    spelled = [first]
    opened: list[str] = []
    for piece in pieces:
        void = _VOID.match(f"<{piece}")
        spelled.append(f"<{piece}")
        if piece[:1] == "/":
            del opened[-1:]
        elif void and not _is_foreign(opened):
            spelled[-1] = f"{void[0]}</{void[1]}>{piece[void.end() - 1 :]}"
        else:
            opened.append(piece.partition(">")[0].partition(" ")[0].lower())
    return "".join(spelled)


def _is_foreign(opened: Sequence[str]) -> bool:
    """Say whether elements here are SVG or MathML."""
    return next((name for name in reversed(opened) if name in _FOREIGN or name in _HTML_AGAIN), "") in _FOREIGN


def _open_formatting(html: str) -> int:
    """Return how many formatting elements are open at most at one place, or a number below the limit."""
    tags = _FORMATTING.findall(html.lower())
    once = _PAIR.sub("", " ".join(tags)).split()  # elements without another inside: one at a time
    if len(once) < MAX_OPEN_FORMATTING:
        return len(once)
    still_open: dict[str, int] = {}
    most = total = 0
    for name in tags:
        if name[0] != "/":
            still_open[name] = still_open.get(name, 0) + 1
            total += 1
            most = max(most, total)
        elif still_open.get(name[1:]):
            still_open[name[1:]] -= 1
            total -= 1
    return most
