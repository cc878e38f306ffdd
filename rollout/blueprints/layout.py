"""A blueprint on a calendar: every day of it as an instant. What is shown before a plan is made, and what is then made."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rollout.audiences import Audience
from rollout.blueprints.days import Calendar, is_zone
from rollout.blueprints.values import Blueprint, PhaseEntry, TaskEntry, WaveEntry, WindowEntry
from rollout.errors import BlueprintInvalid
from rollout.gates import Window


@dataclass(frozen=True, slots=True)
class WaveLayout:
    """Hold a wave with the instant of its start, and how long before that it is locked."""

    entry: WaveEntry
    starts_at: datetime | None
    lock_lead: timedelta

    @property
    def who(self) -> str:
        """Return whom it means, in words."""
        return str(Audience.from_json(self.entry.audience, has_share=self.entry.share is not None))


@dataclass(frozen=True, slots=True)
class PhaseLayout:
    """Hold a phase with the instant at which it may open, its waves, and its tasks with the instants by which they are due."""

    entry: PhaseEntry
    starts_at: datetime | None
    waves: tuple[WaveLayout, ...]
    tasks: tuple[tuple[TaskEntry, datetime | None], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Hold a blueprint with its start, its zone, and its phases in order."""

    blueprint: Blueprint
    starts_on: date
    zone: str
    phases: tuple[PhaseLayout, ...]

    def appointments(self) -> Iterator[tuple[datetime, str]]:
        """Return what happens when, in order of time: phases that open, people who are told, waves that start, tasks due."""
        return iter(sorted(self._appointments(), key=lambda each: each[0]))

    def _appointments(self) -> Iterator[tuple[datetime, str]]:
        for phase in self.phases:
            name = phase.entry.name
            if phase.starts_at is not None:
                yield phase.starts_at, f"{name} may open"
            notices = [each for each in (*self.blueprint.notices, *phase.entry.notices) if each.moment == "before_start"]
            for wave in phase.waves:
                if wave.starts_at is not None:
                    yield wave.starts_at - wave.lock_lead, f"{name} / {wave.entry.name} is locked"
                    yield from ((wave.starts_at - each.lead, f"{name} / {wave.entry.name}: “{each.name}”") for each in notices)
                    yield wave.starts_at, f"{name} / {wave.entry.name} starts"
            yield from ((due, f"{name}: “{task.text}” is due") for task, due in phase.tasks if due is not None)


def laid_out(blueprint: Blueprint, *, starts_on: date, zone: str) -> Layout:
    """Lay a blueprint out from a date on, in an IANA zone.

    Raises:
        BlueprintInvalid: there is no such zone, or a day of it has no instant there.
    """
    if not is_zone(zone):
        raise BlueprintInvalid("time_zone", f"{zone!r} is no IANA zone, such as Europe/Berlin or UTC.")
    calendar = Calendar(starts_on, zone)
    phases = tuple(_phase(blueprint, each, calendar, f"phases[{number}]") for number, each in enumerate(blueprint.phases))
    return Layout(blueprint, starts_on, zone, phases)


def window_of(entry: WindowEntry, zone: str) -> Window:
    """Return the window that an entry is in a plan of this zone."""
    return Window(entry.zone or zone, entry.opens, entry.closes, entry.days)


def _phase(blueprint: Blueprint, entry: PhaseEntry, calendar: Calendar, place: str) -> PhaseLayout:
    windows = [window_of(each, calendar.zone) for each in entry.windows or blueprint.windows]
    waves = []
    for number, wave in enumerate(entry.waves):
        where = f"{place}.waves[{number}].starts"
        starts_at = calendar.instant(wave.starts, place=where, windows=windows) if wave.starts else None
        waves.append(WaveLayout(wave, starts_at, blueprint.lock_lead(entry, wave)))
    tasks = []
    for number, task in enumerate(entry.tasks):
        tasks.append((task, calendar.instant(task.due, place=f"{place}.tasks[{number}].due") if task.due else None))
    starts_at = calendar.instant(entry.starts, place=f"{place}.starts") if entry.starts else None
    return PhaseLayout(entry, starts_at, tuple(waves), tuple(tasks))
