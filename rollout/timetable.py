"""Decide, from values alone, what a wave does next by itself and when, and when each of its people is to be told.

A wave that has a date is locked a lead before it, announced when its first required notice is done, and started at the first
instant from its date on at which a window is open and no freeze covers it. A notice is promised for a lead before the date. What
was promised for before the people are frozen cannot be kept: of those only the latest is sent, at once, in place of the others,
and a required one counts as late until somebody answers for it. The cost is a few conversions of wall time for each look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from rollout.gates import Window, next_opening, state_of
from rollout.states import WaveState

LEAST_GRACE: Final = timedelta(minutes=15)
GRACE: Final = 10  # a notice may come a tenth of its lead later than promised: sending takes time, and a server may be away
LATE_AFTER: Final = timedelta(days=1)
LOOKS: Final = 100  # freezes and windows that are tried in turn

Span = tuple[datetime, datetime]


class StepKind(StrEnum):
    """What a wave does next by itself."""

    LOCK = "lock"
    ANNOUNCE = "announce"
    START = "start"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """Say what comes next and when; `at` is None where no instant is known, `why` says what it waits for."""

    kind: StepKind
    at: datetime | None
    why: str

    def is_due(self, at: datetime) -> bool:
        """Say whether it is to be done by now."""
        return self.at is not None and self.at <= at


@dataclass(frozen=True, slots=True)
class Promise:
    """A notice before the start, as a value: `key` names it, `channel` is how it comes."""

    key: int
    channel: str
    lead: timedelta
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Sending:
    """Say when a notice is sent; `overtaken_by` names the later one that is sent in its place, and then it is not sent."""

    promise: Promise
    due_at: datetime
    is_late: bool = False
    overtaken_by: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that decides what a wave does next.

    `freezes` are half-open; `holds` are the standing ones, in words; `waits_for` says which notice the wave is announced by and
    when that is due, None where nobody has to be told.
    """

    state: WaveState
    starts_at: datetime | None
    lock_lead: timedelta
    windows: Sequence[Window] = field(default_factory=tuple)
    freezes: Sequence[Span] = field(default_factory=tuple)
    holds: Sequence[str] = field(default_factory=tuple)
    waits_for: tuple[str, datetime] | None = None


def next_step(schedule: Schedule, *, at: datetime) -> Step:
    """Return what a wave does next by itself; an instant that has passed means at once."""
    if schedule.starts_at is None:
        return Step(StepKind.NOTHING, None, "It has no date: somebody takes it on by hand.")
    if schedule.state == WaveState.PLANNED:
        return Step(StepKind.LOCK, schedule.starts_at - schedule.lock_lead, "Its people are frozen then.")
    if schedule.state == WaveState.LOCKED:
        if schedule.waits_for is None:
            return Step(StepKind.ANNOUNCE, schedule.starts_at, "It has no notice, so nobody has to be told.")
        name, due_at = schedule.waits_for
        return Step(StepKind.ANNOUNCE, due_at, f"It waits for the notice “{name}”.")
    if schedule.state == WaveState.ANNOUNCED:
        if schedule.holds:
            return Step(StepKind.START, None, " ".join(schedule.holds))
        opens = free_from(schedule.windows, schedule.freezes, max(schedule.starts_at, at))
        return Step(StepKind.START, opens, "It starts in its window." if opens else "No window opens within two weeks.")
    return Step(StepKind.NOTHING, None, "It goes on as its people do.")


def free_from(windows: Sequence[Window], freezes: Sequence[Span], at: datetime) -> datetime | None:
    """Return the first instant from `at` on at which a window is open and no freeze covers it; None where none is near."""
    for _ in range(LOOKS):
        ends = [end for start, end in freezes if start <= at < end]
        if ends:
            at = max(ends)
        elif state_of(windows, at):
            return at
        else:
            opens = next_opening(windows, at)
            if opens is None:
                return None
            at = opens
    return None


def sendings(promises: Sequence[Promise], *, starts_at: datetime, at: datetime) -> list[Sending]:
    """Return when each notice is sent to people who are frozen at `at`, the longest lead first.

    Those promised for before `at` are late. Of the late ones of a channel only the one with the shortest lead is sent, at once:
    several at the same moment would say the same thing with instants that have passed.
    """
    ordered = sorted(promises, key=lambda promise: (-promise.lead, promise.key))
    late = [promise for promise in ordered if starts_at - promise.lead < at]
    sent = {promise.channel: promise.key for promise in late}  # the last one of each channel stays
    found = []
    for promise in ordered:
        if promise not in late:
            found.append(Sending(promise, starts_at - promise.lead))
            continue
        instead = sent[promise.channel]
        is_late = not is_in_time(promise.lead, starts_at=starts_at, sent_at=at)
        found.append(Sending(promise, at, is_late, None if instead == promise.key else instead))
    return found


def told_by(lead: timedelta, *, starts_at: datetime) -> datetime:
    """Return the last instant at which a notice still counts as sent in time."""
    return starts_at - lead + max(lead / GRACE, LEAST_GRACE)


def is_in_time(lead: timedelta, *, starts_at: datetime, sent_at: datetime) -> bool:
    """Say whether a notice that was sent then is as early as was promised, or nearly."""
    return sent_at <= told_by(lead, starts_at=starts_at)


def in_words(lead: timedelta) -> str:
    """Return a lead as people say it, in its largest unit and, where that is short of it, the next one."""
    seconds = max(int(lead.total_seconds()), 0)
    parts = []
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "0 minutes"
