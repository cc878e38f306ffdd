"""A Gantt chart: a row for each phase and wave, a bar for what is planned above one for what happened, and marks on instants.

Time runs from left to right, evenly, in UTC. What lies outside of the drawing's span is cut. The cost is linear in what is drawn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

WIDTH: Final = 960.0  # of the drawing
LABELS: Final = 220.0  # of it for the names
ROW: Final = 34.0
HEAD: Final = 34.0  # for the days
FOOT: Final = 10.0
TICKS: Final = 8  # at most
LEAST_WIDTH: Final = 3.0  # of a bar, so that it can be seen
DAY: Final = timedelta(days=1)
STEPS: Final = tuple(days * DAY for days in (1, 2, 7, 14, 28, 56, 112, 364))


@dataclass(frozen=True, slots=True)
class Span:
    """State from when to when; an end that nobody knows is None."""

    start: datetime
    end: datetime | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Describe a row: its name, how deep it is below others, what was planned and what happened, and instants with a sentence."""

    name: str
    depth: int = 0
    planned: Span | None = None
    actual: Span | None = None
    tone: str = "neutral"
    marks: Sequence[tuple[datetime, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """Place a bar: left edge and width; `text` says the same."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Place an instant of a kind; `text` says what it is."""

    x: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Place a row: its top, and what is in it."""

    y: float
    item: Item
    planned: Bar | None
    actual: Bar | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Place a stretch of time behind all rows, such as a freeze, or in the strip below the days, such as an open window."""

    x: float
    width: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Place a day on the axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Gantt:
    """Hold all positions of a chart; `now` is None where now lies outside of it."""

    width: float
    height: float
    labels: float
    head: float
    row: float
    rows: tuple[Row, ...] = ()
    bands: tuple[Band, ...] = ()
    ticks: tuple[Tick, ...] = ()
    now: float | None = None


@dataclass(frozen=True, slots=True)
class _Axis:
    start: datetime
    end: datetime
    clamp: tuple[float, float] = field(default=(LABELS, WIDTH))

    def x(self, at: datetime) -> float:
        """Return where an instant is, cut to the drawing."""
        low, high = self.clamp
        part = (at - self.start) / (self.end - self.start)
        return round(min(max(low + part * (high - low), low), high), 1)

    def bar(self, span: Span | None, open_end: datetime) -> Bar | None:
        if span is None:
            return None
        end = max(span.end or open_end, span.start)
        if end < self.start or span.start > self.end:
            return None
        x = self.x(span.start)
        return Bar(min(x, WIDTH - LEAST_WIDTH), max(round(self.x(end) - x, 1), LEAST_WIDTH), span.text)


def lay_out(items: Sequence[Item], *, at: datetime, bands: Iterable[tuple[Span, str]] = ()) -> Gantt | None:
    """Return where rows, bars, marks and days stand; None where no row has a date. What goes on ends at `at`."""
    instants = sorted(instant for item in items for instant in _instants_of(item, at))
    if not instants:
        return None
    margin = max((instants[-1] - instants[0]) / 40, timedelta(hours=2))
    axis = _Axis(instants[0] - margin, instants[-1] + margin)
    rows = tuple(_row(number, item, axis, at) for number, item in enumerate(items))
    return Gantt(
        WIDTH,
        HEAD + ROW * len(rows) + FOOT,
        LABELS,
        HEAD,
        ROW,
        rows,
        tuple(_bands(bands, axis)),
        tuple(_ticks(axis)),
        axis.x(at) if axis.start <= at <= axis.end else None,
    )


def _instants_of(item: Item, at: datetime) -> Iterable[datetime]:
    for span in (item.planned, item.actual):
        if span is not None:
            yield span.start
            yield span.end or max(at, span.start)
    yield from (when for when, *_ in item.marks)


def _row(number: int, item: Item, axis: _Axis, at: datetime) -> Row:
    marks = tuple(Mark(axis.x(when), kind, text) for when, kind, text in item.marks)
    return Row(HEAD + number * ROW, item, axis.bar(item.planned, at), axis.bar(item.actual, at), marks)


def _bands(bands: Iterable[tuple[Span, str]], axis: _Axis) -> Iterable[Band]:
    for span, kind in bands:
        bar = axis.bar(span, axis.end)
        if bar is not None:
            yield Band(bar.x, bar.width, kind, bar.text)


def _ticks(axis: _Axis) -> Iterable[Tick]:
    """Yield midnights in UTC, so far apart that at most `TICKS` fit; steps of weeks begin on Mondays."""
    span = axis.end - axis.start
    step = next((step for step in STEPS if span / step <= TICKS), STEPS[-1])
    at = datetime.combine(axis.start.astimezone(UTC).date(), datetime.min.time(), UTC)
    while at < axis.start or (step >= 7 * DAY and at.weekday()):
        at += DAY
    while at <= axis.end:
        yield Tick(axis.x(at), f"{at.day} {at:%b}")
        at += step
