"""Plans, phases, waves and the people in them; the flag; who was switched and what to restore; gates, breaches and holds.

The request reads one row of each kind that decides (flag, override, enrolment with its wave, snapshot) in its one query; no cache
stands in between, so a single write takes a person, a wave or everybody back.
"""

from rollout.models.enrolments import Enrolment, FlagOverride, Snapshot
from rollout.models.events import Event, Stateful, Subject, batches
from rollout.models.flags import SLOTS_FLAG, Flag, ensure_flag, standing_of, standing_query
from rollout.models.gates import Breach, BreachResponse, GuardEvaluation, GuardPolicy, Sample, Waiver
from rollout.models.holds import Hold, HoldKind, Window
from rollout.models.plans import Phase, Plan, Wave

__all__ = [
    "SLOTS_FLAG",
    "Breach",
    "BreachResponse",
    "Enrolment",
    "Event",
    "Flag",
    "FlagOverride",
    "GuardEvaluation",
    "GuardPolicy",
    "Hold",
    "HoldKind",
    "Phase",
    "Plan",
    "Sample",
    "Snapshot",
    "Stateful",
    "Subject",
    "Waiver",
    "Wave",
    "Window",
    "batches",
    "ensure_flag",
    "standing_of",
    "standing_query",
]
