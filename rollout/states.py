"""States of plan, phase, wave and person: which moves there are, and when each occurs."""

from collections.abc import Mapping
from typing import Final, TypeVar

from django.db.models import TextChoices

State = TypeVar("State", bound=TextChoices)
Table = Mapping[State, frozenset[State]]


class PlanState(TextChoices):
    """Where a plan stands."""

    DRAFT = "draft", "draft"
    IN_REVIEW = "in_review", "in review"
    APPROVED = "approved", "approved"
    SCHEDULED = "scheduled", "scheduled"
    RUNNING = "running", "running"
    SOAKING = "soaking", "soaking"
    COMPLETED = "completed", "completed"
    DEPRECATING = "deprecating", "deprecating"
    CLOSED = "closed", "closed"
    ROLLING_BACK = "rolling_back", "rolling back"
    ROLLED_BACK = "rolled_back", "rolled back"
    CANCELLED = "cancelled", "cancelled"


PLAN_NEXT: Final[Table[PlanState]] = {
    PlanState.DRAFT: frozenset(
        {
            PlanState.IN_REVIEW,  # the author asks for approval
            PlanState.CANCELLED,  # given up before anybody moved
        }
    ),
    PlanState.IN_REVIEW: frozenset(
        {
            PlanState.APPROVED,  # every required role signed this content
            PlanState.DRAFT,  # sent back, or its content was edited
            PlanState.CANCELLED,  # given up before anybody moved
        }
    ),
    PlanState.APPROVED: frozenset(
        {
            PlanState.SCHEDULED,  # dates were set
            PlanState.DRAFT,  # its content was edited: sign-offs are void
            PlanState.CANCELLED,  # given up before anybody moved
        }
    ),
    PlanState.SCHEDULED: frozenset(
        {
            PlanState.RUNNING,  # its first phase opened
            PlanState.DRAFT,  # its content was edited: sign-offs are void
            PlanState.CANCELLED,  # given up before anybody moved
        }
    ),
    PlanState.RUNNING: frozenset(
        {
            PlanState.SOAKING,  # its last wave finished
            PlanState.ROLLING_BACK,  # everybody is taken back
        }
    ),
    PlanState.SOAKING: frozenset(
        {
            PlanState.COMPLETED,  # the soak passed its gates
            PlanState.ROLLING_BACK,  # everybody is taken back, or one of its phases
        }
    ),
    PlanState.COMPLETED: frozenset(
        {
            PlanState.DEPRECATING,  # the legacy system is being retired
            PlanState.ROLLING_BACK,  # everybody is taken back, or one of its phases
        }
    ),
    PlanState.DEPRECATING: frozenset(
        {
            PlanState.CLOSED,  # legacy data is archived
        }
    ),
    PlanState.CLOSED: frozenset(),
    PlanState.ROLLING_BACK: frozenset(
        {
            PlanState.ROLLED_BACK,  # every person's rows are reconciled
        }
    ),
    PlanState.ROLLED_BACK: frozenset(
        {
            PlanState.DRAFT,  # a new attempt is planned
        }
    ),
    PlanState.CANCELLED: frozenset(),
}


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


class WaveState(TextChoices):
    """Where a wave stands."""

    PLANNED = "planned", "planned"
    LOCKED = "locked", "locked"
    ANNOUNCED = "announced", "announced"
    RUNNING = "running", "running"
    DRAINING = "draining", "draining"
    MONITORING = "monitoring", "monitoring"
    COMPLETED = "completed", "completed"
    COMPLETED_WITH_EXCEPTIONS = "completed_with_exceptions", "completed with exceptions"
    CANCELLED = "cancelled", "cancelled"
    ROLLING_BACK = "rolling_back", "rolling back"
    ROLLED_BACK = "rolled_back", "rolled back"


WAVE_NEXT: Final[Table[WaveState]] = {
    WaveState.PLANNED: frozenset(
        {
            WaveState.LOCKED,  # its audience is frozen
            WaveState.CANCELLED,  # given up before anybody moved
        }
    ),
    WaveState.LOCKED: frozenset(
        {
            WaveState.ANNOUNCED,  # the notices due were delivered or waived
            WaveState.PLANNED,  # rescheduled: schedule version + 1
            WaveState.CANCELLED,  # given up before anybody moved
        }
    ),
    WaveState.ANNOUNCED: frozenset(
        {
            WaveState.RUNNING,  # started in its window
            WaveState.PLANNED,  # rescheduled: schedule version + 1
            WaveState.CANCELLED,  # given up before anybody moved
        }
    ),
    WaveState.RUNNING: frozenset(
        {
            WaveState.DRAINING,  # nobody is queued any more, some are still working
            WaveState.ROLLING_BACK,  # taken back
        }
    ),
    WaveState.DRAINING: frozenset(
        {
            WaveState.MONITORING,  # nobody is working any more
            WaveState.ROLLING_BACK,  # taken back
        }
    ),
    WaveState.MONITORING: frozenset(
        {
            WaveState.COMPLETED,  # the monitoring window passed for everybody
            WaveState.COMPLETED_WITH_EXCEPTIONS,  # it passed; some people stayed on the legacy system
            WaveState.ROLLING_BACK,  # taken back
        }
    ),
    WaveState.COMPLETED: frozenset(
        {
            WaveState.ROLLING_BACK,  # taken back
        }
    ),
    WaveState.COMPLETED_WITH_EXCEPTIONS: frozenset(
        {
            WaveState.ROLLING_BACK,  # taken back
        }
    ),
    WaveState.CANCELLED: frozenset(),
    WaveState.ROLLING_BACK: frozenset(
        {
            WaveState.ROLLED_BACK,  # every person's rows are reconciled
        }
    ),
    WaveState.ROLLED_BACK: frozenset(
        {
            WaveState.PLANNED,  # a new attempt: attempt + 1
        }
    ),
}


