"""Decide of each row of a selection whether an act applies to it and, where it does not, why.

An answer is asked twice: when a selection is frozen, and again under the locks of the act. Both times the same function answers,
so what the preview says and what the act does cannot differ by anything but what the rows became in between. The cost is a few
comparisons a row; what only the act itself can find (a date, a gate, a proof) is not decided here.

Pure: facts in, answers out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rollout.states import (
    BEFORE_START,
    NOT_BEGUN,
    PERSON_NEXT,
    PHASE_HELD_IN,
    PHASE_NEXT,
    STUCK,
    UNDONE_FROM,
    WAITING,
    WAVE_AT_WORK,
    WAVE_HELD_IN,
    WAVE_NEXT,
    WORKING,
    PersonState,
    PhaseState,
    WaveState,
    sources_of,
)

Words = tuple[str, str]  # code and sentence
GONE: Final[Words] = ("GONE", "The row is not there any more.")
NOT_LIVE: Final[Words] = ("NOT_LIVE", "The place counts no more; another one may be the person's.")
HAD_BEFORE: Final[Words] = ("DEFERRAL_MISPLACED", "The person was in the later wave before and left it.")
LABELS: Final[Mapping[str, str]] = {
    **{str(value): str(label) for value, label in (*WaveState.choices, *PhaseState.choices, *PersonState.choices)}
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Say what is known of one row; of waves and phases only the first three are.

    `wave_state` is of the wave that the place is in.
    """

    pk: int
    version: int
    state: str
    is_live: bool = True
    wave: int = 0
    wave_state: str = ""
    person: int = 0
    deferrals: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """Say to which rows an act applies.

    `wave_states` are those of the wave that a person is in, None where it does not matter. A protective act (a rollback) takes
    a row also where it was moved since the preview, as long as there is something to protect.
    """

    states: frozenset[str]
    wave_states: frozenset[str] | None = None
    takes_what_is_over: bool = False
    is_protective: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """Say what a deferral depends on besides the place.

    `refusals` are code and sentence by wave that nobody is deferred from; `had` are the people whom the later wave had before.
    """

    refusals: Mapping[int, Words] = field(default_factory=dict)
    most: int | None = None
    had: frozenset[int] = frozenset()


PEOPLE: Final[Mapping[str, Rule]] = {
    "retry": Rule(frozenset(STUCK | {PersonState.ROLLED_BACK, PersonState.ENROLLED}), WAVE_AT_WORK),
    "exclude": Rule(frozenset(sources_of(PERSON_NEXT, PersonState.EXCLUDED)), takes_what_is_over=True),
    "defer": Rule(frozenset(NOT_BEGUN), BEFORE_START),
    "withdraw": Rule(frozenset({PersonState.DEFERRED}), BEFORE_START, takes_what_is_over=True),
    "rollback": Rule(frozenset(UNDONE_FROM | WORKING | WAITING), is_protective=True),
    "prevalidate": Rule(frozenset(NOT_BEGUN), frozenset({WaveState.LOCKED, WaveState.ANNOUNCED})),
}
WAVES: Final[Mapping[str, Rule]] = {
    "lock": Rule(frozenset({WaveState.PLANNED})),
    "announce": Rule(frozenset({WaveState.LOCKED})),
    "prevalidate": Rule(frozenset({WaveState.LOCKED, WaveState.ANNOUNCED})),
    "start": Rule(frozenset({WaveState.ANNOUNCED})),
    "pause": Rule(WAVE_HELD_IN),
    "resume": Rule(frozenset(WaveState)),  # a hold that was set before stands in any state
    "finish": Rule(frozenset({*WAVE_AT_WORK, WaveState.MONITORING})),
    "rollback": Rule(
        frozenset({*sources_of(WAVE_NEXT, WaveState.ROLLING_BACK), WaveState.ROLLING_BACK}),
        is_protective=True,
    ),
    "reopen": Rule(frozenset({WaveState.ROLLED_BACK})),
    "reschedule": Rule(frozenset({WaveState.LOCKED, WaveState.ANNOUNCED})),
    "cancel": Rule(frozenset(sources_of(WAVE_NEXT, WaveState.CANCELLED))),
}
PHASES: Final[Mapping[str, Rule]] = {
    "pause": Rule(PHASE_HELD_IN),
    "resume": Rule(frozenset(PhaseState)),
    "rollback": Rule(
        frozenset({*sources_of(PHASE_NEXT, PhaseState.ROLLING_BACK), PhaseState.ROLLING_BACK}),
        is_protective=True,
    ),
    "skip": Rule(frozenset(sources_of(PHASE_NEXT, PhaseState.SKIPPED))),
    "cancel": Rule(frozenset(sources_of(PHASE_NEXT, PhaseState.CANCELLED))),
}


def decide(rule: Rule, row: Facts, terms: Terms | None = None) -> Words | None:
    """Return None where the act applies to the row, else code and sentence of what is in the way."""
    if row.state not in rule.states:
        return "STATE", f"It is {LABELS[row.state]}."
    if not row.is_live and not rule.takes_what_is_over:
        return NOT_LIVE
    if rule.wave_states is not None and row.wave_state not in rule.wave_states:
        return "WAVE_STATE", f"The wave is {LABELS[row.wave_state]}."
    return None if terms is None else _deferred(row, terms)


def decide_again(rule: Rule, row: Facts | None, version: int, terms: Terms | None = None) -> Words | None:
    """Return the answer on a row that was previewed at `version`: as before, or what it is now, where it was moved since."""
    if row is None:
        return GONE
    found = decide(rule, row, terms)
    if row.version == version or rule.is_protective:
        return found
    return "MOVED", f"It was moved since the preview and is {LABELS[row.state]} now."


def _deferred(row: Facts, terms: Terms) -> Words | None:
    if row.wave in terms.refusals:
        return terms.refusals[row.wave]
    if terms.most is not None and row.deferrals >= terms.most:
        return "DEFERRAL_LIMIT", f"Deferred {row.deferrals} times already; the plan allows {terms.most}."
    return HAD_BEFORE if row.person in terms.had else None
