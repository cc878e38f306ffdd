"""States of a person in a wave, and the groups that they are counted in."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices

from rollout.states.tables import Table


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
UNDONE_FROM: Final = frozenset({PersonState.SWITCHING, PersonState.SWITCHED, PersonState.SETTLED, PersonState.ROLLING_BACK})
