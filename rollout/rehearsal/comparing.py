"""What was planned against what happened: dates, people, notices, breaches and rollbacks, phase by phase and wave by wave."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rollout.models import Breach, Event, Phase, Plan, Rehearsal, Subject, Wave
from rollout.rehearsal.report import told_of
from rollout.states import PhaseState, WaveState

Row = dict[str, Any]


def planned_against_actual(plan: Plan) -> Row:
    """Return, for each phase and wave, when it was to begin first, when it did in the rehearsal, and when it really did.

    Planned is what was planned before anybody rescheduled; rehearsed is the last rehearsal without a scenario. Differences are in
    hours, against what was planned.
    """
    rehearsal = Rehearsal.objects.filter(plan=plan, scenario="", finished_at__isnull=False, error="").order_by("-pk").first()
    rehearsed = _rehearsed(rehearsal)
    phases = list(Phase.objects.filter(plan=plan).order_by("position").prefetch_related("waves"))
    waves = [wave for phase in phases for wave in phase.waves.all()]
    moved = {**_first_dates(Subject.PHASE, phases), **_first_dates(Subject.WAVE, waves)}
    opened = _opened(phases)
    rows = []
    for phase in phases:
        planned = moved.get((Subject.PHASE, phase.pk), phase.starts_at)
        there = rehearsed.get((phase.name, ""))
        rows.append(_row(phase.name, "", phase.state, planned, there, opened.get(phase.pk), phase.finished_at))
        for wave in sorted(phase.waves.all(), key=lambda wave: wave.position):
            planned = moved.get((Subject.WAVE, wave.pk), wave.starts_at)
            there = rehearsed.get((phase.name, wave.name))
            row = _row(phase.name, wave.name, wave.state, planned, there, wave.started_at, wave.finished_at)
            rows.append({**row, "people_rehearsed": there["people"] if there else None, "people": wave.size})
    report = rehearsal.report if rehearsal else {}
    back = Event.objects.about(Subject.WAVE, *(wave.pk for wave in waves)).filter(kind="moved", to_state=WaveState.ROLLING_BACK)
    return {
        "plan": plan.pk,
        "name": plan.name,
        "state": plan.state,
        "rehearsal": rehearsal.pk if rehearsal else None,
        "rows": rows,
        "notices": _both(report.get("notices"), sum(each["people"] for each in told_of(plan))),
        "gate_trips": _both(len(report["gate_trips"]) if report else None, Breach.objects.filter(policy__plan=plan).count()),
        "rollbacks": _both(len(report["rollbacks"]) if report else None, back.count()),
    }


def _first_dates(subject: Subject, rows: Sequence[Phase | Wave]) -> dict[tuple[str, int], datetime]:
    """Return when each of the rows was to begin before anybody rescheduled it; rows that had no date before are left out."""
    events = Event.objects.about(subject, *(row.pk for row in rows)).filter(kind="rescheduled").order_by("-pk")
    formers = {pk: data.get("from") for pk, data in events.values_list("subject_pk", "data")}  # the first one stays
    return {(subject, pk): datetime.fromisoformat(former) for pk, former in formers.items() if former}


def _opened(phases: Sequence[Phase]) -> dict[int, datetime]:
    """Return when each phase was opened last."""
    events = Event.objects.about(Subject.PHASE, *(phase.pk for phase in phases)).filter(kind="moved", to_state=PhaseState.OPEN)
    return dict(events.order_by("pk").values_list("subject_pk", "at"))


def _rehearsed(rehearsal: Rehearsal | None) -> dict[tuple[str, str], Row]:
    """Return when phases and waves began in a rehearsal, by their names."""
    found: dict[tuple[str, str], Row] = {}
    for phase in rehearsal.report.get("phases", []) if rehearsal else []:
        found[phase["name"], ""] = {"at": phase["opened_at"], "people": None}
        for wave in phase["waves"]:
            found[phase["name"], wave["name"]] = {"at": wave["started_at"], "people": wave["members"]}
    return found


def _row(
    phase: str, wave: str, state: str, planned: datetime | None, there: Row | None, began: datetime | None, ended: datetime | None
) -> Row:
    rehearsed = datetime.fromisoformat(there["at"]) if there and there["at"] else None
    return {
        "phase": phase,
        "wave": wave,
        "state": state,
        "planned": _iso(planned),
        "rehearsed": _iso(rehearsed),
        "actual": _iso(began),
        "finished": _iso(ended),
        "hours_late": _hours(planned, began),
        "hours_late_rehearsed": _hours(planned, rehearsed),
    }


def _hours(planned: datetime | None, actual: datetime | None) -> float | None:
    return round((actual - planned).total_seconds() / 3600, 2) if planned and actual else None


def _both(rehearsed: int | None, actual: int) -> Row:
    return {"rehearsed": rehearsed, "actual": actual}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
