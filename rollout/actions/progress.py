"""How far a wave is: its people by state, how many a minute, until when, and what failed, by cause. It only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Min, Q

from rollout.models import Wave
from rollout.pacing import MINUTE, time_left
from rollout.states import GROUPS, ON_SLOTS, STUCK, WAITING, WAVE_AT_WORK, WORKING, PersonState

SPAN: Final = timedelta(minutes=5)  # of a wave at work the pace is that of the last minutes
FRESH: Final = timedelta(minutes=1)  # after its start nobody wonders why there is no pace yet
NO_PACE: Final = "the pace is not known yet"
LEAST: Final = timedelta(seconds=5)  # a pace over less says nothing
CAUSES: Final = 20  # shown
WENT_WRONG: Final = STUCK | {PersonState.RETRY_WAIT, PersonState.ROLLING_BACK, PersonState.ROLLED_BACK}


@dataclass(frozen=True, slots=True)
class Cause:
    """Count the people of a wave who stopped with one code in one state; `example` is what one of their rows says."""

    code: str
    state: PersonState
    example: str
    people: int

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of `rollout status`."""
        return {"code": self.code, "state": self.state.value, "example": self.example, "people": self.people}


@dataclass(frozen=True, slots=True)
class Progress:
    """Say how far a wave is at an instant.

    `by_state` counts every member once, states without anybody left out; `size` is how many there were when it was locked.
    `left` wait or are at work. `pace` is in people a minute, over `measured`; None where nobody was handled meanwhile.
    `ends_at` is when nobody is left at that pace; None where something holds the wave, or nothing says how fast it goes.
    `is_fresh`: the wave has been at work too short a time for a pace to be known.
    """

    by_state: Mapping[PersonState, int]
    size: int
    left: int
    handled: int
    pace: float | None
    measured: timedelta | None
    ends_at: datetime | None
    is_fresh: bool = False

    @property
    def total(self) -> int:
        """Return how many members there are now."""
        return sum(self.by_state.values())

    @property
    def groups(self) -> dict[str, int]:
        """Return how many are in each of `states.GROUPS`; they sum up to `total`."""
        return {name: sum(self.by_state.get(state, 0) for state in states) for name, states in GROUPS.items()}

    @property
    def success(self) -> float | None:
        """Return the share of those handled who are on slots, 0 to 1; None where nobody was."""
        done = sum(self.by_state.get(state, 0) for state in ON_SLOTS)
        return done / self.handled if self.handled else None

    def __str__(self) -> str:
        """Return how far it is as a sentence."""
        pace = (
            f"{self.pace:.1f} people a minute"
            if self.pace
            else NO_PACE
            if self.is_fresh
            else "nobody was handled in the last minutes"
        )
        end = f", until {self.ends_at:%Y-%m-%d %H:%M} UTC" if self.ends_at else "" if self.is_fresh else ", no end in sight"
        return f"{self.handled} of {self.total} people handled, {self.left} left: {pace}{end}."

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of `rollout status`."""
        return {
            "groups": self.groups,
            "left": self.left,
            "per_minute": None if self.pace is None else round(self.pace, 2),
            "measured_s": None if self.measured is None else round(self.measured.total_seconds(), 1),
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
            "success": None if self.success is None else round(self.success, 4),
        }


def progress_of(wave: Wave, *, at: datetime, is_held: bool = False) -> Progress:
    """Return how far a wave is; three queries, whatever its size. `is_held`: nobody is claimed, so it has no end in sight."""
    by_state = {PersonState(state): count for state, count in wave.members_by_state().items()}
    left = sum(by_state.get(state, 0) for state in WAITING | WORKING)
    handled = sum(by_state.get(state, 0) for state in ON_SLOTS | STUCK)
    is_at_work = wave.state in WAVE_AT_WORK
    pace, measured = _pace_now(wave, at) if is_at_work else _pace_of_all(wave, sum(by_state.get(state, 0) for state in ON_SLOTS))
    rest = time_left(left, pace, wave.rate) if is_at_work and not is_held else None
    is_fresh = is_at_work and not is_held and pace is None and wave.started_at is not None and at - wave.started_at < FRESH
    return Progress(by_state, wave.size, left, handled, pace, measured, at + rest if rest is not None else None, is_fresh)


def causes_of(wave: Wave) -> list[Cause]:
    """Return what went wrong in a wave, by code and state, the most frequent first; one query.

    Who was taken back with the whole wave has no code and is no failure.
    """
    rows = wave.enrolments.filter(Q(state__in=STUCK) | (Q(state__in=WENT_WRONG) & ~Q(code=""))).order_by()
    counted = rows.values_list("code", "state").annotate(people=Count("pk"), example=Min("text"))
    found = [Cause(code, PersonState(state), example, people) for code, state, people, example in counted]
    return sorted(found, key=lambda each: (-each.people, each.code, each.state))[:CAUSES]


def last_switch_of(wave: Wave) -> datetime | None:
    """Return when the last of those who are on slots was switched; for each state an index knows."""
    switched = (wave.enrolments.filter(state=state).aggregate(last=Max("switched_at"))["last"] for state in sorted(ON_SLOTS))
    return max(filter(None, switched), default=None)


def _pace_now(wave: Wave, at: datetime) -> tuple[float | None, timedelta | None]:
    """Return people a minute, and over how long: over the last minutes."""
    if wave.started_at is None:
        return None, None
    since = max(wave.started_at, at - SPAN)
    switched = wave.enrolments.filter(state__in=sorted(ON_SLOTS), switched_at__gt=since).count()
    stuck = wave.enrolments.filter(state__in=STUCK, updated_at__gt=since).count()
    return _a_minute(switched + stuck, at - since)


def _pace_of_all(wave: Wave, people: int) -> tuple[float | None, timedelta | None]:
    """Return people a minute, and over how long: over all of the work of a wave that is through with so many."""
    if wave.started_at is None:
        return None, None
    return _a_minute(people, (last_switch_of(wave) or wave.started_at) - wave.started_at)


def _a_minute(people: int, measured: timedelta) -> tuple[float | None, timedelta | None]:
    if not people or measured < LEAST:
        return None, None
    return people / (measured / MINUTE), measured
