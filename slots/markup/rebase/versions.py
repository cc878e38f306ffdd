"""Compare three versions of a place: does one side's version hold all that the other side changed there?

A place that both sides changed is no matter for a person where one of them went the whole way of the other and further: both
wrap the same nodes in the same blocks, and one gives them class names as well. Versions are compared as sequences of tokens,
close tags and separators among them. Counts alone would miss what only changed its place, so what two versions share has to
stand in one order, apart from what the customization moved where upstream moved nothing. Cost: that of longest common
subsequences, capped; asked only where both sides changed something.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from slots.markup.match import sequence
from slots.markup.rebase import spelling, tokens
from slots.markup.rebase.pairing import is_telling
from slots.markup.tree import nodes
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node, Tree


def holds(base: str, changed: str, other: str) -> bool:
    """Tell whether `other` has all that `changed` added to `base` and nothing that it took away, in the same order."""
    return agrees(said(base), said(changed), said(other))


def agrees(base: Sequence[str], changed: Sequence[str], other: Sequence[str]) -> bool:
    """Tell the same of sequences of tokens.

    Additions that say nothing (a bare `<div>`, a word) are found anywhere; together they have to be long enough to tell
    something, unless nothing was added at all.
    """
    if changed == base:
        return True
    before, after, there = Counter(base), Counter(changed), Counter(other)
    added = [token for token, count in after.items() if count > before[token]]
    if any(there[token] < after[token] for token in added):
        return False
    if any(after[token] < min(count, there[token]) for token, count in before.items()):
        return False
    if added and not is_telling(" ".join(token for token in added if not token.startswith("/"))):
        return False
    moved = frozenset() if _moved(base, changed) else _moved(base, other).keys() - added
    return not _moved(*([token for token in version if token not in moved] for version in (changed, other)))


def _moved(one: Sequence[str], other: Sequence[str]) -> Counter[str]:
    """Return which of the tokens that two sequences share, counted, do not stand in one order."""
    numbers: dict[str, int] = {}
    coded = [[numbers.setdefault(token, len(numbers)) for token in version] for version in (one, other)]
    return (Counter(one) & Counter(other)) - Counter(one[index] for index, _ in sequence.common(*coded))


@lru_cache(maxsize=64)
def said(text: str) -> tuple[str, ...]:
    """Return the tokens of a source in their order; a comment is one token, and attributes of one tag have no order."""
    tree = parse(text)
    found: list[str] = []
    stack: list[tuple[Node, bool]] = [(tree.root, False)]
    while stack:
        node, closes = stack.pop()
        if closes:
            found.append(f"/{_name(tree, node)}")
            continue
        found.extend(_own(tree, node))
        if node.close < node.end:
            stack.append((node, True))
        stack.extend((kid, False) for kid in reversed(node.kids))
    return tuple(found)


def tokens_of(tree: Tree, found: Iterable[Node]) -> list[str]:
    """Return the tokens that nodes say by themselves, in the order given, without close tags."""
    return [token for node in found for token in _own(tree, node)]


def _own(tree: Tree, node: Node) -> list[str]:
    if node.kind in (nodes.SEPARATOR, nodes.COMMENT, nodes.CLOSE):
        return [" ".join(tree.open(node).split())]
    found = tokens.of(tree, node)
    return [found[0], *sorted(found[1:])] if node.kind in nodes.TAGGED else list(found)


def _name(tree: Tree, node: Node) -> str:
    """Return the name that a close tag repeats; a renamed template tag by its present name."""
    return node.name if node.kind in nodes.TAGGED else spelling.construct(tree.open(node))[2:].split(None, 1)[0]
