"""Make plans and take them, step by step, to the point where their waves may start."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Max

from rollout.actions.certificates import require_certificate
from rollout.actions.contents import note_edit, require_undivided
from rollout.actions.signoffs import require_signoffs
from rollout.audiences import Audience
from rollout.errors import ApproverIsAuthor, ContentFrozen, MoveRefused, ReasonMissing
from rollout.models import Event, Phase, Plan, Subject, Wave
from rollout.states import PhaseState, PlanState

CHOSEN_ACCOUNTS = "Chosen accounts"
OPENS_IN: Final = frozenset({PlanState.SCHEDULED, PlanState.RUNNING})
OVER: Final = frozenset({PhaseState.SOAKING, PhaseState.COMPLETED, PhaseState.SKIPPED, PhaseState.CANCELLED})
NOT_BEGUN: Final[Mapping[str, None]] = {"started_at": None, "soaking_at": None, "finished_at": None}


@dataclass(frozen=True, slots=True)
class WaveDraft:
    """Describe a wave that is to be made."""

    name: str
    audience: Audience
    soak: timedelta = timedelta(hours=24)
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PhaseDraft:
    """Describe a phase that is to be made, its waves in order."""

    name: str
    waves: Sequence[WaveDraft] = field(default_factory=tuple)


def create_plan(name: str, *, phases: Sequence[PhaseDraft], by: str, at: datetime, reason: str = "", salt: str = "") -> Plan:
    """Make a draft plan with its phases and waves; `salt` fixes the sticky order, a random one is made where it is empty."""
    with transaction.atomic():
        plan = Plan.objects.create(name=name, salt=salt or secrets.token_hex(16), author=by, created_at=at)
        _record_made(Subject.PLAN, plan.pk, by=by, at=at, reason=reason)
        for draft in phases:
            add_phase(plan, draft=draft, by=by, at=at, reason=reason)
    return plan


def add_phase(plan: Plan, *, draft: PhaseDraft, by: str, at: datetime, reason: str = "") -> Phase:
    """Add a pending phase with its waves behind the plan's others."""
    with transaction.atomic():
        note_edit(plan, by=by, at=at, reason=reason, adds_phase=True)  # holds the plan: two made at once take two positions
        last = plan.phases.order_by().aggregate(last=Max("position"))["last"] or 0
        phase = Phase.objects.create(plan=plan, position=last + 1, name=draft.name)
        _record_made(Subject.PHASE, phase.pk, by=by, at=at, reason=reason)
        for wave in draft.waves:
            add_wave(phase, draft=wave, by=by, at=at, reason=reason)
    return phase


def add_wave(phase: Phase, *, draft: WaveDraft, by: str, at: datetime, reason: str = "") -> Wave:
    """Add a planned wave behind the phase's others.

    Raises:
        ContentFrozen: the phase is over, or soaks: no further wave of it could start.
        PopulationFrozen: it is to have a share of people who are divided already.
    """
    with transaction.atomic():
        note_edit(phase.plan, phase, by=by, at=at, reason=reason)  # holds the phase: two made at once take two positions
        now = Phase.objects.select_related("plan").get(pk=phase.pk)
        if now.state in OVER:
            raise ContentFrozen(str(now), now.state_label)
        require_undivided(now, draft.share)
        last = phase.waves.order_by().aggregate(last=Max("position"))["last"] or 0
        wave = Wave.objects.create(
            phase=phase,
            position=last + 1,
            name=draft.name,
            audience=draft.audience.as_json(),
            share=draft.share,
            soak=draft.soak,
        )
        _record_made(Subject.WAVE, wave.pk, by=by, at=at, reason=reason)
    return wave


def submit_plan(plan: Plan, *, by: str, at: datetime, reason: str = "") -> None:
    """Ask for the plan's approval."""
    plan.step(PlanState.IN_REVIEW, by=by, at=at, reason=reason)


