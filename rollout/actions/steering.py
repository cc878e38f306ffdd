"""What people decide about a whole phase or plan: leave it out, give it up, resume it, retire the legacy system after it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from rollout.actions.holds import Holding
from rollout.actions.waves import cancel_wave
from rollout.errors import MoveRefused, ReasonMissing
from rollout.models import Event, Hold, HoldKind, Phase, Plan, Subject, Wave
from rollout.states import BEFORE_START, WAVE_AT_WORK, HoldState, PhaseState, PlanState

PACE: Final = ("rate", "max_workers", "batch_size", "max_batch")


def skip_phase(phase: Phase, *, by: str, at: datetime, reason: str) -> int:
    """Leave a phase out that has not been opened: the next one may come. Return how many people its waves set free.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: it was opened, or is over.
    """
    return _give_up(phase, PhaseState.SKIPPED, by=by, at=at, reason=_said(reason, "Skipping a phase"))


def cancel_phase(phase: Phase, *, by: str, at: datetime, reason: str) -> int:
    """Give a phase up that has not been opened, and return how many people its waves set free.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: it was opened, or is over.
    """
    return _give_up(phase, PhaseState.CANCELLED, by=by, at=at, reason=_said(reason, "Cancelling a phase"))


def cancel_plan(plan: Plan, *, by: str, at: datetime, reason: str) -> int:
    """Give a plan up before anybody moved, with its phases and waves, and return how many people are free for other plans.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: it runs (take it back instead), or is over.
    """
    _said(reason, "Cancelling a plan")
    with transaction.atomic():
        plan.step(PlanState.CANCELLED, by=by, at=at, reason=reason)
        freed = 0
        for phase in plan.phases.filter(state__in=[PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF]).order_by("position"):
            freed += _give_up(phase, PhaseState.CANCELLED, by=by, at=at, reason=reason)
        return freed


def resume(scope: Plan | Phase, *, by: str, at: datetime, reason: str) -> list[Holding]:
    """Clear what somebody paused on the plan or the phase itself, and return what still holds all of it.

    Raises:
        ReasonMissing: nobody said why.
    """
    _said(reason, "Resuming")
    mine = {"plan": scope} if isinstance(scope, Plan) else {"phase": scope}
    paused = Hold.objects.standing().filter(kind=HoldKind.ADMIN, **mine)
    changes = {"cleared_by": by, "cleared_at": at, "cleared_reason": reason}
    Hold.move_many(paused, to=HoldState.CLEARED, by=by, at=at, reason=reason, **changes)
    return holds_over(scope)


def holds_over(scope: Plan | Phase) -> list[Holding]:
    """Return the holds that stand on everything, on the plan, or on the phase; single waves have their own, and windows."""
    rows = Hold.objects.standing().select_related("plan", "phase__plan").order_by("pk")
    found = rows.filter(kind=HoldKind.FREEZE) | rows.filter(plan=scope.pk if isinstance(scope, Plan) else scope.plan_id)
    if isinstance(scope, Phase):
        found |= rows.filter(phase=scope.pk)
    return [Holding(HoldKind(row.kind), f"{row} (“{row.reason}”, {row.set_by}).", row.pk) for row in found]


def begin_deprecating(plan: Plan, *, by: str, at: datetime, reason: str) -> None:
    """Let the legacy system be retired after a completed plan; from here on the plan as a whole is not taken back any more.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: it is not completed.
    """
    plan.step(PlanState.DEPRECATING, by=by, at=at, reason=_said(reason, "Retiring the legacy system"))


def close_plan(plan: Plan, *, by: str, at: datetime, reason: str) -> None:
    """Close a plan after the legacy system was retired.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: the legacy system is not being retired.
    """
    plan.step(PlanState.CLOSED, by=by, at=at, reason=_said(reason, "Closing a plan"))


def tune_wave(wave: Wave, *, by: str, at: datetime, reason: str = "", **pace: int | None) -> bool:
    """Set a wave's pace (`PACE`) at any time before it has ended: from the next claim on it holds.

    Say whether that changed anything. The pace is no content: nobody's page depends on it, and a wave that is too fast has to be
    slowed down without asking for signatures.

    Raises:
        MoveRefused: the wave has ended.
    """
    before = {name: getattr(wave, name) for name in PACE}
    changed = {name: [before[name], wanted] for name, wanted in pace.items() if before[name] != wanted}
    if not changed:
        return False
    with transaction.atomic():
        if not Wave.objects.filter(pk=wave.pk, state__in=BEFORE_START | WAVE_AT_WORK).update(**pace):
            wave.refresh_from_db()
            raise MoveRefused(str(wave), wave.state_label, "one with another pace")
        Event.objects.create(subject=Subject.WAVE, subject_pk=wave.pk, kind="pace_set", by=by, at=at, reason=reason, data=changed)
    wave.refresh_from_db()
    return True


def _give_up(phase: Phase, to: PhaseState, *, by: str, at: datetime, reason: str) -> int:
    """Move a phase to its end without having been; its waves are cancelled."""
    with transaction.atomic():
        phase.step(to, by=by, at=at, reason=reason, finished_at=at)
        return _cancel(phase.waves.filter(state__in=BEFORE_START).order_by("position"), by=by, at=at, reason=reason)


def _cancel(waves: Iterable[Wave], **said: Any) -> int:
    return sum(cancel_wave(wave, **said) for wave in waves)


def _said(reason: str, act: str) -> str:
    if not reason.strip():
        raise ReasonMissing(act)
    return reason
