"""Count, after an upgrade, whether everything is there that should be, and nothing twice.

The guard does not trust the carrying: it composes the customization on the old base, cuts all four sources into tokens and
compares counts. What one side added is in the result as often as this side gave it; what both added, as often as the side that
added more. A label that the customization removed must not come back with something that upstream added, and one that both
added must not stand twice. Places that are reported as kept are excused from upstream's part. Then it looks for new
tags without a partner, repeated ids and blocks, and for libraries that upstream or an edit needs.

Counts miss what only changed its place; that is why the carrying has vetoes of its own. Cost: linear in the four sources.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from slots.errors import Issue, IssueCode
from slots.markup import ops
from slots.markup.address import labels
from slots.markup.compose import compose
from slots.markup.rebase import loads
from slots.markup.rebase.case import Case
from slots.markup.rebase.halves import END_MAY_MISS, halves
from slots.markup.rebase.outcomes import Carried, Status, Texts
from slots.markup.rebase.pairing import Pairing, is_telling, labels_of
from slots.markup.rebase.tokens import Counts, counted, counted_text
from slots.markup.tree import nodes
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Tree

_ONLY_CLOSES: Final = re.compile(r"(?:</[\w-]+>|\{%\s*(?:end\w+|else)[^%]*%\}|\s)+")
_BLOCK_IN_TAG: Final = re.compile(r"\{%\s*block\s+(\w+)")
_ID_ARGUMENT: Final = re.compile(r"\sid=[\"']([\w-]+)[\"']")
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
        ours = case.ours
    else:
        ours = parse(compose(pairing.old, [operations[index] for index in living]).source)
    if ours.source == pairing.old.source and result.source == pairing.new.source:
        return []
    sides = _Sides(pairing, ours, result)
    kept = [carried[index].outcome.texts for index in living if carried[index].outcome.status is Status.KEPT]
    findings = [*_edits(sides), *_upstream(sides, kept), *_structure(sides), *_libraries(sides)]
    return [Objection(issue, _blamed(tokens, living, carried), tokens) for issue, tokens in findings]


@dataclass(frozen=True, slots=True)
class _Sides:
    """Hold the four sources as trees; the result is what is looked at."""

    pairing: Pairing
    ours: Tree
    result: Tree

    @property
    def base(self) -> Tree:
        return self.pairing.old

    @property
    def theirs(self) -> Tree:
        return self.pairing.new


def _missing(base: Counts, side: Counts, other: Counts, result: Counts) -> Counts:
    """Return what `side` added and the result lacks."""
    found: Counts = Counter()
    for token, now in side.items():
        was = base[token]
        if now > was:
            there = other[token]
            needed = max(now, there) if there > was else now + there - was
            if result[token] < needed:
                found[token] = needed - result[token]
    return found


def _lost(base: Counts, ours: Counts, theirs: Counts, result: Counts) -> Counts:
    """Return what no side added and the result has more rarely than both sides' removals account for."""
    found: Counts = Counter()
    for token, was in base.items():
        now, there = ours[token], theirs[token]
        if now <= was and there <= was and result[token] < now + there - was:
            found[token] = now + there - was - result[token]
    return found


def _undone(base: Counts, side: Counts, other: Counts, result: Counts) -> list[str]:
    """Return telling tokens that `side` took away and the result has more often than the other side accounts for."""
    found = []
    for token, was in base.items():
        now, there = side[token], other[token]
        if now < was and is_telling(token) and result[token] > (min(now, there) if there < was else now + there - was):
            found.append(token)
    return found


def _finding(code: IssueCode, text: str, tokens: Iterable[str]) -> Finding:
    named = sorted(tokens)
    shown = ", ".join(token[:60] for token in named[:3])
    return Issue(code, text.format(shown), suggestion="Compare the three texts and decide by hand."), frozenset(named)


