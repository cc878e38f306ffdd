"""States of a phase."""

from typing import Final

from django.db.models import TextChoices

from rollout.states.tables import Table


class PhaseState(TextChoices):
    """Where a phase stands."""

    PENDING = "pending", "pending"
    AWAITING_SIGNOFF = "awaiting_signoff", "awaiting sign-off"
    OPEN = "open", "open"
    EXECUTING = "executing", "executing"
    SOAKING = "soaking", "soaking"
    COMPLETED = "completed", "completed"
    SKIPPED = "skipped", "skipped"
    CANCELLED = "cancelled", "cancelled"
    ROLLING_BACK = "rolling_back", "rolling back"
    ROLLED_BACK = "rolled_back", "rolled back"


PHASE_NEXT: Final[Table[PhaseState]] = {
    PhaseState.PENDING: frozenset(
        {
            PhaseState.AWAITING_SIGNOFF,  # the phase before it completed
            PhaseState.SKIPPED,  # left out, with a reason
            PhaseState.CANCELLED,  # the plan was cancelled
        }
    ),
    PhaseState.AWAITING_SIGNOFF: frozenset(
        {
            PhaseState.OPEN,  # every required role signed
            PhaseState.SKIPPED,  # left out, with a reason
            PhaseState.CANCELLED,  # the plan was cancelled
        }
    ),
    PhaseState.OPEN: frozenset(
        {
            PhaseState.EXECUTING,  # its first wave started
            PhaseState.ROLLING_BACK,  # taken back
        }
    ),
    PhaseState.EXECUTING: frozenset(
        {
            PhaseState.SOAKING,  # its last wave finished
            PhaseState.ROLLING_BACK,  # taken back
        }
    ),
    PhaseState.SOAKING: frozenset(
        {
            PhaseState.COMPLETED,  # the soak passed its gates
            PhaseState.EXECUTING,  # a wave of it that was taken back was reopened
            PhaseState.ROLLING_BACK,  # taken back
        }
    ),
    PhaseState.COMPLETED: frozenset(
        {
            PhaseState.ROLLING_BACK,  # taken back
        }
    ),
    PhaseState.SKIPPED: frozenset(),
    PhaseState.CANCELLED: frozenset(),
    PhaseState.ROLLING_BACK: frozenset(
        {
            PhaseState.ROLLED_BACK,  # every person's rows are reconciled
        }
    ),
    PhaseState.ROLLED_BACK: frozenset(
        {
            PhaseState.PENDING,  # a new attempt is planned
        }
    ),
}
PHASE_OVER: Final = frozenset({PhaseState.COMPLETED, PhaseState.SKIPPED, PhaseState.CANCELLED})
PHASE_HELD_IN: Final = frozenset(  # waves of it may still start or claim
    {PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF, PhaseState.OPEN, PhaseState.EXECUTING}
)
