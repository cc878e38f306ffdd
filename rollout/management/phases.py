"""Acts on one phase, and on its tasks."""

from collections.abc import Callable

from rollout.actions.phases import what_keeps_phase
from rollout.actions.plans import open_phase
from rollout.actions.reopening import reopen_phase
from rollout.actions.steering import cancel_phase, skip_phase
from rollout.actions.tasks import complete_task, reopen_task
from rollout.management.acts import Act, act_on, noun, who
from rollout.management.plans import pause, resumed
from rollout.models import Phase, Task
from slots.management.base import Deed, Report


def _moved(action: Callable[..., object]) -> Callable[[Phase, Deed], Report]:
    """Return what does an action and shows the phase afterwards."""

    def run(phase: Phase, deed: Deed) -> Report:
        action(phase, **who(deed))
        return Report({"pk": phase.pk, "name": phase.name, "state": phase.state}, [f"{phase} is {phase.state_label}."])

    return run


def _show(phase: Phase, deed: Deed) -> Report:
    kept = what_keeps_phase(phase, at=deed.at)
    data = {"pk": phase.pk, "name": phase.name, "state": phase.state, "kept_by": kept}
    return Report(data, [f"{phase} is {phase.state_label}.", *(f"  {text}" for text in kept)])


def _marked(action: Callable[..., bool]) -> Callable[[Task, Deed], Report]:
    def run(task: Task, deed: Deed) -> Report:
        changed = action(task, **who(deed))
        data = {"pk": task.pk, "text": task.text, "done_at": task.done_at, "done_by": task.done_by, "changed": changed}
        return Report(data, [f"“{task.text}” is {'done' if task.done_at else 'not done'}{'' if changed else ' already'}."])

    return run


PHASE_WORDS: tuple[Act, ...] = (
    act_on(Phase, "show", "Show a phase, and what keeps it from being completed.", _show),
    act_on(Phase, "open", "Open a phase, so that its waves may start.", _moved(open_phase)),
    act_on(Phase, "skip", "Leave a phase out that was not opened.", _moved(skip_phase)),
    act_on(Phase, "cancel", "Give a phase up that was not opened.", _moved(cancel_phase)),
    act_on(Phase, "reopen", "Set a phase that was rolled back to pending.", _moved(reopen_phase)),
    act_on(Phase, "pause", "Hold every wave of a phase.", pause),
    act_on(Phase, "resume", "Clear what was paused on a phase itself.", resumed),
)
TASK_WORDS: tuple[Act, ...] = (
    act_on(Task, "done", "Note that a task is done.", _marked(complete_task)),
    act_on(Task, "reopen", "Note that a task is not done after all.", _marked(reopen_task)),
)


ACTS: tuple[Act, ...] = (
    noun("phase", "Act on a phase; `phase WORD --help` tells more.", PHASE_WORDS),
    noun("task", "Act on a task of a phase.", TASK_WORDS),
)
