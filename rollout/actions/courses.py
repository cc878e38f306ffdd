"""A plan's course as rows of a Gantt chart: phases and waves, what is planned and what happened, notices, windows, freezes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from rollout.drawing import Item, Span
from rollout.errors import WindowInvalid
from rollout.models import Freeze, Moment, Notice, Phase, Plan, Wave
from rollout.states import PhaseState, WaveState
from rollout.timetable import in_words

DAY: Final = timedelta(days=1)
MOST_DAYS: Final = 100  # of a longer plan no single window could be seen
GIVEN_UP: Final = frozenset({WaveState.CANCELLED, PhaseState.CANCELLED, PhaseState.SKIPPED})
TAKEN_BACK: Final = frozenset({WaveState.ROLLING_BACK, WaveState.ROLLED_BACK, PhaseState.ROLLING_BACK, PhaseState.ROLLED_BACK})
Bands = list[tuple[Span, str]]


@dataclass(frozen=True, slots=True)
class Course:
    """Hold the rows in the order of the plan, each with the model, key and state of what it is about, and stretches of time."""

    rows: tuple[tuple[type[Phase | Wave], int, str, Item], ...]
    bands: Bands

    @property
    def items(self) -> list[Item]:
        """Return the rows alone."""
        return [item for *_, item in self.rows]


def course_of(plan: Plan) -> Course:
    """Return a plan's course; five queries, however many waves it has."""
    phases = list(plan.phases.order_by("position").prefetch_related("waves"))
    notices = list(Notice.objects.filter(plan=plan, moment=Moment.BEFORE_START).order_by("-lead", "pk"))
    rows: list[tuple[type[Phase | Wave], int, str, Item]] = []
    for phase in phases:
        waves = sorted(phase.waves.all(), key=lambda wave: wave.position)
        rows.append((Phase, phase.pk, phase.state_label, _of_phase(phase, waves)))
        heard = [notice for notice in notices if notice.phase_id in {None, phase.pk}]
        rows += [(Wave, wave.pk, wave.state_label, _of_wave(wave, heard)) for wave in waves]
    return Course(tuple(rows), _bands(plan, [item for *_, item in rows]))


def _of_wave(wave: Wave, notices: Sequence[Notice]) -> Item:
    at, marks = wave.starts_at, []
    if at is not None:
        marks = [(at - each.lead, "notice", f"{each.name}: {in_words(each.lead)} before the start") for each in notices]
        marks.append((at - wave.lock_lead, "lock", "Its people are frozen"))
    planned = Span(at, at + wave.soak, f"{wave.name}: planned") if at is not None else None
    actual = Span(wave.started_at, _end_of(wave), f"{wave.name}: {wave.state_label}") if wave.started_at is not None else None
    return Item(wave.name, 1, planned, actual, _tone(wave.state), tuple(marks))


def _of_phase(phase: Phase, waves: Sequence[Wave]) -> Item:
    starts = [wave.starts_at for wave in waves if wave.starts_at is not None and wave.state not in GIVEN_UP]
    ends = [wave.starts_at + wave.soak for wave in waves if wave.starts_at is not None and wave.state not in GIVEN_UP]
    start = phase.starts_at or min(starts, default=None)
    planned = Span(start, max([*ends, start]) + phase.soak, f"{phase.name}: planned") if start is not None else None
    began = phase.started_at or min((wave.started_at for wave in waves if wave.started_at is not None), default=None)
    actual = Span(began, _end_of(phase), f"{phase.name}: {phase.state_label}") if began is not None else None
    return Item(phase.name, 0, planned, actual, _tone(phase.state))


def _end_of(row: Phase | Wave) -> datetime | None:
    """Return when a row that began was over; None while it goes on."""
    if row.finished_at is not None:
        return row.finished_at
    return row.revoked_at if isinstance(row, Wave) else None


def _tone(state: str) -> str:
    """Return the colour that goes with a state."""
    if state in TAKEN_BACK:
        return "bad"
    if state in {WaveState.COMPLETED, PhaseState.COMPLETED}:
        return "good"
    return "warning" if state == WaveState.COMPLETED_WITH_EXCEPTIONS else "now"


def _bands(plan: Plan, items: Sequence[Item]) -> Bands:
    """Return the freezes that touch the course, and its windows where it is short enough for these to be seen."""
    spans = [span for item in items for span in (item.planned, item.actual) if span is not None]
    if not spans:
        return []
    first, last = min(span.start for span in spans), max(span.end or span.start for span in spans)
    freezes = Freeze.objects.filter(Q(plan__isnull=True) | Q(plan=plan), starts_at__lt=last, ends_at__gt=first)
    found: Bands = [
        (Span(row.starts_at, row.ends_at, f"Freeze: {row.reason}"), "freeze") for row in freezes.order_by("starts_at")
    ]
    if last - first <= MOST_DAYS * DAY:
        found += [(span, "window") for span in _openings(plan, first, last)]
    return found


def _openings(plan: Plan, first: datetime, last: datetime) -> Iterator[Span]:
    for row in plan.windows.filter(phase__isnull=True).order_by("pk"):  # a phase with windows of its own heeds only those
        try:
            openings = list(row.value().openings(first, (last - first) // DAY + 3))
        except (WindowInvalid, TypeError):  # it holds until somebody corrects it, which the wave's page says
            continue
        yield from (Span(start, end, f"Window {row}") for start, end in openings if end > first and start < last)
