"""Find long common subsequences of integer sequences in near-linear time.

Common ends are trimmed first; the middle is solved by Hunt and Szymanski (CACM 1977, doi 10.1145/359581.359603), whose cost
grows with the number of equal pairs. Values so frequent that the pairs would exceed the cap are left out, which can make
the result shorter but never wrong.
"""

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from typing import Final

MAX_PAIRS: Final = 60_000


def common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return index pairs (i, j), rising in both, with `left[i] == right[j]`."""
    start = 0
    stop_left, stop_right = len(left), len(right)
    while start < stop_left and start < stop_right and left[start] == right[start]:
        start += 1
    while stop_left > start and stop_right > start and left[stop_left - 1] == right[stop_right - 1]:
        stop_left -= 1
        stop_right -= 1
    pairs = [(index, index) for index in range(start)]
    if start < stop_left and start < stop_right and not set(left[start:stop_left]).isdisjoint(right[start:stop_right]):
        pairs.extend(_middle(left, right, start, stop_left, stop_right))
    pairs.extend([(stop_left + index, stop_right + index) for index in range(len(left) - stop_left)])
    return pairs


def _middle(
    left: Sequence[Hashable], right: Sequence[Hashable], start: int, stop_left: int, stop_right: int
) -> list[tuple[int, int]]:
    """Solve what is left after trimming."""
    places: dict[Hashable, list[int]] = {}
    for index in range(stop_right - 1, start - 1, -1):
        places.setdefault(right[index], []).append(index)
    pairs = sum(len(places.get(left[index], ())) for index in range(start, stop_left))
    if pairs > MAX_PAIRS:
        counts: dict[Hashable, int] = {}
        for index in range(start, stop_left):
            counts[left[index]] = counts.get(left[index], 0) + 1
        room = MAX_PAIRS
        for value in sorted(places, key=lambda value: len(places[value]) * counts.get(value, 0)):
            room -= len(places[value]) * counts.get(value, 0)
            if room < 0:
                places[value] = []
    ends: list[int] = []  # ends[k]: smallest right index that ends a common subsequence of length k + 1
    links: list[tuple[int, int, object]] = []
    for index in range(start, stop_left):
        for place in places.get(left[index], ()):
            length = bisect_left(ends, place)
            link = (index, place, links[length - 1] if length else None)
            if length == len(ends):
                ends.append(place)
                links.append(link)
            else:
                ends[length] = place
                links[length] = link
    found: list[tuple[int, int]] = []
    link_or_none: object = links[-1] if links else None
    while isinstance(link_or_none, tuple):
        index, place, link_or_none = link_or_none
        found.append((index, place))
    found.reverse()
    return found


def rising(values: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Return the indexes of the heaviest strictly rising subsequence of distinct values; weights are positive.

    Prefix maxima are kept in a Fenwick tree (Software: Practice and Experience 1994, doi 10.1002/spe.4380240306), so the cost is
    n log n.
    """
    ranks = {value: rank for rank, value in enumerate(sorted(values), start=1)}
    best: list[tuple[int, int]] = [(0, -1)] * (len(values) + 1)  # (weight, index that ends it) over a range of ranks
    before: list[int] = []
    heaviest = (0, -1)
    for index, (value, weight) in enumerate(zip(values, weights, strict=True)):
        rank = ranks[value] - 1
        reach = (0, -1)
        while rank > 0:
            reach = max(reach, best[rank])
            rank -= rank & -rank
        before.append(reach[1])
        total = (reach[0] + weight, index)
        heaviest = max(heaviest, total)
        rank = ranks[value]
        while rank < len(best):
            best[rank] = max(best[rank], total)
            rank += rank & -rank
    found: list[int] = []
    index = heaviest[1]
    while index >= 0:
        found.append(index)
        index = before[index]
    found.reverse()
    return found
