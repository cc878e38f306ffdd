"""How alike two canonical trees are: the weighted share of their nodes that match.

Equal subtrees are one object (see `trees.py`). The trees are walked from the root: equal children are aligned in order (common
ends, then unique ones, then a longest common subsequence of what lies between), the rest is paired by label in order, and pairs
are compared node by node. What is left over then matches equal subtrees elsewhere (moved, wrapped) for half of their weight.
Tables of the longest common subsequence are capped, so that time stays near-linear in the nodes.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from migration.engine.compare.markup import COMMENT
from migration.engine.compare.spelling import PAGE
from migration.engine.compare.trees import TEXT, Node

ELSEWHERE: Final = 0.5
BELOW_ONE: Final = 0.999999

_MAX_TABLE: Final = 2_500
_LONG: Final = 100_000  # characters of a text whose words are not held all at once
_WORD: Final = re.compile(r"\S+")


def similarity(left: Node, right: Node) -> float:
    """Return a number from 0 to BELOW_ONE for two pages that differ; which comes first may matter a little."""
    matched, rest_first, rest_second = _match_in_place(left, right)
    matched += ELSEWHERE * _match_elsewhere(rest_first, rest_second)
    return min(BELOW_ONE, 2 * matched / (left.weight + right.weight))


def _match_in_place(left: Node, right: Node) -> tuple[float, list[Node], list[Node]]:
    """Return the weight that matches from the root down, and the subtrees of both sides that found no partner."""
    matched = 0.0
    rest_left: list[Node] = []
    rest_right: list[Node] = []
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if one is other:
            matched += one.weight
            continue
        matched += _own_match(one, other)
        ours, theirs = one.children, other.children
        if not ours and not theirs:
            continue
        if len(ours) == 1 and len(theirs) == 1 and ours[0].label == theirs[0].label:
            pairs.append((ours[0], theirs[0]))
            continue
        for child, counterpart in _aligned(ours, theirs):
            if child is not None and counterpart is not None:
                pairs.append((child, counterpart))
            elif child is not None:
                rest_left.append(child)
            elif counterpart is not None:
                rest_right.append(counterpart)
    return matched, rest_left, rest_right


def _own_match(one: Node, other: Node) -> float:
    """Return the weight that two nodes with one label share without their children."""
    if one.label == COMMENT:
        return 0
    if one.label == PAGE:
        return float(one.attributes == other.attributes)
    if one.label != TEXT:
        if one.attributes == other.attributes:
            return one.own
        return one.own - len(one.attributes) + len(set(one.attributes) & set(other.attributes))
    if min(len(one.text), len(other.text)) > _LONG:
        start, ours, theirs = _shared_words(one.text, other.text)
        end, _, _ = _shared_words(one.text[ours:][::-1], other.text[theirs:][::-1])
        return float(start + end)
    words, others = one.text.split(), other.text.split()
    shortest = min(len(words), len(others))
    start = next((index for index in range(shortest) if words[index] != others[index]), shortest)
    end = next((index for index in range(shortest - start) if words[-1 - index] != others[-1 - index]), shortest - start)
    return float(start + end)


def _shared_words(left: str, right: str) -> tuple[int, int, int]:
    """Return how many words two texts begin with in common, and where the rest of each begins, without a list of all words."""
    count = left_end = right_end = 0
    for ours, theirs in zip(_WORD.finditer(left), _WORD.finditer(right), strict=False):
        if ours[0] != theirs[0]:
            break
        count, left_end, right_end = count + 1, ours.end(), theirs.end()
    return count, left_end, right_end


def _aligned(left: Sequence[Node], right: Sequence[Node]) -> Iterator[tuple[Node | None, Node | None]]:
    """Yield pairs of children in order; None stands where one side has no partner."""
    start = 0
    shortest = min(len(left), len(right))
    while start < shortest and left[start] is right[start]:
        yield left[start], right[start]
        start += 1
    end = 0
    while end < shortest - start and left[-1 - end] is right[-1 - end]:
        yield left[-1 - end], right[-1 - end]
        end += 1
    left, right = left[start : len(left) - end], right[start : len(right) - end]
    if len(left) < 2 and len(right) < 2:  # nothing is equal here any more
        yield from _paired_by_label(left, right)
        return
    for ours, theirs, equal in _split(left, right, _unique_in_order(left, right)):
        if equal:
            yield left[ours.start], right[theirs.start]
            continue
        gap, counterpart = left[ours.start : ours.stop], right[theirs.start : theirs.stop]
        for one, other, same in _split(gap, counterpart, _longest_common(gap, counterpart)):
            if same:
                yield gap[one.start], counterpart[other.start]
            else:
                yield from _paired_by_label(gap[one.start : one.stop], counterpart[other.start : other.stop])


def _split(
    left: Sequence[Node], right: Sequence[Node], anchors: Sequence[tuple[int, int]]
) -> Iterator[tuple[range, range, bool]]:
    """Yield the index ranges between the anchors, and the anchors themselves with True."""
    from_left = from_right = 0
    for one, other in anchors:
        yield range(from_left, one), range(from_right, other), False
        yield range(one, one + 1), range(other, other + 1), True
        from_left, from_right = one + 1, other + 1
    yield range(from_left, len(left)), range(from_right, len(right)), False


def _unique_in_order(left: Sequence[Node], right: Sequence[Node]) -> list[tuple[int, int]]:
    """Return index pairs of equal subtrees that occur once on each side, as many as rise on both (patience)."""
    ours = Counter(left)
    theirs = Counter(right)
    places = {node: index for index, node in enumerate(right) if theirs[node] == 1}
    pairs = [(index, places[node]) for index, node in enumerate(left) if ours[node] == 1 and node in places]
    tails: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for position, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        tails[length : length + 1] = [place]
        tops[length : length + 1] = [position]
        before.append(tops[length - 1] if length else -1)
    chosen: list[tuple[int, int]] = []
    position = tops[-1] if tops else -1
    while position >= 0:
        chosen.append(pairs[position])
        position = before[position]
    return chosen[::-1]


def _longest_common(left: Sequence[Node], right: Sequence[Node]) -> list[tuple[int, int]]:
    """Return index pairs of a longest common subsequence of equal subtrees; none where its table would be too large."""
    if not left or not right or len(left) * len(right) > _MAX_TABLE:
        return []
    table = [[0] * (len(right) + 1)]
    for node in reversed(left):
        below = table[-1]
        row = [0] * (len(right) + 1)
        for place in range(len(right) - 1, -1, -1):
            row[place] = below[place + 1] + 1 if node is right[place] else max(below[place], row[place + 1])
        table.append(row)
    table.reverse()
    pairs = []
    one = other = 0
    while one < len(left) and other < len(right):
        if left[one] is right[other]:
            pairs.append((one, other))
            one, other = one + 1, other + 1
        elif table[one + 1][other] >= table[one][other + 1]:
            one += 1
        else:
            other += 1
    return pairs


def _paired_by_label(left: Sequence[Node], right: Sequence[Node]) -> Iterator[tuple[Node | None, Node | None]]:
    """Pair each node with the next one of its label on the other side, in order."""
    position = 0
    places: dict[str, list[int]] = {}
    for index, node in enumerate(right):
        places.setdefault(node.label, []).append(index)
    for indexes in places.values():
        indexes.reverse()
    for node in left:
        indexes = places.get(node.label, [])
        while indexes and indexes[-1] < position:
            indexes.pop()
        if not indexes:
            yield node, None
            continue
        found = indexes.pop()
        for skipped in right[position:found]:
            yield None, skipped
        yield node, right[found]
        position = found + 1
    for skipped in right[position:]:
        yield None, skipped


def _match_elsewhere(left: list[Node], right: list[Node]) -> float:
    """Return the weight of equal subtrees among what found no partner in its place, each used once, the heaviest first."""
    available = Counter(_subtrees(right))
    matched = 0.0
    waiting = [(-node.weight, index, node) for index, node in enumerate(left)]
    heapify(waiting)
    count = len(waiting)
    while waiting:
        _, _, node = heappop(waiting)
        if available[node] > 0:
            available.subtract(_subtrees([node]))
            matched += node.weight
            continue
        for child in node.children:
            heappush(waiting, (-child.weight, count, child))
            count += 1
    return matched


def _subtrees(roots: list[Node]) -> Iterator[Node]:
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children)
