"""Acts on one wave."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from rollout.actions.breaches import waive_gate
from rollout.actions.gates import gates_that_hold, open_breaches
from rollout.actions.holds import holds_on, resume_wave, said, set_hold
from rollout.actions.prevalidation import prevalidate_wave
from rollout.actions.readiness import what_keeps
from rollout.actions.waves import announce_wave, cancel_wave, finish_wave, lock_wave, reopen_wave, reschedule_wave, start_wave
from rollout.jobs import wake_wave
from rollout.management.acts import Act, act_on, who
from rollout.management.calendar import instant
from rollout.models import Wave
from slots.management.base import Deed, Report


def shown_wave(wave: Wave) -> dict[str, Any]:
    """Return the JSON object of a wave."""
    return {
        "pk": wave.pk,
        "name": wave.name,
        "state": wave.state,
        "size": wave.size,
        "attempt": wave.attempt,
        "members": wave.members_by_state(),
    }


def _moved(action: Callable[..., object]) -> Callable[[Wave, Deed], Report]:
    """Return what does an action and shows the wave afterwards."""

    def run(wave: Wave, deed: Deed) -> Report:
        action(wave, **who(deed))
        return _is_now(wave)

    return run


def _is_now(wave: Wave) -> Report:
    return Report(shown_wave(wave), [f"{wave} is {wave.state_label}, {wave.size} members."])


def _start(wave: Wave, deed: Deed) -> Report:
    start_wave(wave, **who(deed))
    wake_wave(wave.pk)
    return _is_now(wave)


def _pause(wave: Wave, deed: Deed) -> Report:
    set_hold(wave, **who(deed))
    held = said(holds_on(wave, at=deed.at))
    return Report(shown_wave(wave) | {"held": held}, [f"{wave} is held.", *(f"  {text}" for text in held)])


def _resume(wave: Wave, deed: Deed) -> Report:
    left = said(resume_wave(wave, **who(deed)))
    if not left:
        wake_wave(wave.pk)
    sentence = f"{wave} is still held: {' '.join(left)}" if left else ""
    return Report(shown_wave(wave) | {"held": left}, [f"{wave} is {'still held' if left else 'not held any more'}."], sentence)


def _prevalidate(wave: Wave, deed: Deed) -> Report:
    done = prevalidate_wave(wave, by=deed.by, at=deed.at, reason=deed.reason)
    lines = [f"{done.proven} of {done.members} people are proven, {done.blocked} blocked, {done.open} not looked at."]
    lines += [f"  {code}: {count}" for code, count in done.causes]
    sentence = f"{done.blocked} would stay on the old system. Decide their findings, or leave them out." if done.blocked else ""
    return Report(shown_wave(wave) | done.as_json(), lines, sentence)


def _gates(wave: Wave, deed: Deed) -> Report:
    found = gates_that_hold(wave, at=deed.at)
    breaches = open_breaches(wave)
    gates = [{"policy": row.pk, "name": row.name, "code": each.code, "text": each.text} for row, each in found]
    lines = [f"{len(found)} gates and {len(breaches)} breaches hold {wave}.", *(f"  {text}" for text in breaches)]
    lines += [f"  {row.name}: {each.text} ({each.code})" for row, each in found]
    sentence = "Bring what is missing, or let an approver waive it by name." if found or breaches else ""
    return Report({"wave": wave.pk, "gates": gates, "breaches": breaches}, lines, sentence)


def _keeps(wave: Wave, deed: Deed) -> Report:
    found = what_keeps(wave, at=deed.at)
    data = [{"code": each.code, "text": each.text, "who": each.who} for each in found]
    lines = [f"{len(found)} things keep {wave} from starting.", *(f"  {each.code}: {each}" for each in found)]
    return Report({"wave": wave.pk, "state": wave.state, "keeps": data}, lines, "Each is cleared by itself." if found else "")


def _reschedule(wave: Wave, deed: Deed, *, starts_at: datetime | None) -> Report:
    reschedule_wave(wave, starts_at=starts_at, **who(deed))
    return _is_now(wave)


def _to(parser: CommandParser) -> None:
    parser.add_argument(
        "--to", dest="starts_at", type=instant, help="When it starts by itself; ISO 8601, UTC where no zone is named."
    )


def _waive_gates(wave: Wave, deed: Deed) -> Report:
    found = [row for row, _ in gates_that_hold(wave, at=deed.at)]
    for row in found:
        waive_gate(row, wave, **who(deed))
    lines = [f"{len(found)} gates are waived for attempt {wave.attempt} of {wave}, in the name of {deed.by}."]
    return Report({"wave": wave.pk, "waived": [row.pk for row in found]}, lines)


ACTS: tuple[Act, ...] = (
    act_on(Wave, "lock", "Freeze whom a wave moves.", _moved(lock_wave)),
    act_on(Wave, "announce", "Record that a wave's people were told; the reason says how.", _moved(announce_wave)),
    act_on(Wave, "start", "Start an announced wave.", _start),
    act_on(Wave, "finish", "End the monitoring of a wave before its time.", _moved(finish_wave)),
    act_on(Wave, "reschedule", "Set a locked or announced wave back to planned, with another date or none.", _reschedule, _to),
    act_on(Wave, "cancel", "Give up a wave that has not started.", _moved(cancel_wave)),
    act_on(Wave, "reopen", "Plan a further attempt of a wave that was rolled back.", _moved(reopen_wave)),
    act_on(Wave, "prevalidate", "Prove a locked or announced wave's people ahead of its start.", _prevalidate),
    act_on(Wave, "pause", "Hold a wave.", _pause),
    act_on(Wave, "resume", "Clear what was paused on a wave itself.", _resume),
    act_on(Wave, "keeps", "Show everything that keeps a wave from starting, and who can clear it.", _keeps),
    act_on(Wave, "gates", "Show which gates and breaches hold a wave.", _gates),
    act_on(Wave, "waive-gates", "Let a wave start past the gates that hold it, in your name.", _waive_gates),
)
