"""States of plan, phase, wave, person and ticket: which moves there are, and when each occurs."""

from rollout.states.holds import BREACH_NEXT, HOLD_NEXT, BreachState, HoldState
from rollout.states.people import (
    GONE,
    GROUPS,
    NOT_BEGUN,
    ON_SLOTS,
    PERSON_NEXT,
    STAYING,
    STUCK,
    UNDONE_FROM,
    WAITING,
    WORKING,
    PersonState,
)
from rollout.states.phases import PHASE_HELD_IN, PHASE_NEXT, PHASE_OVER, PhaseState
from rollout.states.plans import PLAN_HELD_IN, PLAN_NEXT, PlanState
from rollout.states.tables import State, Table, sources_of, way_to
from rollout.states.tickets import TICKET_NEXT, UNANSWERED, TicketState
from rollout.states.waves import BEFORE_START, WAVE_AT_WORK, WAVE_HELD_IN, WAVE_NEXT, WaveState

__all__ = [
    "BEFORE_START",
    "BREACH_NEXT",
    "GONE",
    "GROUPS",
    "HOLD_NEXT",
    "NOT_BEGUN",
    "ON_SLOTS",
    "PERSON_NEXT",
    "PHASE_HELD_IN",
    "PHASE_NEXT",
    "PHASE_OVER",
    "PLAN_HELD_IN",
    "PLAN_NEXT",
    "STAYING",
    "STUCK",
    "TICKET_NEXT",
    "UNANSWERED",
    "UNDONE_FROM",
    "WAITING",
    "WAVE_AT_WORK",
    "WAVE_HELD_IN",
    "WAVE_NEXT",
    "WORKING",
    "BreachState",
    "HoldState",
    "PersonState",
    "PhaseState",
    "PlanState",
    "State",
    "Table",
    "TicketState",
    "WaveState",
    "sources_of",
    "way_to",
]
