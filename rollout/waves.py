"""Decide, from values alone, who sees which system.

Pure: rows in, decisions out. The same functions serve the request, the support page and the rehearsal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rollout.states import ON_SLOTS, PersonState


class System(StrEnum):
    """The two systems that can render a person's components."""

    LEGACY = "legacy"
    SLOTS = "slots"


@dataclass(frozen=True, slots=True)
class Decision:
    """Say which system shows, and why in words."""

    system: System
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that decides which system one person sees.

    `is_installed` says that a switch wrote configurations for the person that nobody took back since.
    """

    is_killed: bool = True
    override: System | None = None
    state: PersonState | None = None
    is_revoked: bool = False
    is_installed: bool = False

    @classmethod
    def from_row(cls, row: Sequence[str | None] | None) -> "Standing":
        """Return the standing of a row (killed, override, state, revoked, proof); without a row, everybody is held back."""
        if row is None:
            return cls()
        killed, override, state, revoked, proof = row
        return cls(
            is_killed=killed != "no",
            override=System(override) if override else None,
            state=PersonState(state) if state else None,
            is_revoked=revoked == "yes",
            is_installed=bool(proof),
        )

    def decide(self) -> Decision:
        """Return the system by the first rule that speaks: kill switch, override, revoked wave, state."""
        if self.is_killed:
            return Decision(System.LEGACY, "the kill switch is on: everybody sees the legacy system")
        if self.override is System.LEGACY:
            return Decision(System.LEGACY, "support switched this person to the legacy system")
        if self.override is System.SLOTS:
            if self.is_installed:
                return Decision(System.SLOTS, "support switched this person to slots")
            return Decision(System.LEGACY, "support asked for slots, but no proven configuration is installed")
        if self.is_revoked:
            return Decision(System.LEGACY, "the person's wave was taken back")
        if self.state in ON_SLOTS and self.is_installed:
            return Decision(System.SLOTS, "the person's wave switched them to slots")
        if self.state is None:
            return Decision(System.LEGACY, "the person is in no wave now")
        return Decision(System.LEGACY, f"the person has not been switched yet ({PersonState(self.state).label})")
