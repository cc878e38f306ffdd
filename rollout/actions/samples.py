"""Take measurements in that the rollout's own rows do not hold: tickets, surveys, probes, render times."""

import math
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from rollout.errors import SampleInvalid
from rollout.gates import DEFINITIONS, Arm, Metric
from rollout.models import Phase, Plan, Sample


@dataclass(frozen=True, slots=True)
class SampleDraft:
    """Describe a measurement; `key` is what its source calls it, so that importing it twice is importing it once."""

    metric: Metric
    numerator: float
    denominator: float
    count: int
    taken_at: datetime
    source: str
    key: str = ""
    arm: Arm = Arm.TREATED
    plan: Plan | None = None
    phase: Phase | None = None
    note: str = ""


def record_sample(draft: SampleDraft, *, by: str, at: datetime) -> tuple[Sample, bool]:
    """Keep a measurement, and say whether it is new.

    Raises:
        SampleInvalid: it is not finite, impossible, of the future, or without a source.
    """
    check_sample(draft, at=at)
    plan = draft.phase.plan if draft.phase is not None else draft.plan
    try:
        with transaction.atomic():
            made = Sample.objects.create(
                metric=draft.metric.value,
                arm=draft.arm.value,
                plan=plan,
                phase=draft.phase,
                numerator=draft.numerator,
                denominator=draft.denominator,
                count=draft.count,
                taken_at=draft.taken_at,
                source=draft.source,
                key=draft.key,
                by=by,
                note=draft.note,
            )
    except IntegrityError:  # the key was there already
        return Sample.objects.get(source=draft.source, key=draft.key), False
    return made, True


def check_sample(draft: SampleDraft, *, at: datetime) -> None:
    """Refuse what is no measurement.

    Raises:
        SampleInvalid: with what is wrong in words.
    """
    if wrong := next((text for is_wrong, text in _demands(draft, at) if is_wrong), ""):
        raise SampleInvalid(wrong)


def _demands(draft: SampleDraft, at: datetime) -> tuple[tuple[bool, str], ...]:
    is_finite = math.isfinite(draft.numerator) and math.isfinite(draft.denominator)
    is_share = DEFINITIONS[draft.metric].is_share
    has_zone = draft.taken_at.utcoffset() is not None
    return (
        (not is_finite, "Numerator and denominator are finite numbers."),
        (is_finite and (draft.numerator < 0 or draft.denominator < 0 or draft.count < 0), "Nothing is negative."),
        (is_finite and is_share and draft.numerator > draft.denominator, "A part is not larger than the whole."),
        (not has_zone, "The instant has a zone."),
        (has_zone and draft.taken_at > at, "The instant is not in the future."),
        (not draft.source.strip(), "A sample names its source."),
        (draft.arm == Arm.REVALIDATED, "A re-validation is measured, not entered."),
    )
