"""Take people back to the legacy system."""

import time
from typing import Any

from django.core.management.base import CommandParser

from migration.models import Person
from rollout.actions.rollback import RollbackReport, roll_back_all, roll_back_person, roll_back_phase, roll_back_wave
from rollout.actions.waves import named_people
from rollout.errors import PersonUnknown, RolloutError
from rollout.models import Phase, Wave
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage


class Command(PhoenixCommand):
    """Roll back one person, a wave, a phase or everybody; needs no queue."""

    help = "Take people back to the legacy system: effective on the next request, then their rows are restored. Needs no queue."
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare whom."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--user", metavar="USER", help="One person; tenant/user outside the default tenant.")
        whom.add_argument("--wave", type=int, metavar="PK", help="Everybody of a wave.")
        whom.add_argument("--phase", type=int, metavar="PK", help="Everybody of a phase.")
        whom.add_argument("--all", action="store_true", dest="everybody", help="Everybody; the kill switch stays on.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Roll back and say how long it took."""
        said: dict[str, Any] = {"by": deed.by, "at": deed.at, "reason": deed.reason, "timer": time.perf_counter}
        if options["everybody"]:
            return _report(roll_back_all(**said))
        if options["user"] is not None:
            return _report(roll_back_person(_person(options["user"]), **said))
        if options["wave"] is not None:
            wave = Wave.objects.filter(pk=options["wave"]).first()
            if wave is None:
                raise WrongUsage(f"There is no wave {options['wave']}. `manage.py rollout status` lists them.")
            return _report(roll_back_wave(wave, **said))
        phase = Phase.objects.filter(pk=options["phase"]).first()
        if phase is None:
            raise WrongUsage(f"There is no phase {options['phase']}. `manage.py rollout status` lists them.")
        return _report(roll_back_phase(phase, **said))


def _person(user: str) -> Person:
    found = named_people([user])
    if not found:
        raise PersonUnknown(user)
    return found[0]


def _report(done: RollbackReport) -> Report:
    times = f"effective after {done.effective_ms} ms, restored after {done.reconciled_ms} ms"
    lines = [f"{done.rolled_back} of {done.total} taken back: {times}."]
    lines += [f"  edited since the switch, set aside: {user}" for user in done.edited]
    lines += [f"  stays on slots by support's word: {user}" for user in done.kept]
    lines += [f"  on the legacy system, rows not restored yet: {user}" for user in done.failed]
    sentence = ""
    if done.edited or done.failed:
        sentence = (
            f"{len(done.edited)} people had edited since the switch: look at what was set aside. "
            f"{len(done.failed)} could not be restored: their rows say why, tick tries again."
        )
    return Report(done.as_json(), lines, sentence)
