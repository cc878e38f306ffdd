"""Do the main job on the sample shop, from import to roll-back, and print a report of it."""

import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any, Final, TextIO

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from phoenix.demo.accounts import LogIn, make_staff_accounts
from phoenix.demo.customers import FEWEST
from phoenix.demo.run import judging, loading, moving, telling
from phoenix.demo.run.pages import contexts_of
from phoenix.demo.run.printing import Printer
from phoenix.demo.run.setting import Setting
from phoenix.demo.shelf import read_shelf
from phoenix.embedded_queue import EmbeddedQueueFault, queue_server
from phoenix.processes import running, worker_program
from slots.management.base import PlainCommand, WrongUsage

PLAIN_WIDTH: Final = 132


class Command(PlainCommand):
    """Run the demo; exit code 1 where one of its expectations is not met."""

    help = "Do the main job on the sample shop: import, translate, validate, migrate, roll back, migrate again; print a report."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the size of everything."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print one JSON object on standard output.")
        parser.add_argument("--people", type=int, default=1250, metavar="N", help=f"How many people, at least {FEWEST}.")
        parser.add_argument("--seed", type=int, default=2026, metavar="N", help="The same seed makes the same people.")
        parser.add_argument("--wave", type=int, default=50, metavar="N", help="How many people the wave takes.")
        parser.add_argument("--workers", type=int, default=2, metavar="N", help="Worker processes.")

    def handle(self, *, as_json: bool, people: int, seed: int, wave: int, workers: int, **options: Any) -> None:
        """Run all steps, print, and leave with an honest exit code."""
        if people < FEWEST or wave < 2 or workers < 1:
            raise WrongUsage(f"The demo needs at least {FEWEST} people, a wave of 2 and one worker.")
        console = _console(sys.stderr if as_json else sys.stdout, no_color=bool(options.get("no_color")))
        printer = Printer(console)
        setting = Setting(
            printer=printer,
            clock=timezone.now,
            folder=settings.VAR_DIR / "demo",
            people=people,
            seed=seed,
            workers=workers,
            wave=wave,
        )
        started = time.perf_counter()
        try:
            with _counted_not_logged(), queue_server(settings.REDIS_URL, settings.VAR_DIR) as server:
                kind = "embedded queue" if server.embedded else "queue of REDIS_URL"
                printer.headline("Phoenix: the main job on the sample shop", f"{settings.DATABASES['default']['ENGINE']}, {kind}")
                log_ins = run(setting)
        except EmbeddedQueueFault as fault:
            raise CommandError(str(fault)) from fault
        seconds = time.perf_counter() - started
        printer.summary(seconds)
        failed = [check for step in printer.steps for check in step.failed]
        printer.closing(_closing(log_ins, seconds, len(failed)), is_good=not failed)
        if as_json:
            data = {"seconds": round(seconds, 3), "failed": len(failed), "steps": [step.as_json() for step in printer.steps]}
            self.stdout.write(json.dumps(data, ensure_ascii=False))
        if failed:
            raise CommandError(f"DEMO_DIFFERS: {len(failed)} expectations of the demo were not met; the report above names them.")


def run(setting: Setting) -> tuple[LogIn, ...]:
    """Do every step of the main job and return how to sign in afterwards."""
    shelf = read_shelf()
    moving.take_back_earlier_runs(setting)
    loading.load(setting, shelf)
    written = loading.export(setting, shelf)
    loading.import_export(setting, written)
    log_ins = make_staff_accounts()
    judging.translate(setting)
    judging.validate(setting)
    judging.judge(setting, written)
    contexts = contexts_of(shelf)
    moving.migrate_colleagues(setting, contexts)
    telling.begin(setting)
    pilot = moving.Pilot(setting, contexts, moving.choose_pilots(written, setting.wave))
    with contextlib.ExitStack() as workers:
        for number in range(1, setting.workers + 1):
            workers.enter_context(running(worker_program(number)))
        pilot.remember()
        pilot.migrate("Migrate a wave through the queue")
        pilot.compare()
        pilot.roll_one_back()
        pilot.roll_back()
        pilot.reopen()
        pilot.migrate("Migrate the wave again")
        pilot.compare()
        moving.hold_back(setting, contexts, moving.choose_staying(written))
    telling.measure(setting, pilot.planned_wave())
    telling.look_ahead(setting)
    return log_ins


def _console(stream: TextIO, *, no_color: bool) -> Console:
    """Return a console on the stream; into a file it is wide enough for the tables."""
    return Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH, no_color=no_color or None)


@contextlib.contextmanager
def _counted_not_logged() -> Iterator[None]:
    """Keep the legacy system's complaints out of the report: they are expected here, and the report counts them."""
    log = logging.getLogger("migration.actions.legacy")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _closing(log_ins: tuple[LogIn, ...], seconds: float, failed: int) -> list[str]:
    """Return what to read last: the verdict, how to open the site, and how to sign in."""
    verdict = f"[red]{failed} expectations were not met.[/red]" if failed else "[green]Everything is as expected.[/green]"
    width = max(len(each.name) for each in log_ins)
    return [
        f"[bold]{verdict}[/bold] {seconds:.1f} s in all.",
        "",
        "Open the site with [bold]make serve[/bold], then",
        "  http://127.0.0.1:8000/        the shop: choose any customer and see their page",
        "  http://127.0.0.1:8000/admin/  customizations, slots, waves",
        "",
        *(f"  {each.name:<{width}}  [bold]{each.password}[/bold]  {each.role}" for each in log_ins),
    ]
