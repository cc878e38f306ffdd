"""Spread the records over processes, in order, with a bounded number of records in flight."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from migration.management.corpus import peers
from migration.management.corpus.measure import Row, measure
from migration.management.corpus.records import read_line
from slots.errors import Refusal

# Records that wait or run per process; enough to keep all busy while one is slow.
IN_FLIGHT: Final = 16


def measure_line(number: int, line: bytes, tools: peers.Tools) -> Row | Refusal:
    """Measure the record on one line of the corpus."""
    record = read_line(number, line)
    return record if isinstance(record, Refusal) else measure(record, tools)


def measure_all(lines: Iterable[bytes], tools: peers.Tools, *, processes: int) -> Iterator[Row | Refusal]:
    """Yield the row or the refusal of every line that is not blank, in the order of the corpus.

    With one process everything runs in this one. Workers are spawned, not forked: the caller may hold database connections.
    """
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    if processes <= 1:
        for number, line in numbered:
            yield measure_line(number, line, tools)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
        waiting: deque[Future[Row | Refusal]] = deque()
        for number, line in numbered:
            waiting.append(executor.submit(measure_line, number, line, tools))
            if len(waiting) >= processes * IN_FLIGHT:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
