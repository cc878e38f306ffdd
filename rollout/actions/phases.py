"""Move phases and plans on as far as their waves, tasks, soaks and gates allow; the reconciler calls it every few seconds.

Only opening a phase is left to people. What keeps a phase or a plan where it is, is said in sentences.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from rollout.actions.gates import assess, judge
from rollout.actions.plans import CHOSEN_ACCOUNTS
from rollout.actions.waves import SYSTEM
from rollout.gates import Purpose, Verdict
from rollout.models import Breach, GuardPolicy, Phase, Plan, Waiver, Wave
from rollout.states import BreachState, PhaseState, PlanState, WaveState

ENDED: Final = frozenset({WaveState.COMPLETED, WaveState.COMPLETED_WITH_EXCEPTIONS, WaveState.CANCELLED})
PASSED: Final = frozenset({PhaseState.COMPLETED, PhaseState.SKIPPED, PhaseState.CANCELLED})
MOVING: Final = frozenset({PhaseState.PENDING, PhaseState.OPEN, PhaseState.EXECUTING, PhaseState.SOAKING})


def phases_to_advance() -> QuerySet[Phase]:
    """Return the phases that may move on by themselves, in the order of their plans; one that executes, once its waves ended."""
    plans = Plan.objects.filter(state__in=[PlanState.SCHEDULED, PlanState.RUNNING]).exclude(name=CHOSEN_ACCOUNTS)
    earlier = Phase.objects.filter(plan=OuterRef("plan"), position__lt=OuterRef("position")).exclude(state__in=PASSED)
    moving = Phase.objects.filter(plan__in=plans, state__in=MOVING).exclude(Exists(earlier), state=PhaseState.PENDING)
    at_work = Wave.objects.filter(phase=OuterRef("pk")).exclude(state__in=ENDED)
    moving = moving.exclude(Exists(at_work), state=PhaseState.EXECUTING)
    return moving.select_related("plan").order_by("plan", "position")


def plans_to_advance() -> QuerySet[Plan]:
    """Return the plans that may move on by themselves: every phase of one that runs is over."""
    left = Phase.objects.filter(plan=OuterRef("pk")).exclude(state__in=PASSED)
    moving = Plan.objects.filter(state__in=[PlanState.RUNNING, PlanState.SOAKING])
    return moving.exclude(Exists(left), state=PlanState.RUNNING).exclude(name=CHOSEN_ACCOUNTS).order_by("pk")


def advance_phase(phase: Phase, *, at: datetime) -> list[str]:
    """Move a phase as far as it can go, and return the states that it entered.

    Nothing before it is left: awaiting sign-off. Opened without waves: executing. All waves ended, or without waves all required
    tasks done: soaking. Soaked, required tasks done, its gates passed or waived, no breach open: completed.
    """
    entered: list[str] = []
    with transaction.atomic():
        rows = Phase.objects.select_for_update(no_key=True, of=("self",)).select_related("plan")
        phase = rows.get(pk=phase.pk)  # no wave of it starts meanwhile
        if phase.state == PhaseState.PENDING and not is_kept_back(phase):
            entered += _step(phase, PhaseState.AWAITING_SIGNOFF, "nothing before it is left", at)
        if phase.state == PhaseState.OPEN and not _has_waves(phase) and _is_about_something(phase):
            entered += _step(phase, PhaseState.EXECUTING, "it has no waves to wait for", at, started_at=at)
        if phase.state == PhaseState.EXECUTING and not list(_unfinished(phase)):
            entered += _step(phase, PhaseState.SOAKING, "nothing of it is left to do", at, soaking_at=at)
        if phase.state == PhaseState.SOAKING and not what_keeps_phase(phase, at=at, keep=True):
            entered += _step(phase, PhaseState.COMPLETED, "it has soaked, and its gates let it go", at, finished_at=at)
    return entered


def advance_plan(plan: Plan, *, at: datetime) -> list[str]:
    """Move a plan as far as it can go, and return the states that it entered.

    Every phase completed or left out: soaking. Gates of the whole plan passed or waived, no breach open: completed.
    """
    entered: list[str] = []
    with transaction.atomic():
        plan = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
        if plan.state == PlanState.RUNNING and not list(_phases_left(plan)):
            entered += _step_plan(plan, PlanState.SOAKING, "every phase is over", at)
        if plan.state == PlanState.SOAKING and not what_keeps_plan(plan, at=at, keep=True):
            entered += _step_plan(plan, PlanState.COMPLETED, "the gates of the whole plan let it go", at)
    return entered


def what_keeps_phase(phase: Phase, *, at: datetime, keep: bool = False) -> list[str]:
    """Return, as sentences, what keeps a phase from being completed; with `keep`, the verdicts of its gates are kept.

    Its gates are judged only once nothing else keeps it.
    """
    found = list(_unfinished(phase))
    if phase.soaking_at is not None and at < phase.soaking_at + phase.soak:
        found.append(f"It soaks until {(phase.soaking_at + phase.soak).isoformat()}.")
    if found := found or list(_undone(phase)):
        return found
    gates = phase.policies.filter(purpose=Purpose.GATE.value, retired_at__isnull=True)
    before = Q(policy__phase__isnull=True) | Q(policy__phase__position__lte=phase.position)
    return _judged(gates, Breach.objects.filter(before, policy__plan=phase.plan_id), wave_asked(phase.plan, phase), at, keep)


def what_keeps_plan(plan: Plan, *, at: datetime, keep: bool = False) -> list[str]:
    """Return, as sentences, what keeps a plan from being completed; with `keep`, the verdicts of its gates are kept."""
    if found := list(_phases_left(plan)):
        return found
    gates = GuardPolicy.objects.filter(plan=plan, phase__isnull=True, purpose=Purpose.GATE.value, retired_at__isnull=True)
    return _judged(gates, Breach.objects.filter(policy__plan=plan), wave_asked(plan), at, keep)


def wave_asked(plan: Plan, phase: Phase | None = None) -> Wave | None:
    """Return the wave for which a gate is waived so that a phase, or the plan, is completed.

    It is the next one behind the phase that has not ended, so that one waiver lets the phase end and that wave start; without
    such a wave it is the plan's last one.
    """
    waves = Wave.objects.filter(phase__plan=plan.pk).exclude(state=WaveState.CANCELLED)
    ordered = waves.select_related("phase__plan").order_by("phase__position", "position")
    later = ordered.filter(phase__position__gt=phase.position).exclude(state__in=ENDED).first() if phase else None
    return later or ordered.last()


def is_kept_back(phase: Phase) -> bool:
    """Say whether a phase before it is not over."""
    return Phase.objects.filter(plan=phase.plan_id, position__lt=phase.position).exclude(state__in=PASSED).exists()


def _has_waves(phase: Phase) -> bool:
    return phase.waves.exclude(state=WaveState.CANCELLED).exists()


def _is_about_something(phase: Phase) -> bool:
    """Say whether a phase without waves has anything to wait for; one without stays open until waves are planned in it."""
    return bool(phase.soak) or phase.tasks.exists() or phase.policies.filter(retired_at__isnull=True).exists()


def _unfinished(phase: Phase) -> Iterable[str]:
    """Return what of a phase is at work: its waves, or, where it has none, its required tasks."""
    if _has_waves(phase):
        for wave in phase.waves.exclude(state__in=ENDED).order_by("position"):
            yield f"The wave “{wave.name}” is {wave.state_label}."
    else:
        yield from _undone(phase)


def _undone(phase: Phase) -> Iterable[str]:
    for task in phase.tasks.filter(is_required=True, done_at__isnull=True).order_by("position"):
        yield f"The task “{task.text}” is not done."


def _phases_left(plan: Plan) -> Iterable[str]:
    phases = list(plan.phases.order_by("position"))
    for phase in phases:
        if phase.state not in PASSED:
            yield f"The phase “{phase.name}” is {phase.state_label}."
    if not any(phase.state == PhaseState.COMPLETED for phase in phases):
        yield "No phase of it was completed."


def _judged(gates: QuerySet[GuardPolicy], breaches: QuerySet[Breach], wave: Wave | None, at: datetime, keep: bool) -> list[str]:
    """Return the open breaches, and the gates that neither pass nor are waived."""
    open_ones = breaches.filter(state=BreachState.OPEN).select_related("policy").order_by("pk")
    found = [f"{each.policy.name}: its breach of {each.opened_at:%Y-%m-%d %H:%M} UTC is open." for each in open_ones]
    if wave is not None:
        mine = Waiver.objects.filter(policy=OuterRef("pk"), wave=wave, attempt=wave.attempt)
        gates = gates.filter(~Exists(mine))
    for row in gates.order_by("pk"):
        judged = assess(row, at=at) if keep else judge(row, at=at)
        if judged.verdict != Verdict.PASS:
            found.append(f"{row.name}: {judged.text} ({judged.code})")
    return found


def _step(phase: Phase, to: PhaseState, reason: str, at: datetime, **changes: object) -> list[str]:
    """Move the phase; nothing where somebody else was first."""
    moved = Phase.move(phase.pk, to=to, version=phase.version, by=SYSTEM, at=at, reason=reason, **changes)
    phase.refresh_from_db()
    return [str(to)] if moved else []


def _step_plan(plan: Plan, to: PlanState, reason: str, at: datetime) -> list[str]:
    moved = Plan.move(plan.pk, to=to, version=plan.version, by=SYSTEM, at=at, reason=reason)
    plan.refresh_from_db()
    return [str(to)] if moved else []
