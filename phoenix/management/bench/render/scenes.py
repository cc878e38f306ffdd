"""What a contestant is: two calls, one for each page; and how calls are timed."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from phoenix.management.bench.clock import cpu_ms, in_turn

SAMPLE_MS: Final = 25  # a sample is as many calls as take about that long: far more than the clock's grain
WARMING: Final = 5


class Scenes(NamedTuple):
    """Hold the calls that return the HTML of one card and of the grid."""

    card: Callable[[], str]
    grid: Callable[[], str]


def us_a_call(call: Callable[[], Any], count: int) -> float:
    """Return the microseconds of processor time of one call, over `count` of them."""
    return cpu_ms(_repeated(call, count)) * 1000 / count


def calls_in_a_sample(call: Callable[[], Any]) -> int:
    """Warm a call up and return how many of it make a sample."""
    us_a_call(call, WARMING)
    return max(1, round(SAMPLE_MS * 1000 / max(us_a_call(call, WARMING), 0.1)))


def us_in_turn(calls: Mapping[str, Callable[[], Any]], *, rounds: int) -> dict[str, float]:
    """Time several calls in turn, round after round, and return the median of each in microseconds."""
    counts = {name: calls_in_a_sample(call) for name, call in calls.items()}
    taken = in_turn({name: _repeated(call, counts[name]) for name, call in calls.items()}, rounds=rounds)
    return {name: ms * 1000 / counts[name] for name, ms in taken.items()}


def _repeated(call: Callable[[], Any], count: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(count):
            call()

    return repeat
