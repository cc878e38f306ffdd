"""Decide, from values alone, who sees which system and who belongs to which wave.

Pure: rows in, decisions out. The same functions serve the request, the preview and the rehearsal.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rollout.errors import AudienceInvalid
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
            return Decision(System.LEGACY, "the person is in no wave")
        return Decision(System.LEGACY, f"the person has not been switched yet ({PersonState(self.state).label})")


def rank(salt: str, user: str) -> str:
    """Return the sticky rank of a person: hex SHA-256 of `salt:user`; raising a share only adds people."""
    return hashlib.sha256(f"{salt}:{user}".encode()).hexdigest()


def in_order(salt: str, users: Iterable[str]) -> list[str]:
    """Return the users by rank; the order of one user against another never depends on who else is there."""
    return sorted(users, key=lambda user: (rank(salt, user), user))


@dataclass(frozen=True, slots=True)
class Audience:
    """State whom a wave means: internal accounts, named users, or both; or everybody; the first `limit` by rank.

    `users` are external ids, with the tenant in front (`tenant/user`) where it is not the default.
    """

    internal: bool = False
    users: tuple[str, ...] = ()
    limit: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Audience":
        """Read the JSON object of a wave.

        Raises:
            AudienceInvalid: it has other keys, values of other types, or names nobody.
        """
        if unknown := sorted(set(data) - {"internal", "users", "limit"}):
            raise AudienceInvalid(f"An audience has no {', '.join(unknown)}.")
        internal, users, limit = data.get("internal", False), data.get("users", []), data.get("limit")
        if not isinstance(internal, bool):
            raise AudienceInvalid("`internal` is true or false.")
        if not isinstance(users, list) or not all(isinstance(user, str) and user for user in users):
            raise AudienceInvalid("`users` is a list of external ids.")
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise AudienceInvalid("`limit` is a whole number from 1.")
        if not internal and not users and limit is None:
            raise AudienceInvalid("It names nobody.")
        return cls(internal, tuple(dict.fromkeys(users)), limit)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of a wave, without what is not said."""
        said: dict[str, Any] = {"internal": self.internal, "users": list(self.users), "limit": self.limit}
        return {name: value for name, value in said.items() if value}

    def __str__(self) -> str:
        """Return the audience as a sentence of its own."""
        named = f"{len(self.users)} named people" if self.users else ""
        groups = " and ".join(each for each in ("internal accounts" if self.internal else "", named) if each)
        who = groups or "customized people"
        return f"the first {self.limit} of {who} in sticky order" if self.limit is not None else f"all {who}"


def chosen(audience: Audience, salt: str, candidates: Iterable[str]) -> list[str]:
    """Return those of the candidates that the audience takes, in sticky order."""
    ordered = in_order(salt, candidates)
    return ordered if audience.limit is None else ordered[: audience.limit]
