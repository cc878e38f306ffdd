"""Take measurements in that the rollout's own rows do not hold: tickets, surveys, probes, render times."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import IntegrityError, transaction

from migration.actions.records import read_lines, read_object, source_of
from rollout.errors import SampleInvalid
from rollout.gates import DEFINITIONS, Arm, Metric
from rollout.models import Phase, Plan, Sample
from slots.errors import Refusal

WORDS: Final = ("source", "key", "plan", "phase", "note")
NEEDED: Final = ("metric", "numerator", "denominator", "count", "taken_at", "source")


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

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SampleDraft":
        """Read a record of an import; plan and phase are named, the instant is ISO 8601 with a zone.

        Raises:
            SampleInvalid: a field is missing, unknown or of another type, or names what there is not.
        """
        if missing := [name for name in NEEDED if name not in data]:
            raise SampleInvalid(f"It lacks {', '.join(missing)}.")
        if unknown := sorted(set(data) - {*NEEDED, *WORDS, "arm"}):
            raise SampleInvalid(f"A sample has no {', '.join(unknown)}.")
        if wrong := [name for name in WORDS if not isinstance(data.get(name, ""), str)]:
            raise SampleInvalid(f"{', '.join(wrong)} is text.")
        numbers = [data[name] for name in ("numerator", "denominator", "count")]
        is_number = all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers)
        if not is_number or not isinstance(data["count"], int):
            raise SampleInvalid("Numerator and denominator are numbers, count is a whole one.")
        try:
            metric, arm = Metric(data["metric"]), Arm(data.get("arm", Arm.TREATED))
            taken_at = datetime.fromisoformat(data["taken_at"])
            numerator, denominator = float(data["numerator"]), float(data["denominator"])
        except (ValueError, TypeError, OverflowError) as malformed:
            raise SampleInvalid(f"It cannot be read: {malformed}.") from malformed
        plan, phase = _place(data.get("plan", ""), data.get("phase", ""))
        texts = {name: data.get(name, "") for name in ("source", "key", "note")}
        return cls(metric, numerator, denominator, data["count"], taken_at, arm=arm, plan=plan, phase=phase, **texts)


@dataclass(slots=True)
class SampleReport:
    """Count what an import took in, what it had before, and name what it refused with the line."""

    imported: int = 0
    unchanged: int = 0
    rejected: list[tuple[str, Refusal]] = field(default_factory=list)


def import_samples(paths: Iterable[Path], *, by: str, at: datetime) -> SampleReport:
    """Take in the samples of JSON Lines files; a bad record is refused and named, the others go on."""
    report = SampleReport()
    for path in paths:
        source = source_of(path)
        with path.open("rb") as stream:
            for raw in read_lines(stream, source=source):
                data = read_object(raw)
                try:
                    if isinstance(data, Refusal):
                        report.rejected.append((source, data))
                        continue
                    _, is_new = record_sample(SampleDraft.from_json(data), by=by, at=at)
                except SampleInvalid as invalid:
                    report.rejected.append((source, Refusal(invalid.code, raw.line, str(invalid))))
                else:
                    report.imported += is_new
                    report.unchanged += not is_new
    return report


def _place(plan_name: str, phase_name: str) -> tuple[Plan | None, Phase | None]:
    """Return the plan and the phase of these names; without a name, none."""
    if not plan_name:
        if phase_name:
            raise SampleInvalid("A phase is named together with its plan.")
        return None, None
    plan = Plan.objects.filter(name=plan_name).first()
    if plan is None:
        raise SampleInvalid(f"There is no plan {plan_name!r}.")
    phases = list(plan.phases.filter(name=phase_name)[:2]) if phase_name else []
    if phase_name and len(phases) != 1:
        raise SampleInvalid(f"The plan {plan_name!r} has {'several phases' if phases else 'no phase'} {phase_name!r}.")
    return plan, phases[0] if phases else None


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
