"""What is demanded of a metric, and what happens, after which delay, where it is not met."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from rollout.errors import PolicyInvalid
from rollout.gates.metrics import DEFINITIONS, Metric


class Purpose(StrEnum):
    """A gate must be met before the next wave starts; a guard watches those that run, and trips."""

    GATE = "gate"
    GUARD = "guard"


class Compare(StrEnum):
    """What the value is held against: nothing, what it was before the plan, or the legacy system at the same time."""

    ABSOLUTE = "absolute"
    BASELINE = "baseline"
    CONTROL = "control"


class NoData(StrEnum):
    """What a silent source means: it holds, or it trips like a crossed threshold. It never passes."""

    HOLD = "hold"
    TRIP = "trip"


class Severity(StrEnum):
    """How much a breach weighs."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Action(StrEnum):
    """What a breach brings about: a hold, a note to people, a note to those above them, or the latest wave taken back."""

    PAUSE = "pause"
    ALERT = "alert"
    ESCALATE = "escalate"
    ROLL_BACK = "roll_back"


TELLING: Final = frozenset({Action.ALERT, Action.ESCALATE})  # these write to people; the others act


@dataclass(frozen=True, slots=True)
class Response:
    """Say what is done so long after a breach opened, unless it was cleared or waived by then.

    `roles` are the groups of accounts that are written to, those first that come first; without any, whose part it usually is.
    """

    action: Action
    after: timedelta = timedelta()
    roles: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of a policy."""
        said = {"action": self.action.value, "after_s": self.after.total_seconds()}
        return {**said, "roles": list(self.roles)} if self.roles else said

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Response":
        """Read the JSON object of a policy.

        Raises:
            PolicyInvalid: it has other keys, an unknown action, no delay, or roles that are no list of names.
        """
        wrong = f"A response is {{action, after_s}} or {{action, after_s, roles}}, not {data!r}."
        try:
            action, after, roles = Action(data["action"]), timedelta(seconds=data["after_s"]), data.get("roles", [])
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as malformed:
            raise PolicyInvalid(wrong) from malformed
        is_names = isinstance(roles, list) and all(isinstance(each, str) and each.strip() for each in roles)
        if set(data) - {"roles"} != {"action", "after_s"} or not is_names:
            raise PolicyInvalid(wrong)
        return cls(action, after, tuple(roles))


@dataclass(frozen=True, slots=True)
class Policy:
    """Demand something of a metric over the last `window`, from at least `min_sample` observations.

    Where higher is better, below `trip` is crossed and above `clear` is clear; otherwise the other way round. Exactly on a
    threshold is neither. `sustained` is how long it must be crossed before a guard trips. Against a baseline or a control, the
    thresholds are of the ratio. With `needs_revalidation`, only the affected people, validated once more, clear a breach.
    """

    metric: Metric
    trip: float
    clear: float
    window: timedelta
    purpose: Purpose = Purpose.GUARD
    compare: Compare = Compare.ABSOLUTE
    min_sample: int = 20
    sustained: timedelta = timedelta()
    no_data: NoData = NoData.HOLD
    severity: Severity = Severity.HIGH
    respond_within: timedelta | None = None
    responses: tuple[Response, ...] = ()
    needs_revalidation: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be decided by.

        Raises:
            PolicyInvalid: with what is wrong in words.
        """
        if wrong := next((text for is_wrong, text in self._demands() if is_wrong), ""):
            raise PolicyInvalid(wrong)

    def _demands(self) -> tuple[tuple[bool, str], ...]:
        zero = timedelta()
        is_finite = math.isfinite(self.trip) and math.isfinite(self.clear)
        is_gate = self.purpose == Purpose.GATE
        actions = [each.action for each in self.responses]
        return (
            (not is_finite, "Trip and clear are finite numbers."),
            (is_finite and self.is_better(self.trip, self.clear), "Clear lies on the better side of trip, or on it."),
            (self.window <= zero, "The window is longer than nothing."),
            (self.min_sample < 1, "At least one observation is needed."),
            (self.sustained < zero, "How long it is sustained is not negative."),
            (self.respond_within is not None and self.respond_within <= zero, "The time to respond is longer than nothing."),
            (any(each.after < zero for each in self.responses), "A response comes after the breach, not before it."),
            (len(set(actions)) < len(actions), "Each response is named once."),
            (any(len(set(each.roles)) < len(each.roles) for each in self.responses), "Each role of a response is named once."),
            (
                any(each.roles and each.action not in TELLING for each in self.responses),
                "Only alert and escalate write to roles.",
            ),
            (is_gate and bool(self.responses), "A gate has no responses: it holds the next wave, and that is all."),
            (is_gate and self.sustained > zero, "A gate looks once; sustained is for guards."),
            (is_gate and self.no_data == NoData.TRIP, "A gate does not trip; without data it holds."),
            (is_gate and self.needs_revalidation, "A gate has no breach that a re-validation could clear."),
            (
                self.needs_revalidation and self.metric != Metric.MIGRATION_SUCCESS,
                "A re-validation measures migration_success and no other metric.",
            ),
            (
                self.needs_revalidation and self.compare != Compare.ABSOLUTE,
                "A re-validation is held against nothing else: compare is absolute.",
            ),
        )

    @property
    def higher_is_better(self) -> bool:
        """Say which way is better."""
        return DEFINITIONS[self.metric].higher_is_better

    def is_better(self, one: float, other: float) -> bool:
        """Say whether one value is strictly better than the other."""
        return one > other if self.higher_is_better else one < other

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that evaluations keep."""
        return {
            "metric": self.metric.value,
            "trip": self.trip,
            "clear": self.clear,
            "window_s": self.window.total_seconds(),
            "purpose": self.purpose.value,
            "compare": self.compare.value,
            "min_sample": self.min_sample,
            "sustained_s": self.sustained.total_seconds(),
            "no_data": self.no_data.value,
            "severity": self.severity.value,
            "respond_within_s": self.respond_within.total_seconds() if self.respond_within else None,
            "responses": [each.as_json() for each in self.responses],
            "needs_revalidation": self.needs_revalidation,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Policy":
        """Read what `as_json` wrote."""
        within = data["respond_within_s"]
        return cls(
            Metric(data["metric"]),
            data["trip"],
            data["clear"],
            timedelta(seconds=data["window_s"]),
            Purpose(data["purpose"]),
            Compare(data["compare"]),
            data["min_sample"],
            timedelta(seconds=data["sustained_s"]),
            NoData(data["no_data"]),
            Severity(data["severity"]),
            None if within is None else timedelta(seconds=within),
            tuple(Response.from_json(each) for each in data["responses"]),
            data["needs_revalidation"],
        )
