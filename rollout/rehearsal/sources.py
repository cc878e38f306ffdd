"""Virtual sources: measurements that nothing in a rehearsal measures, made up from the seed at a rhythm.

Each source of a metric says what a healthy system says, in the numbers that its policies need; a scenario makes one ill or
silent. What the rollout's own rows know (migration success, validation scores) is not made up.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from rollout.actions.samples import SampleDraft, record_sample
from rollout.gates import DEFINITIONS, Arm, Combine, Compare, Metric
from rollout.models import Enrolment, GuardPolicy, Plan
from rollout.states import ON_SLOTS

FROM_ROWS: Final = frozenset({Metric.MIGRATION_SUCCESS, Metric.VALIDATION_SCORE})
RHYTHM: Final = timedelta(days=1)
ANSWERING: Final = 0.8  # of those who were moved since the last survey
RENDER_MS: Final = 12.0  # p75 of the old system
MEAN_TO_RESOLVE: Final = 2_700.0  # seconds
TICKETS_A_DAY: Final = 40.0
BASELINE_DAYS: Final = 28
REPORTING: Final = 250  # of so many people who were moved one reports something

Numbers = tuple[float, float, int]
Twist = Callable[[Metric, Numbers], Numbers | None]


def untouched(_metric: Metric, numbers: Numbers) -> Numbers | None:
    """Return what a source says, as it is."""
    return numbers


@dataclass(slots=True)
class Source:
    """Say what one metric is, every `rhythm`; `needed` observations are what its policies want in one reading at least."""

    metric: Metric
    rhythm: timedelta
    needed: int
    arms: tuple[Arm, ...]
    next_at: datetime


@dataclass(slots=True)
class Sources:
    """Feed the samples of a plan; `twist` is what a scenario makes of them, None for silence."""

    plan: Plan
    chance: random.Random
    by: str
    twist: Twist = untouched
    sources: list[Source] = field(default_factory=list)
    seen: dict[Metric, int] = field(default_factory=dict)  # people on slots when a source spoke last

    @classmethod
    def of(cls, plan: Plan, *, seed: int, by: str, at: datetime) -> "Sources":
        """Return the sources that the plan's policies need."""
        sources = cls(plan, random.Random(f"{seed}:sources"), by)  # noqa: S311  # reproducible, nothing secret
        policies: dict[Metric, list[GuardPolicy]] = {}
        for row in GuardPolicy.objects.filter(plan=plan, retired_at__isnull=True).order_by("pk"):
            policies.setdefault(Metric(row.metric), []).append(row)
        for metric, rows in sorted(policies.items()):
            if metric not in FROM_ROWS:
                sources.sources.append(_source(metric, rows, at))
                if any(row.compare == Compare.BASELINE for row in rows):
                    sources._record_baseline(metric, at)
        return sources

    def next_at(self) -> datetime | None:
        """Return when a source speaks next."""
        return min((each.next_at for each in self.sources), default=None)

    def feed(self, at: datetime) -> int:
        """Record what is due by now, and return how many samples that were."""
        due = [each for each in self.sources if each.next_at <= at]
        return sum(self._speak(each, at) for each in due)

    def hurry(self, metric: Metric, rhythm: timedelta, at: datetime) -> None:
        """Let a metric be measured at another rhythm from now on: somebody wants to know."""
        for each in self.sources:
            if each.metric == metric:
                each.rhythm, each.next_at = rhythm, at

    def survey(self, positive: int, answers: int, at: datetime) -> None:
        """Record what people answer who are asked once more."""
        self._record(Metric.SATISFACTION, Arm.TREATED, (float(positive), float(answers), answers), at)

    def _speak(self, source: Source, at: datetime) -> int:
        source.next_at = at + source.rhythm
        said = 0
        for arm in source.arms:
            numbers = self._numbers(source, arm)
            if arm == Arm.TREATED and numbers is not None:
                numbers = self.twist(source.metric, numbers)
            if numbers is not None:
                self._record(source.metric, arm, numbers, at)
                said += 1
        return said

    def _record(self, metric: Metric, arm: Arm, numbers: Numbers, at: datetime) -> None:
        numerator, denominator, count = numbers
        draft = SampleDraft(metric, numerator, denominator, count, at, source="rehearsal", arm=arm, plan=self.plan)
        record_sample(draft, by=self.by, at=at)

    def _record_baseline(self, metric: Metric, at: datetime) -> None:
        days = float(BASELINE_DAYS)
        baselines: dict[Metric, Numbers] = {
            Metric.TICKET_VOLUME: (TICKETS_A_DAY * days, days, ceil(TICKETS_A_DAY * days)),
            Metric.PERFORMANCE: (RENDER_MS, 1.0, 10_000),
        }
        default: Numbers = (0.5, 100.0, 10_000) if DEFINITIONS[metric].combine == Combine.SUM else (RENDER_MS, 1.0, 10_000)
        self._record(metric, Arm.BASELINE, baselines.get(metric, default), at)

    def _numbers(self, source: Source, arm: Arm) -> Numbers | None:
        """Return what a healthy system says; None where there is nothing to say."""
        drift = self.chance.uniform(-0.01, 0.01)
        needed = source.needed
        if source.metric == Metric.PERFORMANCE:
            return RENDER_MS * (1 + drift + (0.01 if arm == Arm.TREATED else 0)), 1.0, max(needed, 500)
        if source.metric == Metric.SATISFACTION:
            answers = round(self._newly_on_slots(source.metric) * ANSWERING)
            unhappy = round(answers * self.chance.uniform(0, 0.03))
            return (float(answers - unhappy), float(answers), answers) if answers else None
        if source.metric == Metric.RESOLUTION_TIME:
            resolved = max(needed, 5)
            return MEAN_TO_RESOLVE * (1 + 10 * drift) * resolved, float(resolved), resolved
        if source.metric == Metric.ISSUE_REPORTS:
            people = Enrolment.objects.filter(plan=self.plan, state__in=ON_SLOTS).count()
            return float(self._newly_on_slots(source.metric) // REPORTING), float(people), people
        if source.metric == Metric.TICKET_VOLUME:
            days = source.rhythm / timedelta(days=1)
            return TICKETS_A_DAY * days * (1 + drift), days, max(needed, round(TICKETS_A_DAY * days))
        many = float(max(needed, 2_000))
        if source.metric == Metric.ERROR_RATE:
            return float(self.chance.random() < 0.2), many, int(many)
        return many, many, int(many)

    def _newly_on_slots(self, metric: Metric) -> int:
        """Return how many people were moved since the source of a metric spoke last."""
        before = self.seen.get(metric, 0)
        now = Enrolment.objects.filter(plan=self.plan, state__in=ON_SLOTS).count()
        self.seen[metric] = max(now, before)
        return max(now - before, 0)


def _source(metric: Metric, rows: list[GuardPolicy], at: datetime) -> Source:
    arms = (Arm.TREATED, Arm.CONTROL) if any(row.compare == Compare.CONTROL for row in rows) else (Arm.TREATED,)
    return Source(metric, RHYTHM, max(row.min_sample for row in rows), arms, at)
