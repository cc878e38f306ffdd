"""What one look at the invariants sees: what happened since the last one, read once for all checks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from rollout.actions.contents import content_hash_of
from rollout.models import Enrolment, Event, Phase, Plan, Subject, Wave, batches
from rollout.states import WaveState
from slots.models import Keys

NAMED: Final = 5  # rows that a violation names
Sighting = tuple[int | None, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Violation:
    """Say that an invariant does not hold: its number, a sentence, and some of the rows."""

    invariant: int
    text: str
    rows: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of a report."""
        return {"invariant": self.invariant, "text": self.text, "rows": list(self.rows)}


@dataclass(frozen=True, slots=True)
class Happening:
    """Hold an event as a value."""

    pk: int
    subject: str
    subject_pk: int
    kind: str
    from_state: str
    to_state: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Name where an enrolment belongs, by primary keys."""

    wave: int
    phase: int
    plan: int
    person: int


@dataclass(slots=True)
class Memory:
    """Keep what a later look has to compare with: of breaches, the wave, its attempt and who was affected."""

    last_event: int = 0
    last_evaluation: int = 0
    breaches: dict[int, Sighting] = field(default_factory=dict)


class Look:
    """Show what happened since the last look, or everything where the look is full.

    `after_tick` says that the reconciler has just run, so what was due at `at` has to be done.
    """

    def __init__(self, *, at: datetime, memory: Memory, is_full: bool = False, after_tick: bool = False) -> None:
        """Keep when and how far is looked."""
        self.at = at
        self.memory = memory
        self.is_full = is_full
        self.after_tick = after_tick
        self.since = 0 if is_full else memory.last_event
        self._hashes: dict[tuple[int, int | None], str] = {}

    @cached_property
    def events(self) -> list[Happening]:
        """Return what happened, in order."""
        rows = Event.objects.filter(pk__gt=self.since).order_by("pk")
        names = ("pk", "subject", "subject_pk", "kind", "from_state", "to_state", "by", "at")
        return [Happening(*row) for row in rows.values_list(*names)]

    @cached_property
    def places(self) -> dict[int, Place]:
        """Return where the enrolments belong to which something happened."""
        keys = sorted({each.subject_pk for each in self.events if each.subject == Subject.ENROLMENT})
        names = ("pk", "wave_id", "wave__phase_id", "wave__phase__plan_id", "person_id")
        return {
            pk: Place(*rest)
            for batch in batches(keys)
            for pk, *rest in Enrolment.objects.filter(pk__in=Keys(batch)).order_by().values_list(*names)
        }

    def content_hash_of(self, plan: Plan, phase: Phase | None) -> str:
        """Return the hash of a content as it is at this look; read once, however many starts it is compared with."""
        key = (plan.pk, phase.pk if phase else None)
        if key not in self._hashes:
            self._hashes[key] = content_hash_of(plan, phase)
        return self._hashes[key]

    def is_about(self, *subjects: Subject) -> bool:
        """Say whether something happened to a row of these kinds; everything did, for a full look."""
        return self.is_full or any(each.subject in subjects for each in self.events)

    def moved(self, subject: Subject, *to: str) -> list[Happening]:
        """Return the moves of one kind of row into one of these states."""
        wanted = set(to)
        return [each for each in self.events if each.subject == subject and each.kind == "moved" and each.to_state in wanted]

    @cached_property
    def starts(self) -> list[tuple[Happening, Wave]]:
        """Return the starts of waves that have not been planned anew since; earlier attempts were looked at when they started."""
        started = {(each.subject_pk, each.at): each for each in self.moved(Subject.WAVE, WaveState.RUNNING)}
        if not started:
            return []
        waves = Wave.objects.select_related("phase__plan").filter(pk__in=Keys(pk for pk, _ in started)).order_by("pk")
        found = [(started.get((wave.pk, wave.started_at)), wave) for wave in waves if wave.started_at is not None]
        return [(happening, wave) for happening, wave in found if happening is not None]

    def claims(self, *to: str) -> dict[tuple[Place, datetime], list[int]]:
        """Return the enrolments that entered one of these states, by their wave and the instant; of a place the person is 0."""
        found: dict[tuple[Place, datetime], list[int]] = {}
        for each in self.moved(Subject.ENROLMENT, *to):
            place = self.places.get(each.subject_pk)
            if place is not None:
                found.setdefault((Place(place.wave, place.phase, place.plan, 0), each.at), []).append(each.subject_pk)
        return found


def named(rows: Iterable[object]) -> tuple[str, ...]:
    """Return the first few rows by name."""
    return tuple(str(row) for _, row in zip(range(NAMED), rows, strict=False))


def enrolments(keys: Sequence[int]) -> tuple[str, ...]:
    """Return the first few of these enrolments by name."""
    return tuple(f"enrolment {pk}" for pk in keys[:NAMED])


def violation(number: int, text: str, rows: Iterable[object] = ()) -> Iterator[Violation]:
    """Yield one violation where there are rows, with their number in front of the sentence."""
    found = list(rows)
    if found:
        yield Violation(number, f"{len(found)} {text}", named(found))
