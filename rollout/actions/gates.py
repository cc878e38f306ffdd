"""Judge a plan's policies by what its sources say, and keep every verdict with what it was made from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from rollout.actions.contents import note_edit
from rollout.actions.metrics import read, waves_of
from rollout.errors import PolicyInUse, ReasonMissing
from rollout.gates import CROSSED, UNKNOWN, Evaluation, Policy, Purpose, Reading, Verdict, evaluate
from rollout.models import Breach, Event, GuardEvaluation, GuardPolicy, Phase, Plan, Subject, Waiver, Wave
from rollout.states import BreachState, PhaseState


def add_policy(
    plan: Plan, *, name: str, policy: Policy, by: str, at: datetime, reason: str = "", phase: Phase | None = None
) -> GuardPolicy:
    """Demand something of a plan, or of one of its phases, from now on."""
    with transaction.atomic():
        note_edit(plan, phase, by=by, at=at, reason=reason)
        row = GuardPolicy.objects.create(
            plan=plan,
            phase=phase,
            name=name,
            purpose=policy.purpose.value,
            metric=policy.metric.value,
            compare=policy.compare.value,
            trip=policy.trip,
            clear=policy.clear,
            window=policy.window,
            min_sample=policy.min_sample,
            sustained=policy.sustained,
            no_data=policy.no_data.value,
            severity=policy.severity.value,
            respond_within=policy.respond_within,
            responses=[each.as_json() for each in policy.responses],
            needs_revalidation=policy.needs_revalidation,
            made_by=by,
            made_at=at,
        )
        _record(row, "made", by=by, at=at, reason=reason)
    return row


def retire_policy(row: GuardPolicy, *, by: str, at: datetime, reason: str) -> bool:
    """Demand it no longer, and say whether that changed anything; what it decided stays.

    Raises:
        ReasonMissing: nobody said why.
        PolicyInUse: a breach of it is open.
    """
    if not reason.strip():
        raise ReasonMissing("Retiring a policy")
    with transaction.atomic():
        if GuardPolicy.objects.filter(pk=row.pk, retired_at__isnull=True).exists():
            note_edit(row.plan, row.phase, by=by, at=at, reason=reason)
        GuardPolicy.objects.select_for_update(no_key=True).get(pk=row.pk)
        if row.breaches.filter(state=BreachState.OPEN).exists():
            raise PolicyInUse(str(row))
        changed = GuardPolicy.objects.filter(pk=row.pk, retired_at__isnull=True).update(retired_at=at)
        if changed:
            _record(row, "policy_retired", by=by, at=at, reason=reason)
    row.refresh_from_db()
    return bool(changed)


def assess(
    row: GuardPolicy,
    *,
    at: datetime,
    wave: Wave | None = None,
    is_open: bool = False,
    readings: Sequence[Reading] | None = None,
) -> GuardEvaluation:
    """Judge a policy now and keep the verdict; `readings` instead of what the sources say, `wave` whose start asks for it."""
    return _kept(row, _judged(row, at=at, is_open=is_open, readings=readings), wave, at)


def judge(row: GuardPolicy, *, at: datetime) -> Evaluation:
    """Judge a policy now, and keep nothing."""
    return _judged(row, at=at)


def gates_before(wave: Wave) -> list[GuardPolicy]:
    """Return the gates that a wave starts past.

    Those of the phases before it always, but for skipped ones; those of its own phase or plan once another wave started there.
    """
    phase = wave.phase
    before = Q(phase__position__lt=phase.position) & ~Q(phase__state__in=[PhaseState.SKIPPED, PhaseState.CANCELLED])
    rows = GuardPolicy.objects.filter(
        before | Q(phase=phase) | Q(phase__isnull=True), plan=phase.plan_id, purpose=Purpose.GATE.value, retired_at__isnull=True
    )
    return [row for row in rows.order_by("pk") if _is_earlier(row, wave) or waves_of(row).exclude(pk=wave.pk).exists()]


def assess_gates(wave: Wave, *, at: datetime) -> list[GuardEvaluation]:
    """Judge every gate before a wave and keep the verdicts."""
    return [assess(row, at=at, wave=wave) for row in gates_before(wave)]


def judge_gates(wave: Wave, *, at: datetime) -> list[tuple[GuardPolicy, Evaluation]]:
    """Return every gate before a wave that nobody waived, with the verdict; nothing is kept."""
    waived = _waived(wave)
    return [(row, _judged(row, at=at)) for row in gates_before(wave) if row.pk not in waived]


def gates_that_hold(wave: Wave, *, at: datetime) -> list[tuple[GuardPolicy, Evaluation]]:
    """Return the gates that would hold the wave now, with the verdict; nothing is kept."""
    return [(row, found) for row, found in judge_gates(wave, at=at) if found.verdict != Verdict.PASS]


def gates_that_held(wave: Wave, *, at: datetime) -> list[GuardEvaluation]:
    """Judge the gates before a wave, keep the verdicts, and return those that hold it."""
    waived = _waived(wave)
    return [each for each in assess_gates(wave, at=at) if each.verdict != Verdict.PASS and each.policy_id not in waived]


def open_breaches(wave: Wave) -> list[str]:
    """Return the open breaches of the wave's plan, of its phase, and of the phases before it, each as a sentence."""
    place = Q(policy__phase__isnull=True) | Q(policy__phase__position__lte=wave.phase.position)
    rows = Breach.objects.filter(place, policy__plan=wave.phase.plan_id, state=BreachState.OPEN).select_related("policy")
    return [f"{each.policy.name}: its breach of {each.opened_at:%Y-%m-%d %H:%M} UTC is open." for each in rows.order_by("pk")]


