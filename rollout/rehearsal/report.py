"""What a rehearsal tells: the timeline, who is told what and when, which guards trip, what goes back, and how long it took.

Everything but real seconds follows from the seed; the digest is over that, so equal digests mean equal plays.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Max, Min

from rollout.models import (
    Breach,
    DeliveryState,
    Event,
    Hold,
    NoticeDelivery,
    Phase,
    Plan,
    RollbackCertificate,
    Signoff,
    Subject,
    Wave,
)
from rollout.states import WaveState

Row = dict[str, Any]
TOLD_OF: Final = frozenset({Subject.PLAN, Subject.PHASE, Subject.WAVE, Subject.BREACH, Subject.HOLD, Subject.FLAG})
SECONDS: Final = ("wall_s", "worst_rollback_s")  # what the machine decides, not the seed


def digest_of(report: Row) -> str:
    """Return the hex SHA-256 over what follows from the seed."""
    told = {name: value for name, value in report.items() if name not in {*SECONDS, "digest", "measured"}}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def phases_of(plan: Plan, planned: dict[str, datetime | None]) -> list[Row]:
    """Return the phases with their waves: when they were to begin, and when they did."""
    return [
        {
            "name": phase.name,
            "state": phase.state,
            "planned_start": _iso(planned.get(f"phase {phase.pk}")),
            "opened_at": _iso(entered(Subject.PHASE, phase.pk, "open")),
            "finished_at": _iso(phase.finished_at),
            "population": phase.population,
            "waves": [_wave(wave, planned) for wave in phase.waves.order_by("position")],
        }
        for phase in Phase.objects.filter(plan=plan).order_by("position")
    ]


def _wave(wave: Wave, planned: dict[str, datetime | None]) -> Row:
    return {
        "name": wave.name,
        "state": wave.state,
        "members": wave.size,
        "attempt": wave.attempt,
        "planned_start": _iso(planned.get(f"wave {wave.pk}")),
        "started_at": _iso(wave.started_at),
        "finished_at": _iso(wave.finished_at),
        "by_state": wave.members_by_state(),
    }


def entered(subject: Subject, pk: int, state: str) -> datetime | None:
    """Return when a row entered a state last."""
    moves = Event.objects.about(subject, pk).filter(kind="moved", to_state=state)
    last = moves.order_by("-pk").first()
    return last.at if last else None


def trips_of(plan: Plan) -> list[Row]:
    """Return every breach: why it opened, what it brought about, and how it ended."""
    rows = Breach.objects.filter(policy__plan=plan).select_related("policy", "evaluation", "wave").order_by("pk")
    return [
        {
            "policy": row.policy.name,
            "metric": row.policy.metric,
            "opened_at": _iso(row.opened_at),
            "why": row.evaluation.text,
            "wave": row.wave.name if row.wave else None,
            "affected": len(row.affected),
            "responses": [
                {"action": each.action, "due_at": _iso(each.due_at), "done_at": _iso(each.done_at), "outcome": each.outcome}
                for each in row.responses.order_by("due_at", "pk")
            ],
            "state": row.state,
            "closed_at": _iso(row.closed_at),
            "closed_by": row.closed_by,
            "closed_because": row.closed_reason,
        }
        for row in rows
    ]


def told_of(plan: Plan) -> list[Row]:
    """Return who was told what: each notice of each schedule of a wave, to how many, and when."""
    sent = NoticeDelivery.objects.filter(wave__phase__plan=plan, state=DeliveryState.SENT).order_by()
    names = ("notice__name", "notice__channel", "wave__phase__name", "wave__name", "attempt", "schedule_version")
    counted = sent.values(*names).annotate(people=Count("pk"), first=Min("sent_at"), last=Max("sent_at"))
    return [
        {
            "notice": row["notice__name"],
            "channel": row["notice__channel"],
            "wave": f"{row['wave__phase__name']} / {row['wave__name']}",
            "attempt": row["attempt"],
            "schedule": row["schedule_version"],
            "people": row["people"],
            "first_at": _iso(row["first"]),
            "last_at": _iso(row["last"]),
        }
        for row in sorted(counted, key=lambda row: (row["first"], *(str(row[name]) for name in names)))
    ]


def rollbacks_of(plan: Plan) -> list[Row]:
    """Return every wave that was taken back, in order: when, why, how many people, and how long by the virtual clock."""
    waves = {wave.pk: wave for wave in Wave.objects.filter(phase__plan=plan).select_related("phase")}
    moves = Event.objects.about(Subject.WAVE, *waves).filter(kind="moved").order_by("pk")
    found: list[Row] = []
    begun: dict[int, Row] = {}
    for event in moves:
        wave = waves[event.subject_pk]
        if event.to_state == WaveState.ROLLING_BACK:
            begun[wave.pk] = {
                "wave": f"{wave.phase.name} / {wave.name}",
                "at": _iso(event.at),
                "by": event.by,
                "reason": event.reason,
                "people": _taken_back(wave, event.at),
                "seconds": None,
            }
            found.append(begun[wave.pk])
        elif event.to_state == WaveState.ROLLED_BACK and wave.pk in begun:
            row = begun.pop(wave.pk)
            row["seconds"] = (event.at - datetime.fromisoformat(row["at"])).total_seconds()
    return found


def _taken_back(wave: Wave, at: datetime) -> int:
    members = wave.enrolments.values("pk")
    back = Event.objects.filter(subject=Subject.ENROLMENT, subject_pk__in=members, to_state="rolled_back", at__gte=at)
    return back.order_by().values("subject_pk").distinct().count()


def holds_of(plan: Plan) -> list[Row]:
    """Return everything that was held, from when to when, and why."""
    rows = Hold.objects.select_related("plan", "phase__plan", "wave__phase__plan").order_by("pk")
    return [
        {
            "on": row.scope,
            "kind": row.kind,
            "reason": row.reason,
            "set_at": _iso(row.set_at),
            "cleared_at": _iso(row.cleared_at),
            "cleared_because": row.cleared_reason,
            "hours": round((row.cleared_at - row.set_at).total_seconds() / 3600, 2) if row.cleared_at else None,
        }
        for row in rows
        if row.plan_id in {None, plan.pk}
    ]


def approvals_of(plan: Plan) -> list[Row]:
    """Return who signed what, and when."""
    rows = Signoff.objects.filter(requirement__plan=plan).select_related("requirement__phase", "requirement__plan").order_by("pk")
    return [
        {
            "on": row.requirement.phase.name if row.requirement.phase else row.requirement.plan.name,
            "role": row.requirement.role,
            "by": row.by,
            "decision": row.decision,
            "at": _iso(row.at),
        }
        for row in rows
    ]


def measured_of(plan: Plan) -> list[Row]:
    """Return the rollbacks that were measured before phases and waves started; the seconds are the machine's."""
    rows = RollbackCertificate.objects.filter(phase__plan=plan).select_related("phase__plan", "wave__phase__plan").order_by("pk")
    return [
        {
            "on": row.wave.name if row.wave else row.phase.name,
            "at": _iso(row.at),
            "people": row.people,
            "roster": row.roster,
            "is_exact": row.is_exact,
            "projected_s": row.projected_s,
        }
        for row in rows
    ]


