"""Comparing two rendered pages: equal or not, proven or not, and how alike.

Each page is read by libxml2 and spelled in one canonical text (docs/engine-io.md lists what it ignores); a tree is read from
it only where texts differ. Where they do not, lexbor reads both pages too, unless they are equal to the byte, and they are equal
only if it finds no difference either. A page that is too large, too deep or not text is compared by its characters and never
proven.

Cost: near-linear; two pages of 10,000 elements take about a twentieth of a second.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Final

from migration.engine.compare import lexbor, libxml2
from migration.engine.compare.attributes import DEFAULT_MASKS, Mask
from migration.engine.compare.difference import first_difference
from migration.engine.compare.documents import kind, normalized
from migration.engine.compare.limits import MAX_PAGE_BYTES, OddNames, TooManyNodes, Unreadable, check
from migration.engine.compare.similarity import similarity
from migration.engine.compare.spelling import Spelled, Speller
from migration.engine.compare.trees import Shelf

__all__ = ["DEFAULT_MASKS", "MAX_PAGE_BYTES", "METRIC_VERSION", "Comparison", "Mask", "compare"]

METRIC_VERSION: Final = "3"

_DIGEST_BYTES: Final = 16


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
    """Hold what is known of one page: its characters and its canonical text, or why it could not be read."""

    digest: bytes
    html: str = ""
    text: str = ""
    masked: int = 0
    problem: str = ""


class _Spellers:
    """Spell pages, those with odd names apart."""

    def __init__(self, masks: Sequence[Mask]) -> None:
        self._speller = Speller(masks)
        self._odd = Speller(masks, odd_names=True)

    def spell(self, markup: Callable[..., str], html: str) -> Spelled:
        """Return the canonical text of a page, given what makes its markup."""
        try:
            return self._speller.spell(markup(), kind(html))
        except OddNames:
            return self._odd.spell(markup(odd_names=True), kind(html))


def compare(left_html: str, right_html: str, *, masks: Sequence[Mask] = DEFAULT_MASKS) -> Comparison:
    """Compare two rendered pages or fragments of pages."""
    spellers = _Spellers(masks)
    left = _read(left_html, spellers)
    right = left if left_html == right_html else _read(right_html, spellers)
    problems = list(dict.fromkeys(page.problem for page in (left, right) if page.problem))
    digests = (left.digest, right.digest)
    likeness, difference = 1.0, ""
    if problems:
        if left.digest != right.digest:
            likeness, difference = 0.0, "top: at least one page could not be read, and the pages differ"
    elif left.digest != right.digest:
        likeness, difference = _told_apart(left.text, right.text, digests)
    else:
        try:
            seconds = _second_opinion(left, right, spellers)
            if seconds is not None:
                digests = (left.digest + _digest(seconds[0]), right.digest + _digest(seconds[1]))
                likeness, difference = _told_apart(*seconds, digests)
                problems.append("PARSERS_DISAGREE: only one of two HTML parsers sees a difference; look for invalid markup.")
        except (TooManyNodes, Unreadable) as stopped:
            problems.append(str(stopped))
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


def _told_apart(left: str, right: str, digests: tuple[bytes, bytes]) -> tuple[float, str]:
    """Return how alike two pages are that differ, the same whichever comes first, and where they differ first."""
    shelf = Shelf()
    one, other = shelf.page(left), shelf.page(right)
    pair = (one, other) if digests[0] < digests[1] else (other, one)
    return similarity(*pair), first_difference(one, other)


def _second_opinion(left: _Page, right: _Page, spellers: _Spellers) -> tuple[str, str] | None:
    """Return lexbor's canonical texts of two pages that libxml2 finds equal, or None where lexbor does too."""
    for html in {left.html, right.html}:
        lexbor.check(html)
    if left.html == right.html:  # what any parser makes of it is the same
        return None
    one, other = lexbor.serialize(left.html), lexbor.serialize(right.html)
    if one == other:
        return None
    texts = (
        spellers.spell(partial(lexbor.markup, one), left.html).text,
        spellers.spell(partial(lexbor.markup, other), right.html).text,
    )
    return None if texts[0] == texts[1] else texts


def _read(html: str, spellers: _Spellers) -> _Page:
    """Return the page as libxml2 sees it."""
    try:
        data = html.encode()
    except UnicodeEncodeError:
        return _unread(
            html.encode(errors="surrogatepass"), "PAGE_NOT_TEXT: a page holds half of a surrogate pair; render it anew."
        )
    if len(data) > MAX_PAGE_BYTES:
        return _unread(data, f"LIMIT_EXCEEDED: a page has {len(data):,} bytes; compare pages of at most {MAX_PAGE_BYTES:,}.")
    html = normalized(html)
    try:
        check(html)
        spelled = spellers.spell(partial(libxml2.read, html), html)
    except (TooManyNodes, Unreadable) as stopped:
        return _unread(data, str(stopped))
    return _Page(_digest(spelled.text), html, spelled.text, spelled.masked)


def _unread(data: bytes, problem: str) -> _Page:
    """Return a page that is known by its bytes only; its digest equals that of no page which was read."""
    return _Page(blake2b(data, digest_size=_DIGEST_BYTES, person=b"unread").digest(), problem=problem)


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).digest()
