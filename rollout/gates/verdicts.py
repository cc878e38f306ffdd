"""Judge a metric by a policy: pass, hold or trip, with a code, a sentence, and everything that led there.

Trip and clear differ, so a value that hovers about one threshold does not open and close a breach in turn. An open breach stays
until the value is clear; unknown neither opens it nor closes it, unless the policy says that a silent source trips.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from rollout.gates.metrics import DEFINITIONS
from rollout.gates.policies import Compare, NoData, Policy, Purpose
from rollout.gates.readings import Arm, Reading


class Verdict(StrEnum):
    """What follows: it may go on; it may not start; it has to stop."""

    PASS = "pass"  # noqa: S105  # the verdict
    HOLD = "hold"
    TRIP = "trip"


class Code(StrEnum):
    """Why."""

    WITHIN = "WITHIN"
    CLEAR = "CLEAR"
    TARGET_MISSED = "TARGET_MISSED"
    NOT_CLEAR_YET = "NOT_CLEAR_YET"
    CROSSED_RECENTLY = "CROSSED_RECENTLY"
    CROSSED = "CROSSED"
    NO_READING = "NO_READING"
    NOT_REVALIDATED = "NOT_REVALIDATED"
    SOURCE_FAILED = "SOURCE_FAILED"
    AMBIGUOUS = "AMBIGUOUS"
    STALE = "STALE"
    FROM_THE_FUTURE = "FROM_THE_FUTURE"
    NOT_FINITE = "NOT_FINITE"
    IMPOSSIBLE = "IMPOSSIBLE"
    ZERO_DENOMINATOR = "ZERO_DENOMINATOR"
    TOO_FEW = "TOO_FEW"


CROSSED: Final = frozenset({Code.CROSSED, Code.CROSSED_RECENTLY})
UNKNOWN: Final = frozenset(
    {
        Code.NO_READING,
        Code.NOT_REVALIDATED,
        Code.SOURCE_FAILED,
        Code.AMBIGUOUS,
        Code.STALE,
        Code.FROM_THE_FUTURE,
        Code.NOT_FINITE,
        Code.IMPOSSIBLE,
        Code.ZERO_DENOMINATOR,
        Code.TOO_FEW,
    }
)
SILENT: Final = frozenset({Code.NO_READING, Code.SOURCE_FAILED, Code.STALE})  # what `no_data` is about
OF_ARMS: Final = {
    Arm.TREATED: "",
    Arm.CONTROL: " of those who stay on the legacy system",
    Arm.BASELINE: " of the baseline",
    Arm.REVALIDATED: " of the people who were validated again",
}
AGAINST: Final = {Compare.BASELINE: Arm.BASELINE, Compare.CONTROL: Arm.CONTROL}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Hold a verdict with its reason; `value` is None where there is none, `inputs` is what `recompute` needs."""

    verdict: Verdict
    code: Code
    text: str
    value: float | None
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Unknown:
    code: Code
    text: str


def evaluate(
    policy: Policy,
    readings: Sequence[Reading],
    *,
    at: datetime,
    is_open: bool = False,
    crossed_since: datetime | None = None,
) -> Evaluation:
    """Judge the readings of the policy's metric at an instant.

    `is_open` says that a breach of the policy is open; `crossed_since` is when the threshold was found crossed first, without
    a known reading on the right side since.
    """
    inputs = {
        "policy": policy.as_json(),
        "readings": [each.as_json() for each in readings],
        "at": at.isoformat(),
        "is_open": is_open,
        "crossed_since": crossed_since.isoformat() if crossed_since else None,
    }
    value = _measure(policy, readings, at, is_open)
    if isinstance(value, _Unknown):
        is_trip = value.code in SILENT and policy.no_data == NoData.TRIP
        return Evaluation(Verdict.TRIP if is_trip else Verdict.HOLD, value.code, value.text, None, inputs)
    verdict, code, text = _judge(policy, value, at, is_open, crossed_since)
    return Evaluation(verdict, code, text, value, inputs)


def recompute(inputs: Mapping[str, Any]) -> Evaluation:
    """Make an evaluation again from what it kept; equal to the first one as long as the rules are."""
    since = inputs["crossed_since"]
    return evaluate(
        Policy.from_json(inputs["policy"]),
        [Reading.from_json(each) for each in inputs["readings"]],
        at=datetime.fromisoformat(inputs["at"]),
        is_open=inputs["is_open"],
        crossed_since=datetime.fromisoformat(since) if since else None,
    )


