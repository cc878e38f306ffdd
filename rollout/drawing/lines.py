"""A line chart: values over time, with the values that are asked for as level lines.

The vertical axis begins at zero unless all values lie in the upper half of what they span from zero; then it is cut, which the
labels say. The cost is linear in the points.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 480.0
HEIGHT: Final = 200.0
LEFT: Final = 52.0
RIGHT: Final = 12.0
TOP: Final = 12.0
BOTTOM: Final = 28.0
LEVELS: Final = 4  # steps of the vertical axis at most
NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
LEAST: Final = 1e-6  # less is nothing
LEAST_SPAN: Final = 0.02  # of a value: what differs less is drawn level
Series = Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Point:
    """Place one value."""

    x: float
    y: float
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    """Place one series: `points` as a polyline has them, and each by itself; `number` from 1 is its colour."""

    name: str
    number: int
    points: str
    dots: tuple[Point, ...]

    @property
    def last(self) -> Point:
        """Return the latest one."""
        return self.dots[-1]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Place a value that is asked for."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Hold all positions of a line chart; `levels` and `days` are the labels of the axes with their positions."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    lines: tuple[Line, ...]
    levels: tuple[tuple[float, float], ...]
    days: tuple[tuple[float, datetime], ...]
    thresholds: tuple[Threshold, ...]


def plot(
    series: Sequence[tuple[str, Series]], *, asked: Iterable[tuple[float, str]] = (), most: float | None = None
) -> Plot | None:
    """Return where lines and axes stand; None where there is no value. `most`: no axis goes beyond, such as 1 for shares."""
    drawn = [(name, sorted(values)) for name, values in series if values]
    if not drawn:
        return None
    demands = list(asked)
    values = [value for _, points in drawn for _, value in points] + [value for value, _ in demands]
    levels = levels_of(min(values), max(values), most)
    instants = [at for _, points in drawn for at, _ in points]
    start = min(instants)
    end = max(*instants, start + timedelta(minutes=1))

    def x(at: datetime) -> float:
        return round(LEFT + (at - start) / (end - start) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        part = (value - levels[0]) / (levels[-1] - levels[0])
        return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 1)

    lines = []
    for number, (name, points) in enumerate(drawn, start=1):
        dots = tuple(Point(x(at), y(value), at, value) for at, value in points)
        lines.append(Line(name, number, " ".join(f"{dot.x:g},{dot.y:g}" for dot in dots), dots))
    return Plot(
        WIDTH,
        HEIGHT,
        LEFT,
        WIDTH - RIGHT,
        HEIGHT - BOTTOM,
        tuple(lines),
        tuple((y(level), level) for level in levels),
        ((x(start), start), (x(end), end)),
        tuple(Threshold(y(value), text) for value, text in demands),
    )


def levels_of(low: float, high: float, most: float | None = None) -> list[float]:
    """Return round levels, evenly apart, that hold all values between them: two at least."""
    low = 0.0 if low <= high / 2 else low
    span = max(high - low, high * LEAST_SPAN) if high > LEAST else 1.0
    scale = 10.0 ** floor(log10(span / LEVELS))
    step = next(nice * scale for nice in NICE if span / (nice * scale) <= LEVELS + 1e-9)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    found = [round(number * step, 12) for number in range(first, max(last, first + 1) + 1)]
    if most is not None and found[-1] > most >= high:
        found[-1] = most
    return found
