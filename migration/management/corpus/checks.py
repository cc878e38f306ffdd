"""Look for results that are wrong although they look clean. Nothing here asks the engine.

Every check compares four sources: the old base, the customization (ours), the new base (theirs) and the result. Counts of tokens
say what a right result must hold: a token that only one side changed has the count that this side gave it, relative to the
other; one that both sides added stands at least as often as the side that added more wrote it. Counts cannot see that something
stands in the wrong place; `--details` carries the sources for tools that can.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from migration.management.corpus import markup

# Tags whose library is known, to notice a `{% load %}` that was lost.
LIBRARIES: Final = {
    "i18n": "trans translate blocktrans blocktranslate get_current_language get_available_languages get_language_info "
    "get_current_language_bidi",
    "static": "static get_static_prefix",
    "admin_list": "result_list search_form admin_actions date_hierarchy paginator_number pagination admin_list_filter",
    "admin_modify": "submit_row prepopulated_fields_js change_form_object_tools",
    "log": "get_admin_log",
}
# Libraries that were renamed and stand for another one.
STANDS_FOR: Final = {"staticfiles": "static", "admin_static": "static", "staticfiles_tags": "static"}
RESPELLED: Final = {"trans": "translate", "blocktrans": "blocktranslate"}
DEFAULT_TYPES: Final = {"script": "text/javascript", "style": "text/css", "link": "text/css"}
COMPARED: Final = {"ifequal": "==", "ifnotequal": "!="}
# What comes back or stands twice says something only from this length on: `<div` goes and comes for many reasons.
TELLING_LENGTH: Final = 12

_ONLY_CLOSES: Final = re.compile(r"(?:</[\w-]++>|\{%\s*+(?:end\w++|else)[^%]*+%\}|\s)++")
_STATIC_ID: Final = re.compile(r"""\bid=["']([^"'{}<>]+)["']""")
_ATTRIBUTE: Final = re.compile(
    r"""(?P<template>\{%.*?%\}|\{\{.*?\}\}|\{\#.*?\#\})
    | (?P<name>[^\s=>"'{]+)(?:\s*=\s*(?P<value>"(?:\{%.*?%\}|\{\{.*?\}\}|[^"])*"|'(?:\{%.*?%\}|\{\{.*?\}\}|[^'])*'|
      (?:\{%.*?%\}|\{\{.*?\}\}|[^\s"'{])+))?""",
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}")
_VALUE_PART: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{\#.*?\#\}|[^\s{]+|\{", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Hold the three texts of a place where both sides changed something and ours was kept."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Found:
    """List the signs that a result is wrong; all empty when there is none. Entries are short and readable."""

    lost: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    upstream_missing: tuple[str, ...] = ()
    upstream_undone: tuple[str, ...] = ()
    unbalanced: tuple[str, ...] = ()
    missing_library: tuple[str, ...] = ()
    duplicate_id: tuple[str, ...] = ()

    def as_json(self) -> dict[str, list[str]]:
        """Return the checks that found something, by name."""
        return {name: list(found) for name in self.__slots__ if (found := getattr(self, name))}


def inspect(base: str, ours: str, theirs: str, result: str, *, kept: Iterable[Place] = ()) -> Found:
    """Compare a result with the three sources it was made from; what differs inside the `kept` places is excused."""
    places = tuple(kept)
    lost, undone = _edits_missing(base, ours, theirs, result)
    upstream_missing, upstream_undone = _edits_missing(base, theirs, ours, result)
    for place in places:
        upstream_missing -= token_counts(place.theirs)
        upstream_undone -= token_counts(place.ours) | token_counts(place.base)
    return Found(
        lost=_listed(lost),
        undone=_listed(undone),
        doubled=tuple(_doubled(base, ours, theirs, result)),
        upstream_missing=_listed(upstream_missing),
        upstream_undone=_listed(upstream_undone),
        unbalanced=tuple(_newly_unbalanced(base, ours, theirs, result)),
        missing_library=tuple(
            sorted(missing_libraries(result) - missing_libraries(ours) - missing_libraries(theirs) - missing_libraries(base))
        ),
        duplicate_id=tuple(_duplicate_ids(base, ours, theirs, result)),
    )


def contains_edit(base: str, ours: str, theirs: str) -> bool:
    """Tell whether the new base holds every line that the edit adds and none that it removes (counted lines, trimmed)."""
    before, edited, upstream = lines_of(base), lines_of(ours), lines_of(theirs)
    for line in before.keys() | edited.keys():
        if edited[line] > before[line] and upstream[line] < edited[line]:
            return False
        if edited[line] < before[line] and upstream[line] > edited[line]:
            return False
    return True


@lru_cache(maxsize=64)
def lines_of(source: str) -> Counter[str]:
    """Count the lines of a source, trimmed, without blank ones."""
    return Counter(line for raw in source.split("\n") if (line := raw.strip()))


@lru_cache(maxsize=64)
def token_counts(source: str) -> Counter[str]:
    """Count the tokens of a source: tag names, attributes, class names, template tags and words; declared respellings as one.

    End tags, `else` and `{% load %}` are left out: balance and libraries are checked by themselves.
    """
    return Counter(_tokens(source))


def _tokens(source: str) -> Iterator[str]:
    for token in markup.scan(source):
        if token.kind == "text":
            yield from token.text.split()
        elif token.kind == "variable":
            yield template_text(token.text)
        elif token.kind == "tag":
            if _counts(token.name):
                yield template_text(token.text)
        elif token.kind != "close":
            yield f"<{token.name}"
            yield from _attribute_tokens(token.name, token.text)
            yield from token.body.split()


def _counts(name: str) -> bool:
    return name not in ("load", "else") and not name.startswith("end")


def _attribute_tokens(element: str, text: str) -> Iterator[str]:
    for found in _ATTRIBUTE.finditer(text):
        if found["template"]:
            if _counts(markup.template_name(found["template"])):
                yield template_text(found["template"])
            continue
        name = found["name"].lower()
        value = (found["value"] or "").strip("\"'")
        if name == "type" and value == DEFAULT_TYPES.get(element):
            continue
        if name in ("class", "style"):
            for part in _VALUE_PART.findall(value):
                if _counts(markup.template_name(part)):
                    yield f"{name}:{template_text(part).rstrip(';')}"
        else:
            yield f"{name}={_TEMPLATE.sub(lambda found: template_text(found.group()), markup.squeeze(value))}"


def template_text(text: str) -> str:
    """Return template text with one quote character and declared respellings replaced by their one form."""
    found = re.fullmatch(r"\{%-?\s*(\S+)(.*?)\s*-?%\}", text, re.DOTALL)
    if not found:
        return text.replace("'", '"')
    name = RESPELLED.get(found[1], found[1])
    rest = markup.squeeze(found[2]).replace("'", '"')
    if name in COMPARED and len(rest.split()) == len(("left", "right")):
        name, rest = "if", f" {COMPARED[name]} ".join(rest.split())
    return f"{{% {name} {rest} %}}"


def _edits_missing(base: str, side: str, other: str, result: str) -> tuple[Counter[str], Counter[str]]:
    """Count what `side` added and the result lacks, and what `side` removed and the result still has."""
    before, edited, across, after = map(token_counts, (base, side, other, result))
    missing: Counter[str] = Counter()
    undone: Counter[str] = Counter()
    for token in before.keys() | edited.keys():
        was, now, there = before[token], edited[token], across[token]
        if now > was:
            needed = max(now, there) if there > was else max(0, now + there - was)
            missing[token] = max(0, needed - after[token])
        elif now < was:
            allowed = min(now, there) if there < was else now + there - was
            undone[token] = max(0, after[token] - allowed) if len(token) >= TELLING_LENGTH else 0
    return +missing, +undone


def _listed(counts: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(token[:200] for token in counts.elements()))


def _doubled(base: str, ours: str, theirs: str, result: str) -> Iterator[str]:
    before, edited, upstream, after = map(lines_of, (base, ours, theirs, result))
    for line in sorted(edited.keys() & upstream.keys()):
        both_add = edited[line] > before[line] and upstream[line] > before[line]
        if both_add and is_telling(line) and after[line] > max(edited[line], upstream[line]):
            yield line[:200]


def is_telling(line: str) -> bool:
    """Tell whether a second copy of the line means something: it is long enough and more than end tags."""
    return len(line) >= TELLING_LENGTH and not _ONLY_CLOSES.fullmatch(line)


@lru_cache(maxsize=64)
def nesting_of(source: str) -> markup.Nesting:
    """Return what is wrong with the nesting of a source."""
    return markup.nesting(source)


def _newly_unbalanced(base: str, ours: str, theirs: str, result: str) -> Iterator[str]:
    """Yield what is wrong with the nesting of the result where all three sources are right."""
    inputs = [nesting_of(source) for source in (base, ours, theirs)]
    found = nesting_of(result)
    if not any(each.template for each in inputs):
        yield from found.template
    if not any(each.html for each in inputs):
        yield from found.html
        if all(each.branches_balance for each in inputs) and not found.branches_balance:
            yield "a branch of a block does not balance"


@lru_cache(maxsize=64)
def missing_libraries(source: str) -> frozenset[str]:
    """Return the known libraries whose tags the source uses without loading them."""
    tags = markup.template_tags(source)
    loaded: set[str] = set()
    for tag in tags:
        if tag.name == "load":
            words = tag.text[2:-2].split()[1:]
            words = words[words.index("from") + 1 :] if "from" in words else words
            loaded |= {STANDS_FOR.get(word, word) for word in words}
    used = {tag.name for tag in tags}
    return frozenset(name for name, provided in LIBRARIES.items() if name not in loaded and used & set(provided.split()))


def _duplicate_ids(base: str, ours: str, theirs: str, result: str) -> Iterator[str]:
    known = Counter[str]()
    for source in (base, ours, theirs):
        known |= Counter(_STATIC_ID.findall(source))
    for name, count in sorted(Counter(_STATIC_ID.findall(result)).items()):
        if count > max(1, known[name]):
            yield name
