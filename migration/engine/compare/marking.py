"""The right one of two pages with all that differs from the left one marked in it, to be looked at and not to be judged by.

Both pages are read by lexbor, as browsers read them, and cut into tags and words, which difflib pairs. What only the right page
has stands in `<ins>`, or carries `data-difference="added"`; tags whose attributes differ carry `changed`, with the attributes in
a title; words that only the left page has stand in `<del>` where they were. It stops at `MOST` tags and words a page.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import unescape
from itertools import groupby
from typing import Final, NamedTuple

from migration.engine.compare import lexbor
from migration.engine.compare.documents import normalized
from migration.engine.compare.limits import OddNames, TooManyNodes, Unreadable, check
from migration.engine.compare.markup import COMMENT, quoted

MOST: Final = 20_000

_ATTRIBUTE: Final = re.compile(r'\s([^\s"=>]+)="([^"]*)"')
_WORD: Final = re.compile(r"\s*[^\s]+\s*|\s+")
_VOID: Final = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
_RAW: Final = frozenset("script style xmp iframe noembed noframes plaintext".split())
_NO_MARKS: Final = _RAW | frozenset("textarea title option select svg math head".split())  # no element fits in there


class _Piece(NamedTuple):
    """Hold a tag or a word: `key` is what it is paired by, `html` how it is written, `name` a tag's name."""

    key: object
    html: str
    name: str = ""
    is_end: bool = False
    is_marked: bool = True


def mark(left_html: str, right_html: str) -> str | None:
    """Return the right page with marks, None where a page cannot be read or is too large."""
    try:
        left, right = _pieces(left_html), _pieces(right_html)
    except (OddNames, TooManyNodes, Unreadable):
        return None
    if max(len(left), len(right)) > MOST:
        return None
    return "".join(_marked(left, right))


def _pieces(html: str) -> list[_Piece]:
    """Return the tags and words of a page, in order."""
    html = normalized(html)
    check(html)
    lexbor.check(html)
    words, *pieces = lexbor.markup(lexbor.serialize(html)).split("<")
    found = list(_words(words, is_marked=True))
    barred = 0  # how many elements are open in which nothing can be marked
    for piece in pieces:
        tag, _, text = piece.partition(">")
        name = tag.partition(" ")[0].removeprefix("/")
        is_end = tag[:1] == "/"
        barred += name in _NO_MARKS and not is_end
        if name != COMMENT:
            found.append(_tag(tag, name, is_end=is_end, is_marked=not barred))
        barred -= name in _NO_MARKS and is_end
        if name in _RAW and not is_end:
            found.append(_Piece(text, unescape(text), is_marked=False))
        elif name != COMMENT or is_end:
            found += _words(text, is_marked=not barred)
    return found


def _words(text: str, *, is_marked: bool) -> Iterator[_Piece]:
    """Yield the words of a text, each with the white space around it."""
    return (_Piece(word.strip() or " ", word, is_marked=is_marked) for word in _WORD.findall(text))


def _tag(tag: str, name: str, *, is_end: bool, is_marked: bool) -> _Piece:
    if is_end:
        return _Piece(("/", name), "" if name in _VOID else f"</{name}>", name, is_end=True, is_marked=False)
    attributes = frozenset(
        (key, " ".join(sorted(value.split())) if key == "class" else value) for key, value in _ATTRIBUTE.findall(tag)
    )
    return _Piece((name, attributes), f"<{tag}>", name, is_marked=is_marked)


def _marked(left: Sequence[_Piece], right: Sequence[_Piece]) -> Iterator[str]:
    """Yield the right page's pieces, and what is gone of the left one's."""
    matcher = SequenceMatcher(None, [each.key for each in left], [each.key for each in right])
    for what, begin, end, start, stop in matcher.get_opcodes():
        gone, come = left[begin:end], right[start:stop]
        if what == "equal":
            yield from (each.html for each in come)
            continue
        tags = [each for each in gone if each.name and not each.is_end]
        yield from _gone(gone, {each.name for each in come})
        yield from _come(come, tags)


def _gone(pieces: Sequence[_Piece], come: set[str]) -> Iterator[str]:
    """Yield the words that only the left page has, and those of its void elements that the right page has none of there."""
    for is_word, run in groupby(pieces, lambda each: not each.name):
        if is_word:
            words = "".join(each.html for each in run if each.is_marked)
            yield f"<del>{words}</del>" if words.strip() else ""
            continue
        for each in run:
            if each.is_marked and each.name in _VOID - come:
                yield _with(each.html, "removed", "only on the old system")


def _come(pieces: Sequence[_Piece], gone: list[_Piece]) -> Iterator[str]:
    """Yield pieces that only the right page has; a tag that takes the place of one of the same name is a changed one."""
    for is_word, run in groupby(pieces, lambda each: not each.name):
        if is_word:
            words = list(run)
            text = "".join(each.html for each in words)
            yield f"<ins>{text}</ins>" if text.strip() and all(each.is_marked for each in words) else text
            continue
        for each in run:
            before = next((other for other in gone if other.name == each.name), None)
            if each.is_end or not each.is_marked:
                yield each.html
            elif before is None:
                yield _with(each.html, "added", "only on slots")
            else:
                gone.remove(before)
                yield _with(each.html, "changed", _changes(before, each))


def _changes(left: _Piece, right: _Piece) -> str:
    """Return how the attributes of two tags differ, in words."""
    ours, theirs = (dict(_ATTRIBUTE.findall(each.html)) for each in (left, right))
    changed = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    return "; ".join(f"{name}: {ours.get(name, 'nothing')} → {theirs.get(name, 'nothing')}" for name in changed)


def _with(html: str, difference: str, title: str) -> str:
    """Return a start tag that says what is different about it."""
    kept = re.sub(r' (?:title|data-difference)="[^"]*"', "", html)
    return f'{kept[:-1]} data-difference="{difference}" title="{quoted(unescape(title))}">'