def _judge(
    policy: Policy, value: float, at: datetime, is_open: bool, crossed_since: datetime | None
) -> tuple[Verdict, Code, str]:
    shown = f"{policy.metric.in_words.capitalize()} is {value:.6g}"
    if policy.purpose == Purpose.GATE:
        if policy.is_better(value, policy.clear):
            return Verdict.PASS, Code.CLEAR, f"{shown}, better than {policy.clear:g}."
        return Verdict.HOLD, Code.TARGET_MISSED, f"{shown}; it has to be better than {policy.clear:g}."
    if policy.is_better(policy.trip, value):
        lasting = at - min(crossed_since or at, at)
        if is_open or lasting >= policy.sustained:
            return Verdict.TRIP, Code.CROSSED, f"{shown}, beyond {policy.trip:g}."
        return Verdict.HOLD, Code.CROSSED_RECENTLY, f"{shown}, beyond {policy.trip:g} for {lasting} of {policy.sustained}."
    if policy.is_better(value, policy.clear):
        return Verdict.PASS, Code.CLEAR, f"{shown}, better than {policy.clear:g}."
    if is_open:
        return Verdict.HOLD, Code.NOT_CLEAR_YET, f"{shown}; the breach clears when it is better than {policy.clear:g}."
    return Verdict.PASS, Code.WITHIN, f"{shown}, not beyond {policy.trip:g}."


def _measure(policy: Policy, readings: Sequence[Reading], at: datetime, is_open: bool) -> float | _Unknown:
    """Return the value that the policy judges, or why there is none."""
    arm = Arm.REVALIDATED if policy.needs_revalidation and is_open else Arm.TREATED
    value = _value(policy, readings, arm, at)
    if isinstance(value, _Unknown) or policy.compare == Compare.ABSOLUTE:
        return value
    against = AGAINST[policy.compare]
    other = _value(policy, readings, against, at)
    if isinstance(other, _Unknown):
        return other
    if other == 0:
        return _Unknown(Code.ZERO_DENOMINATOR, f"{_named(policy, against).capitalize()} is 0, so there is no ratio.")
    ratio = value / other
    return (
        ratio
        if math.isfinite(ratio)
        else _Unknown(Code.NOT_FINITE, f"The ratio of {policy.metric.in_words} to the {against} is {ratio}.")
    )


def _value(policy: Policy, readings: Sequence[Reading], arm: Arm, at: datetime) -> float | _Unknown:
    found = [each for each in readings if each.metric == policy.metric and each.arm == arm]
    if not found:
        if arm == Arm.REVALIDATED:
            return _Unknown(Code.NOT_REVALIDATED, "Nobody has validated the affected people again since the breach opened.")
        return _Unknown(Code.NO_READING, f"There is no reading of {_named(policy, arm)}.")
    if len(found) > 1:
        return _Unknown(Code.AMBIGUOUS, f"There are {len(found)} readings of {_named(policy, arm)}; which one counts?")
    reading = found[0]
    name = _named(policy, arm)
    if reading.error:
        return _Unknown(Code.SOURCE_FAILED, f"The source of {name} failed: {reading.error}")
    if reading.numerator is None or reading.denominator is None or reading.taken_at is None:
        return _Unknown(Code.NO_READING, f"The source of {name} does not say numerator, denominator and instant.")
    return _aged(policy, arm, name, reading.taken_at, at) or _quotient(policy, reading, name)


def _named(policy: Policy, arm: Arm) -> str:
    """Return what a reading is of, in words; that of the people who were moved goes without saying."""
    return f"{policy.metric.in_words}{OF_ARMS[arm]}"


def _aged(policy: Policy, arm: Arm, name: str, taken_at: datetime, at: datetime) -> _Unknown | None:
    if taken_at.utcoffset() is None:
        return _Unknown(Code.IMPOSSIBLE, f"The reading of {name} has an instant without a zone.")
    if taken_at > at:
        return _Unknown(Code.FROM_THE_FUTURE, f"The reading of {name} is of {taken_at.isoformat()}, which is still to come.")
    if arm != Arm.BASELINE and taken_at <= at - policy.window:
        return _Unknown(Code.STALE, f"The last reading of {name} is of {taken_at.isoformat()}, before the window.")
    return None


def _quotient(policy: Policy, reading: Reading, name: str) -> float | _Unknown:
    numerator, denominator = reading.numerator, reading.denominator
    over = " over ".join("nothing" if each is None else f"{each:g}" for each in (numerator, denominator))
    name = name.capitalize()
    if numerator is None or denominator is None or not (math.isfinite(numerator) and math.isfinite(denominator)):
        return _Unknown(Code.NOT_FINITE, f"{name} is {over}.")
    if numerator < 0 or denominator < 0 or reading.samples < 0:
        return _Unknown(
            Code.IMPOSSIBLE,
            f"{name} is {over} of {reading.samples}; nothing is negative.",
        )
    if denominator == 0:
        return _Unknown(Code.ZERO_DENOMINATOR, f"{name} is not known yet: {DEFINITIONS[policy.metric].nothing}.")
    if DEFINITIONS[policy.metric].is_share and numerator > denominator:
        return _Unknown(Code.IMPOSSIBLE, f"{name} is {over}; a part is not larger than the whole.")
    if reading.samples < policy.min_sample:
        return _Unknown(Code.TOO_FEW, f"{name} is of {reading.samples} observations; {policy.min_sample} are needed.")
    value = numerator / denominator
    return value if math.isfinite(value) else _Unknown(Code.NOT_FINITE, f"{name} is {over}.")
