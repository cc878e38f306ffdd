"""All thirteen checks, and who remembers from look to look."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from rollout.models import Event, GuardEvaluation
from rollout.rehearsal.invariants import guards, people, signing, starts
from rollout.rehearsal.invariants.look import Look, Memory, Violation


@dataclass(frozen=True, slots=True)
class Check:
    """Name an invariant by its number in the design, and say how it is checked; `is_of_time`: time alone may break it."""

    number: int
    title: str
    find: Callable[[Look], Iterator[Violation]]
    is_of_time: bool = False


CHECKS: Final = (
    Check(1, "Who sees slots", people.sees_what_the_rows_say),
    Check(2, "No switch without a valid proof", people.switched_with_a_proof),
    Check(3, "What a start needs", starts.started_with_all_that_it_needs),
    Check(4, "A hold holds", starts.nobody_is_claimed_past_a_hold),
    Check(5, "Protective acts never wait", guards.protection_never_waits, is_of_time=True),
    Check(6, "Unknown is not pass", guards.unknown_is_not_a_pass),
    Check(7, "Shares of the frozen population", signing.shares_are_of_the_frozen_population),
    Check(8, "The latest batch is fixed", guards.latest_batch_is_fixed),
    Check(9, "Rollback restores exactly", people.restored_exactly),
    Check(10, "Approver is not author", signing.signed_by_others_and_once),
    Check(11, "Leases", people.held_under_a_lease, is_of_time=True),
    Check(12, "Windows", starts.claims_fall_into_windows),
    Check(13, "Members sum up", people.members_sum_up),
)


class Checker:
    """Check the invariants after every event; what was looked at once is not looked at again, but for a full look.

    Where nothing happened since the last look, only what time alone may break is checked.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.looks = 0
        self._memory = Memory()

    def check(self, *, at: datetime, after_tick: bool = False) -> list[Violation]:
        """Return what does not hold of what happened since the last look; some twenty queries."""
        return self._look(Look(at=at, memory=self._memory, after_tick=after_tick))

    def check_fully(self, *, at: datetime, after_tick: bool = False) -> list[Violation]:
        """Return what does not hold of everything that ever happened; takes as long as there are people."""
        return self._look(Look(at=at, memory=self._memory, is_full=True, after_tick=after_tick))

    def _look(self, look: Look) -> list[Violation]:
        with transaction.atomic():
            last_event = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
            last_evaluation = GuardEvaluation.objects.order_by("-pk").values_list("pk", flat=True).first()
            is_new = look.is_full or (last_event, last_evaluation) != (self._memory.last_event, self._memory.last_evaluation)
            checks = [check for check in CHECKS if is_new or (look.after_tick and check.is_of_time)]
            found = [violation for check in checks for violation in check.find(look)]
        self.looks += 1
        self._memory.last_event = last_event or self._memory.last_event
        self._memory.last_evaluation = last_evaluation or self._memory.last_evaluation
        return found
