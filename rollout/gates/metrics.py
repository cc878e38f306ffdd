"""What is measured: each metric with its numerator and denominator, its unit, and which way is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Metric(StrEnum):
    """What a policy can watch."""

    MIGRATION_SUCCESS = "migration_success"
    VALIDATION_SCORE = "validation_score"
    VALIDATION_ACCURACY = "validation_accuracy"
    ERROR_RATE = "error_rate"
    PERFORMANCE = "performance"
    SATISFACTION = "satisfaction"
    ISSUE_REPORTS = "issue_reports"
    RESOLUTION_TIME = "resolution_time"
    TICKET_VOLUME = "ticket_volume"
    UPTIME = "uptime"

    @property
    def in_words(self) -> str:
        """Return the name as people say it."""
        return self.value.replace("_", " ")


class Combine(StrEnum):
    """How several samples of one metric become one reading.

    Counts add up; of minima the smallest counts. Of quantiles the latest count, by the weight that is their denominator: all of
    the newest one's minute, since each process that renders has its own.
    """

    SUM = "sum"
    MINIMUM = "minimum"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Definition:
    """Say what a metric counts over what; `is_share`: the numerator is a part of the denominator, so the value is 0 to 1.

    `nothing` says in words that the denominator is 0.
    """

    numerator: str
    denominator: str
    nothing: str
    unit: str
    higher_is_better: bool
    is_share: bool = True
    combine: Combine = Combine.SUM


DEFINITIONS: Final[Mapping[Metric, Definition]] = {
    Metric.MIGRATION_SUCCESS: Definition(
        "people switched with a passed validation", "people attempted", "nobody was attempted", "share", True
    ),
    Metric.VALIDATION_SCORE: Definition(
        "smallest similarity over all validated pages", "1", "no page was validated", "similarity", True, combine=Combine.MINIMUM
    ),
    Metric.VALIDATION_ACCURACY: Definition("right verdicts", "labelled pages", "no page was labelled", "share", True),
    Metric.ERROR_RATE: Definition(
        "renders that fell back or raised",
        "renders, for people on slots",
        "nothing was rendered for people on slots",
        "share",
        False,
    ),
    Metric.PERFORMANCE: Definition(
        "p75 of render time, in ms, by weight",
        "weight",
        "nothing was rendered",
        "ms",
        False,
        is_share=False,
        combine=Combine.LATEST,
    ),
    Metric.SATISFACTION: Definition("positive answers", "answers, one per person and wave", "nobody answered", "share", True),
    Metric.ISSUE_REPORTS: Definition("people with a report", "people migrated", "nobody was migrated", "share", False),
    Metric.RESOLUTION_TIME: Definition(
        "seconds from report to resolution", "resolved reports", "no report was resolved", "s", False, is_share=False
    ),
    Metric.TICKET_VOLUME: Definition("tickets", "days", "no day is over", "tickets a day", False, is_share=False),
    Metric.UPTIME: Definition("successful probes", "probes", "nothing was probed", "share", True),
}
HIGHER_IS_BETTER: Final = frozenset(metric for metric, each in DEFINITIONS.items() if each.higher_is_better)
