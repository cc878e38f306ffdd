"""Whole plans as values and as files, without dates: what a plan is made from, and what it is written back to.

Text in, a blueprint out, or a refusal with its place; a blueprint in, text out; with a start and a zone, days become instants.
"""

from rollout.blueprints.days import Calendar, Day, is_zone, moved
from rollout.blueprints.layout import Layout, PhaseLayout, WaveLayout, laid_out, window_of
from rollout.blueprints.reading import read
from rollout.blueprints.values import Blueprint, NoticeEntry, PhaseEntry, PolicyEntry, TaskEntry, WaveEntry, WindowEntry
from rollout.blueprints.writing import written

__all__ = [
    "Blueprint",
    "Calendar",
    "Day",
    "Layout",
    "NoticeEntry",
    "PhaseEntry",
    "PhaseLayout",
    "PolicyEntry",
    "TaskEntry",
    "WaveEntry",
    "WaveLayout",
    "WindowEntry",
    "is_zone",
    "laid_out",
    "moved",
    "read",
    "window_of",
    "written",
]
