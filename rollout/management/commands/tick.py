"""Do what is due, once or every few seconds."""

import signal
import threading
from collections import Counter
from types import FrameType
from typing import Any

import structlog
from django.core.management.base import CommandParser
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from rollout.actions.due import TickReport, do_what_is_due
from rollout.jobs import wake_forgotten_rehearsals, wake_forgotten_selections, wake_messages, wake_waves
from rollout.notifications import Recorder, Transport
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage

log = structlog.get_logger(__name__)
SECONDS = 15.0


class Command(PhoenixCommand):
    """Reap leases, queue retries, finish rollbacks, move waves on, keep to dates, tell people, wake workers up."""

    help = "The reconciler: does what is due, and with --loop again every 15 seconds until SIGTERM. Safe to run twice at once."

    def add_options(self, parser: CommandParser) -> None:
        """Declare how often."""
        parser.add_argument("--loop", action="store_true", help="Go on until SIGTERM or Ctrl-C.")
        parser.add_argument("--every", type=float, default=SECONDS, metavar="SECONDS", help="Seconds between two rounds.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Run one round, or rounds until somebody says stop."""
        if options["every"] <= 0:
            raise WrongUsage("--every is a number of seconds above 0.")
        if not options["loop"]:
            return _report(one_round(by=deed.by, transport=Recorder() if self.dry_run else None))  # no undoing an e-mail
        if self.dry_run:
            raise WrongUsage("--dry-run is one round; leave --loop out.")
        return self._loop(deed.by, options["every"])

    def _loop(self, by: str, every: float) -> Report:
        stop = threading.Event()

        def end(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        total = TickReport()
        try:
            while not stop.is_set():
                try:
                    done = one_round(by=by)
                    total.due += done.due
                    total.done += done.done
                    total.failed += done.failed
                except DatabaseError:  # a database that restarts is back by one of the next rounds
                    log.exception("tick_failed")
                close_old_connections()
                stop.wait(every)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
        return _report(total)


def one_round(*, by: str, transport: Transport | None = None) -> TickReport:
    """Do what is due now, and ask for workers where people are queued and nobody is at work."""
    at = timezone.now()
    report = do_what_is_due(at=at, by=by, transport=transport)
    key = f"{at.timestamp() // SECONDS:.0f}"  # two reconcilers in one round ask once
    wake_waves(report.wake, key=key)
    wake_forgotten_rehearsals(at=at)
    wake_forgotten_selections(at=at)
    if report.untold:
        wake_messages(key=key)
    report.done["wake_up"] += len(report.wake)
    return report


def _report(done: TickReport) -> Report:
    kinds: Counter[str] = +done.due
    lines = [f"{done.due.total()} due, {done.done.total()} done."]
    lines += [f"  {kind}: {done.done[kind]} of {count}" for kind, count in sorted(kinds.items())]
    failed = done.failed.total()
    return Report(
        done.as_json(),
        lines,
        f"{failed} things failed; the log has the tracebacks, the next round tries again." if failed else "",
    )
