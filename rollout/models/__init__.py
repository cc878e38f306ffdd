"""Plans, phases, waves and the people in them; the flag; who was switched and what to restore; gates, breaches and holds;
notices, sign-offs, tasks, freezes, rehearsals, selections and tickets.

The request reads one row of each kind that decides (flag, override, enrolment with its wave, snapshot) in its one query; no cache
stands in between, so a single write takes a person, a wave or everybody back.
"""

from rollout.models.alerts import Alert
from rollout.models.calendar import Freeze, Task
from rollout.models.enrolments import Enrolment, FlagOverride, Snapshot
from rollout.models.events import SYSTEM, Event, Stateful, Subject, batches
from rollout.models.flags import SLOTS_FLAG, Flag, ensure_flag, standing_of, standing_query, standings_of
from rollout.models.gates import Breach, BreachResponse, GuardEvaluation, GuardPolicy, Sample, Waiver
from rollout.models.holds import Hold, HoldKind, Window
from rollout.models.notices import Channel, DeliveryState, Moment, Notice, NoticeDelivery, NoticeText, NoticeWaiver
from rollout.models.plans import Phase, Plan, ShareOf, Wave
from rollout.models.rehearsals import Rehearsal
from rollout.models.selections import ACCIDENT, Selection, SelectionPart
from rollout.models.signoffs import Decision, RollbackCertificate, Signoff, SignoffRequirement
from rollout.models.tickets import Ticket

__all__ = [
    "ACCIDENT",
    "SLOTS_FLAG",
    "SYSTEM",
    "Alert",
    "Breach",
    "BreachResponse",
    "Channel",
    "Decision",
    "DeliveryState",
    "Enrolment",
    "Event",
    "Flag",
    "FlagOverride",
    "Freeze",
    "GuardEvaluation",
    "GuardPolicy",
    "Hold",
    "HoldKind",
    "Moment",
    "Notice",
    "NoticeDelivery",
    "NoticeText",
    "NoticeWaiver",
    "Phase",
    "Plan",
    "Rehearsal",
    "RollbackCertificate",
    "Sample",
    "Selection",
    "SelectionPart",
    "ShareOf",
    "Signoff",
    "SignoffRequirement",
    "Snapshot",
    "Stateful",
    "Subject",
    "Task",
    "Ticket",
    "Waiver",
    "Wave",
    "Window",
    "batches",
    "ensure_flag",
    "standing_of",
    "standing_query",
    "standings_of",
]
