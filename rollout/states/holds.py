"""States of what stops a wave: holds and breaches."""

from typing import Final

from django.db.models import TextChoices

from rollout.states.tables import Table


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