def approve_plan(plan: Plan, *, by: str, at: datetime, reason: str = "") -> None:
    """Approve the plan, in the name of somebody who did not write it.

    Where roles have to sign it, the last signature approves it by itself.

    Raises:
        ApproverIsAuthor: `by` wrote it.
        SignoffMissing: a role has not signed this content.
    """
    if by == plan.author:
        raise ApproverIsAuthor(plan.name, by)
    plan.require_as_read(PlanState.APPROVED)
    with transaction.atomic():
        Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)  # no edit between the look and the move
        if Plan.objects.filter(pk=plan.pk, version=plan.version, state=PlanState.IN_REVIEW).exists():
            require_approvable(plan, by=by)
        plan.step(PlanState.APPROVED, by=by, at=at, reason=reason, approved_by=by)


def require_approvable(plan: Plan, *, by: str) -> None:
    """Refuse the approval of a plan in review by its author, or before every role has signed this content.

    Raises:
        ApproverIsAuthor: `by` wrote it.
        SignoffMissing: a role has not signed this content.
    """
    if by == plan.author:
        raise ApproverIsAuthor(plan.name, by)
    require_signoffs(plan)


def schedule_plan(plan: Plan, *, by: str, at: datetime, reason: str = "") -> None:
    """Set an approved plan down as due: its phases may be opened from now on."""
    plan.step(PlanState.SCHEDULED, by=by, at=at, reason=reason)


def open_phase(phase: Phase, *, by: str, at: datetime, reason: str) -> None:
    """Open a phase, so that its waves may start; the first phase sets the plan running.

    Raises:
        ReasonMissing: nobody said why it may open.
        MoveRefused: the plan is not scheduled or running, or the phase is not pending.
        SignoffMissing: a role has not signed what the phase demands now.
        CertificateMissing: its people are known, and no rollback of them was measured lately.
    """
    if not reason.strip():
        raise ReasonMissing("Opening a phase")
    phase.require_as_read(PhaseState.OPEN)
    with transaction.atomic():
        plan = Plan.objects.select_for_update(no_key=True).get(pk=phase.plan_id)  # no edit between the look and the move
        require_openable(phase, plan, at=at)
        if plan.state != PlanState.RUNNING:
            plan.step(PlanState.RUNNING, by=by, at=at, reason=reason)
        if phase.state == PhaseState.PENDING:
            phase.step(PhaseState.AWAITING_SIGNOFF, by=by, at=at, reason=reason)
        phase.step(PhaseState.OPEN, by=by, at=at, reason=reason)


def require_openable(phase: Phase, plan: Plan, *, at: datetime) -> None:
    """Refuse to open a phase before its plan is scheduled, or while a signature or a measured rollback is missing.

    Raises:
        MoveRefused: the plan is not scheduled or running.
        SignoffMissing, CertificateMissing: as `open_phase` says.
    """
    if plan.state not in OPENS_IN:
        raise MoveRefused(str(plan), plan.state_label, PlanState.RUNNING.label)
    require_signoffs(phase)
    require_certificate(phase, at=at)


def chosen_accounts_wave(*, name: str, audience: Audience, by: str, at: datetime, reason: str) -> Wave:
    """Add a wave for accounts that somebody chose by name, outside every plan that was written.

    All such waves hang on one running plan, so that chosen accounts take the same path, under the same rules, as everybody.
    """
    with transaction.atomic():
        plan, is_new = Plan.objects.get_or_create(
            name=CHOSEN_ACCOUNTS,
            defaults={"state": PlanState.RUNNING, "salt": secrets.token_hex(16), "author": by, "created_at": at},
        )
        if is_new:
            _record_made(Subject.PLAN, plan.pk, by=by, at=at, reason=reason)
        phase, is_new = Phase.objects.get_or_create(
            plan=plan, position=1, defaults={"name": "On demand", "state": PhaseState.EXECUTING}
        )
        if is_new:
            _record_made(Subject.PHASE, phase.pk, by=by, at=at, reason=reason)
        return add_wave(phase, draft=WaveDraft(name, audience), by=by, at=at, reason=reason)


def _record_made(subject: Subject, pk: int, *, by: str, at: datetime, reason: str) -> None:
    Event.objects.create(subject=subject, subject_pk=pk, kind="made", by=by, reason=reason, at=at)
