"""Count, after an upgrade, whether everything is there that should be, and nothing twice.

The guard does not trust the carrying: it composes the customization on the old base and compares what the four sources say, cut
into tokens. What one side added is in the result as often as this side gave it; what both added, as often as the side that
added more. A label that the customization removed must not come back with something that upstream added, and one that both
added must not stand twice. Places that are reported as kept are excused from upstream's part. Then it looks for new
tags without a partner, repeated ids and blocks, and for libraries that upstream or an edit needs.

All this can be said of differences alone (`difference`): how much more often than the old base a side or the result says
something. So only what changed is cut into tokens. Full counts are asked for where a difference is suspicious.

Counts miss what only changed its place; that is why the carrying has vetoes of its own. Cost: linear in the four sources, with a
small factor, then the size of the changes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from slots.errors import Issue, IssueCode
from slots.markup import ops
from slots.markup.compose import compose
from slots.markup.rebase import loads, tokens
from slots.markup.rebase.case import Case
from slots.markup.rebase.difference import Changes, Difference, names, nodes_of, summed
from slots.markup.rebase.halves import END_MAY_MISS, halves
from slots.markup.rebase.outcomes import Carried, Status, Texts
from slots.markup.rebase.pairing import Pairing, is_telling, labels_of
from slots.markup.rebase.tokens import Counts, counted, counted_text
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Tree

# Possessive: a line may hold thousands of end tags, and there is one way only to read each.
_ONLY_CLOSES: Final = re.compile(r"(?:</[\w-]++>|\{%\s*+(?:end\w++|else)[^%]*+%\}|\s)++")
Finding = tuple[Issue, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Objection:
    """Hold what the guard found and the indexes of the operations that it lays it to; none where it cannot tell."""

    issue: Issue
    operations: frozenset[int]
    tokens: frozenset[str] = frozenset()


def objections(case: Case, carried: Sequence[Carried], result: Tree, issues: Sequence[Issue]) -> list[Objection]:
    """Return what is wrong with a composed result, whose composition raised the issues; empty when nothing is."""
    operations, pairing = case.operations, case.pairing
    indexes = {operation.id: index for index, operation in enumerate(operations)}
    found = [Objection(issue, frozenset({indexes[issue.operation]})) for issue in issues if issue.operation in indexes]
    living = [index for index, each in enumerate(carried) if each.outcome.status is not Status.CONFLICT]
    if found or not living or any(operations[index].kind == ops.REPLACE_SOURCE for index in living):
        return found
    if len(living) == len(operations):
        edit = case.edit
    else:
        edit = Difference(pairing.old, case.read(compose(pairing.old, [operations[index] for index in living]).source))
    if edit.after.source == pairing.old.source and result.source == pairing.new.source:
        return []
    sides = _Sides(pairing, edit, Difference(pairing.new, result))
    kept = [carried[index].outcome.texts for index in living if carried[index].outcome.status is Status.KEPT]
    findings = [*_edits(sides), *_upstream(sides, kept), *_structure(sides), *_libraries(sides)]
    return [Objection(issue, _blamed(tokens, living, carried), tokens) for issue, tokens in findings]


@dataclass(frozen=True)
class _Sides:
    """Hold what the customization made of the old base, and of the new one."""

    pairing: Pairing
    edit: Difference
    made: Difference

    @cached_property
    def unlike(self) -> Changes:
        """Return tokens of which ours gained another number than the result did over theirs.

        Of all others there is what should be: the sum of what both sides changed. Looked for among nodes of which that holds.
        """
        ours, made = self.edit.nodes, self.made.nodes
        return summed({key: ours.get(key, 0) - made.get(key, 0) for key, _ in ours.items() ^ made.items()}, tokens.of_text)

    @cached_property
    def tokens(self) -> "_Changed":
        """Return what changed in tokens."""
        return _Changed(self.edit.tokens, self.pairing.upstream.tokens, self.made.tokens)

    @cached_property
    def labels(self) -> "_Changed":
        """Return what changed in labels."""
        return _Changed(self.edit.labels, self.pairing.upstream.labels, self.made.labels)


@dataclass(frozen=True)
class _Changed:
    """Hold how much more often than in the old base something stands in ours and in theirs, and in the result than in theirs."""

    ours: Changes
    theirs: Changes
    made: Changes

    def result(self, text: str) -> int:
        """Return how much more often than in the old base a text stands in the result."""
        return self.theirs.get(text, 0) + self.made.get(text, 0)

    def missing(self, side: Changes, other: Changes, among: Iterable[str]) -> Counts:
        """Return what `side` added and the result lacks."""
        found: Counts = Counter()
        for text in among:
            now, there = side.get(text, 0), other.get(text, 0)
            if now > 0:
                lacking = (max(now, there) if there > 0 else now + there) - self.result(text)
                if lacking > 0:
                    found[text] = lacking
        return found

    def undone(self, side: Changes, other: Changes, among: Iterable[str]) -> list[str]:
        """Return the telling texts that `side` took away and the result has more often than the other side accounts for."""
        found = []
        for text in among:
            now, there = side.get(text, 0), other.get(text, 0)
            allowed = min(now, there) if there < 0 else now + there
            if now < 0 and self.result(text) > allowed and is_telling(text):
                found.append(text)
        return found

    def lost(self, among: Iterable[str]) -> Counts:
        """Return what no side added and the result has more rarely than both sides' removals account for."""
        found: Counts = Counter()
        for text in among:
            now, there = self.ours.get(text, 0), self.theirs.get(text, 0)
            if now <= 0 and there <= 0 and self.result(text) < now + there:
                found[text] = now + there - self.result(text)
        return found

    def twice(self) -> list[str]:
        """Return the telling texts that both sides added and the result has more often than either."""
        both = (text for text in self.ours.keys() & self.theirs.keys() if is_telling(text))
        return [text for text in both if 0 < self.ours[text] < self.result(text) and 0 < self.theirs[text] < self.result(text)]


