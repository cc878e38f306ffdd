"""Decide, from values alone, whether a metric lets a rollout go on, and when it may go on.

Readings, policies and an instant in, verdicts and responses out. Unknown is never a pass: whatever is missing, stale, too small,
impossible or not a number holds, each with its own code. Every evaluation carries its inputs, from which it can be made again.
"""

from rollout.gates.metrics import DEFINITIONS, Combine, Definition, Metric
from rollout.gates.policies import Action, Compare, NoData, Policy, Purpose, Response, Severity
from rollout.gates.readings import Arm, Reading
from rollout.gates.verdicts import CROSSED, UNKNOWN, Code, Evaluation, Verdict, evaluate, recompute
from rollout.gates.windows import Window, next_opening, state_of

__all__ = [
    "CROSSED",
    "DEFINITIONS",
    "UNKNOWN",
    "Action",
    "Arm",
    "Code",
    "Combine",
    "Compare",
    "Definition",
    "Evaluation",
    "Metric",
    "NoData",
    "Policy",
    "Purpose",
    "Reading",
    "Response",
    "Severity",
    "Verdict",
    "Window",
    "evaluate",
    "next_opening",
    "recompute",
    "state_of",
]
