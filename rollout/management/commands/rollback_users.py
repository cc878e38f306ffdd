"""Take people back to the legacy system."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandParser
from django.template.defaultfilters import pluralize

from rollout.actions.candidates import Skipped, person_named
from rollout.actions.restorations import RollbackReport
from rollout.actions.rollback import Stopwatch, roll_back_all, roll_back_person, roll_back_phase, roll_back_wave
from rollout.errors import NothingToUndo, PersonUnknown, RolloutError
from rollout.management.acts import found
from rollout.models import Phase, Wave
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage


class Command(PhoenixCommand):
    """Roll back chosen people, a wave, a phase or everybody; needs no queue."""

    help = "Take people back to the legacy system: effective on the next request, then their rows are restored. Needs no queue."
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare whom."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument(
            "--user",
            "--users",
            action="append",
            metavar="A,B",
            help="These people; tenant/user outside the default tenant; repeatable.",
        )
        whom.add_argument("--wave", type=int, metavar="PK", help="Everybody of a wave.")
        whom.add_argument("--phase", type=int, metavar="PK", help="Everybody of a phase.")
        whom.add_argument("--all", action="store_true", dest="everybody", help="Everybody; the kill switch stays on.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Roll back and say how long it took."""
        said: dict[str, Any] = {"by": deed.by, "at": deed.at, "reason": deed.reason, "timer": time.perf_counter}
        if options["everybody"]:
            return _report(roll_back_all(**said))
        if options["user"] is not None:
            return _roll_back_named(options["user"], **said)
        if options["wave"] is not None:
            wave = found(Wave, options["wave"])
            return _report(roll_back_wave(wave, **said))
        phase = found(Phase, options["phase"])
        return _report(roll_back_phase(phase, **said))


def _roll_back_named(given: str | Sequence[str], **said: Any) -> Report:
    """Roll back each of the people named; of several, who is unknown or not on slots keeps nobody else waiting."""
    words = [given] if isinstance(given, str) else given
    users = list(dict.fromkeys(user.strip() for word in words for user in word.split(",") if user.strip()))
    if not users:
        raise WrongUsage("Say whom: --user A, or --user A,B.")
    if len(users) == 1:
        return _report(roll_back_person(person_named(users[0]), **said))
    watch = Stopwatch(said["timer"])
    done, skipped = RollbackReport(), []
    for user in users:
        before = watch.read() or 0.0
        try:
            one = roll_back_person(person_named(user), **said)
        except (PersonUnknown, NothingToUndo) as fault:
            skipped.append(Skipped(user, fault.code, str(fault)))
            continue
        done = replace(done + one, effective_ms=round(before + (one.effective_ms or 0.0), 3), reconciled_ms=watch.read())
    return _report(done, skipped)


def _report(done: RollbackReport, skipped: Sequence[Skipped] = ()) -> Report:
    times = (
        "" if done.effective_ms is None else f": effective after {done.effective_ms} ms, restored after {done.reconciled_ms} ms"
    )
    lines = [f"{done.rolled_back} of {done.total} taken back{times}."]
    lines += [f"  skipped  {each.user}: {each.code}. {each.text}" for each in skipped]
    lines += [f"  edited since the switch, set aside: {user}" for user in done.edited]
    lines += [f"  stays on slots by support's word: {user}" for user in done.kept]
    lines += [f"  on the legacy system, rows not restored yet: {user}" for user in done.failed]
    unknown = sum(each.code == PersonUnknown.code for each in skipped)
    sentence = f"{unknown} of the people named {pluralize(unknown, 'is,are')} unknown." if unknown else ""
    if done.edited or done.failed:
        sentence += " " if sentence else ""
        sentence += (
            f"{len(done.edited)} {pluralize(len(done.edited), 'person,people')} had edited since the switch: "
            "look at what was set aside. "
            f"{len(done.failed)} could not be restored: their rows say why, tick tries again."
        )
    return Report(done.as_json() | {"skipped": [each.as_json() for each in skipped]}, lines, sentence)
