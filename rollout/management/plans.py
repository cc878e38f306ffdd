"""Plans as a whole: from a template to the end, and their dates."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from rollout.actions.audiences import warnings_of
from rollout.actions.blueprints import copy_plan, create_from_template, export_plan, template, template_names
from rollout.actions.holds import said, set_hold
from rollout.actions.phases import advance_phase, advance_plan, phases_to_advance, what_keeps_plan
from rollout.actions.plans import approve_plan, schedule_plan, submit_plan
from rollout.actions.reopening import reopen_plan
from rollout.actions.rescheduling import reschedule_plan
from rollout.actions.steering import begin_deprecating, cancel_plan, close_plan, holds_over, resume
from rollout.blueprints import Blueprint, Layout, laid_out, read
from rollout.management.acts import Act, act_on, found, noun, who
from rollout.models import Phase, Plan, Wave
from slots.management.base import Deed, Report, WrongUsage


def blueprint_named(name: str) -> Blueprint:
    """Return the template of a name, or the one in a file whose name ends in `.toml`.

    Raises:
        WrongUsage: the file cannot be read.
    """
    if not name.endswith(".toml"):
        return template(name)
    try:
        return read(Path(name).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as unreadable:
        raise WrongUsage(f"{name} cannot be read: {unreadable}. Name a template or a file of UTF-8 text.") from unreadable


def shown_plan(plan: Plan) -> dict[str, Any]:
    """Return the JSON object of a plan with its phases and waves."""
    phases = plan.phases.prefetch_related("waves", "tasks").order_by("position")
    return {
        "pk": plan.pk,
        "name": plan.name,
        "state": plan.state,
        "template": plan.template,
        "starts_on": plan.starts_on,
        "time_zone": plan.time_zone,
        "author": plan.author,
        "approved_by": plan.approved_by,
        "phases": [_shown_phase(phase) for phase in phases],
    }


def _shown_phase(phase: Phase) -> dict[str, Any]:
    waves = sorted(phase.waves.all(), key=lambda wave: wave.position)
    tasks = sorted(phase.tasks.all(), key=lambda task: task.position)
    return {
        "pk": phase.pk,
        "name": phase.name,
        "state": phase.state,
        "starts_at": phase.starts_at,
        "share": phase.share,
        "share_of": phase.share_of,
        "waves": [
            {
                "pk": wave.pk,
                "name": wave.name,
                "state": wave.state,
                "starts_at": wave.starts_at,
                "share": wave.share,
                "audience": wave.audience,
            }
            for wave in waves
        ],
        "tasks": [
            {"pk": task.pk, "text": task.text, "due_at": task.due_at, "done_at": task.done_at, "is_required": task.is_required}
            for task in tasks
        ],
    }


def _lines(shown: dict[str, Any]) -> list[str]:
    start = f", from {shown['starts_on']} ({shown['time_zone']})" if shown["starts_on"] else ""
    lines = [f"{shown['name']} (plan {shown['pk']}): {shown['state'].replace('_', ' ')}{start}"]
    for phase in shown["phases"]:
        lines.append(f"  {_when(phase['starts_at'])}  {phase['name']} (phase {phase['pk']}): {phase['state'].replace('_', ' ')}")
        lines += [
            f"  {_when(wave['starts_at'])}    {wave['name']} (wave {wave['pk']}): {wave['state'].replace('_', ' ')}"
            for wave in phase["waves"]
        ]
        lines += [
            f"  {_when(task['due_at'])}    {'[x]' if task['done_at'] else '[ ]'} {task['text']} (task {task['pk']})"
            for task in phase["tasks"]
        ]
    return lines


def _when(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else " " * 16


def _report(plan: Plan) -> Report:
    shown = shown_plan(plan)
    return Report(shown, _lines(shown))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as malformed:
        what = f"{text!r} is no day of the calendar" if text else "No day is given"
        raise WrongUsage(f"{what}. Say when it starts: --start YYYY-MM-DD.") from malformed


def _create(deed: Deed, *, template: str, start: str, name: str, zone: str) -> Report:
    starts_on, blueprint = _date(start), blueprint_named(template)
    name = name or f"{blueprint.title or blueprint.name}, from {starts_on}"
    return _report(create_from_template(name, template=blueprint, starts_on=starts_on, time_zone=zone, **who(deed)))


def _copy(plan: Plan, deed: Deed, *, start: str, name: str, zone: str) -> Report:
    starts_on = _date(start)
    return _report(copy_plan(plan, name or f"{plan.name}, from {starts_on}", starts_on=starts_on, time_zone=zone, **who(deed)))


def _list(_deed: Deed) -> Report:
    rows = Plan.objects.order_by("pk")
    data = [
        {"pk": row.pk, "name": row.name, "state": row.state, "template": row.template, "starts_on": row.starts_on} for row in rows
    ]
    lines = [f"{row.name} (plan {row.pk}): {row.state_label}" for row in rows]
    return Report({"plans": data}, lines or ["No plans. `manage.py rollout plan create --template NAME --start DATE` makes one."])


def _templates(_deed: Deed) -> Report:
    found = [template(name) for name in template_names()]
    data = [{"name": each.name, "version": each.version, "title": each.title} for each in found]
    return Report({"templates": data}, [f"{each.label}: {each.title}" for each in found])


def _export(plan: Plan, _deed: Deed) -> Report:
    text = export_plan(plan)
    return Report({"plan": plan.pk, "toml": text}, text.splitlines())


def _check(deed: Deed, *, file: str, start: str, zone: str) -> Report:
    blueprint = blueprint_named(file)
    starts_on = _date(start) if start else deed.at.date()
    layout = laid_out(blueprint, starts_on=starts_on, zone=zone or blueprint.time_zone)
    return Report(_checked(layout), [f"{blueprint.label} is sound. From {starts_on} on:", *_appointments(layout)])


def _checked(layout: Layout) -> dict[str, Any]:
    return {
        "template": layout.blueprint.label,
        "starts_on": layout.starts_on,
        "time_zone": layout.zone,
        "phases": [
            {
                "name": phase.entry.name,
                "starts_at": phase.starts_at,
                "waves": [{"name": wave.entry.name, "starts_at": wave.starts_at} for wave in phase.waves],
            }
            for phase in layout.phases
        ],
        "appointments": [{"at": at, "what": what} for at, what in layout.appointments()],
    }


def _appointments(layout: Layout) -> list[str]:
    return [f"  {_when(at)}  {what}" for at, what in layout.appointments()]


def _reschedule(plan: Plan, deed: Deed, *, start: str, days: int | None, phase: int | None, wave: int | None) -> Report:
    if phase is not None and wave is not None:
        raise WrongUsage("Name a phase or a wave to move from, not both.")
    origin = found(Phase, phase) if phase is not None else found(Wave, wave) if wave is not None else None
    done = reschedule_plan(plan, starts_on=_date(start) if start else None, days=days, start=origin, **who(deed))
    line = f"Moved by {done.days} days: {done.phases} phases, {done.waves} waves, {done.tasks} tasks."
    lines = [line, f"The people of {done.told_again} waves are told again."]
    return Report({"plan": plan.pk, **done.as_json()}, lines)


def _moved(action: Callable[..., object]) -> Callable[[Plan, Deed], Report]:
    """Return what does an action and shows the plan afterwards."""

    def run(plan: Plan, deed: Deed) -> Report:
        action(plan, **who(deed))
        return Report({"pk": plan.pk, "name": plan.name, "state": plan.state}, [f"{plan} is {plan.state_label}."])

    return run


def _moved_with_warnings(action: Callable[..., object]) -> Callable[[Plan, Deed], Report]:
    """Return the same for an act after which people rely on the plan: it is done, and what is odd about it is named."""

    def run(plan: Plan, deed: Deed) -> Report:
        report = _moved(action)(plan, deed)
        warnings = warnings_of(plan, at=deed.at)
        return Report({**report.data, "warnings": warnings}, [*report.lines, *(f"  {text}" for text in warnings)])

    return run


def pause(scope: Plan | Phase, deed: Deed) -> Report:
    """Hold a plan or a phase."""
    set_hold(scope, **who(deed))
    held = said(holds_over(scope))
    return Report({"pk": scope.pk, "held": held}, [f"{scope} is held.", *(f"  {text}" for text in held)])


def resumed(scope: Plan | Phase, deed: Deed) -> Report:
    """Clear what was paused on a plan or a phase itself."""
    left = said(resume(scope, **who(deed)))
    sentence = f"{scope} is still held: {' '.join(left)}" if left else ""
    lines = [f"{scope} is {'still held' if left else 'not held any more'}; its waves go on where nothing else holds them."]
    return Report({"pk": scope.pk, "held": left}, lines, sentence)


def _advance(plan: Plan, deed: Deed) -> Report:
    entered: list[dict[str, str | None]] = [
        {"phase": phase.name, "entered": state}
        for phase in phases_to_advance().filter(plan=plan)
        for state in advance_phase(phase, at=deed.at)
    ]
    entered += [{"phase": None, "entered": state} for state in advance_plan(plan, at=deed.at)]
    plan.refresh_from_db()
    left = what_keeps_plan(plan, at=deed.at)
    lines = [f"{each['phase'] or plan}: {each['entered']}" for each in entered]
    lines += [f"{plan} is {plan.state_label}.", *(f"  {text}" for text in left)]
    return Report({"pk": plan.pk, "state": plan.state, "entered": entered, "left": left}, lines)


def _dates(parser: CommandParser) -> None:
    parser.add_argument("--start", default="", metavar="DATE", help="First day of its first week, YYYY-MM-DD.")
    parser.add_argument("--zone", default="", help="The IANA zone that its days are counted in; the template's if left out.")


def _named_dates(parser: CommandParser) -> None:
    _dates(parser)
    parser.add_argument("--name", default="", help="What to call it.")


def _create_options(parser: CommandParser) -> None:
    parser.add_argument("--template", default="eight-weeks", help="A template by its name, or a file that ends in .toml.")
    _named_dates(parser)


def _check_options(parser: CommandParser) -> None:
    parser.add_argument("file", help="A file that ends in .toml, or a template by its name.")
    _dates(parser)


def _reschedule_options(parser: CommandParser) -> None:
    parser.add_argument("--start", default="", metavar="DATE", help="The new first day, YYYY-MM-DD.")
    parser.add_argument("--days", type=int, help="By how many days; below 0 for earlier.")
    parser.add_argument("--phase", type=int, metavar="PK", help="Move from this phase on.")
    parser.add_argument("--wave", type=int, metavar="PK", help="Move from this wave on.")


WORDS: tuple[Act, ...] = (
    Act("list", "Show the plans.", _list),
    Act("templates", "Show the templates that come with the software.", _templates),
    Act("create", "Make a draft plan from a template.", _create, _create_options),
    Act("check", "Read a template, and show what happens when.", _check, _check_options),
    act_on(Plan, "show", "Show a plan with its phases, waves and tasks.", lambda plan, _deed: _report(plan)),
    act_on(Plan, "export", "Print a plan as a template.", _export),
    act_on(Plan, "copy", "Make a draft plan that demands the same.", _copy, _named_dates),
    act_on(Plan, "submit", "Ask for a plan's approval.", _moved_with_warnings(submit_plan)),
    act_on(Plan, "approve", "Approve a plan that somebody else wrote.", _moved(approve_plan)),
    act_on(Plan, "schedule", "Set an approved plan down as due.", _moved_with_warnings(schedule_plan)),
    act_on(Plan, "reschedule", "Move the dates of what has not started.", _reschedule, _reschedule_options),
    act_on(Plan, "pause", "Hold every wave of a plan.", pause),
    act_on(Plan, "resume", "Clear what was paused on a plan itself.", resumed),
    act_on(Plan, "cancel", "Give a plan up before anybody moved.", _moved(cancel_plan)),
    act_on(Plan, "reopen", "Take a plan that was rolled back up again.", _moved(reopen_plan)),
    act_on(Plan, "deprecate", "Let the legacy system be retired after a completed plan.", _moved(begin_deprecating)),
    act_on(Plan, "close", "Close a plan after the legacy system was retired.", _moved(close_plan)),
)
ACTS: tuple[Act, ...] = (
    noun("plan", "Act on a plan as a whole; `plan WORD --help` tells more.", WORDS),
    act_on(Plan, "advance", "Move a plan on as far as it can go, and say what keeps it.", _advance),
)
