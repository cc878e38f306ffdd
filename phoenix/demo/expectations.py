"""What must become of each kind of sample record, written down by hand and apart from the engine.

The demo compares this with what it finds; a change here is a change of what Phoenix promises.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from migration.models import LegacyOutcome
from migration.states import CustomizationState
from phoenix.demo.records import Category, Record


@dataclass(frozen=True, slots=True)
class Expectation:
    """State where a record of a category has to end before any migration.

    `legacy` is what the old system makes of it, None where nobody asked. Of `codes` one has to be among the findings, where any
    is named; `refused_by_policy` says that the policy must have one, which nothing else may have.
    """

    state: CustomizationState
    legacy: LegacyOutcome | None = None
    codes: frozenset[str] = frozenset()
    refused_by_policy: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what became of one record; `is_decided` says that a person decided one of its findings, so that all bets are off."""

    state: str
    legacy: str | None
    codes: Collection[str]
    policy_codes: Collection[str]
    is_decided: bool = False


EXPECTED: Final[dict[Category, Expectation]] = {
    Category.CURRENT: Expectation(CustomizationState.VALIDATED, LegacyOutcome.CLEAN),
    Category.CARRIED: Expectation(CustomizationState.VALIDATED, LegacyOutcome.CLEAN),
    Category.FUZZED: Expectation(CustomizationState.VALIDATED, LegacyOutcome.FUZZ, frozenset({"FUZZED"})),
    Category.MISDATED: Expectation(CustomizationState.VALIDATED, LegacyOutcome.FUZZ, frozenset({"FUZZED"})),
    Category.FORGOTTEN: Expectation(
        CustomizationState.NEEDS_REVIEW, LegacyOutcome.PLAIN, frozenset({"RESTORES_CUSTOMIZATION", "CARRY_CONFLICT"})
    ),
    # Recorded for a version that it does not fit, but an earlier one has its lines: as good as forgotten.
    Category.LOST: Expectation(CustomizationState.NEEDS_REVIEW, LegacyOutcome.PLAIN, frozenset({"BASE_MISDATED"})),
    Category.HOSTILE: Expectation(CustomizationState.NEEDS_REVIEW, LegacyOutcome.CLEAN, refused_by_policy=True),
    Category.BROKEN: Expectation(CustomizationState.REJECTED),
}
BY_CODE: Final[dict[str, Expectation]] = {
    "COMPONENT_UNKNOWN": Expectation(CustomizationState.REJECTED, None, frozenset({"COMPONENT_UNKNOWN"})),
    "VERSION_UNKNOWN": Expectation(CustomizationState.NEEDS_REVIEW, LegacyOutcome.CLEAN, frozenset({"VERSION_UNKNOWN"})),
    "HUNK_DOES_NOT_APPLY": Expectation(CustomizationState.REJECTED, LegacyOutcome.PLAIN, frozenset({"HUNK_DOES_NOT_APPLY"})),
}
MOVES: Final = frozenset({Category.CURRENT, Category.CARRIED, Category.FUZZED, Category.MISDATED})


def expected_of(record: Record) -> Expectation | None:
    """Return what is expected of a record; None of an inactive one, which nobody migrates."""
    if record.category is Category.INACTIVE:
        return None
    if record.code:
        return BY_CODE.get(record.code) or Expectation(CustomizationState.REJECTED, None, frozenset({record.code}))
    return EXPECTED[record.category]


def mismatch(expected: Expectation, found: Outcome) -> str:
    """Return in words where the outcome is not the expected one, empty where it is or where a person decided."""
    if found.is_decided:
        return ""
    if found.state != expected.state:
        return f"state {found.state} instead of {expected.state.value}"
    if expected.legacy is not None and found.legacy != expected.legacy:
        return f"legacy {found.legacy} instead of {expected.legacy.value}"
    if expected.codes and not expected.codes & set(found.codes):
        return f"no finding {' or '.join(sorted(expected.codes))}"
    if expected.refused_by_policy and not found.policy_codes:
        return "the policy let it pass"
    if not expected.refused_by_policy and found.policy_codes:
        return f"the policy refused it: {', '.join(sorted(found.policy_codes))}"
    return ""