def _finding(code: IssueCode, text: str, found: Iterable[str]) -> Finding:
    named = sorted(found)
    shown = ", ".join(token[:60] for token in named[:3])
    return Issue(code, text.format(shown), suggestion="Compare the three texts and decide by hand."), frozenset(named)


def _undone(sides: _Sides, *, ours: bool) -> tuple[Counts, list[str]]:
    """Return tokens that a side added and the result lacks, and telling ones that it took away and the result has again."""
    among = sides.unlike
    if not among:
        return Counter(), []
    changed = sides.tokens
    side, other = (changed.ours, changed.theirs) if ours else (changed.theirs, changed.ours)
    return changed.missing(side, other, among), changed.undone(side, other, among)


def _edits(sides: _Sides) -> Iterator[Finding]:
    missing, undone = _undone(sides, ours=True)
    if missing:
        yield _finding(IssueCode.TARGET_MISSING, "The upgrade would lose what the customization added: {}.", missing)
    twice = _twice(sides)
    if twice:
        yield _finding(IssueCode.OP_SHADOWED, "Both sides added the same, and it would stand twice: {}.", twice)
    back = [*_back(sides), *undone]
    if back:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would bring back what the customization removed: {}.", back)


def _twice(sides: _Sides) -> list[str]:
    """Return labels that the old base lacks, and lines, that both sides added and the result has more often than either."""
    before = sides.pairing.old
    found = [label for label in sides.labels.twice() if not labels_of(before)[label]]
    if not sides.pairing.new_lines.isdisjoint(map(str.strip, sides.edit.after.source.split("\n"))):
        lines = _Changed(sides.edit.lines, sides.pairing.upstream.lines, sides.made.lines)
        found += (line for line in lines.twice() if not _ONLY_CLOSES.fullmatch(line))
    return found


