"""What a source says about a metric at an instant, as a value that survives its JSON, NaN and infinity included."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rollout.gates.metrics import Metric


class Arm(StrEnum):
    """Whom a reading is about.

    `treated` are people on slots, `control` people on the legacy system at the same time, `baseline` everybody before the plan,
    `revalidated` the people whom a breach affected, validated once more since it opened.
    """

    TREATED = "treated"
    CONTROL = "control"
    BASELINE = "baseline"
    REVALIDATED = "revalidated"


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what a source says: numerator over denominator, of so many observations, the newest at `taken_at`.

    None is what the source does not know; `error` is why it could not say anything.
    """

    metric: Metric
    numerator: float | None
    denominator: float | None
    samples: int
    taken_at: datetime | None
    arm: Arm = Arm.TREATED
    error: str = ""

    @classmethod
    def failed(cls, metric: Metric, error: str, arm: Arm = Arm.TREATED) -> "Reading":
        """Return the reading of a source that raised."""
        return cls(metric, None, None, 0, None, arm, error or "the source failed without a word")

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that evaluations keep; what is not finite is written as a word, since JSON has none for it."""
        return {
            "metric": self.metric.value,
            "numerator": _written(self.numerator),
            "denominator": _written(self.denominator),
            "samples": self.samples,
            "taken_at": self.taken_at.isoformat() if self.taken_at else None,
            "arm": self.arm.value,
            "error": self.error,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Reading":
        """Read what `as_json` wrote."""
        return cls(
            Metric(data["metric"]),
            _read(data["numerator"]),
            _read(data["denominator"]),
            data["samples"],
            datetime.fromisoformat(data["taken_at"]) if data["taken_at"] else None,
            Arm(data["arm"]),
            data["error"],
        )


def _written(number: float | None) -> float | str | None:
    return number if number is None or math.isfinite(number) else repr(float(number))


def _read(written: float | str | None) -> float | None:
    return float(written) if isinstance(written, str) else written
