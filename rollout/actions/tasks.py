"""What people have to do in a phase beside its waves: added, set for a day, done, and not done after all."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from rollout.actions.contents import note_edit
from rollout.errors import ReasonMissing
from rollout.models import Event, Phase, Subject, Task


def add_task(
    phase: Phase, text: str, *, by: str, at: datetime, due_at: datetime | None = None, is_required: bool = True, reason: str = ""
) -> Task:
    """Add a task behind the phase's others."""
    with transaction.atomic():
        note_edit(phase.plan, phase, by=by, at=at, reason=reason)  # holds the phase: two made at once take two positions
        last = phase.tasks.order_by().aggregate(last=Max("position"))["last"] or 0
        task = Task.objects.create(phase=phase, position=last + 1, text=text, due_at=due_at, is_required=is_required)
        data = {"task": task.pk, "text": text}
        Event.objects.create(
            subject=Subject.PHASE, subject_pk=phase.pk, kind="task_added", by=by, at=at, reason=reason, data=data
        )
    return task


def complete_task(task: Task, *, by: str, at: datetime, reason: str = "") -> bool:
    """Note that a task is done, with what there is to say about it, and say whether it was not done before."""
    return _mark(task, is_done=True, by=by, at=at, reason=reason)


def reopen_task(task: Task, *, by: str, at: datetime, reason: str) -> bool:
    """Note that a task is not done after all, and say whether it was done before.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("Reopening a task")
    return _mark(task, is_done=False, by=by, at=at, reason=reason)


def set_due(task: Task, due_at: datetime | None, *, by: str, at: datetime, reason: str = "") -> bool:
    """Set by when a task is to be done, and say whether that is another instant than before."""
    with transaction.atomic():
        changed = Task.objects.filter(pk=task.pk).exclude(due_at=due_at).update(due_at=due_at)
        if changed:
            data = {"task": task.pk, "text": task.text, "to": due_at.isoformat() if due_at else None}
            Event.objects.create(
                subject=Subject.PHASE, subject_pk=task.phase_id, kind="task_moved", by=by, at=at, reason=reason, data=data
            )
    task.refresh_from_db()
    return bool(changed)


def _mark(task: Task, *, is_done: bool, by: str, at: datetime, reason: str) -> bool:
    with transaction.atomic():
        other = Task.objects.filter(pk=task.pk, done_at__isnull=is_done)
        changed = other.update(done_at=at if is_done else None, done_by=by if is_done else "", note=reason if is_done else "")
        if changed:
            kind = "task_done" if is_done else "task_reopened"
            data = {"task": task.pk, "text": task.text}
            Event.objects.create(
                subject=Subject.PHASE, subject_pk=task.phase_id, kind=kind, by=by, reason=reason, at=at, data=data
            )
    task.refresh_from_db()
    return bool(changed)
