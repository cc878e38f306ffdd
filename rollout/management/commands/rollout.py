"""Drive a rollout from the shell as the admin does."""

from typing import Any

from django.core.management.base import CommandParser

from rollout.actions.waves import announce_wave, cancel_wave, finish_wave, lock_wave, reopen_wave, reschedule_wave, start_wave
from rollout.errors import RolloutError
from rollout.jobs import wake_wave
from rollout.models import Plan, Wave
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
    """Show the state of all plans, or act on one wave."""

    help = "Show plans, phases and waves (status), or act on a wave: lock, announce, start, finish, reschedule, cancel, reopen."
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare the act and the wave."""
        parser.add_argument("act", choices=["status", *ACTS])
        parser.add_argument("wave", nargs="?", type=int, metavar="WAVE", help="Primary key of the wave to act on.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Show, or act and show the wave."""
        if options["act"] == "status":
            return status()
        if options["wave"] is None:
            raise WrongUsage("Name a wave by its primary key. `manage.py rollout status` lists them.")
        wave = Wave.objects.filter(pk=options["wave"]).first()
        if wave is None:
            raise WrongUsage(f"There is no wave {options['wave']}. `manage.py rollout status` lists them.")
        ACTS[options["act"]](wave, by=deed.by, at=deed.at, reason=deed.reason)
        if options["act"] == "start":
            wake_wave(wave.pk)
        return Report(_wave(wave), [f"{wave} is {wave.state_label}, {wave.size} members."])


def status() -> Report:
    """Return every plan with its phases and waves; three queries and one for each wave's members."""
    plans = Plan.objects.prefetch_related("phases__waves").order_by("pk")
    data = {
        "kill_switch": is_killed(),
        "plans": [
            {
                "pk": plan.pk,
                "name": plan.name,
                "state": plan.state,
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
    for plan in plans:
        lines.append(f"{plan.name}: {plan.state_label}")
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