def timeline_of(plan: Plan) -> Iterator[Row]:
    """Return what happened to the plan, its phases, waves, breaches and holds, in order; people are counted elsewhere."""
    names = _names(plan)
    for event in Event.objects.filter(subject__in=TOLD_OF).order_by("pk"):
        name = names.get((event.subject, event.subject_pk))
        if name is not None:
            what = f"{event.kind_label} to {event.to_label}" if event.kind == "moved" else f"{event.kind_label} {event.to_label}"
            yield {"at": _iso(event.at), "who": event.by, "on": name, "what": what.strip(), "why": event.reason}


def _names(plan: Plan) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {(Subject.PLAN, plan.pk): plan.name}
    for phase in Phase.objects.filter(plan=plan):
        found[Subject.PHASE, phase.pk] = phase.name
    for wave in Wave.objects.filter(phase__plan=plan).select_related("phase"):
        found[Subject.WAVE, wave.pk] = f"{wave.phase.name} / {wave.name}"
    for breach in Breach.objects.filter(policy__plan=plan).select_related("policy"):
        found[Subject.BREACH, breach.pk] = breach.policy.name
    for hold in Hold.objects.select_related("plan", "phase__plan", "wave__phase__plan"):
        found[Subject.HOLD, hold.pk] = hold.scope
    return found


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
