"""States of a wave."""

from typing import Final

from django.db.models import TextChoices

from rollout.states.tables import Table


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
BEFORE_START: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})
WAVE_AT_WORK: Final = frozenset({WaveState.RUNNING, WaveState.DRAINING})
WAVE_HELD_IN: Final = (
    BEFORE_START | WAVE_AT_WORK
)  # a hold keeps it from starting or claiming; in the others it would keep nothing
