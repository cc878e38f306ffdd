"""Processor time, contestants in turn."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any


@contextmanager
def still_heap() -> Iterator[None]:
    """Keep what is in memory out of the collector's way, so that only what is measured makes it work."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def cpu_ms(call: Callable[[], Any]) -> float:
    """Return the milliseconds of processor time that the call used, all threads together.

    What earlier calls left behind is collected before; what the call itself makes the collector do counts.
    """
    gc.collect()
    started = time.process_time()
    call()
    return (time.process_time() - started) * 1000


def in_turn(contestants: Mapping[str, Callable[[], Any]], *, rounds: int) -> dict[str, float]:
    """Run every contestant once a round, and return the median of each in milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, call in contestants.items():
            taken[name].append(cpu_ms(call))
    return {name: median(times) for name, times in taken.items()}
