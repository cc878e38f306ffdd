"""Move the dates of a plan: of what has not started, from its beginning or from one of its phases or waves on.

Times are no content: no sign-off is void. People who were told of a wave's former start will be told again.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from rollout.actions.holds import windows_of
from rollout.actions.waves import reschedule_wave
from rollout.blueprints import moved
from rollout.errors import MoveRefused, ReasonMissing, ScheduleInvalid, WindowInvalid
from rollout.gates import next_opening, state_of
from rollout.models import Event, Phase, Plan, Subject, Task, Wave
from rollout.states import BEFORE_START, PhaseState, PlanState, WaveState

NOT_OPEN = frozenset({PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF})
AT_WORK = frozenset({PhaseState.OPEN, PhaseState.EXECUTING, PhaseState.SOAKING})
NOT_BEGUN = frozenset({PlanState.DRAFT, PlanState.IN_REVIEW, PlanState.APPROVED, PlanState.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """Count what was moved by so many days, and the waves whose people have to be told again."""

    days: int
    phases: int = 0
    waves: int = 0
    tasks: int = 0
    told_again: int = 0

    def as_json(self) -> dict[str, int]:
        """Return the JSON object of the command."""
        return {
            "days": self.days,
            "phases": self.phases,
            "waves": self.waves,
            "tasks": self.tasks,
            "told_again": self.told_again,
        }


def reschedule_plan(
    plan: Plan,
    *,
    by: str,
    at: datetime,
    reason: str,
    starts_on: date | None = None,
    days: int | None = None,
    start: Phase | Wave | None = None,
) -> Rescheduled:
    """Move what has not started so that the plan starts on a date, or by so many days; `start` is the phase or wave to move from.

    Wall times of the plan's zone stay; a wave that would start while its windows are closed starts when they open next.

    Raises:
        ReasonMissing: nobody said why.
        ScheduleInvalid: neither or both are given, the plan has started, or something would start in the past.
        MoveRefused: somebody moved a wave meanwhile.
    """
    if not reason.strip():
        raise ReasonMissing("Rescheduling a plan")
    with transaction.atomic():
        plan = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
        shift = _days(plan, starts_on, days, start)
        said: dict[str, Any] = {"by": by, "at": at, "reason": reason}
        waves = list(_waves(plan, start).select_related("phase__plan").order_by("phase__position", "position"))
        told = sum(wave.state != WaveState.PLANNED for wave in waves)
        for wave in waves:
            reschedule_wave(wave, starts_at=_later(wave, wave.starts_at, shift, at), **said)
        phases = _move(_phases(plan, start), "starts_at", shift, plan.time_zone)
        tasks = _move(_tasks(plan, start), "due_at", shift, plan.time_zone)
        if start is None and plan.starts_on and plan.state in NOT_BEGUN:
            Plan.objects.filter(pk=plan.pk).update(starts_on=date.fromordinal(plan.starts_on.toordinal() + shift))
        done = Rescheduled(shift, phases, len(waves), tasks, told)
        data = done.as_json() | {"from": str(start) if start else None}
        Event.objects.create(subject=Subject.PLAN, subject_pk=plan.pk, kind="rescheduled", data=data, **said)
    return done


def set_start(row: Phase | Wave, starts_at: datetime | None, *, by: str, at: datetime, reason: str) -> bool:
    """Set when a phase may open or a wave starts, or that it has no date; say whether that is another instant than before.

    A wave whose people were told goes back to planned, and they are told again.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: it has started, or somebody moved it since it was read.
    """
    if row.starts_at == starts_at:
        return False
    if not reason.strip():
        raise ReasonMissing("Another date")
    said: dict[str, Any] = {"by": by, "at": at, "reason": reason}
    if isinstance(row, Wave) and starts_at is not None:
        reschedule_wave(row, starts_at=starts_at, **said)
        return True
    with transaction.atomic():
        if isinstance(row, Wave) and row.state != WaveState.PLANNED:
            reschedule_wave(row, **said)
        states = NOT_OPEN if isinstance(row, Phase) else {WaveState.PLANNED}
        former, as_read = row.starts_at, type(row)._default_manager.filter(pk=row.pk, version=row.version, state__in=states)
        if not as_read.update(starts_at=starts_at, version=F("version") + 1):
            row.refresh_from_db()
            raise MoveRefused(str(row), row.state_label, "set for another time")
        data = {"from": former.isoformat() if former else None, "to": starts_at.isoformat() if starts_at else None}
        Event.objects.create(subject=row.SUBJECT, subject_pk=row.pk, kind="rescheduled", data=data, **said)
    row.refresh_from_db()
    return True


def _days(plan: Plan, starts_on: date | None, days: int | None, start: Phase | Wave | None) -> int:
    """Return by how many days what is meant moves."""
    if (starts_on is None) == (days is None):
        raise ScheduleInvalid("A plan is moved to a date or by a number of days.", "Give one of them.")
    if start is not None and plan.pk != (start.phase.plan_id if isinstance(start, Wave) else start.plan_id):
        raise ScheduleInvalid(f"{start} is of another plan.", "Name a phase or a wave of this one.")
    if days is not None:
        return days
    if start is not None:
        raise ScheduleInvalid("A date is that of the whole plan.", "Give a number of days to move a part of it.")
    if plan.starts_on is None or starts_on is None:
        raise ScheduleInvalid(f"{plan} has no start yet.", "Give a number of days.")
    if plan.state not in NOT_BEGUN:
        raise ScheduleInvalid(f"{plan} is {plan.state_label}, so its start is over.", "Give a number of days.")
    return (starts_on - plan.starts_on).days


def _waves(plan: Plan, start: Phase | Wave | None) -> Any:
    rows = Wave.objects.filter(phase__plan=plan.pk, state__in=BEFORE_START, starts_at__isnull=False)
    if isinstance(start, Phase):
        return rows.filter(phase__position__gte=start.position)
    if isinstance(start, Wave):
        later = Q(phase__position__gt=start.phase.position)
        return rows.filter(later | Q(phase=start.phase_id, position__gte=start.position))
    return rows


def _phases(plan: Plan, start: Phase | Wave | None) -> Any:
    rows = Phase.objects.filter(plan=plan.pk, state__in=NOT_OPEN, starts_at__isnull=False)
    if isinstance(start, Phase):
        return rows.filter(position__gte=start.position)
    if isinstance(start, Wave):
        rows = rows.filter(position__gte=start.phase.position)
        return rows if start.position == 1 else rows.exclude(pk=start.phase_id)
    return rows


def _tasks(plan: Plan, start: Phase | Wave | None) -> Any:
    """Return what is still to be done; of a wave's own phase what is due after the wave starts."""
    rows = Task.objects.filter(phase__plan=plan.pk, phase__state__in=NOT_OPEN | AT_WORK, done_at__isnull=True)
    rows = rows.filter(due_at__isnull=False)
    if isinstance(start, Phase):
        return rows.filter(phase__position__gte=start.position)
    if isinstance(start, Wave):
        later = Q(phase__position__gt=start.phase.position)
        return rows.filter(later | Q(phase=start.phase_id, due_at__gte=start.starts_at) if start.starts_at else later)
    return rows


def _move(rows: Any, column: str, days: int, zone: str) -> int:
    found = list(rows)
    for row in found:
        setattr(row, column, moved(getattr(row, column), days, zone))
        changes = {column: getattr(row, column)} | ({"version": F("version") + 1} if isinstance(row, Phase) else {})
        type(row)._default_manager.filter(pk=row.pk).update(**changes)
    return len(found)


def _later(wave: Wave, starts_at: datetime, days: int, at: datetime) -> datetime:
    """Return when a wave starts so many days later than at an instant."""
    plan = wave.phase.plan
    found = moved(starts_at, days, plan.time_zone)
    try:
        windows = windows_of(wave)
    except (WindowInvalid, TypeError):  # closed whatever the instant: the wave says so when it is to start
        windows = []
    if not state_of(windows, found):
        found = next_opening(windows, found) or found
    if found < at:
        raise ScheduleInvalid(f"{wave} would start at {found.isoformat()}, which is over.", "Move it less far back.")
    return found
