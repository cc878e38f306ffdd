"""Charts of a plan's metrics, each with the latest values as a table that says the same."""

from dataclasses import dataclass
from typing import Final

from rollout.actions.trends import Trend, trends_of
from rollout.drawing import Plot, plot
from rollout.models import Phase, Plan

ROWS: Final = 8  # latest values of each series in the table


@dataclass(frozen=True, slots=True)
class Chart:
    """Hold a trend with where its lines stand, and the latest values in words, latest first."""

    trend: Trend
    plot: Plot
    levels: tuple[tuple[float, str], ...]
    rows: tuple[tuple[object, str, str], ...]
    summary: str


def charts_of(plan: Plan, phase: Phase | None = None) -> list[Chart]:
    """Return the charts for which there are values."""
    return [chart for trend in trends_of(plan, phase) if (chart := _chart(trend)) is not None]


def _chart(trend: Trend) -> Chart | None:
    drawn = plot(trend.series, asked=trend.asked, most=1.0 if trend.is_share else None)
    if drawn is None:
        return None
    latest = [f"{line.name}: {_said(trend, line.last.value)}" for line in drawn.lines]
    asked = [f"{text}: {_said(trend, value)}" for value, text in trend.asked]
    rows = [(dot.at, line.name, _said(trend, dot.value)) for line in drawn.lines for dot in reversed(line.dots[-ROWS:])]
    levels = tuple((y, _said(trend, value)) for y, value in drawn.levels)
    return Chart(trend, drawn, levels, tuple(rows), "; ".join([*latest, *asked]))


def _said(trend: Trend, value: float) -> str:
    """Return a value as people say it."""
    if trend.is_share:
        return f"{value * 100:.2f}".rstrip("0").rstrip(".") + " %"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
