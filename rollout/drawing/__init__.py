"""Where things stand in a drawing: values in, positions out, which a template writes as SVG.

Pure: no Django, no clock. Positions are in the units of the drawing's own view box. Whatever is drawn is also said in a table, so
nothing here is the only place of a fact.
"""

from rollout.drawing.gantt import Band, Bar, Gantt, Item, Mark, Row, Span, Tick, lay_out
from rollout.drawing.lines import Line, Plot, Point, Threshold, plot
from rollout.drawing.shares import Share, shares
from rollout.drawing.sparks import spark

__all__ = [
    "Band", "Bar", "Gantt", "Item", "Line", "Mark", "Plot", "Point", "Row", "Share", "Span", "Threshold", "Tick", "lay_out",
    "plot", "shares", "spark",
]  # fmt: skip
