"""Rules over traits: one condition on one trait each. A rule on something that is not known does not match, and says so."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollout.audiences.traits import KINDS, LEVELS, Kind, Traits
from rollout.errors import AudienceInvalid

CONDITIONS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.COUNT: ("at_least", "at_most"),
    Kind.PART: ("at_least", "at_most"),
    Kind.LEVEL: ("at_least", "at_most", "one_of"),
    Kind.WORD: ("one_of",),
    Kind.YES_NO: ("is",),
}
EXAMPLES: Final[Mapping[Kind, str]] = {
    Kind.COUNT: '{"trait": "%s", "at_least": 2, "at_most": 5}',
    Kind.PART: '{"trait": "%s", "at_least": 0.5}',
    Kind.LEVEL: '{"trait": "%s", "one_of": ["medium"]}',
    Kind.WORD: '{"trait": "%s", "one_of": ["…"]}',
    Kind.YES_NO: '{"trait": "%s", "is": true}',
}
NOT_KNOWN: Final = "TRAIT_UNKNOWN"
NOT_MET: Final = "RULE_NOT_MET"
Bound = int | float | str


@dataclass(frozen=True, slots=True)
class Miss:
    """Say why a rule does not take somebody; there are two for each rule, however many people it is asked about."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Demand something of one trait; bounds are inclusive, levels are compared in their order."""

    trait: str
    at_least: Bound | None = None
    at_most: Bound | None = None
    one_of: tuple[str, ...] = ()
    is_so: bool | None = None

    @classmethod
    def from_json(cls, data: Any, *, place: str = "rule") -> "Rule":
        """Read the JSON object of a rule; `place` is where it stands, for the refusal.

        Raises:
            AudienceInvalid: there is no such trait or condition, or the values cannot be met by anybody.
        """
        if not isinstance(data, Mapping):
            raise AudienceInvalid("A rule is an object.", place=place, step=f"Write {EXAMPLES[Kind.COUNT] % 'customizations'}.")
        trait = data.get("trait")
        if not isinstance(trait, str) or trait not in KINDS:
            known = ", ".join(KINDS)
            said = "A rule names its trait." if trait is None else f"There is no trait {trait!r}."
            raise AudienceInvalid(said, place=f"{place}.trait", step=f"Choose one of: {known}.")
        return _Reading(trait, KINDS[trait], data, place).rule()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object, without what is not said."""
        said = {"at_least": self.at_least, "at_most": self.at_most, "one_of": list(self.one_of) or None, "is": self.is_so}
        return {"trait": self.trait} | {name: value for name, value in said.items() if value is not None}

    def miss(self, traits: Traits) -> Miss | None:
        """Return why the rule does not take somebody with these traits, None where it does."""
        value = traits.components if self.trait == "component" else getattr(traits, self.trait)
        if value is None:
            return Miss(NOT_KNOWN, f"{self.trait} is not known.{HINTS.get(self.trait, '')}")
        return None if self._takes(value) else Miss(NOT_MET, f"{self.trait} is not {self._wanted}.")

    def __str__(self) -> str:
        """Return the rule as a part of a sentence."""
        return f"{self.trait} {self._wanted}"

    @property
    def _wanted(self) -> str:
        if self.is_so is not None:
            return "true" if self.is_so else "false"
        bounds = {(True, True): f"from {self.at_least} to {self.at_most}", (True, False): f"at least {self.at_least}"}
        bounded = (self.at_least is not None, self.at_most is not None)
        said = bounds.get(bounded, f"at most {self.at_most}") if any(bounded) else ""
        return " and ".join(each for each in (said, " or ".join(self.one_of)) if each)

    def _takes(self, value: Any) -> bool:
        if self.is_so is not None:
            return value is self.is_so
        if isinstance(value, frozenset):
            return not value.isdisjoint(self.one_of)
        if self.one_of and value not in self.one_of:
            return False
        place = _place_of(self.trait, value)
        if self.at_least is not None and place < _place_of(self.trait, self.at_least):
            return False
        return self.at_most is None or place <= _place_of(self.trait, self.at_most)


HINTS: Final[Mapping[str, str]] = {
    "risk": " Translate and validate their customizations first.",
    "engagement": " Import it with the people.",
    "region": " Import it with the people.",
    "language": " Import it with the people.",
    "time_zone": " Import it with the people.",
    "tenure_days": " Import `signed_up_at` with the people.",
}


def _place_of(trait: str, value: Any) -> Any:
    """Return what values of a trait are compared by; levels by their order."""
    levels = LEVELS.get(trait)
    return value if levels is None else levels.index(value)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Hold the object of a rule whose trait is known, while its conditions are read."""

    trait: str
    kind: Kind
    data: Mapping[str, Any]
    place: str

    def rule(self) -> Rule:
        """Return the rule."""
        allowed = CONDITIONS[self.kind]
        if strange := sorted(set(self.data) - {"trait", *allowed}, key=str):
            raise self._wrong(f"{self.trait} has no condition {strange[0]!r}.", str(strange[0]))
        if not set(self.data) & set(allowed):
            raise self._wrong(f"The rule says nothing of {self.trait}.")
        at_least, at_most = self._bound("at_least"), self._bound("at_most")
        if at_least is not None and at_most is not None and _place_of(self.trait, at_least) > _place_of(self.trait, at_most):
            raise self._wrong(f"Nobody has at least {at_least} and at most {at_most}.", "at_most")
        return Rule(self.trait, at_least, at_most, self._one_of(), self._is_so())

    def _bound(self, name: str) -> Bound | None:
        if name not in self.data:
            return None
        value = self.data[name]
        if self.kind is Kind.LEVEL:
            return self._level(value, name)
        wrong = self._wrong(f"{self.trait} is {self.kind.value}, not {value!r}.", name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong
        if self.kind is Kind.COUNT and (not isinstance(value, int) or value < 0):
            raise wrong
        if self.kind is Kind.PART and not (math.isfinite(value) and 0 <= value <= 1):
            raise wrong
        return value

    def _one_of(self) -> tuple[str, ...]:
        if "one_of" not in self.data:
            return ()
        values = self.data["one_of"]
        if not isinstance(values, list) or not values:
            raise self._wrong("`one_of` is a list with at least one word.", "one_of")
        for number, value in enumerate(values):
            place = f"one_of[{number}]"
            if self.kind is Kind.LEVEL:
                self._level(value, place)
            elif not isinstance(value, str) or not value:
                raise self._wrong(f"{value!r} is no word.", place)
        return tuple(dict.fromkeys(values))

    def _is_so(self) -> bool | None:
        if "is" not in self.data:
            return None
        value = self.data["is"]
        if not isinstance(value, bool):
            raise self._wrong("`is` is true or false.", "is")
        return value

    def _level(self, value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in LEVELS[self.trait]:
            step = f"Choose of: {', '.join(LEVELS[self.trait])}."
            raise AudienceInvalid(f"{self.trait} is never {value!r}.", place=f"{self.place}.{name}", step=step)
        return value

    def _wrong(self, text: str, name: str = "") -> AudienceInvalid:
        place = f"{self.place}.{name}" if name else self.place
        return AudienceInvalid(text, place=place, step=f"Write for example {EXAMPLES[self.kind] % self.trait}.")


def rules_from_json(data: Any, *, place: str = "rules") -> tuple[Rule, ...]:
    """Read a JSON list of rules, all of which have to match.

    Raises:
        AudienceInvalid: it is no list, or one of them is no rule.
    """
    if not isinstance(data, list):
        raise AudienceInvalid(f"`{place}` is a list of rules.", place=place, step="Put the rules in brackets: [{…}, {…}].")
    return tuple(Rule.from_json(each, place=f"{place}[{number}]") for number, each in enumerate(data))


def first_miss(rules: Iterable[Rule], traits: Traits) -> Miss | None:
    """Return why the first rule that does not match does not, None where all match."""
    return next((miss for miss in (rule.miss(traits) for rule in rules) if miss is not None), None)


def sentence_of(rules: Sequence[Rule]) -> str:
    """Return the rules as a part of a sentence."""
    return " and ".join(map(str, rules))