class PersonState(TextChoices):
    """Where one person stands within a plan."""

    ENROLLED = "enrolled", "enrolled"
    NOTIFIED = "notified", "notified"
    QUEUED = "queued", "queued"
    TRANSLATING = "translating", "translating"
    TRANSLATED = "translated", "translated"
    VALIDATING = "validating", "validating"
    READY = "ready", "ready"
    SWITCHING = "switching", "switching"
    SWITCHED = "switched", "switched"
    SETTLED = "settled", "settled"
    RETRY_WAIT = "retry_wait", "waiting to retry"
    NEEDS_ATTENTION = "needs_attention", "needs attention"
    VALIDATION_FAILED = "validation_failed", "validation failed"
    DEFERRED = "deferred", "deferred"
    HOLDOUT = "holdout", "holdout"
    EXCLUDED = "excluded", "excluded"
    REMOVED = "removed", "removed"
    ROLLING_BACK = "rolling_back", "rolling back"
    ROLLED_BACK = "rolled_back", "rolled back"


NOT_BEGUN: Final = frozenset({PersonState.ENROLLED, PersonState.NOTIFIED})
WORKING: Final = frozenset(
    {PersonState.TRANSLATING, PersonState.TRANSLATED, PersonState.VALIDATING, PersonState.READY, PersonState.SWITCHING}
)
ON_SLOTS: Final = frozenset({PersonState.SWITCHED, PersonState.SETTLED})
WAITING: Final = frozenset({PersonState.QUEUED, PersonState.RETRY_WAIT})
STUCK: Final = frozenset({PersonState.VALIDATION_FAILED, PersonState.NEEDS_ATTENTION})
GONE: Final = frozenset({PersonState.EXCLUDED, PersonState.REMOVED})
STAYING: Final = frozenset({PersonState.HOLDOUT, PersonState.DEFERRED})  # counted in their wave, not moved by it
GROUPS: Final[Mapping[str, frozenset[PersonState]]] = {  # every state is in one of them, so their counts sum up to all members
    "waiting": NOT_BEGUN | WAITING,
    "working": WORKING,
    "on_slots": ON_SLOTS,
    "stuck": STUCK,
    "deferred": frozenset({PersonState.DEFERRED}),  # they wait in another wave, and are counted there too
    "off": GONE | {PersonState.HOLDOUT, PersonState.ROLLING_BACK, PersonState.ROLLED_BACK},
}
_GIVE_UP: Final = frozenset(
    {
        PersonState.RETRY_WAIT,  # a fault that may pass, or an expired lease
        PersonState.NEEDS_ATTENTION,  # a fault that will not pass by itself
        PersonState.ENROLLED,  # the wave was taken back meanwhile: the worker's lease is void
    }
)

