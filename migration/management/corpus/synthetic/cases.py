"""Draw seeded cases from lineages of templates.

A case is one edit on one element that two releases share beyond doubt: both have exactly one element with its tag and id, tag
and class, or tag and content. The expected result is the same edit on that element of the later release. Cases are drawn
evenly over the distance in releases, the edit, and named against unnamed elements, as far as the templates allow.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, NamedTuple

from migration.management.corpus.records import Record
from migration.management.corpus.synthetic.edits import EDITS, Stroke, has_lines, is_possible
from migration.management.corpus.synthetic.locator import Identity, identify

DISTANCES: Final = (1, 2, 3)
FORMS: Final = 6


class Lineage(NamedTuple):
    """Hold the distinct sources of one template, oldest first."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """Hold an edit of an old release and what it has to become on a later one."""

    number: int
    template: str
    releases: int
    edit: str
    identity: Identity
    on_lines: bool
    old: str
    edited: str
    new: str
    expected: str


class _Draw(NamedTuple):
    """Name a possible case before its texts are made."""

    lineage: int
    releases: int
    identity: Identity
    edit: str


def lineages(records: Iterable[Record]) -> list[Lineage]:
    """Return one lineage for each base source of a corpus, in the order of the corpus."""
    found: dict[str, Lineage] = {}
    for record in records:
        if record.base not in found:
            sources = tuple(dict.fromkeys((record.base, *(release.source for release in record.releases))))
            found[record.base] = Lineage(f"{record.component}@{record.base_version}", sources)
    return list(found.values())


def suffixes(name: str, sources: Sequence[str]) -> list[Lineage]:
    """Return the lineage that begins with each of the sources, oldest first."""
    return [Lineage(f"{name}#{start}", tuple(dict.fromkeys(sources[start:]))) for start in range(len(sources) - 1)]


def generate(found: Sequence[Lineage], *, seed: int, count: int) -> Iterator[Case]:
    """Yield up to `count` cases; fewer when the lineages hold fewer. Equal arguments give equal cases."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    number = 0
    per_distance = {releases: _drawn(found, releases, chance) for releases in DISTANCES}
    for row in zip_longest(*per_distance.values()):
        for draw in row:
            if draw is None or number == count:
                continue
            case = _case(number, found[draw.lineage], draw, Stroke(f"note-{seed}-{number}", number % FORMS, on_lines=True))
            if case is not None:
                number += 1
                yield case


def _drawn(found: Sequence[Lineage], releases: int, chance: random.Random) -> Iterator[_Draw]:
    """Yield all possible cases of one distance in a random order that takes edits and kinds of identity in turn."""
    cells: dict[tuple[bool, str], list[_Draw]] = defaultdict(list)
    for index, lineage in enumerate(found):
        if len(lineage.sources) <= releases:
            continue
        old, new = lineage.sources[0], lineage.sources[releases]
        before, after = identify(old), identify(new)
        for identity in before.keys() & after.keys():
            for edit in EDITS:
                if is_possible(edit, old, before[identity]) and is_possible(edit, new, after[identity]):
                    cells[identity.is_keyed, edit].append(_Draw(index, releases, identity, edit))
    for key in sorted(cells):
        cells[key].sort()
        chance.shuffle(cells[key])
    turns = zip_longest(*(cells[key] for key in sorted(cells, key=lambda key: (key[1], key[0]))))
    return (draw for row in turns for draw in row if draw is not None)


def _case(number: int, lineage: Lineage, draw: _Draw, stroke: Stroke) -> Case | None:
    old, new = lineage.sources[0], lineage.sources[draw.releases]
    before, after = identify(old)[draw.identity], identify(new)[draw.identity]
    lines = has_lines(draw.edit, old, before) and has_lines(draw.edit, new, after)
    stroke = Stroke(stroke.mark, stroke.form, lines)
    edited = EDITS[draw.edit](old, before, stroke)
    expected = EDITS[draw.edit](new, after, stroke)
    return Case(number, lineage.name, draw.releases, draw.edit, draw.identity, lines, old, edited, new, expected)