def _edits(sides: _Sides) -> Iterator[Finding]:
    base, ours, theirs, result = (counted(tree) for tree in (sides.base, sides.ours, sides.theirs, sides.result))
    missing = _missing(base, ours, theirs, result)
    if missing:
        yield _finding(IssueCode.TARGET_MISSING, "The upgrade would lose what the customization added: {}.", missing)
    twice = [*_twice(sides, labels_of, new_only=True), *_twice(sides, _lines)]
    if twice:
        yield _finding(IssueCode.OP_SHADOWED, "Both sides added the same, and it would stand twice: {}.", twice)
    before, edited, after = (labels_of(tree) for tree in (sides.base, sides.ours, sides.result))
    gone = sides.pairing.gone
    back = [
        label
        for label, count in before.items()
        if edited[label] < count and gone[label] and is_telling(label) and after[label] > _allowed(label, sides, edited)
    ]
    back += _undone(base, ours, theirs, result)
    if back:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would bring back what the customization removed: {}.", back)


def _twice(sides: _Sides, count: Callable[[Tree], Counts], *, new_only: bool = False) -> Iterator[str]:
    """Yield what both sides added and the result has more often than either; with `new_only` only what the old base lacks."""
    before, edited, upstream, after = (count(tree) for tree in (sides.base, sides.ours, sides.theirs, sides.result))
    for token, now in edited.items():
        was, there = before[token], upstream[token]
        if was < now and was < there and after[token] > max(now, there) and is_telling(token) and not (was and new_only):
            yield token


def _lines(tree: Tree) -> Counts:
    """Count the lines that are more than end tags."""
    found = tree.memo.get("rebase.lines")
    if not isinstance(found, Counter):
        lines = (line.strip() for line in tree.source.split("\n"))
        found = tree.memo["rebase.lines"] = Counter(line for line in lines if line and not _ONLY_CLOSES.fullmatch(line))
    return found


def _allowed(label: str, sides: _Sides, edited: Counts) -> int:
    """Return how often a label may stand that the customization removed: upstream's own additions, without what only moved."""
    added, gone = sides.pairing.came[label], sides.pairing.gone[label]
    return edited[label] + max(0, added - gone)


def _upstream(sides: _Sides, kept: Sequence[Texts]) -> Iterator[Finding]:
    base, ours, theirs, result = (counted(tree) for tree in (sides.base, sides.ours, sides.theirs, sides.result))
    missing = _missing(base, theirs, ours, result)
    for texts in kept if missing else ():
        missing -= counted_text(texts.theirs)
    if missing:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would lose what the new base added: {}.", missing)
    lost = _lost(base, ours, theirs, result)
    for texts in kept if lost else ():
        lost -= counted_text(texts.theirs)
    if lost:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would lose what both sides left: {}.", lost)
    back = _undone(base, theirs, ours, result)
    if back:
        excused = {token for texts in kept for text in (texts.base, texts.ours) for token in counted_text(text)}
        back = [token for token in back if token not in excused]
    if back:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would bring back what the new base removed: {}.", back)


def _structure(sides: _Sides) -> Iterator[Finding]:
    inputs = [halves(tree.nodes) for tree in (sides.base, sides.ours, sides.theirs)]
    result = halves(sides.result.nodes)
    new = [name for name in result if result[name] not in {each[name] for each in inputs} and name not in END_MAY_MISS]
    if new:
        yield _finding(IssueCode.WRAP_CONFLICT, "The upgrade would leave tags without their partners: {}.", new)
    known = _identities(sides.base) | _identities(sides.ours) | _identities(sides.theirs)
    repeated = [name for name, count in _identities(sides.result).items() if count > max(1, known[name])]
    if repeated:
        yield _finding(IssueCode.DUPLICATE_ID, "The upgrade would use a name twice: {}.", repeated)


def _identities(tree: Tree) -> Counts:
    """Count the names that may stand once: ids, blocks and slots, blocks inside open tags, ids that template tags are given."""
    found: Counts = Counter()
    for node in tree.nodes:
        if node.kind in nodes.TAGGED:
            text = tree.open(node)
            found.update(f"block:{name}" for name in (_BLOCK_IN_TAG.findall(text) if "{%" in text else ()))
        elif node.kind in (nodes.BLOCK, nodes.TAG):
            found.update(f"id:{name}" for name in _ID_ARGUMENT.findall(tree.open(node)))
        else:
            continue
        name = labels.identity(tree, node)
        if name:
            found[name] += 1
    return found


def _libraries(sides: _Sides) -> Iterator[Finding]:
    missing = loads.missing(sides.pairing, sides.ours, sides.result)
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
