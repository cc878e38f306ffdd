"""Count, after an upgrade, whether everything is there that should be, and nothing twice.

The guard does not trust the carrying: it composes the customization on the old base, cuts all four sources into tokens and
compares counts. A token that one side changed has the count this side gave it; one that both sides added stands as often as the
side that added more wrote it, and no more than both together. Places that are reported as kept are excused from upstream's part.
Then it looks for new loose tags, repeated ids and blocks, and for libraries that upstream or an edit needs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from slots.errors import Issue, IssueCode
from slots.markup import ops
from slots.markup.address import labels
from slots.markup.compose import Composed, compose
from slots.markup.ops import Operation
from slots.markup.rebase import loads, spelling
from slots.markup.rebase.outcomes import Carried, Status, Texts
from slots.markup.rebase.pairing import Pairing
from slots.markup.tree import nodes
from slots.markup.tree.attributes import class_tokens, declarations, read
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node, Tree

Counts = Counter[str]


@dataclass(frozen=True, slots=True)
class Objection:
    """Hold what the guard found and the indexes of the operations that it lays it to; none where it cannot tell."""

    issue: Issue
    operations: frozenset[int]


def objections(
    pairing: Pairing, operations: Sequence[Operation], carried: Sequence[Carried], composed: Composed
) -> list[Objection]:
    """Return what is wrong with a composed result; empty when nothing is."""
    indexes = {operation.id: index for index, operation in enumerate(operations)}
    found = [
        Objection(issue, frozenset({indexes[issue.operation]} if issue.operation in indexes else ())) for issue in composed.issues
    ]
    if found:
        return found
    living = [
        (index, operation) for index, operation in enumerate(operations) if carried[index].outcome.status is not Status.CONFLICT
    ]
    if not any(each.operation is not None or each.outcome.status is Status.ABSORBED for each in carried):
        return []
    if len(living) == 1 and living[0][1].kind == ops.REPLACE_SOURCE:
        return []
    ours = compose(pairing.old, [operation for _, operation in living]).source
    if ours == pairing.old.source and composed.source == pairing.new.source:
        return []
    sides = _Sides(pairing, parse(ours), parse(composed.source))
    texts = {index: carried[index].outcome for index, _ in living}
    kept = [outcome.texts for outcome in texts.values() if outcome.status is Status.KEPT]
    issues = [*_edits(sides), *_upstream(sides, kept), *_structure(sides), *_libraries(sides)]
    return [Objection(issue, _blamed(tokens, texts, carried)) for issue, tokens in issues]


class _Sides:
    """Hold the four sources as trees and as counts of tokens."""

    def __init__(self, pairing: Pairing, ours: Tree, result: Tree) -> None:
        self.base, self.ours, self.theirs, self.result = pairing.old, ours, pairing.new, result
        self.base_counts = counted(pairing.old)
        self.ours_counts = counted(ours)
        self.theirs_counts = counted(pairing.new)
        self.result_counts = counted(result)


def counted(tree: Tree) -> Counts:
    """Count the tokens of a tree, kept in its memo."""
    found = tree.memo.get("rebase.counts")
    if not isinstance(found, Counter):
        found = tree.memo["rebase.counts"] = Counter(_tokens(tree))
    return found


def _tokens(tree: Tree) -> Iterator[str]:
    for node in tree.nodes[1:]:
        if node.kind in nodes.TAGGED:
            yield from _tag_tokens(tree.open(node))
        elif node.kind in nodes.TEMPLATED:
            if not loads.is_load(node):
                yield spelling.construct(tree.open(node))
        elif node.kind != nodes.CLOSE:
            yield from tree.open(node).split()


def _tag_tokens(text: str) -> Iterator[str]:
    tag = read(text)
    element = tag.name.lower()
    yield f"<{element}"
    for part in tag.parts:
        if part.chunk:
            yield spelling.inline(part.name)
        elif part.key == "class":
            for token in class_tokens(part.value or ""):
                yield f"class:{spelling.inline(token)}"
        elif part.key == "style":
            for name, value in declarations(part.value or ""):
                yield f"style:{name}:{spelling.inline(value)}"
        else:
            said = spelling.value(part, element)
            if said is not None:
                yield f"{part.key}={said}"


def _missing(base: Counts, side: Counts, other: Counts, result: Counts) -> tuple[Counts, Counts]:
    """Return what `side` added and the result lacks, and what `side` took away and the result still has."""
    missing: Counts = Counter()
    undone: Counts = Counter()
    for token in base.keys() | side.keys():
        was, now = base[token], side[token]
        if was == now:
            continue
        there, after = other[token], result[token]
        if now > was:
            needed = max(now, there) if there > was else now + there - was
            if after < needed:
                missing[token] = needed - after
        else:
            allowed = min(now, there) if there < was else now + there - was
            if after > allowed:
                undone[token] = after - allowed
    return missing, undone


Finding = tuple[Issue, frozenset[str]]


def _finding(code: IssueCode, text: str, tokens: Iterable[str]) -> Finding:
    named = sorted(tokens)
    shown = ", ".join(token[:60] for token in named[:3])
    return Issue(code, text.format(shown), suggestion="Compare the three texts and decide by hand."), frozenset(named)


def _edits(sides: _Sides) -> Iterator[Finding]:
    missing, undone = _missing(sides.base_counts, sides.ours_counts, sides.theirs_counts, sides.result_counts)
    if missing:
        yield _finding(IssueCode.TARGET_MISSING, "The upgrade would lose what the customization added: {}.", missing)
    if undone:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would bring back what the customization removed: {}.", undone)
    twice = [
        token
        for token, count in sides.result_counts.items()
        if count
        > sides.ours_counts[token]
        + sides.theirs_counts[token]
        - min(sides.base_counts[token], sides.ours_counts[token], sides.theirs_counts[token])
    ]
    if twice:
        yield _finding(IssueCode.OP_SHADOWED, "The upgrade would make an addition twice: {}.", twice)


def _upstream(sides: _Sides, kept: Sequence[Texts]) -> Iterator[Finding]:
    missing, undone = _missing(sides.base_counts, sides.theirs_counts, sides.ours_counts, sides.result_counts)
    for texts in kept:
        missing -= counted(parse(texts.theirs))
        undone -= counted(parse(texts.ours)) | counted(parse(texts.base))
    if missing:
        yield _finding(IssueCode.BASE_CHANGED, "The upgrade would lose what the new base added: {}.", missing)
    if undone:
        yield _finding(IssueCode.BASE_REMOVED, "The upgrade would bring back what the new base removed: {}.", undone)


def _structure(sides: _Sides) -> Iterator[Finding]:
    loose = [_loose(tree) for tree in (sides.base, sides.ours, sides.theirs, sides.result)]
    new = loose[3] - (loose[0] | loose[1] | loose[2])
    if new:
        yield _finding(IssueCode.WRAP_CONFLICT, "The upgrade would leave tags without their partners: {}.", new)
    for kind in ("id:", "block:"):
        known: Counts = Counter()
        for tree in (sides.base, sides.ours, sides.theirs):
            known |= _identities(tree, kind)
        repeated = [name for name, count in _identities(sides.result, kind).items() if count > max(1, known[name])]
        if repeated:
            yield _finding(IssueCode.DUPLICATE_ID, "The upgrade would use a name twice: {}.", repeated)


def _loose(tree: Tree) -> Counts:
    return Counter(
        f"{node.kind} {node.name}" for node in tree.nodes if node.kind in (nodes.LOOSE, nodes.CLOSE) or _is_stray_end(node)
    )


def _is_stray_end(node: Node) -> bool:
    return node.kind == nodes.TAG and node.name.startswith("end")


def _identities(tree: Tree, kind: str) -> Counts:
    found = (labels.identity(tree, node) for node in tree.nodes if node.kind in nodes.TAGGED or node.kind == nodes.BLOCK)
    return Counter(name for name in found if name.startswith(kind))


def _libraries(sides: _Sides) -> Iterator[Finding]:
    """Find libraries that the new base loads or that the customization added, and the result lacks."""
    base, ours, theirs = (loads.loaded(tree) for tree in (sides.base, sides.ours, sides.theirs))
    after = loads.loaded(sides.result)
    missing = ((theirs - (base - ours)) | (ours - base)) - after
    if missing:
        yield _finding(IssueCode.REQUIREMENT_MISSING, "The upgrade would no longer load {}.", missing)


def _blamed(tokens: frozenset[str], outcomes: Iterable[int], carried: Sequence[Carried]) -> frozenset[int]:
    """Return the operations in whose texts the tokens occur; layout is never to blame."""
    found: set[int] = set()
    for index in outcomes:
        texts = carried[index].outcome.texts
        said = " ".join(" ".join(text.split()) for text in texts)
        counts = counted(parse(texts.base)) | counted(parse(texts.ours)) | counted(parse(texts.theirs))
        if any(token in counts or _bare(token) in said for token in tokens):
            found.add(index)
    return frozenset(found)


def _bare(token: str) -> str:
    """Return the part of a token that stands in a source as it is."""
    for prefix in ("class:", "style:", "id:", "block:", "loose ", "close "):
        if token.startswith(prefix):
            return token.removeprefix(prefix)
    name, equals, value = token.partition("=")
    return value if equals and value else name.removeprefix("<")
