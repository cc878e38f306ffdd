"""Count render times in buckets, and compare two arms over the same components.

A bucket is 2 % wide, so a quantile is right to 1 % whatever the scale, and a component takes some hundred small numbers at most.
The comparison weighs both arms alike: the p75 of each component counts as often as it was rendered in the arm that rendered it
less. So another mix of components in one arm is no difference in speed, and sums over processes and moments stay comparable.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

WIDTH: Final = 1.02
LEAST_S: Final = 1e-6  # quicker than any render
LEAST_RENDERS: Final = 20  # of a component in each arm: the p75 of fewer says little
_LOG: Final = math.log(WIDTH)


@dataclass(slots=True)
class Timings:
    """Count durations in seconds; `buckets` by the whole number of widths above a microsecond."""

    buckets: dict[int, int] = field(default_factory=dict)
    count: int = 0

    def add(self, seconds: float) -> None:
        """Count one."""
        bucket = int(math.log(max(seconds, LEAST_S) / LEAST_S) / _LOG)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.count += 1

    def quantile(self, share: float) -> float:
        """Return in seconds what this share of the durations does not exceed: the middle of its bucket; 0 without any."""
        left = max(1, math.ceil(share * self.count))
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return float(LEAST_S * WIDTH ** (bucket + 0.5))
        return 0.0


class Pair(NamedTuple):
    """Hold the p75 of both arms in milliseconds, each summed over components by the same weights, and the sum of the weights."""

    treated: float
    control: float
    weight: int


def paired(treated: Mapping[str, Timings], control: Mapping[str, Timings], share: float = 0.75) -> Pair:
    """Return the arms over the components of which both have enough renders; a weight of 0 where there is none."""
    total = Pair(0.0, 0.0, 0)
    for key in comparable(treated, control):
        ours, theirs = treated[key], control[key]
        weight = min(ours.count, theirs.count)
        total = Pair(
            total.treated + weight * ours.quantile(share) * 1000,
            total.control + weight * theirs.quantile(share) * 1000,
            total.weight + weight,
        )
    return total


def comparable(treated: Mapping[str, Timings], control: Mapping[str, Timings]) -> list[str]:
    """Return the components of which both arms have enough renders."""
    return [
        key for key, ours in treated.items() if ours.count >= LEAST_RENDERS and control.get(key, Timings()).count >= LEAST_RENDERS
    ]
