"""States of a plan."""

from typing import Final

from django.db.models import TextChoices

from rollout.states.tables import Table


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
PLAN_HELD_IN: Final = frozenset({PlanState.SCHEDULED, PlanState.RUNNING})  # waves of it may still start or claim
