"""What is known of a person, and which traits rules and mixes may be about. What is not known stays not known."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """Tell what the values of a trait are, and with that which conditions it may have."""

    COUNT = "a whole number from 0"
    PART = "a number from 0 to 1"
    LEVEL = "a level"
    WORD = "a word"
    YES_NO = "true or false"


KINDS: Final[Mapping[str, Kind]] = {
    "customizations": Kind.COUNT,
    "complexity": Kind.LEVEL,
    "risk": Kind.LEVEL,
    "region": Kind.WORD,
    "language": Kind.WORD,
    "time_zone": Kind.WORD,
    "engagement": Kind.PART,
    "technical": Kind.YES_NO,
    "internal": Kind.YES_NO,
    "tenure_days": Kind.COUNT,
    "component": Kind.WORD,
}
LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    "complexity": ("simple", "medium", "complex"),
    "risk": ("low", "medium", "high"),
}
MIXED: Final = ("region", "language", "time_zone", "complexity", "risk", "technical", "internal", "customizations")
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Traits:
    """Hold what is known of one person; None is unknown.

    `customizations` counts the active ones; `complexity` and `risk` are those of the gravest of them; `components` are those
    that they change.
    """

    customizations: int | None = None
    complexity: str | None = None
    risk: str | None = None
    region: str | None = None
    language: str | None = None
    time_zone: str | None = None
    engagement: float | None = None
    technical: bool | None = None
    internal: bool | None = None
    tenure_days: int | None = None
    components: frozenset[str] | None = None

    def stratum(self, strata: tuple[str, ...]) -> tuple[str, ...]:
        """Return the person's place in a mix: a word for each trait, `unknown` where it is not known."""
        return tuple([_word(getattr(self, trait), trait) for trait in strata])


def _word(value: object, trait: str) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return trait if value else f"not {trait}"
    return str(value)
