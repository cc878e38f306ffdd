"""The canonical text of a page: equal texts mean equal pages, whatever the spelling of the markup they were made from.

Each distinct piece of markup (a tag and the text behind it, see `markup.py`) is worked out once for all pages that share a
speller; what repeats costs a look-up. An EDGE before the tags of blocks says that a blank before it shows nothing, and two
replacements over the whole text drop both. Only what keeps its white space, heads, and rows without a `<tbody>` are gone through
piece by piece. Linear in the pieces, without recursion.

In the finished text a blank inside a tag stands before an attribute, and no `<`, `>` or `"` stands in a text or a value. Blanks
in values are SPACE.
"""

import re
from collections.abc import Callable, Sequence
from html import unescape
from itertools import islice
from typing import Final, NamedTuple

from migration.engine.compare.attributes import BOOLEAN, WHITE, Attributes, Mask, canonical_attributes, preserves_white_space
from migration.engine.compare.limits import MAX_PAGE_DEPTH, MAX_PAGE_NODES, MAX_STYLES, OddNames, TooManyNodes, Unreadable
from migration.engine.compare.markup import ATTRIBUTE_NAME, COMMENT, NAME, is_deeper, quoted

PAGE: Final = "#page"
SPACE: Final = "\x01"
_KEPT: Final = "\x02"  # a blank that counts, in `pre` and the like
_EDGE: Final = "\x03"
_KEEPS: Final = "\x04"  # begins the piece of an element that keeps white space
_HEAD: Final = "\x05"  # begins the piece of a head

_TAG: Final = re.compile(rf'(/?)({NAME})((?:\s{ATTRIBUTE_NAME}="[^"]*")*+)')
_ODD_TAG: Final = re.compile(_TAG.pattern.replace("&", ""))
_ATTRIBUTE: Final = re.compile(r'\s([^\s"=>]+)="([^"]*)"')
# A tag that is spelled canonically if its names are in order and none of them has a spelling of its own.
_SIMPLE_TAG: Final = re.compile(r'[a-z][a-z0-9]*(?: [a-z][a-z0-9-]*="[^"&\s\x00-\x1f<>]+")*+')
_SIMPLE_NAMES: Final = re.compile(r'([a-z0-9-]+)="[^"]*"')
_CAREFUL: Final = BOOLEAN | {"style", "hidden"}
_CONTROL: Final = re.compile("[\x01-\x05]")
_REFERENCE: Final = re.compile(r"&(?:#(\d+)|[a-z]+);")

_PRESERVING: Final = frozenset({"pre", "textarea", "listing", "plaintext", "xmp", "script", "style", COMMENT})
_DROPS_FIRST_LINE_FEED: Final = frozenset({"pre", "textarea", "listing"})
# White space beside the edges of these shows nothing: they are laid out as blocks, as parts of tables or lists, or not at all.
_BLOCKS: Final = frozenset(
    "#page address article aside blockquote body br caption center col colgroup dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li listing main menu nav ol "
    "optgroup option p plaintext pre search section summary table tbody td tfoot th thead title tr ul xmp".split()
)
_ROW: Final = re.compile("<tr[ >]")
_ROW_IN_BODY: Final = re.compile("(?:<t(?:body|head|foot)(?: [^>]*)?>|</tr>)(?=<tr[ >])")
_BODY: Final = "tbody that nobody wrote"
_STAYS_IN_ROWS: Final = frozenset({"tr", "script", "style", "template", COMMENT})


class Spelled(NamedTuple):
    """Hold the canonical text of a page and how many values are masked in it."""

    text: str
    masked: int


class _Tag(NamedTuple):
    """Hold a canonical tag: as it is, and with marks of what it says of its surroundings."""

    plain: str
    shown: str
    mark: str
    is_block: bool
    drops_line_feed: bool
    masked: int


class _Known(dict[str, str]):
    """Know pieces, and work out those that are asked for the first time."""

    def __init__(self, learn: Callable[[str], str]) -> None:
        """Take what works them out."""
        super().__init__()
        self._learn = learn

    def __missing__(self, piece: str) -> str:
        """Work out a piece."""
        found = self[piece] = self._learn(piece)
        return found


