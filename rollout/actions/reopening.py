"""Plan a further attempt of a phase or a whole plan that was taken back: with the same people, from its sign-offs on."""

from datetime import datetime

from django.db import transaction

from rollout.actions.plans import NOT_BEGUN
from rollout.actions.waves import reopen_wave
from rollout.errors import ReasonMissing
from rollout.models import Phase, Plan
from rollout.states import PhaseState, PlanState, WaveState


def reopen_plan(plan: Plan, *, by: str, at: datetime, reason: str) -> None:
    """Take a plan that was rolled back up again: it is a draft once more, what was taken back of it is planned anew.

    Phases that stayed completed stay so. The kill switch stays as it is, and no wave has a date until it is given one.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: the plan is not rolled back.
    """
    if not reason.strip():
        raise ReasonMissing("Reopening a plan")
    with transaction.atomic():
        plan.step(PlanState.DRAFT, by=by, at=at, reason=reason, approved_by="")
        for phase in plan.phases.filter(state=PhaseState.ROLLED_BACK).order_by("position"):
            reopen_phase(phase, by=by, at=at, reason=reason)


def reopen_phase(phase: Phase, *, by: str, at: datetime, reason: str) -> None:
    """Set a phase that was rolled back to pending, to be opened again, with a further attempt of each wave that was taken back.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: the phase is not rolled back.
    """
    if not reason.strip():
        raise ReasonMissing("Reopening a phase")
    with transaction.atomic():
        phase.step(PhaseState.PENDING, by=by, at=at, reason=reason, **NOT_BEGUN)
        for wave in phase.waves.filter(state=WaveState.ROLLED_BACK).order_by("position"):
            reopen_wave(wave, by=by, at=at, reason=reason)
