"""Canonical attributes: what a start tag says, whatever its spelling.

Names are lower-cased and sorted, `class` is a set of tokens, `style` a list of declarations, a boolean attribute is there or
not. An empty `class` or `style` says nothing and is dropped. Masked values are replaced and counted. Everything else stays
to the character.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tinycss2.parser import parse_blocks_contents

Attributes = tuple[tuple[str, str], ...]

# https://html.spec.whatwg.org/multipage/indices.html#attributes-3, the rows that say "Boolean attribute". `hidden` has a value
# that counts (`until-found`) and stays as it is, but for its two spellings of "yes".
BOOLEAN: Final = frozenset(
    "allowfullscreen async autofocus autoplay checked controls default defer disabled formnovalidate inert ismap itemscope loop "
    "multiple muted nomodule novalidate open playsinline readonly required reversed selected shadowrootclonable "
    "shadowrootdelegatesfocus shadowrootserializable".split()
)
WHITE: Final = " \t\n\r\f"
MASKED: Final = "\ufffd masked"

_MAX_BRACKETS: Final = 200  # in one style; they may nest, and tinycss2 calls itself for each level
_RUN: Final = re.compile(f"[{WHITE}]+")
_VENDOR: Final = re.compile(r"-(?:webkit|moz|ms|o)-")
_SIDES: Final = frozenset({"top", "right", "bottom", "left"})
# Families of properties where the first word of the name does not tell; `_family` looks for the whole name, then its first word.
_FAMILY: Final = {
    "line-height": "font",
    "top": "inset",
    "right": "inset",
    "bottom": "inset",
    "left": "inset",
    "row-gap": "gap",
    "column-gap": "gap",
    "grid-gap": "gap",
    "grid-row-gap": "gap",
    "grid-column-gap": "gap",
    "columns": "column",
    "align": "place",
    "justify": "place",
    "word-wrap": "overflow",
    "width": "size",
    "height": "size",
    "inline-size": "size",
    "block-size": "size",
    "border-collapse": "border-collapse",
    "border-spacing": "border-spacing",
    "border-radius": "border-radius",
}
# Properties that reset others of their family without being the beginning of their names.
_RESETTING: Final = frozenset(
    "columns flex-flow grid-column-gap grid-gap grid-row-gap place-content place-items place-self word-wrap".split()
)


@dataclass(frozen=True, slots=True)
class Mask:
    """Name an attribute whose value differs from one rendering to the next.

    `tag` is empty for every tag; `where` is a pair of attribute and value that the element has to have, or empty.
    """

    name: str
    attribute: str
    tag: str = ""
    where: tuple[str, str] | tuple[()] = ()

    def covers(self, tag: str, attributes: Iterable[tuple[str, str]]) -> bool:
        """Say whether the value is masked on an element with this tag and these attributes."""
        return self.tag in ("", tag) and (not self.where or self.where in attributes)


DEFAULT_MASKS: Final = (
    Mask("CSRF token", "value", "input", ("name", "csrfmiddlewaretoken")),
    Mask("CSRF token", "content", "meta", ("name", "csrf-token")),
    Mask("nonce", "nonce"),
)


def canonical_attributes(tag: str, items: Iterable[tuple[str, str]], masks: Sequence[Mask]) -> tuple[Attributes, int]:
    """Return the canonical attributes of an element, sorted by name, and how many values were masked.

    The first of equal names stands, as in HTML.
    """
    given: dict[str, str] = {}
    for name, value in items:
        given.setdefault(name.lower(), value)
    masked = {
        mask.attribute for mask in masks if mask.attribute in given and given[mask.attribute] and mask.covers(tag, given.items())
    }
    attributes = []
    for name, value in given.items():
        canonical = MASKED if name in masked else _value(tag, name, value)
        if canonical or name not in ("class", "style"):
            attributes.append((name, canonical))
    return tuple(sorted(attributes)), len(masked)


def preserves_white_space(attributes: Attributes) -> bool:
    """Say whether a `style` attribute keeps the white space of the element's text."""
    return any("white-space" in value for name, value in attributes if name == "style")


def canonical_style(style: str) -> str:
    """Return the declarations of a `style` attribute in an order that does not depend on how they were written.

    The last of equal properties wins, an important one over those that are not. Where one property of a family may reset
    another (`margin`, `margin-left`), the family keeps its order; everything else is sorted. A style that does not parse, or
    has very many brackets, stays as it is.
    """
    if sum(map(style.count, "([{")) > _MAX_BRACKETS:
        return style.strip(WHITE)
    winners: dict[str, tuple[str, bool]] = {}
    for node in parse_blocks_contents(style, skip_comments=True, skip_whitespace=True):  # type: ignore[no-untyped-call]
        if node.type != "declaration":
            return style.strip(WHITE)
        name = node.name if node.name.startswith("--") else node.lower_name
        important = name in winners and winners[name][1]
        if node.important or not important:
            winners.pop(name, None)
            winners[name] = (_css_value(node.value), node.important)
    families: dict[str, list[str]] = {}
    for name in winners:
        families.setdefault("" if "all" in winners else _family(name), []).append(name)
    ordered: list[str] = []
    for family, names in sorted(families.items()):
        ordered += names if _is_entangled(family, names) else sorted(names)
    return ";".join([f"{name}:{winners[name][0]}{'!important' if winners[name][1] else ''}" for name in ordered])


def _value(tag: str, name: str, value: str) -> str:
    if name == "class":
        return " ".join(sorted(set(_RUN.split(value.strip(WHITE)))))
    if name == "style":
        return canonical_style(value)
    if name in BOOLEAN and "-" not in tag:
        return ""
    if name == "hidden" and value.lower() == "hidden":
        return ""
    return value


def _css_value(tokens: Sequence[object]) -> str:
    """Return a value with each run of white space and comments outside strings as one blank."""
    kept = [token for token in tokens if token.type != "comment"]  # type: ignore[attr-defined]
    parts = [" " if token.type == "whitespace" else str(token.serialize()) for token in kept]  # type: ignore[attr-defined]
    return re.sub(" {2,}", " ", "".join(parts)).strip() if " " in parts else "".join(parts)


def _family(name: str) -> str:
    """Return the group of properties whose order may matter."""
    if name.startswith("--"):
        return name
    plain = _VENDOR.sub("", name, count=1)
    first = plain.split("-", 1)[0]
    return _FAMILY.get(plain) or _FAMILY.get(first, first)


def _is_entangled(family: str, names: Sequence[str]) -> bool:
    """Say whether a property of these may reset another one, so that their order counts."""
    if len(names) == 1:
        return False
    plain = [_VENDOR.sub("", name, count=1) for name in names]
    if family in ("", "border", "grid"):
        return not all(name in {f"border-{side}" for side in _SIDES} for name in plain)
    return (
        family in plain
        or len(set(plain)) < len(plain)
        or any(name in _RESETTING or not {"inline", "block"}.isdisjoint(name.split("-")) for name in plain)
        or _has_beginning(sorted(plain))
    )


def _has_beginning(ordered: Sequence[str]) -> bool:
    """Say whether a name of a sorted list is what others begin with; the first one that does stands where it would be put in."""
    for name in ordered:
        start = f"{name}-"
        at = bisect_left(ordered, start)
        if at < len(ordered) and ordered[at].startswith(start):
            return True
    return False
