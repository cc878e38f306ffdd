"""Ask roles for their agreement, and give it or refuse it in the name of one: once for each content."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from rollout.actions.contents import hold_row, note_edit, note_edited
from rollout.actions.evidence import evidence_for
from rollout.actions.signoffs import hash_to_sign, missing_signoffs, standings, subject_of
from rollout.errors import (
    ApproverIsAuthor,
    ContentChanged,
    MoveRefused,
    ReasonMissing,
    RoleInUse,
    RoleNotHeld,
    RoleUnknown,
    SignedAlready,
)
from rollout.models import Decision, Event, Phase, Plan, Signoff, SignoffRequirement, Subject
from rollout.states import PhaseState, PlanState

PLAN_SIGNED_IN: Final = frozenset({PlanState.IN_REVIEW, PlanState.RUNNING})
PHASE_SIGNED_IN: Final = frozenset({PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF, PhaseState.OPEN, PhaseState.EXECUTING})
PLAN_OF_PHASE_SIGNED_IN: Final = frozenset({PlanState.IN_REVIEW, PlanState.APPROVED, PlanState.SCHEDULED, PlanState.RUNNING})


def require_role(subject: Plan | Phase, role: str, *, by: str, at: datetime, reason: str = "") -> SignoffRequirement:
    """Demand that a role agrees to a plan or a phase; a role that is asked already stays asked.

    Raises:
        RoleUnknown: no group is called so.
        ContentFrozen: what it is about has started.
    """
    plan, phase = _place(subject)
    if not Group.objects.filter(name=role).exists():
        raise RoleUnknown(role)
    with transaction.atomic():
        there = SignoffRequirement.objects.filter(plan=plan, phase=phase, role=role).first()
        if there is not None:
            return there
        note_edit(plan, phase, by=by, at=at, reason=reason)
        made, is_new = SignoffRequirement.objects.get_or_create(plan=plan, phase=phase, role=role)
        if is_new:
            note_edited(plan, phase, what="sign-offs", edits={"role": [None, role]}, by=by, at=at, reason=reason)
    return made


def remove_role(requirement: SignoffRequirement, *, by: str, at: datetime, reason: str) -> None:
    """Demand a role's agreement no longer, if it is demanded still.

    Raises:
        ReasonMissing: nobody said why.
        RoleInUse: it has decided before, on this content or a former one.
        ContentFrozen: what it is about has started.
    """
    if not reason.strip():
        raise ReasonMissing("Asking a role no longer")
    plan, phase, role = requirement.plan, requirement.phase, requirement.role
    with transaction.atomic():
        if not hold_row(requirement):
            return
        note_edit(plan, phase, by=by, at=at, reason=reason)
        if requirement.signoffs.exists():
            raise RoleInUse(role, str(phase or plan))
        requirement.delete()
        note_edited(plan, phase, what="sign-offs", edits={"role": [role, None]}, by=by, at=at, reason=reason)


def sign(
    requirement: SignoffRequirement,
    *,
    decision: Decision,
    content_hash: str,
    by: str,
    at: datetime,
    reason: str = "",
) -> Signoff:
    """Decide in the name of a role on the content that was shown, and keep what was known at that moment.

    The last role that agrees to a plan in review approves it; one that rejects sends it back to draft. A role decides once on a
    content: of many who sign at the same moment one does, the others are told who did.

    Raises:
        ApproverIsAuthor: `by` wrote the plan.
        RoleNotHeld: `by` is no active member of the group; a superuser has to be one as well.
        ReasonMissing: a rejection without a reason.
        SignedAlready: the role has decided on this content.
        ContentChanged: `content_hash` is not that of the present content.
        MoveRefused: plan or phase is not in a state to be signed.
    """
    return sign_together({requirement: by}, decision=decision, content_hash=content_hash, at=at, reason=reason)[0]


def sign_together(
    signers: Mapping[SignoffRequirement, str], *, decision: Decision, content_hash: str, at: datetime, reason: str = ""
) -> list[Signoff]:
    """Decide alike in the name of several roles at one instant, each by somebody of its own; what is known is gathered once.

    Each decides as by `sign`, one after the other; where one is refused, those before it have decided.
    """
    evidence: dict[tuple[int, int | None], dict[str, Any]] = {}
    for requirement, by in signers.items():
        _require_signer(requirement, by)
        if decision == Decision.REJECTED and not reason.strip():
            raise ReasonMissing("A rejection")
        _require_signable(requirement, content_hash)
        about = (requirement.plan_id, requirement.phase_id)
        if about not in evidence:  # it may take a while: before anybody else has to wait
            evidence[about] = evidence_for(subject_of(requirement), at=at)
    return [
        _decide(
            Signoff(
                requirement=requirement,
                decision=decision,
                content_hash=content_hash,
                evidence=evidence[requirement.plan_id, requirement.phase_id],
                by=by,
                reason=reason,
                at=at,
            )
        )
        for requirement, by in signers.items()
    ]


def _decide(signoff: Signoff) -> Signoff:
    """Write a decision and what it brings about, while nobody changes the plan."""
    with transaction.atomic():
        plan = Plan.objects.select_for_update(no_key=True).get(pk=signoff.requirement.plan_id)
        _require_signable(signoff.requirement, signoff.content_hash)
        _follow(plan, _signed(signoff))
    return signoff


def may_sign(requirement: SignoffRequirement, by: str) -> bool:
    """Say whether somebody holds the role and did not write the plan."""
    return by != requirement.plan.author and _holds(requirement.role, by)


def open_to(by: str, subject: Plan | Phase) -> list[SignoffRequirement]:
    """Return the roles in whose name somebody may decide on the present content now."""
    if not all(row.state in states for row, states in _signed_in(*_place(subject))):
        return []
    return [each.requirement for each in standings(subject) if each.decided is None and may_sign(each.requirement, by)]


def _signed_in(plan: Plan, phase: Phase | None) -> list[tuple[Plan | Phase, frozenset[Any]]]:
    """Return what has to be in which states while it is signed."""
    if phase is None:
        return [(plan, PLAN_SIGNED_IN)]
    return [(plan, PLAN_OF_PHASE_SIGNED_IN), (phase, PHASE_SIGNED_IN)]


def _signed(signoff: Signoff) -> Signoff:
    """Write the decision and its event; the unique key decides who was first."""
    requirement = signoff.requirement
    try:
        with transaction.atomic():
            signoff.save(force_insert=True)
    except IntegrityError:
        _require_undecided(requirement, signoff.content_hash)
        raise
    subject, pk = (Subject.PHASE, requirement.phase_id) if requirement.phase_id else (Subject.PLAN, requirement.plan_id)
    Event.objects.create(
        subject=subject,
        subject_pk=pk,
        kind="signed",
        to_state=signoff.decision,
        by=signoff.by,
        reason=signoff.reason,
        at=signoff.at,
        data={"role": requirement.role, "content_hash": signoff.content_hash, "signoff": signoff.pk},
    )
    return signoff


def _follow(plan: Plan, signoff: Signoff) -> None:
    """Do what the decision brings about: the last agreement approves a plan in review, a rejection sends it back."""
    if plan.state != PlanState.IN_REVIEW:
        return
    role, by, at = signoff.requirement.role, signoff.by, signoff.at
    if signoff.decision == Decision.REJECTED:
        plan.step(PlanState.DRAFT, by=by, at=at, reason=f"{role} rejected it: {signoff.reason}")
    elif signoff.requirement.phase_id is None and not missing_signoffs(plan):
        roles = plan.signoff_requirements.filter(phase__isnull=True).order_by("role").values_list("role", flat=True)
        reason = (
            f"approved by itself: {role} was the last to sign this content, after which nobody of {', '.join(roles)} is missing"
        )
        plan.step(PlanState.APPROVED, by=by, at=at, reason=reason, approved_by=by)


def _require_signable(requirement: SignoffRequirement, content_hash: str) -> None:
    """Refuse another content than the present one, a role that has decided on it, and states in which nothing is signed."""
    plan = Plan.objects.get(pk=requirement.plan_id)
    phase = Phase.objects.select_related("plan").get(pk=requirement.phase_id) if requirement.phase_id else None
    subject = phase or plan
    current = hash_to_sign(subject)
    _require_undecided(requirement, current)
    if content_hash != current:
        raise ContentChanged(str(subject), content_hash, current)
    for row, states in _signed_in(plan, phase):
        if row.state not in states:
            raise MoveRefused(str(row), row.state_label, "signed off")


def _require_undecided(requirement: SignoffRequirement, content_hash: str) -> None:
    decided = Signoff.objects.filter(requirement=requirement, content_hash=content_hash).first()
    if decided is not None:
        raise SignedAlready(requirement.role, str(subject_of(requirement)), decided.decision, decided.by)


def _require_signer(requirement: SignoffRequirement, by: str) -> None:
    if by == requirement.plan.author:
        raise ApproverIsAuthor(requirement.plan.name, by)
    if not _holds(requirement.role, by):
        raise RoleNotHeld(requirement.role, by)


def _holds(role: str, by: str) -> bool:
    accounts = get_user_model()
    named = {accounts.USERNAME_FIELD: by}
    return accounts._default_manager.filter(is_active=True, groups__name=role, **named).exists()


def _place(subject: Plan | Phase) -> tuple[Plan, Phase | None]:
    return (subject.plan, subject) if isinstance(subject, Phase) else (subject, None)
