"""What the comparison does not take, and how it says so."""

import re
from typing import Final

MAX_PAGE_BYTES: Final = 5 * 1024 * 1024
MAX_PAGE_NODES: Final = 100_000
MAX_PAGE_DEPTH: Final = 1_000
MAX_OPEN_FORMATTING: Final = 64
MAX_REFERENCES: Final = 1_000_000  # each of which is spelled out anew
MAX_STYLES: Final = 1_000_000  # characters of different `style` attributes on both pages; reading them costs most
# Both parsers look for each attribute of a tag among those before it. So what counts is the sum of the squares: one tag of 10,000
# attributes, or 1,500 tags of 256 each.
MAX_ATTRIBUTE_PAIRS: Final = 100_000_000

_MAX_SIGNS: Final = 5 * MAX_PAGE_NODES // 2  # that begin tags; libxml2's tree of more would take more memory than all the rest
_MANY: Final = 256  # attributes of one tag; fewer cost nothing
_QUOTED: Final = r"\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)"
_TAG: Final = re.compile(rf"<(?:(html|body)(?=[\s/])|(?=[a-z]))(?:[^>\"'=]++|=\s*+(?:{_QUOTED})?+|[\"'])*+", re.IGNORECASE)
_LONG: Final = re.compile(rf"<[a-z][^>]{{{2 * _MANY}}}", re.IGNORECASE)
_QUOTED_END: Final = re.compile("=\\s*+(?:\"[^\">]*+>|'[^'>]*+>)")
_GATHERED: Final = re.compile(r"<(?:html|body)[\s/]", re.IGNORECASE)
_VALUE: Final = re.compile(rf"=\s*+({_QUOTED})")


class Unreadable(Exception):
    """A parser cannot give the whole page; the message is a code, a colon and a sentence."""


class TooManyNodes(Exception):
    """A page has more nodes than the comparison takes."""

    def __init__(self) -> None:
        """Say so with a code."""
        super().__init__(f"LIMIT_EXCEEDED: a page has over {MAX_PAGE_NODES:,} nodes; compare smaller pages.")


def check(html: str) -> None:
    """Check that a parser may read the page.

    Raises:
        TooManyNodes: if so many tags may begin in it that a tree of them would take too much memory.
        Unreadable: if its tags have so many attributes that a parser would not end, or it has very many references.
    """
    if html.count("<") > _MAX_SIGNS:
        raise TooManyNodes
    if html.count("&") > MAX_REFERENCES:
        raise Unreadable(f"LIMIT_EXCEEDED: a page has over {MAX_REFERENCES:,} signs that begin references; write characters out.")
    may_be_many = _LONG.search(html) or _QUOTED_END.search(html) or len(_GATHERED.findall(html)) > 2
    if may_be_many and _attribute_pairs(html) > MAX_ATTRIBUTE_PAIRS:
        raise Unreadable("LIMIT_EXCEEDED: tags of a page have too many attributes, over 10,000 in all; remove some.")


def _attribute_pairs(html: str) -> int:
    """Return the sum of the squares of how many attributes the longer tags have at most.

    Whether a tag stands in a comment, a script or a value is not for certain before a parser has read the page, so all count.
    Attributes of repeated `<html>` and `<body>` tags are gathered in the first one.
    """
    pairs = gathered = 0
    for found in _TAG.finditer(html):
        tag = found[0]
        if not found[1] and len(tag) <= 2 * _MANY:
            continue
        count = len(_VALUE.sub("= ", tag).replace("/", " ").split()) - 1
        gathered += count if found[1] else 0
        pairs += count * count if count > _MANY else 0
        pairs += sum([_attribute_pairs(value) for value in _VALUE.findall(tag) if "<" in value])
    return pairs + gathered * gathered


class OddNames(Unreadable):
    """A tag or an attribute has a name that cannot be told from what stands around it."""

    def __init__(self) -> None:
        """Say so with a code."""
        super().__init__("PARSER_LIMIT: a tag of the page cannot be read back; check names of tags and attributes.")
