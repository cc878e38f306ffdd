"""Drive a rollout from the shell as the admin does."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Model

from rollout.actions.breaches import cases_of, revalidate_breach, waive_breach, waive_gate
from rollout.actions.gates import gates_that_hold, open_breaches, retire_policy
from rollout.actions.holds import freeze, holds_on, is_frozen, resume_wave, said, set_hold, unfreeze
from rollout.actions.prevalidation import prevalidate_wave
from rollout.actions.waves import announce_wave, cancel_wave, finish_wave, lock_wave, reopen_wave, reschedule_wave, start_wave
from rollout.errors import RolloutError
from rollout.jobs import wake_wave
from rollout.models import Breach, GuardPolicy, Hold, Plan, Wave
from rollout.states import BreachState
from rollout.switch import is_killed
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage

ACTS = {
    "lock": lock_wave,
    "announce": announce_wave,
    "start": start_wave,
    "finish": finish_wave,
    "reschedule": reschedule_wave,
    "cancel": cancel_wave,
    "reopen": reopen_wave,
}


class Command(PhoenixCommand):
    """Show the state of all plans, or act on one wave, one breach, one policy, or everything."""

    help = (
        "Show plans (status), what holds waves (holds) and open breaches (breaches); act on a wave: lock, announce, start, "
        "finish, reschedule, cancel, reopen, pause, resume, prevalidate, gates, waive-gates; on a breach: revalidate, waive; "
        "on a policy: retire; on everything: freeze, unfreeze."
    )
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare the act and what it is about."""
        parser.add_argument("act", choices=["status", *ACTS, *OF_ONE, *OF_ALL])
        parser.add_argument("pk", nargs="?", type=int, metavar="PK", help="Primary key of the wave, breach or policy to act on.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Show, or act and show what came of it."""
        act, pk = options["act"], options["pk"]
        if act == "status":
            return status()
        if act in OF_ALL:
            return OF_ALL[act](deed)
        if act in OF_ONE:
            model, run = OF_ONE[act]
            return run(_found(model, pk), deed)
        wave = _found(Wave, pk)
        ACTS[act](wave, by=deed.by, at=deed.at, reason=deed.reason)
        if act == "start":
            wake_wave(wave.pk)
        return Report(_wave(wave), [f"{wave} is {wave.state_label}, {wave.size} members."])


LISTED_BY = {"wave": "status", "breach": "breaches", "guardpolicy": "status"}


def _found(model: Any, pk: int | None) -> Any:
    name = model._meta.verbose_name
    where = f"`manage.py rollout {LISTED_BY[model._meta.model_name]}` lists them."
    if pk is None:
        raise WrongUsage(f"Name a {name} by its primary key. {where}")
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise WrongUsage(f"There is no {name} {pk}. {where}")
    return row


def _who(deed: Deed) -> dict[str, Any]:
    return {"by": deed.by, "at": deed.at, "reason": deed.reason}


def _pause(wave: Wave, deed: Deed) -> Report:
    set_hold(wave, **_who(deed))
    return _held(wave, deed)


def _resume(wave: Wave, deed: Deed) -> Report:
    left = said(resume_wave(wave, **_who(deed)))
    if not left:
        wake_wave(wave.pk)
    sentence = f"{wave} is still held: {' '.join(left)}" if left else ""
    return Report(_wave(wave) | {"held": left}, [f"{wave} is {'still held' if left else 'not held any more'}."], sentence)


def _held(wave: Wave, deed: Deed) -> Report:
    held = said(holds_on(wave, at=deed.at))
    return Report(_wave(wave) | {"held": held}, [f"{wave} is held.", *(f"  {text}" for text in held)])


def _gates(wave: Wave, deed: Deed) -> Report:
    found = gates_that_hold(wave, at=deed.at)
    breaches = open_breaches(wave)
    gates = [{"policy": row.pk, "name": row.name, "code": each.code, "text": each.text} for row, each in found]
    lines = [f"{len(found)} gates and {len(breaches)} breaches hold {wave}.", *(f"  {text}" for text in breaches)]
    lines += [f"  {row.name}: {each.text} ({each.code})" for row, each in found]
    sentence = "Bring what is missing, or let an approver waive it by name." if found or breaches else ""
    return Report({"wave": wave.pk, "gates": gates, "breaches": breaches}, lines, sentence)


def _waive_gates(wave: Wave, deed: Deed) -> Report:
    found = [row for row, _ in gates_that_hold(wave, at=deed.at)]
    for row in found:
        waive_gate(row, wave, **_who(deed))
    lines = [f"{len(found)} gates are waived for attempt {wave.attempt} of {wave}, in the name of {deed.by}."]
    return Report({"wave": wave.pk, "waived": [row.pk for row in found]}, lines)


def _prevalidate(wave: Wave, deed: Deed) -> Report:
    done = prevalidate_wave(wave, by=deed.by, at=deed.at)
    lines = [f"{done.proven} of {done.members} people are proven, {done.blocked} blocked, {done.open} not looked at."]
    lines += [f"  {code}: {count}" for code, count in done.causes]
    sentence = f"{done.blocked} would stay on the old system. Decide their findings, or leave them out." if done.blocked else ""
    return Report(_wave(wave) | done.as_json(), lines, sentence)


def _revalidate(breach: Breach, deed: Deed) -> Report:
    found = revalidate_breach(breach, by=deed.by, at=deed.at)
    breach.refresh_from_db()
    data = _breach(breach) | {"code": found.code, "value": found.value}
    sentence = "" if breach.state != BreachState.OPEN else f"It stays open. {found.text}"
    return Report(data, [f"{breach} is {breach.state_label}. {found.text}"], sentence)


def _waive(breach: Breach, deed: Deed) -> Report:
    waive_breach(breach, **_who(deed))
    return Report(_breach(breach), [f"{breach} is waived by {deed.by}."])


def _retire(row: GuardPolicy, deed: Deed) -> Report:
    changed = retire_policy(row, **_who(deed))
    return Report({"policy": row.pk, "changed": changed}, [f"{row} is retired{'' if changed else ' already'}."])


def _freeze(deed: Deed) -> Report:
    changed = freeze(**_who(deed))
    return Report({"frozen": is_frozen(), "changed": changed}, ["Every plan is frozen."])


def _unfreeze(deed: Deed) -> Report:
    changed = unfreeze(**_who(deed))
    return Report({"frozen": is_frozen(), "changed": changed}, ["The freeze is off; what else holds a wave goes on holding it."])


def _holds(_deed: Deed) -> Report:
    rows = Hold.objects.standing().select_related("plan", "phase__plan", "wave__phase__plan").order_by("pk")
    data = [{"pk": row.pk, "kind": row.kind, "on": row.scope, "reason": row.reason, "by": row.set_by} for row in rows]
    return Report({"holds": data}, [f"{len(data)} holds stand.", *(f"  {row} (“{row.reason}”, {row.set_by})" for row in rows)])


def _breaches(_deed: Deed) -> Report:
    rows = list(Breach.objects.filter(state=BreachState.OPEN).select_related("policy__plan", "evaluation").order_by("pk"))
    lines = [f"{len(rows)} breaches are open."]
    for row in rows:
        lines.append(f"  {row} (breach {row.pk}): {row.evaluation.text}")
        lines += [f"    {case.user}: {case.code}. {case.text}" for case in cases_of(row)]
    return Report({"breaches": [_breach(row) for row in rows]}, lines)


def _breach(breach: Breach) -> dict[str, Any]:
    return {
        "pk": breach.pk,
        "policy": breach.policy_id,
        "state": breach.state,
        "wave": breach.wave_id,
        "affected": len(breach.affected),
        "failed": [{"user": each.user, "code": each.code, "text": each.text} for each in cases_of(breach)],
    }


OF_ALL: dict[str, Callable[[Deed], Report]] = {
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "holds": _holds,
    "breaches": _breaches,
}
OF_ONE: dict[str, tuple[type[Model], Callable[[Any, Deed], Report]]] = {
    "pause": (Wave, _pause),
    "resume": (Wave, _resume),
    "prevalidate": (Wave, _prevalidate),
    "gates": (Wave, _gates),
    "waive-gates": (Wave, _waive_gates),
    "revalidate": (Breach, _revalidate),
    "waive": (Breach, _waive),
    "retire": (GuardPolicy, _retire),
}


def status() -> Report:
    """Return every plan with its phases and waves; five queries and one for each wave's members."""
    plans = Plan.objects.prefetch_related("phases__waves", "policies").order_by("pk")
    data = {
        "kill_switch": is_killed(),
        "frozen": is_frozen(),
        "plans": [
            {
                "pk": plan.pk,
                "name": plan.name,
                "state": plan.state,
                "policies": [
                    {"pk": row.pk, "name": row.name, "purpose": row.purpose, "metric": row.metric}
                    for row in plan.policies.all()
                    if row.retired_at is None
                ],
                "phases": [
                    {
                        "pk": phase.pk,
                        "name": phase.name,
                        "state": phase.state,
                        "waves": [_wave(wave) for wave in phase.waves.all()],
                    }
                    for phase in plan.phases.all()
                ],
            }
            for plan in plans
        ],
    }
    lines = [f"Kill switch: {'ON, everybody sees the legacy system' if data['kill_switch'] else 'off'}"]
    if data["frozen"]:
        lines.append("Every plan is frozen.")
    for plan in plans:
        lines.append(f"{plan.name}: {plan.state_label}")
        lines += [
            f"  {row.name} (policy {row.pk}): {row.purpose} of {row.metric}"
            for row in plan.policies.all()
            if row.retired_at is None
        ]
        for phase in plan.phases.all():
            lines.append(f"  {phase.name} (phase {phase.pk}): {phase.state_label}")
            for wave in phase.waves.all():
                members = ", ".join(f"{count} {state}" for state, count in wave.members_by_state().items())
                lines.append(
                    f"    {wave.name} (wave {wave.pk}): {wave.state_label}, {wave.size} members: {members or 'none yet'}"
                )
    return Report(data, lines)


def _wave(wave: Wave) -> dict[str, Any]:
    return {
        "pk": wave.pk,
        "name": wave.name,
        "state": wave.state,
        "size": wave.size,
        "attempt": wave.attempt,
        "members": wave.members_by_state(),
    }