def _back(sides: _Sides) -> list[str]:
    """Return labels that the customization removed and that came back with something that upstream added.

    Upstream's own additions may stand, without what only moved.
    """
    changed = sides.labels
    came, gone = sides.pairing.came, sides.pairing.gone
    back = (label for label in changed.ours.keys() & gone.keys() if changed.ours[label] < 0 and is_telling(label))
    return [label for label in back if changed.result(label) > changed.ours[label] + max(0, came[label] - gone[label])]


def _upstream(sides: _Sides, kept: Sequence[Texts]) -> Iterator[Finding]:
    missing, back = _undone(sides, ours=False)
    for texts in kept if missing else ():
        missing -= counted_text(texts.theirs)
    if missing:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would lose what the new base added: {}.", missing)
    lost = sides.tokens.lost(sides.unlike) if sides.unlike else Counter[str]()
    for texts in kept if lost else ():
        lost -= counted_text(texts.theirs)
    if lost:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would lose what both sides left: {}.", lost)
    if back:
        excused = {token for texts in kept for text in (texts.base, texts.ours) for token in counted_text(text)}
        back = [token for token in back if token not in excused]
    if back:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would bring back what the new base removed: {}.", back)


def _structure(sides: _Sides) -> Iterator[Finding]:
    new = [name for name in _newly_parted(sides) if name not in END_MAY_MISS]
    if new:
        yield _finding(IssueCode.WRAP_CONFLICT, "The upgrade would leave tags without their partners: {}.", new)
    repeated = _newly_repeated(sides)
    if repeated:
        yield _finding(IssueCode.DUPLICATE_ID, "The upgrade would use a name twice: {}.", repeated)


def _newly_parted(sides: _Sides) -> set[str]:
    """Return names of tags without a partner of which the result has a sum that no source has that it was made of."""
    ours, theirs = sides.edit.halves, sides.pairing.upstream.halves
    sums = {name: theirs.get(name, 0) + more for name, more in sides.made.halves.items()}
    found = {name for name, count in sums.items() if count not in {0, ours.get(name, 0), theirs.get(name, 0)}}
    return found & halves(sides.made.after.nodes).keys() if found else found


def _newly_repeated(sides: _Sides) -> list[str]:
    """Return names that the result has more than once, and more often than any source that it was made of."""
    if not sides.made.names:
        return []
    changed = _Changed(sides.edit.names, sides.pairing.upstream.names, sides.made.names)
    most = (max(0, changed.ours.get(name, 0), changed.theirs.get(name, 0)) for name in changed.made)
    found = [name for name, count in zip(changed.made, most, strict=True) if changed.result(name) > count]
    there = summed(nodes_of(sides.made.after), names) if found else {}
    return [name for name in found if there.get(name, 0) > 1]


def _libraries(sides: _Sides) -> Iterator[Finding]:
    missing = loads.missing(sides.pairing, sides.edit.after, sides.made.after)
    if missing:
        yield _finding(IssueCode.REQUIREMENT_MISSING, "The upgrade would no longer load {}.", missing)


def _blamed(tokens: frozenset[str], living: Iterable[int], carried: Sequence[Carried]) -> frozenset[int]:
    """Return the operations in whose texts the tokens occur."""
    found: set[int] = set()
    wanted = [_bare(token) for token in tokens]
    for index in living:
        texts = carried[index].outcome.texts
        said = " ".join(" ".join(text.split()) for text in texts)
        if any(bare in said for bare in wanted) or any(not tokens.isdisjoint(_said(text)) for text in texts):
            found.add(index)
    return frozenset(found)


@lru_cache(maxsize=512)
def _said(text: str) -> frozenset[str]:
    """Return the tokens and labels of a text."""
    tree = parse(text)
    return frozenset((*counted(tree), *labels_of(tree)))


def _bare(token: str) -> str:
    """Return the part of a token that stands in a source as it is."""
    for prefix in ("class:", "style:", "id:", "block:", "slot:", "loose ", "close ", "tag "):
        if token.startswith(prefix):
            return token.removeprefix(prefix)
    name, equals, value = token.partition("=")
    return value if equals and value else name.removeprefix("<")