def _waived(wave: Wave) -> set[int]:
    """Return the gates that somebody waived for this attempt of the wave."""
    return set(Waiver.objects.filter(wave=wave, attempt=wave.attempt).values_list("policy_id", flat=True))


def _judged(row: GuardPolicy, *, at: datetime, is_open: bool = False, readings: Sequence[Reading] | None = None) -> Evaluation:
    policy = row.value()
    return evaluate(
        policy,
        read(row, at=at) if readings is None else readings,
        at=at,
        is_open=is_open,
        crossed_since=crossed_since(row) if policy.sustained else None,
    )


def _is_earlier(row: GuardPolicy, wave: Wave) -> bool:
    return row.phase_id is not None and row.phase_id != wave.phase_id


def crossed_since(row: GuardPolicy) -> datetime | None:
    """Return when the threshold was found crossed first, with no look on the right side of it and no closed breach since."""
    looks = row.evaluations.filter(wave__isnull=True).order_by("pk")
    right = looks.exclude(code__in=CROSSED | UNKNOWN).last()
    closed = row.breaches.filter(closed_at__isnull=False).order_by("closed_at").last()
    crossed = looks.filter(code__in=CROSSED)
    if right is not None:
        crossed = crossed.filter(pk__gt=right.pk)
    if closed is not None:
        crossed = crossed.filter(at__gt=closed.closed_at)
    first = crossed.first()
    return first.at if first else None


def _kept(row: GuardPolicy, found: Evaluation, wave: Wave | None, at: datetime) -> GuardEvaluation:
    """Keep a verdict: a further row, or the last one seen for longer where numbers and verdict are the same."""
    last = row.evaluations.filter(wave=wave).order_by("-pk").first()
    is_same = last is not None and (last.verdict, last.code, _numbers(last.inputs)) == (
        found.verdict,
        found.code,
        _numbers(found.inputs),
    )
    if last is not None and is_same:
        last.seen_until = max(last.seen_until, at)
        row.evaluations.filter(pk=last.pk).update(seen_until=last.seen_until)
        return last
    return GuardEvaluation.objects.create(
        policy=row,
        wave=wave,
        verdict=found.verdict.value,
        code=found.code.value,
        text=found.text,
        value=found.value,
        inputs=found.inputs,
        at=at,
        seen_until=at,
    )


def _numbers(inputs: Any) -> Any:
    readings = [{name: value for name, value in each.items() if name != "taken_at"} for each in inputs["readings"]]
    return inputs["is_open"], inputs["policy"], readings


def _record(row: GuardPolicy, kind: str, *, by: str, at: datetime, reason: str) -> None:
    Event.objects.create(subject=Subject.POLICY, subject_pk=row.pk, kind=kind, by=by, reason=reason, at=at)
