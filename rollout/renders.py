"""Count what people's renders take and whether they succeed, and keep that as samples for gates and guards.

`observe` is what slots calls, through `SLOTS_RENDER_OBSERVER`: it adds to a queue in memory and nothing else. The queue is
counted after a response or by a job, and at most every 15 seconds the counts of this process become samples. Nothing is asked or
written while a page is made, and nothing that fails here reaches one; the worst is that some renders are not counted.
"""

import os
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.utils import timezone

from rollout.gates import Arm, Metric
from rollout.gates.timings import Pair, Timings, comparable, paired
from rollout.models import Sample
from rollout.waves import System
from slots.schema import OK, PersonKey

log = structlog.get_logger(__name__)

SOURCE: Final = "renders"
BY: Final = "phoenix"
EVERY: Final = timedelta(seconds=15)
PATIENCE: Final = timedelta(hours=1)  # how long a component waits for renders of the other arm
QUEUED: Final = 20_000  # renders that are kept until somebody counts them; beyond that the oldest are forgotten
HEAVY: Final = 200  # renders in each arm that make a sample of performance worth writing; fewer only after an hour or at the end
COMPONENTS: Final = 1_000  # whose times are kept in each arm
COUNT_AT: Final = 1_000  # queued renders that are counted even where no sample is due
ARMS: Final = {System.SLOTS.value: Arm.TREATED, System.LEGACY.value: Arm.CONTROL}

_seen: deque[tuple[str, str, float, str]] = deque(maxlen=QUEUED)


def observe(component: str, person: PersonKey | None, system: str, seconds: float, outcome: str) -> None:
    """Note one render; a stranger's says nothing about either arm."""
    if person is not None:
        _seen.append((component, system, seconds, outcome))


@dataclass(slots=True)
class Tally:
    """Count the renders of one system; `times` by component, of those that went well."""

    renders: int = 0
    failures: int = 0
    times: dict[str, Timings] = field(default_factory=dict)


class RenderCounts:
    """Hold what this process has counted and not written yet."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything and go by another name, as a process does that was forked off a counting one."""
        self._lock = threading.Lock()  # whoever held it is not in this process
        self._process = uuid.uuid4().hex
        self._number = 0
        self._written_at: datetime | None = None
        self._tallies = {system: Tally() for system in ARMS}
        self._since: dict[str, datetime] = {}  # when the first render of a component was counted that is not written yet
        _seen.clear()

    def sweep(self, *, at: datetime, is_last: bool = False) -> int:
        """Count what is queued, and write samples where the last ones are long enough ago; return how many were written.

        `is_last` writes at once, as for a process that ends. Whoever comes while another thread is at it leaves it to that one.
        """
        if self._written_at is None:
            self._written_at = at
        is_due = is_last or at - self._written_at >= EVERY
        if not (is_due or len(_seen) >= COUNT_AT) or not self._lock.acquire(blocking=False):
            return 0
        try:
            self._count(at)
            return self._write(at, is_last=is_last) if is_due else 0
        finally:
            self._lock.release()

    def _count(self, at: datetime) -> None:
        for _ in range(len(_seen)):
            component, system, seconds, outcome = _seen.popleft()
            tally = self._tallies.get(system)
            if tally is None:
                continue
            tally.renders += 1
            if outcome != OK:
                tally.failures += 1
                continue
            timings = tally.times.get(component)
            if timings is None and len(tally.times) < COMPONENTS:
                timings = tally.times[component] = Timings()
                self._since.setdefault(component, at)
            if timings is not None:
                timings.add(seconds)

    def _write(self, at: datetime, *, is_last: bool) -> int:
        self._written_at = at
        late = [each for each, since in self._since.items() if at - since > PATIENCE]  # an hour apart is not at the same time
        pair = paired(*self._times())
        has_enough = pair.weight >= HEAVY or is_last or bool(late)
        samples = [*self._error_rates(at), *(self._performance(pair, at) if has_enough else ())]
        if samples:
            Sample.objects.bulk_create(samples, ignore_conflicts=True)  # a second try of the same ones is ignored
            self._number += 1
        for tally in self._tallies.values():
            tally.renders = tally.failures = 0
        for component in {*(comparable(*self._times()) if has_enough else ()), *late}:
            for tally in self._tallies.values():
                tally.times.pop(component, None)
            self._since.pop(component, None)
        return len(samples)

    def _error_rates(self, at: datetime) -> Iterator[Sample]:
        for system, tally in self._tallies.items():
            if tally.renders:
                yield self._sample(Metric.ERROR_RATE, ARMS[system], tally.failures, tally.renders, at)

    def _performance(self, pair: Pair, at: datetime) -> Iterator[Sample]:
        if pair.weight:
            yield self._sample(Metric.PERFORMANCE, Arm.TREATED, pair.treated, pair.weight, at)
            yield self._sample(Metric.PERFORMANCE, Arm.CONTROL, pair.control, pair.weight, at)

    def _sample(self, metric: Metric, arm: Arm, numerator: float, count: int, at: datetime) -> Sample:
        return Sample(
            metric=metric.value,
            arm=arm.value,
            numerator=numerator,
            denominator=count,
            count=count,
            taken_at=at,
            source=SOURCE,
            key=f"{self._process}-{self._number}-{metric}-{arm}",
            by=BY,
        )

    def _times(self) -> tuple[dict[str, Timings], dict[str, Timings]]:
        return self._tallies[System.SLOTS.value].times, self._tallies[System.LEGACY.value].times


counts = RenderCounts()
os.register_at_fork(after_in_child=counts.reset)


def write_renders(*, at: datetime, is_last: bool = False) -> int:
    """Write what this process has counted where that is due; what fails is logged, and tried again with the next ones."""
    try:
        return counts.sweep(at=at, is_last=is_last)
    except Exception:  # a measurement must not fail a page or a job
        log.exception("renders_not_written")
        return 0


def after_request(**_signal: Any) -> None:
    """Write what was counted, once the response is out."""
    write_renders(at=timezone.now())
