"""A mix of people over strata: one order of everybody, of which any number from the front is mixed like the whole.

Places are given to strata one by one, by Webster's method (Sainte-Laguë) after each has had its first: the next place is of the
stratum with most people for each place that it would then have, less half. The places of a number are those of every smaller
number and one more, which largest remainders do not give (the Alabama paradox). O(n log strata). M. L. Balinski, H. P. Young,
"Fair Representation" (1982).
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

Person = TypeVar("Person")
Stratum = tuple[str, ...]


def places(sizes: Mapping[Stratum, int]) -> Iterator[Stratum]:
    """Yield which stratum the next place is of, until everybody has one; equal claims go to the larger, then by name."""
    waiting = [(-float("inf"), -size, stratum, 0) for stratum, size in sizes.items() if size]
    heapq.heapify(waiting)
    while waiting:
        _claim, size, stratum, given = heapq.heappop(waiting)
        yield stratum
        if (given := given + 1) < -size:
            heapq.heappush(waiting, (size / (2 * given + 1), size, stratum, given))


def mixed(people: Iterable[Person], *, stratum_of: Callable[[Person], Stratum]) -> Iterator[Person]:
    """Yield the people so that any number from the front is mixed over the strata; inside one they keep their order."""
    queues: dict[Stratum, list[Person]] = defaultdict(list)
    for person in people:
        queues[stratum_of(person)].append(person)
    in_line = {stratum: iter(queue) for stratum, queue in queues.items()}
    for stratum in places({stratum: len(queue) for stratum, queue in queues.items()}):
        yield next(in_line[stratum])
