"""Acts on whole plans and phases beside their approval: leaving out, giving up, resuming, moving, copying, retiring."""

from collections.abc import Callable, Sequence
from typing import Any

from rollout.actions.blueprints import copy_plan
from rollout.actions.holds import said
from rollout.actions.rescheduling import reschedule_plan
from rollout.actions.steering import (
    begin_deprecating,
    cancel_phase,
    cancel_plan,
    close_plan,
    holds_over,
    resume,
    skip_phase,
)
from rollout.admin.acts import OPERATE, Act
from rollout.forms import CopyForm, MoveForm
from rollout.models import Enrolment, Hold, HoldKind, Phase, Plan, Wave
from rollout.states import BEFORE_START, PHASE_NEXT, PLAN_NEXT, PhaseState, PlanState, WaveState, sources_of

FINAL = "It cannot be taken up again."
OVER = frozenset({PlanState.CANCELLED, PlanState.CLOSED, PlanState.ROLLING_BACK, PlanState.ROLLED_BACK})


def _waiting(**place: Any) -> str:
    waves = Wave.objects.filter(state__in=BEFORE_START, **place)
    people = Enrolment.objects.live().filter(wave__in=waves).count()
    return f"{waves.count()} waves that have not started are cancelled; {people} people are free for other waves."


def _effect_of_leaving_out(phase: Phase) -> list[str]:
    return [_waiting(phase=phase), "The next phase may come, and its gates keep nobody.", FINAL]


def _left_out(action: Callable[..., int], sentence: str) -> Callable[..., str]:
    def run(row: Any, **who: Any) -> str:
        return f"{sentence} {action(row, **who)} people are free."

    return run


def _effect_of_resuming(scope: Plan | Phase) -> list[str]:
    mine = {"plan": scope} if isinstance(scope, Plan) else {"phase": scope}
    paused = set(Hold.objects.standing().filter(kind=HoldKind.ADMIN, **mine).values_list("pk", flat=True))
    others = [each.text for each in holds_over(scope) if each.hold not in paused]
    lines = [f"{len(paused)} holds that somebody set on it are cleared."]
    return lines + [f"It stays held all the same: {text}" for text in others]


def _resume(scope: Plan | Phase, **who: Any) -> str:
    left = said(resume(scope, **who))
    return f"is still held: {' '.join(left)}" if left else "is not held any more; its waves go on where nothing else holds them."


def _effect_of_moving(plan: Plan) -> list[str]:
    waves = Wave.objects.filter(phase__plan=plan, state__in=BEFORE_START, starts_at__isnull=False)
    told = waves.exclude(state=WaveState.PLANNED).count()
    start = f"It starts on {plan.starts_on} ({plan.time_zone})." if plan.starts_on else "It has no start yet."
    return [
        start,
        f"{waves.count()} waves have not started and move, with the phases that are not open and the tasks that are not done.",
        f"The people of up to {told} waves, which are locked or told already, are told again.",
        "No sign-off is void: times are no content.",
    ]


def _move(plan: Plan, **said: Any) -> str:
    done = reschedule_plan(plan, **said)
    return f"{done.waves} waves, {done.phases} phases and {done.tasks} tasks moved by {done.days} days."


def _copy(plan: Plan, *, name: str, **said: Any) -> str:
    return f"copied to the draft {copy_plan(plan, name, **said)}."


def _done(action: Callable[..., object], sentence: str) -> Callable[..., str]:
    def run(row: Any, **who: Any) -> str:
        action(row, **who)
        return sentence

    return run


def _lines(*lines: str) -> Callable[[Any], Sequence[str]]:
    return lambda _row: lines


PLAN_ACTS = (
    Act("resume", "Resume", OPERATE, frozenset(PlanState), _effect_of_resuming, _resume),
    Act("move", "Reschedule", OPERATE, frozenset(PlanState) - OVER, _effect_of_moving, _move, form=MoveForm),
    Act(
        "copy", "Copy", OPERATE, frozenset(PlanState),
        _lines("A draft that demands the same is made, in your name; nobody is in it, nobody has signed it."), _copy,
        form=CopyForm,
    ),
    Act(
        "cancel", "Cancel", OPERATE, frozenset(sources_of(PLAN_NEXT, PlanState.CANCELLED)),
        lambda plan: [_waiting(phase__plan=plan), "Its phases are cancelled.", FINAL],
        _left_out(cancel_plan, "is cancelled."), is_grave=True,
    ),
    Act(
        "deprecate", "Retire the legacy system", OPERATE, frozenset({PlanState.COMPLETED}),
        _lines("The legacy system may be retired. From then on the plan as a whole is not taken back any more."),
        _done(begin_deprecating, "is retiring the legacy system."), is_grave=True,
    ),
    Act(
        "close", "Close", OPERATE, frozenset({PlanState.DEPRECATING}), _lines("Nothing of it changes any more."),
        _done(close_plan, "is closed."), is_grave=True,
    ),
)  # fmt: skip
PHASE_ACTS = (
    Act(
        "resume", "Resume", OPERATE, frozenset(PhaseState), _effect_of_resuming, _resume,
    ),
    Act(
        "skip", "Skip", OPERATE, frozenset(sources_of(PHASE_NEXT, PhaseState.SKIPPED)), _effect_of_leaving_out,
        _left_out(skip_phase, "is skipped."), is_grave=True,
    ),
    Act(
        "cancel", "Cancel", OPERATE, frozenset(sources_of(PHASE_NEXT, PhaseState.CANCELLED)), _effect_of_leaving_out,
        _left_out(cancel_phase, "is cancelled."), is_grave=True,
    ),
)  # fmt: skip
