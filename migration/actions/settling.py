"""Moving customizations to the state that the facts give, along the edges of the table."""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from migration.actions.facts import Fact, facts_about
from migration.actions.people import CHUNK, in_chunks
from migration.models import Customization, Decision
from migration.states import NEXT, CustomizationState

ENGINE_ERROR = "ENGINE_ERROR"
QUESTIONS = frozenset({"VERSION_UNKNOWN", ENGINE_ERROR})
KEPT = frozenset({CustomizationState.MIGRATED, CustomizationState.ARCHIVED})


def settle(primary_keys: Iterable[int], *, at: datetime, reason: str) -> dict[int, CustomizationState]:
    """Move each customization to where it belongs; return the states that these have now.

    Migrated and archived ones stay: only a switch, a rollback or a restore moves them. A finding may concern everybody, so this
    goes chunk by chunk.
    """
    states: dict[int, CustomizationState] = {}
    for chunk in in_chunks(primary_keys, CHUNK):
        states |= _settle_chunk(chunk, at=at, reason=reason)
    return states


def _settle_chunk(primary_keys: Sequence[int], *, at: datetime, reason: str) -> dict[int, CustomizationState]:
    return settle_facts(facts_about(primary_keys), at=at, reason=reason)


def settle_facts(facts: Iterable[Fact], *, at: datetime, reason: str) -> dict[int, CustomizationState]:
    """Move customizations to where these facts say they belong; nothing that they are read from was written since."""
    states: dict[int, CustomizationState] = {}
    moves: dict[tuple[CustomizationState, CustomizationState], list[int]] = {}
    for fact in facts:
        state = CustomizationState(fact.customization.state)
        wanted = state if state in KEPT else state_of(fact)
        states[fact.customization.pk] = wanted
        if wanted is not state:
            moves.setdefault((state, wanted), []).append(fact.customization.pk)
    for (state, wanted), pks in moves.items():
        for step in path(state, wanted):
            pks = Customization.objects.filter(pk__in=pks, state=state).move(to=step, at=at, reason=reason)
            state = step
    return states


def state_of(fact: Fact) -> CustomizationState:
    """Return the state that the facts give."""
    untranslatable = fact.translation is not None and fact.translation.body_id is None
    if untranslatable or any(finding.decision == Decision.REFUSED for finding in fact.blocking):
        return CustomizationState.REJECTED
    unusable = [finding for finding in fact.blocking if finding.customization_id and finding.code not in QUESTIONS]
    if unusable:
        return CustomizationState.REJECTED
    if fact.blocking:
        return CustomizationState.NEEDS_REVIEW
    if fact.translation is None:
        return CustomizationState.IMPORTED
    return CustomizationState.VALIDATED if fact.is_passed else CustomizationState.TRANSLATED


@cache
def path(start: CustomizationState, end: CustomizationState) -> tuple[CustomizationState, ...]:
    """Return the shortest way along the table's edges, without its beginning, past neither migrated nor archived."""
    before: dict[CustomizationState, CustomizationState] = {}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for following in sorted(NEXT[state] - KEPT):
            if following not in before and following is not start:
                before[following] = state
                waiting.append(following)
    steps = [end]
    while steps[-1] is not start:
        steps.append(before[steps[-1]])
    return tuple(reversed(steps[:-1]))
