"""The audience of a wave: whom it means, in words that an admin can write and read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rollout.audiences.rules import Rule, rules_from_json, sentence_of
from rollout.audiences.traits import MIXED
from rollout.errors import AudienceInvalid

KEYS: Final = ("internal", "users", "limit", "rules", "strata", "holdout")


@dataclass(frozen=True, slots=True)
class Audience:
    """State whom a wave means: internal accounts, named users, or both; or everybody; of those, who matches every rule.

    Of these the first `limit`: in sticky order, or mixed over the `strata`. `holdout` per cent of who is taken stay on the old
    system for comparison. `users` are external ids, with the tenant in front (`tenant/user`) where it is not the default. An
    audience that says nothing means everybody, which only a wave with a share may: the share says how many.
    """

    internal: bool = False
    users: tuple[str, ...] = ()
    limit: int | None = None
    rules: tuple[Rule, ...] = ()
    strata: tuple[str, ...] = ()
    holdout: float = 0

    @classmethod
    def from_json(cls, data: Any, *, has_share: bool = False) -> "Audience":
        """Read the JSON object of a wave; `has_share` says that a share says how many.

        Raises:
            AudienceInvalid: it has other keys, values of other types, or names nobody.
        """
        if not isinstance(data, Mapping):
            raise AudienceInvalid("An audience is an object.")
        if unknown := sorted(set(data) - set(KEYS), key=str):
            step = f"It has: {', '.join(KEYS)}."
            raise AudienceInvalid(f"An audience has no {', '.join(map(str, unknown))}.", place=str(unknown[0]), step=step)
        audience = cls(
            internal=_yes_no(data.get("internal", False)),
            users=_users(data.get("users", [])),
            limit=_limit(data.get("limit")),
            rules=rules_from_json(data.get("rules", [])),
            strata=_strata(data.get("strata", [])),
            holdout=_holdout(data.get("holdout", 0)),
        )
        audience._check(has_share)
        return audience

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of a wave, without what is not said."""
        said: dict[str, Any] = {
            "internal": self.internal,
            "users": list(self.users),
            "limit": self.limit,
            "rules": [rule.as_json() for rule in self.rules],
            "strata": list(self.strata),
            "holdout": self.holdout,
        }
        return {name: value for name, value in said.items() if value}

    def __str__(self) -> str:
        """Return the audience as a sentence of its own."""
        named = f"{len(self.users)} named people" if self.users else ""
        groups = " and ".join(each for each in ("internal accounts" if self.internal else "", named) if each)
        who = groups or "customized people"
        if self.rules:
            who += f" with {sentence_of(self.rules)}"
        order = f"mixed over {' and '.join(self.strata)}" if self.strata else "in sticky order"
        many = f"the first {self.limit} of {who} {order}" if self.limit is not None else f"all {who}"
        if self.limit is None and self.strata:
            many += f", {order}"
        return f"{many}; {self.holdout:g} % of them stay on the old system for comparison" if self.holdout else many

    @property
    def is_everybody(self) -> bool:
        """Say whether it means neither internal accounts nor names, so that all customized people may match."""
        return not self.internal and not self.users

    def _check(self, has_share: bool) -> None:
        """Refuse what contradicts itself, or names nobody."""
        if has_share and not (self.is_everybody and self.limit is None):
            given = next(name for name, value in [("limit", self.limit), ("users", self.users), ("internal", True)] if value)
            step = "Take the share off, or say with rules, strata and holdout whom of the population it takes."
            raise AudienceInvalid(
                "A wave with a share takes its people from the population of its phase.", place=given, step=step
            )
        if self.strata and self.limit is None and not has_share:
            step = "Add `limit: N`, or take the strata off."
            raise AudienceInvalid("A mix needs a number: everybody is already as mixed as they are.", place="strata", step=step)
        if not has_share and self.is_everybody and self.limit is None and not self.rules:
            raise AudienceInvalid("It names nobody.")


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise AudienceInvalid("`internal` is true or false.", place="internal")
    return value


def _users(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(user, str) and user for user in value):
        raise AudienceInvalid("`users` is a list of external ids.", place="users")
    return tuple(dict.fromkeys(value))


def _limit(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise AudienceInvalid("`limit` is a whole number from 1.", place="limit")
    return value


def _strata(value: Any) -> tuple[str, ...]:
    step = f"Choose of: {', '.join(MIXED)}."
    if not isinstance(value, list):
        raise AudienceInvalid("`strata` is a list of traits.", place="strata", step=step)
    for number, trait in enumerate(value):
        if trait not in MIXED:
            raise AudienceInvalid(f"People are not mixed over {trait!r}.", place=f"strata[{number}]", step=step)
    return tuple(dict.fromkeys(value))


def _holdout(value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value < 100:
        step = "Write for example 5, or leave it out."
        raise AudienceInvalid("`holdout` is per cent, from 0 to below 100.", place="holdout", step=step)
    return value
