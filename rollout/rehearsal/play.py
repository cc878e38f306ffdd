"""The play itself: jump to the next due instant, let everybody do what is theirs, tick, work, and look at the invariants."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rollout.actions.agenda import what_is_next
from rollout.actions.checkups import check_people
from rollout.actions.due import do_what_is_due
from rollout.models import SYSTEM, Event, Plan, Wave
from rollout.notifications import Message, Send
from rollout.rehearsal.cast import Cast
from rollout.rehearsal.clock import VirtualClock
from rollout.rehearsal.invariants import Checker, Violation
from rollout.rehearsal.scenarios import Scenario
from rollout.rehearsal.sources import Sources
from rollout.rehearsal.waiting import Waiting
from rollout.rehearsal.workers import Workers
from rollout.states import PhaseState, PlanState

LOOKED_AT: Final = 5_000  # people in one go after the switch
UNHURRIED: Final = frozenset({"check", "settle"})  # many instants close together, none of which has to be met exactly
TOGETHER: Final = timedelta(minutes=10)
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(seconds=15)  # how often the reconciler looks while there is work
LONGEST: Final = timedelta(days=7)  # between two looks, whatever is known to come
LATEST: Final = timedelta(days=60)  # after the last date of the plan nobody waits any longer
SCENES: Final = 20_000  # more than any plan needs
OVER: Final = frozenset({PlanState.COMPLETED, PlanState.DEPRECATING, PlanState.CLOSED, PlanState.CANCELLED})


@dataclass(slots=True)
class RecordedMessages:
    """Take every message and send none."""

    is_real: bool = False
    sent: int = 0

    @contextmanager
    def session(self) -> Iterator[Send]:
        """Return what counts a message."""
        yield self._take

    def _take(self, message: Message) -> None:
        del message
        self.sent += 1


@dataclass(frozen=True, slots=True)
class Deed:
    """Say what somebody of the cast or the scenario did, or what befell the plan, and when."""

    at: datetime
    by: str
    text: str
    is_told: bool = False


@dataclass(slots=True)
class Play:
    """Hold a plan that is being played, and everything around it."""

    plan: Plan
    seed: int
    scenario: Scenario
    clock: VirtualClock
    sources: Sources
    workers: Workers
    cast: Cast
    until: datetime
    checker: Checker = field(default_factory=Checker)
    messages: RecordedMessages = field(default_factory=RecordedMessages)
    waiting: Waiting = field(default_factory=Waiting)
    deeds: list[Deed] = field(default_factory=list)
    violations: list[tuple[datetime, Violation]] = field(default_factory=list)
    finished: set[int] = field(default_factory=set)
    has_begun: bool = False  # a wave has started, so that there is something to measure
    agenda: list[datetime] = field(default_factory=list)
    seen: int = -1  # events when the agenda was made
    planned: dict[str, datetime | None] = field(default_factory=dict)
    began_at: datetime = field(init=False)
    seconds_back: list[float] = field(default_factory=list)  # real ones, of ticks in which waves went back

    def __post_init__(self) -> None:
        """Keep what is planned now; dates change."""
        self.began_at = self.clock.at
        self.planned = {f"phase {each.pk}": each.starts_at for each in self.plan.phases.all()}
        self.planned |= {f"wave {each.pk}": each.starts_at for each in Wave.objects.filter(phase__plan=self.plan)}

    @classmethod
    def of(cls, plan: Plan, *, seed: int, scenario: Scenario, at: datetime, until: datetime) -> "Play":
        """Set the play up at an instant before the plan's first date; the scenario has prepared the plan."""
        clock = VirtualClock(at)
        chance = random.Random(f"{seed}:work")  # noqa: S311  # reproducible, nothing secret
        sources = Sources.of(plan, seed=seed, by="rehearsal.sources", at=at)
        sources.twist = scenario.twist
        cast = Cast(plan, not_before=scenario.not_before)
        return cls(plan, seed, scenario, clock, sources, Workers(clock, chance), cast, until + LATEST)

    def run(self) -> None:
        """Play until the plan is over, or nothing more happens."""
        for _ in range(SCENES):
            is_busy = self._scene()
            if self.is_over():
                break
            following = self.clock.at + TICK if is_busy else self._next()
            if following > self.until:
                break
            self.clock.jump(following)
        self.keep(self.checker.check_fully(at=self.clock.at, after_tick=True))

    def told(self) -> list[dict[str, Any]]:
        """Return what befell the plan and what people did about it, as rows of the timeline."""
        rows = [each for each in self.deeds if each.is_told]
        return [{"at": each.at.isoformat(), "who": each.by, "on": "", "what": each.text, "why": ""} for each in rows]

    def is_over(self) -> bool:
        """Say whether nothing is left to be done."""
        self.plan.refresh_from_db()
        return self.plan.state in OVER

    def note(self, by: str, text: str, *, is_told: bool = False) -> None:
        """Keep a deed, and look whether the invariants still hold; what `is_told` stands in no record but this."""
        self.deeds.append(Deed(self.clock.at, by, text, is_told))
        self.keep(self.checker.check(at=self.clock.at))

    def keep(self, found: list[Violation]) -> None:
        """Keep violations, each once."""
        known = {each for _, each in self.violations}
        self.violations += [(self.clock.at, each) for each in found if each not in known]

    def _scene(self) -> bool:
        """Let everybody do what is theirs at this instant, tick and work; say whether there is more to do at once."""
        for by, text in self.scenario.act(self):
            self.note(by, text, is_told=True)
        for by, text in self.cast.act(self.clock.at):
            self.note(by, text)
        self.has_begun = self.has_begun or Wave.objects.filter(phase__plan=self.plan, started_at__isnull=False).exists()
        if self.has_begun:
            self.sources.feed(self.clock.at)
        report = self._tick()
        for wave in report.wake:
            self.workers.work(wave)
            self.keep(self.checker.check(at=self.clock.at))
        self.waiting.look(self.plan, at=self.clock.at)
        self._look_at_phases()
        return bool(report.wake or report.done.total())

    def _tick(self) -> Any:
        at = self.clock.at
        if check_people(at=at, by=SYSTEM, limit=LOOKED_AT).due:  # in one go what the reconciler does in many rounds
            self.keep(self.checker.check(at=at))
        began = time.perf_counter()
        report = do_what_is_due(at=self.clock.at, transport=self.messages)
        if report.done["response"]:
            self.seconds_back.append(time.perf_counter() - began)
        self.keep(self.checker.check(at=self.clock.at, after_tick=True))
        if report.failed.total():
            self.deeds.append(Deed(self.clock.at, "phoenix", f"The reconciler failed at {dict(report.failed)}.", is_told=True))
        return report

    def _look_at_phases(self) -> None:
        """Look at everything at the end of each phase."""
        done = set(self.plan.phases.filter(state=PhaseState.COMPLETED).values_list("pk", flat=True))
        if done - self.finished:
            self.finished |= done
            self.keep(self.checker.check_fully(at=self.clock.at, after_tick=True))

    def _next(self) -> datetime:
        at = self.clock.at
        sampled = self.sources.next_at() if self.has_begun else None
        known = [self._due_next(), self.cast.next_at(at), sampled, self.scenario.next_at(self)]
        coming = [instant for instant in known if instant is not None and instant > at]
        return min([*coming, at + LONGEST])

    def _due_next(self) -> datetime | None:
        """Return what the agenda says; it is made again where something happened since, or nothing of it is left."""
        at = self.clock.at
        events = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        coming = [instant for instant in self.agenda if instant > at]
        if events != self.seen or not coming:
            self.seen = events
            found = what_is_next(at=at, plan=self.plan, with_policies=False)
            self.agenda = coming = [_later(due.at) if due.kind in UNHURRIED else due.at for due in found]
        return min(coming, default=None)


def _later(at: datetime) -> datetime:
    """Return the next full ten minutes."""
    return at + -(at - EPOCH) % TOGETHER
