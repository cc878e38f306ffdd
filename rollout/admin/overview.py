"""What the page of a plan, a phase, a wave, a person or a breach begins with: its state, what keeps it, and its acts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.safestring import SafeString

from migration.admin.columns import BAD, GOOD, NEUTRAL, WARNING, badge
from rollout.actions.readiness import Blocker
from rollout.actions.standstill import Standstill, of_row
from rollout.addresses import place_of
from rollout.models import Event, Subject
from rollout.states import BreachState, TicketState

TONES: Final = {
    GOOD: {"running", "completed", "switched", "settled", "open", "executing", "monitoring"},
    WARNING: {"rolling_back", "draining", "retry_wait", "completed_with_exceptions", "awaiting_signoff"},
    BAD: {"needs_attention", "validation_failed"},
}
OF_BREACHES: Final = {BreachState.OPEN: BAD, BreachState.CLEARED: GOOD, BreachState.WAIVED: WARNING}  # open is no good news here
OF_TICKETS: Final = {
    TicketState.OPEN: WARNING,
    TicketState.ANSWERED: NEUTRAL,
    TicketState.RESOLVED: GOOD,
    TicketState.REOPENED: WARNING,
}
PAUSED: Final = "HOLD_ADMIN"


@dataclass(frozen=True, slots=True)
class Kept:
    """Say what keeps the row, and where that is dealt with; no address where that is this page."""

    said: Standstill
    address: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Hold the state with who brought it about, and everything that keeps it; `is_paused`: somebody holds just this row."""

    badge: SafeString | str
    moved: Event | None
    kept: tuple[Kept, ...]
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Buttons:
    """Hold the acts that are offered, each with its address: the next step, the others, and the grave ones."""

    lead: tuple[Any, str] | None
    quiet: tuple[tuple[Any, str], ...]
    grave: tuple[tuple[Any, str], ...]


def state_badge(state: str, label: str) -> str:
    """Return a state in words and colour."""
    return badge(label, next((tone for tone, states in TONES.items() if state in states), NEUTRAL))


def overview_of(row: Any, timeline: Sequence[Event], *, at: datetime, keeps: Sequence[Blocker] | None = None) -> Overview:
    """Return what a row's page begins with; `timeline` is its record, latest first, `keeps` what is known to keep a wave."""
    moved = next((event for event in timeline if event.kind == "moved" and event.to_state == row.state), None)
    kept = tuple(Kept(each, _address_of(each, row)) for each in of_row(row, at=at, keeps=keeps))
    is_paused = any(each.said.code == PAUSED and not each.address for each in kept)
    return Overview(_state_of(row), moved, kept, is_paused)


def buttons_of(
    row: Any, acts: Sequence[tuple[Any, str]], *, is_paused: bool = False, barred: Collection[str] = frozenset()
) -> Buttons:
    """Return the offered acts as buttons: resuming is the next step of a row that somebody paused, and of no other.

    `barred` are acts that would be refused now: they are no next step.
    """
    shown = [(act, address) for act, address in acts if (is_paused or act.name != "resume")]
    leads = [
        each
        for each in shown
        if each[0].name not in barred and (each[0].name == "resume" if is_paused else row.state in each[0].leads_in)
    ]
    lead = leads[0] if leads else None
    others = [each for each in shown if each is not lead and not (is_paused and each[0].name == "pause")]
    quiet = tuple(each for each in others if not each[0].is_grave)
    return Buttons(lead, quiet, tuple(each for each in others if each[0].is_grave))


def _state_of(row: Any) -> str:
    """Return a row's state in words and colour; `open` is good of a phase, and of nothing else."""
    if row.SUBJECT == Subject.BREACH:
        return badge(row.state_label, OF_BREACHES[BreachState(row.state)])
    if row.SUBJECT == Subject.TICKET:
        return badge(row.state_label, OF_TICKETS[TicketState(row.state)])
    return state_badge(row.state, row.state_label)


def _address_of(said: Standstill, row: Any) -> str:
    """Return the page on which what keeps a row is dealt with, unless that is the row's own."""
    return "" if (said.subject, said.pk) == (row.SUBJECT, row.pk) else place_of(said)