class Speller:
    """Spell pages canonically."""

    def __init__(self, masks: Sequence[Mask], *, odd_names: bool = False) -> None:
        """Take the masks; `odd_names` says that names of tags and attributes may hold references."""
        self._masks = masks
        self._pattern = _ODD_TAG if odd_names else _TAG
        self._careful = _CAREFUL.union([mask.attribute for mask in masks])
        self._tags: dict[str, _Tag] = {}
        self._masked: dict[str, int] = {}
        self._marked: set[str] = set()  # pieces that say something of what stands in the element
        self._styled = 0
        self._shown = _Known(self._learn_shown)
        self._kept = _Known(self._learn_kept)

    def spell(self, markup: str, kind: Attributes) -> Spelled:
        """Return the canonical text; `kind` is what is to be said of the whole page.

        Raises:
            OddNames: if names of tags or attributes cannot be told from what stands around them.
            Unreadable: if elements are nested too deeply, or hold too much style.
            TooManyNodes: if the page has too many nodes.
        """
        if is_deeper(markup, MAX_PAGE_DEPTH):
            raise Unreadable(f"LIMIT_EXCEEDED: elements are nested deeper than {MAX_PAGE_DEPTH:,}; close them.")
        about = "".join([f' {name}="{quoted(value)}"' for name, value in kind])
        pieces = f"{PAGE}{about}>{markup}</{PAGE}>".split("<")
        spelled = list(map(self._shown.__getitem__, pieces))
        text = "".join(spelled)
        if marks := text.count(_KEEPS) + text.count(_HEAD):
            self._apply_context(pieces, spelled, marks)
            text = "".join(spelled)
        text = text.replace(f" {_EDGE}", "").replace(_EDGE, "").replace(_KEPT, " ")
        text = text.replace("<head></head>", "")  # added by parsers, says nothing
        if "<tr" in text and len(_ROW.findall(text)) > len(_ROW_IN_BODY.findall(text)):
            text = _with_bodies(text)
        if text.count(">") > MAX_PAGE_NODES and _nodes(text) > MAX_PAGE_NODES:
            raise TooManyNodes
        masked = sum([self._masked[piece] for piece in pieces if piece in self._masked]) if self._masked else 0
        return Spelled(text, masked)

    def _apply_context(self, pieces: list[str], spelled: list[str], marks: int) -> None:
        """Spell again what stands in elements that keep white space, and in heads, where no text ends with a blank."""
        heads: list[int] = []
        done = 0
        marked = (index for index, piece in enumerate(pieces) if piece in self._marked)
        for index in islice(marked, marks):
            if index < done:  # white space counts around it already
                continue
            mark, spelled[index] = spelled[index][0], spelled[index][1:]
            if mark == _HEAD:
                heads.append(index)
                continue
            done = _end(pieces, index)
            spelled[index + 1 : done] = [self._kept[piece] for piece in pieces[index + 1 : done]]
        for begin in heads:
            depth = 0
            for index in range(begin, _end(pieces, begin)):
                depth += -1 if pieces[index][0] == "/" else 1
                if depth == 1:
                    spelled[index] = spelled[index].removesuffix(" ")

    def _learn_shown(self, piece: str) -> str:
        """Return a canonical piece where blanks may vanish."""
        tag, text = self._cut(piece)
        if tag.mark:
            self._marked.add(piece)
        if tag.masked:
            self._masked[piece] = tag.masked
        if tag.mark == _KEEPS:
            return tag.shown + _kept(tag, text)
        if text:
            if "&" in text:
                text = _spelled(_with_blanks(unescape(text)))
            elif not text.isprintable() or "  " in text or '"' in text:
                text = _spelled(_with_blanks(text))
            if tag.is_block and text[0] == " ":
                text = text[1:]
        return tag.shown + text

    def _learn_kept(self, piece: str) -> str:
        """Return a canonical piece where white space counts."""
        tag, text = self._cut(piece)
        if tag.masked:
            self._masked[piece] = tag.masked
        return tag.plain + _kept(tag, text)

    def _cut(self, piece: str) -> tuple[_Tag, str]:
        """Return the tag of a piece, and the text behind it."""
        spelled, end, text = piece.partition(">")
        if spelled.count('"') % 2 and (found := self._pattern.match(piece)):  # the value of an attribute holds a `>`
            spelled, end, text = found[0], piece[found.end() : found.end() + 1], piece[found.end() + 1 :]
        if end != ">":
            raise OddNames
        known = self._tags.get(spelled)
        if known is None:
            known = self._tags[spelled] = self._tag(spelled)
        return known, text

    def _tag(self, spelled: str) -> _Tag:
        if _SIMPLE_TAG.fullmatch(spelled):
            name, _, rest = spelled.partition(" ")
            names = _SIMPLE_NAMES.findall(rest)
            if self._careful.isdisjoint(names) and (len(names) < 2 or names == sorted(set(names))):
                return self._named(name, "", f"<{spelled}>", (), 0)
        found = self._pattern.fullmatch(spelled)
        if found is None:
            raise OddNames
        end, name, rest = found.groups()
        name = name.lower()
        attributes, masked = self._attributes(name, rest) if rest else ((), 0)
        spelled = "".join([f' {key}="{_value(value)}"' for key, value in attributes])
        return self._named(name, end, f"<{end}{name}{spelled}>", attributes, masked)

    def _named(self, name: str, end: str, plain: str, attributes: Attributes, masked: int) -> _Tag:
        is_block = name in _BLOCKS
        keeps = not end and (name in _PRESERVING or preserves_white_space(attributes))
        mark = _KEEPS if keeps else _HEAD if name == "head" and not end else ""
        shown = f"{mark}{_EDGE if is_block else ''}{plain}"
        return _Tag(plain, shown, mark, is_block, not end and name in _DROPS_FIRST_LINE_FEED, masked)

    def _attributes(self, name: str, rest: str) -> tuple[Attributes, int]:
        items = [(key, unescape(value) if "&" in value else value) for key, value in _ATTRIBUTE.findall(rest)]
        self._styled += sum([len(value) for key, value in items if key.lower() == "style"])
        if self._styled > MAX_STYLES:
            raise Unreadable(f"LIMIT_EXCEEDED: style attributes of the pages have over {MAX_STYLES:,} characters; use classes.")
        return canonical_attributes(name, items, self._masks)