PERSON_NEXT: Final[Table[PersonState]] = {
    PersonState.ENROLLED: frozenset(
        {
            PersonState.NOTIFIED,  # the notices due were delivered or waived
            PersonState.DEFERRED,  # the person asked for a later wave
            PersonState.HOLDOUT,  # kept on the legacy system for comparison
            PersonState.EXCLUDED,  # left out by somebody, with a reason
            PersonState.REMOVED,  # no longer in the audience
        }
    ),
    PersonState.NOTIFIED: frozenset(
        {
            PersonState.QUEUED,  # the wave started
            PersonState.ENROLLED,  # the wave was rescheduled
            PersonState.DEFERRED,  # the person asked for a later wave
            PersonState.EXCLUDED,  # left out by somebody, with a reason
            PersonState.REMOVED,  # no longer in the audience
        }
    ),
    PersonState.QUEUED: frozenset(
        {
            PersonState.TRANSLATING,  # a worker claimed the person under a lease
            PersonState.ENROLLED,  # the wave was taken back before a worker came
            PersonState.EXCLUDED,  # left out by somebody, with a reason
        }
    ),
    PersonState.TRANSLATING: frozenset({PersonState.TRANSLATED}) | _GIVE_UP,  # every active diff has proven operations
    PersonState.TRANSLATED: frozenset({PersonState.VALIDATING}) | _GIVE_UP,  # validation began
    PersonState.VALIDATING: frozenset(
        {
            PersonState.READY,  # every page is the same and every policy allows it
            PersonState.VALIDATION_FAILED,  # a page differs or a finding blocks
        }
    )
    | _GIVE_UP,
    PersonState.READY: frozenset(
        {
            PersonState.SWITCHING,  # the snapshot is taken
            PersonState.QUEUED,  # the proof went stale, or a hold was set before the switch
        }
    )
    | _GIVE_UP,
    PersonState.SWITCHING: frozenset(
        {
            PersonState.SWITCHED,  # the configurations are live
            PersonState.ROLLING_BACK,  # taken back
        }
    )
    | _GIVE_UP,
    PersonState.SWITCHED: frozenset(
        {
            PersonState.SETTLED,  # every check after the switch was passed, and the soak is over
            PersonState.ROLLING_BACK,  # taken back
        }
    ),
    PersonState.SETTLED: frozenset(
        {
            PersonState.ROLLING_BACK,  # taken back
        }
    ),
    PersonState.RETRY_WAIT: frozenset(
        {
            PersonState.QUEUED,  # the wait is over
            PersonState.ENROLLED,  # the wave was taken back during the wait
            PersonState.EXCLUDED,  # left out by somebody, with a reason
        }
    ),
    PersonState.NEEDS_ATTENTION: frozenset(
        {
            PersonState.QUEUED,  # somebody retries
            PersonState.ENROLLED,  # the wave was reopened: a new attempt
            PersonState.REMOVED,  # the wave was reopened, but another wave has taken the person by then
            PersonState.EXCLUDED,  # left out by somebody, with a reason
        }
    ),
    PersonState.VALIDATION_FAILED: frozenset(
        {
            PersonState.QUEUED,  # findings decided, engine improved, or somebody retries
            PersonState.ENROLLED,  # the wave was reopened: a new attempt
            PersonState.REMOVED,  # the wave was reopened, but another wave has taken the person by then
            PersonState.EXCLUDED,  # left out by somebody, with a reason
        }
    ),
    PersonState.DEFERRED: frozenset(
        {
            PersonState.ENROLLED,  # the deferral was withdrawn, or its later wave cancelled
        }
    ),
    PersonState.HOLDOUT: frozenset(
        {
            PersonState.REMOVED,  # the comparison is over, or the wave was cancelled: free for another wave
        }
    ),
    PersonState.EXCLUDED: frozenset(),
    PersonState.REMOVED: frozenset(),
    PersonState.ROLLING_BACK: frozenset(
        {
            PersonState.ROLLED_BACK,  # the snapshot is restored
        }
    ),
    PersonState.ROLLED_BACK: frozenset(
        {
            PersonState.ENROLLED,  # a new attempt
            PersonState.REMOVED,  # the wave was reopened, but another wave has taken the person by then
            PersonState.EXCLUDED,  # left out by somebody, with a reason
        }
    ),
}


class HoldState(TextChoices):
    """Where a hold stands."""

    STANDING = "standing", "standing"
    CLEARED = "cleared", "cleared"


HOLD_NEXT: Final[Table[HoldState]] = {
    HoldState.STANDING: frozenset(
        {
            HoldState.CLEARED,  # its reason is gone: a person says so, or the breach behind it was cleared or waived
        }
    ),
    HoldState.CLEARED: frozenset(),
}


class BreachState(TextChoices):
    """Where a breach of a policy stands."""

    OPEN = "open", "open"
    CLEARED = "cleared", "cleared"
    WAIVED = "waived", "waived"


BREACH_NEXT: Final[Table[BreachState]] = {
    BreachState.OPEN: frozenset(
        {
            BreachState.CLEARED,  # the metric is beyond the clear threshold, over a re-validation where the policy asks for one
            BreachState.WAIVED,  # a person answers for it by name
        }
    ),
    BreachState.CLEARED: frozenset(),
    BreachState.WAIVED: frozenset(),
}

UNDONE_FROM: Final = frozenset({PersonState.SWITCHING, PersonState.SWITCHED, PersonState.SETTLED, PersonState.ROLLING_BACK})

BEFORE_START: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})
PHASE_OVER: Final = frozenset({PhaseState.COMPLETED, PhaseState.SKIPPED, PhaseState.CANCELLED})
WAVE_AT_WORK: Final = frozenset({WaveState.RUNNING, WaveState.DRAINING})


def sources_of(table: Table[State], to: State) -> tuple[State, ...]:
    """Return the states that have an edge to `to`, in the order of the table."""
    return tuple(state for state, targets in table.items() if to in targets)
