"""Comparing two rendered pages: equal or not, proven or not, and how alike.

Each page is read by libxml2 and brought into a canonical form (docs/engine-io.md lists what it ignores). Where that finds no
difference, lexbor reads both pages too, and they are equal only if it finds none either. A page that is too large, too deep or
not text is compared by its characters and never proven.

Cost: near-linear; two pages of 10,000 elements take about a tenth of a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from migration.engine.compare.attributes import DEFAULT_MASKS, Mask
from migration.engine.compare.difference import first_difference
from migration.engine.compare.page import DIGEST_BYTES, Node, Shelf
from migration.engine.compare.readers import normalized, read_with_lexbor, read_with_libxml2, serialize_with_lexbor
from migration.engine.compare.similarity import similarity
from migration.engine.compare.tokens import TooManyNodes, Unreadable, Vocabulary

__all__ = ["DEFAULT_MASKS", "MAX_PAGE_BYTES", "METRIC_VERSION", "Comparison", "Mask", "compare"]

METRIC_VERSION: Final = "2"
MAX_PAGE_BYTES: Final = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Comparison:
    """State how two pages compare.

    `equal` holds exactly when the digests are equal and when `similarity` is 1.0. `proven` says that the pages are equal, that
    both parsers say so, and that neither ran into a limit; unequal pages are never proven. A digest is libxml2's reading of the
    page; where only lexbor sees a difference, both digests carry its reading too. `first_difference` is a path and a statement,
    empty when equal. `masked` counts masked values on both pages. Each problem is a code, a colon and a sentence.
    """

    equal: bool
    similarity: float
    proven: bool
    first_difference: str
    left_digest: str
    right_digest: str
    masked: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    """Hold what is known of one page: its tree, or why it could not be read."""

    digest: bytes
    text: str = ""
    tree: Node | None = None
    masked: int = 0
    problem: str = ""


def compare(left_html: str, right_html: str, *, masks: Sequence[Mask] = DEFAULT_MASKS) -> Comparison:
    """Compare two rendered pages or fragments of pages."""
    vocabulary = Vocabulary(Shelf(masks))
    left = _read(left_html, vocabulary)
    right = left if left_html == right_html else _read(right_html, vocabulary)
    problems = list(dict.fromkeys(page.problem for page in (left, right) if page.problem))
    digests = (left.digest, right.digest)
    likeness, difference = 1.0, ""
    if left.tree is None or right.tree is None:
        if left.digest != right.digest:
            likeness, difference = 0.0, "top: at least one page could not be read, and the pages differ"
    elif left.digest != right.digest:
        likeness, difference = similarity(left.tree, right.tree), first_difference(left.tree, right.tree)
    else:
        try:
            seconds = _second_opinion(left, right, vocabulary)
        except (TooManyNodes, Unreadable) as stopped:
            problems.append(str(stopped))
        else:
            if seconds is not None:
                one, other = seconds
                problems.append("PARSERS_DISAGREE: only one of two HTML parsers sees a difference; look for invalid markup.")
                digests = (left.digest + one.digest, right.digest + other.digest)
                likeness, difference = similarity(one, other), first_difference(one, other)
    equal = digests[0] == digests[1]
    return Comparison(
        equal=equal,
        similarity=likeness,
        proven=equal and not problems,
        first_difference=difference,
        left_digest=digests[0].hex(),
        right_digest=digests[1].hex(),
        masked=left.masked + right.masked,
        problems=tuple(problems),
    )


def _second_opinion(left: _Page, right: _Page, vocabulary: Vocabulary) -> tuple[Node, Node] | None:
    """Return lexbor's trees of two pages that libxml2 finds equal, or None where lexbor does too."""
    spellings = [serialize_with_lexbor(page.text) for page in dict.fromkeys((left, right))]
    if len(set(spellings)) == 1:
        return None
    one, other = (read_with_lexbor(page.text, text, vocabulary) for page, text in zip((left, right), spellings, strict=True))
    return None if one is other else (one, other)


def _read(html: str, vocabulary: Vocabulary) -> _Page:
    """Return the page as libxml2 sees it."""
    try:
        data = html.encode()
    except UnicodeEncodeError:
        return _unread(
            html.encode(errors="surrogatepass"), "PAGE_NOT_TEXT: a page holds half of a surrogate pair; render it anew."
        )
    if len(data) > MAX_PAGE_BYTES:
        return _unread(data, f"LIMIT_EXCEEDED: a page has {len(data):,} bytes; compare pages of at most {MAX_PAGE_BYTES:,}.")
    text = normalized(html)
    try:
        tree, masked = read_with_libxml2(text, vocabulary)
    except (TooManyNodes, Unreadable) as stopped:
        return _unread(data, str(stopped))
    return _Page(tree.digest, text, tree, masked)


def _unread(data: bytes, problem: str) -> _Page:
    """Return a page that is known by its bytes only; its digest equals that of no page which was read."""
    return _Page(blake2b(data, digest_size=DIGEST_BYTES, person=b"unread").digest(), problem=problem)