def unspelled(text: str) -> str:
    """Return a name, text or value of the canonical text as it is.

    A text may be a page of 5 MB; an expression that replaces in it holds all the pieces between, so it is for odd ones only.
    """
    text = text.replace(SPACE, " ")
    if "&" not in text:
        return text
    if "&#" in text:
        return _REFERENCE.sub(_character, text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1])) if found[1] else unescape(found[0])


def _with_blanks(text: str) -> str:
    """Return a text with one blank for each run of white space."""
    for white in WHITE:
        text = text.replace(white, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _spelled(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return _CONTROL.sub(lambda found: f"&#{ord(found[0])};", text)


def _value(value: str) -> str:
    return value if value.isalnum() and value.isascii() else _spelled(value).replace(" ", SPACE)


def _kept(tag: _Tag, text: str) -> str:
    """Return a text as it stands; the first line feed in some elements counts for nothing."""
    if tag.drops_line_feed:
        text = unescape(text).removeprefix("\n")
        return _spelled(text).replace(" ", _KEPT)
    return _spelled(unescape(text)).replace(" ", _KEPT)


def _end(pieces: Sequence[str], begin: int) -> int:
    """Return the index of the piece that ends the element which begins there."""
    depth = 1
    for index in range(begin + 1, len(pieces)):
        depth += -1 if pieces[index][0] == "/" else 1
        if not depth:
            return index
    raise OddNames


def _nodes(text: str) -> int:
    """Return how many elements, texts and comments stand in a page."""
    texts = text.count(">") - text.count("><") - 1
    return text.count("</") - 1 + texts - text.count(f"<{COMMENT}>")


def _with_bodies(text: str) -> str:
    """Return the text with a `<tbody>` around rows that stand in a table."""
    spelled: list[str] = []
    opened: list[str] = []  # names; BODY stands for the element that nobody wrote
    for piece in text.split("<")[1:]:
        name = piece.partition(">")[0].partition(" ")[0]
        is_end = name[0] == "/"
        inside = opened[-1] if opened else ""
        if inside == _BODY and (is_end or name not in _STAYS_IN_ROWS):
            spelled.append("</tbody>")
            opened.pop()
        elif inside == "table" and name == "tr":
            spelled.append("<tbody>")
            opened.append(_BODY)
        if is_end:
            opened.pop()
        else:
            opened.append(name)
        spelled.append(f"<{piece}")
    return "".join(spelled)
