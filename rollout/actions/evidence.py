"""Gather what is known at the moment when somebody decides; kept with the decision, it says what that was judged by."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from rollout.actions.audiences import Allotment, preview_audience, preview_population
from rollout.actions.certificates import roster_of, why_it_does_not_count
from rollout.actions.contents import content_hash_of
from rollout.actions.gates import judge_gates
from rollout.errors import AudienceInvalid
from rollout.gates import Evaluation, Purpose, Verdict
from rollout.models import Breach, GuardEvaluation, GuardPolicy, Hold, HoldKind, Phase, Plan, RollbackCertificate, Wave
from rollout.states import BreachState, WaveState

Row = dict[str, Any]
VERDICTS: Final = {Verdict.PASS.value: "passes", Verdict.HOLD.value: "does not pass", Verdict.TRIP.value: "trips"}
TO_START: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})


def evidence_for(subject: Plan | Phase, *, at: datetime) -> Row:
    """Return what is known about a plan or a phase now, as JSON has it; nothing is kept or changed."""
    plan = subject.plan if isinstance(subject, Phase) else subject
    return {
        "gates": _gates(subject, at),
        "rehearsal": _rehearsal(plan),
        "certificate": _certificate(subject, at),
        "population": _population(subject, at),
        "breaches": _breaches(subject),
        "holds": _holds(subject),
    }


def in_words(evidence: Row) -> list[str]:
    """Return an evidence as sentences, for pages and commands."""
    lines = [
        f"Gate {each['policy']}: {VERDICTS.get(each['verdict'], each['verdict'])} ({each['code']}). {each['text']}"
        for each in evidence.get("gates", ())
    ]
    lines += [_said_rehearsal(evidence.get("rehearsal")), _said_certificate(evidence.get("certificate"))]
    for each in evidence.get("population", ()):
        people = "nobody can be chosen" if each["people"] is None else f"{each['people']} people"
        how = "frozen" if each["is_frozen"] else "if it were locked then"
        left_out = f", {each['left_out']} left out" if each["left_out"] else ""
        lines.append(f"{each['wave']}: {people} ({how}{left_out}).")
    lines += [f"Open breach: {each}" for each in evidence.get("breaches", ())]
    return lines + [f"Hold: {each}" for each in evidence.get("holds", ())]


def _gates(subject: Plan | Phase, at: datetime) -> list[Row]:
    """Return the verdicts of the gates before the next wave of a phase; of a plan the last ones that were kept."""
    if isinstance(subject, Phase):
        wave = Wave.objects.filter(phase=subject, state__in=TO_START).select_related("phase__plan").order_by("position").first()
        return [_verdict(row, found) for row, found in judge_gates(wave, at=at)] if wave else []
    policies = GuardPolicy.objects.filter(plan=subject, purpose=Purpose.GATE.value, retired_at__isnull=True).order_by("pk")
    last = [(row, row.evaluations.order_by("-pk").first()) for row in policies]
    return [_verdict(row, found) for row, found in last if found is not None]


def _verdict(row: GuardPolicy, found: Evaluation | GuardEvaluation) -> Row:
    said = {"verdict": str(found.verdict), "code": str(found.code), "text": found.text, "value": found.value}
    return {"policy": row.name, "metric": row.metric, **said}


def _rehearsal(plan: Plan) -> Row | None:
    row = plan.rehearsals.filter(finished_at__isnull=False).order_by("-pk").first()
    if row is None:
        return None
    return {
        "scenario": row.scenario,
        "seed": row.seed,
        "people": row.people,
        "digest": row.digest,
        "is_completed": row.is_completed,
        "violations": row.violations,
        "is_of_this_content": row.content_hash == content_hash_of(plan),
        "at": row.asked_at.isoformat(),
        "error": row.error,
    }


def _certificate(subject: Plan | Phase, at: datetime) -> Row | None:
    place = Q(phase=subject) if isinstance(subject, Phase) else Q(phase__plan=subject)
    row = RollbackCertificate.objects.filter(place).select_related("phase__plan", "wave").order_by("-pk").first()
    if row is None:
        return None
    return {
        "of": str(row.wave or row.phase),
        "people": row.people,
        "roster": row.roster,
        "effective_ms": row.effective_ms,
        "reconciled_ms": row.reconciled_ms,
        "projected_s": row.projected_s,
        "is_exact": row.is_exact,
        "why_not": why_it_does_not_count(row, roster_of(row.wave or row.phase), at=at),
        "at": row.at.isoformat(),
    }


def _population(subject: Plan | Phase, at: datetime) -> list[Row]:
    """Return how many people each wave has, or would have if it were locked now."""
    place = Q(phase=subject) if isinstance(subject, Phase) else Q(phase__plan=subject)
    waves = Wave.objects.filter(place).exclude(state=WaveState.CANCELLED).select_related("phase__plan")
    divided: dict[int, Allotment] = {}
    return [_people_of(wave, divided, at) for wave in waves.order_by("phase__position", "position")]


def _people_of(wave: Wave, divided: dict[int, Allotment], at: datetime) -> Row:
    """Return how many people one wave has or would have; `divided` keeps for each phase what its waves share out."""
    said: Row = {"wave": str(wave), "people": wave.size, "left_out": 0, "is_frozen": bool(wave.size)}
    if wave.size:
        return said
    try:
        if wave.share is not None and wave.phase_id not in divided:
            divided[wave.phase_id] = preview_population(wave.phase, at=at)
        preview = preview_audience(wave, at=at) if wave.share is None else divided[wave.phase_id].previews[wave.pk]
    except AudienceInvalid:
        return {**said, "people": None}
    return {**said, "people": len(preview.users), "left_out": len(preview.skipped)}


def _breaches(subject: Plan | Phase) -> list[str]:
    plan = subject.plan if isinstance(subject, Phase) else subject
    rows = Breach.objects.filter(policy__plan=plan, state=BreachState.OPEN).select_related("policy__plan", "evaluation")
    return [f"{row}: {row.evaluation.text}" for row in rows.order_by("pk")]


def _holds(subject: Plan | Phase) -> list[str]:
    plan = subject.plan if isinstance(subject, Phase) else subject
    place = Q(kind=HoldKind.FREEZE) | Q(plan=plan)
    place |= Q(phase=subject) | Q(wave__phase=subject) if isinstance(subject, Phase) else Q(phase__plan=plan)
    rows = Hold.objects.standing().filter(place).select_related("plan", "phase__plan", "wave__phase__plan").order_by("pk")
    return [f"{row} (“{row.reason}”, {row.set_by})" for row in rows]


def _said_rehearsal(row: Row | None) -> str:
    if row is None:
        return "It was never rehearsed."
    content = "this content" if row["is_of_this_content"] else "another content than this"
    what = f"{row['people']} people, {row['scenario'] or 'nothing goes wrong'}, seed {row['seed']}, of {content}"
    if not row["digest"]:
        return f"The latest rehearsal ({what}) has no report: nothing is known from it. {row.get('error', '')}".strip()
    end = "completed" if row["is_completed"] else "did not complete"
    return f"Rehearsed ({what}): {end}, {row['violations']} broken invariants; report {row['digest'][:12]}."


def _said_certificate(row: Row | None) -> str:
    if row is None:
        return "No rollback was measured."
    exact = "exactly" if row["is_exact"] else "not exactly"
    counts = f"It does not count: it {row['why_not']}" if row["why_not"] else "It counts."
    return (
        f"Rollback of {row['of']} measured: {row['people']} of {row['roster']} people {exact} back in "
        f"{row['reconciled_ms'] / 1000:.1f} s, all of them in {row['projected_s']:.0f} s. {counts}"
    )
