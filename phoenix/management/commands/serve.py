"""Run everything that a site needs on one machine: pages, worker, reconciler and, where none is named, the queue."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from phoenix.embedded_queue import EmbeddedQueueFault, queue_server
from phoenix.processes import Program, run_together, worker_program


class Command(BaseCommand):
    """Run the site until Ctrl-C or SIGTERM."""

    help = "Run the site, its workers, the reconciler and the embedded queue until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where to listen and how many processes to start."""
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="Where the site listens.")
        parser.add_argument("--web", type=int, default=2, metavar="N", help="Processes that serve pages.")
        parser.add_argument("--workers", type=int, default=1, metavar="N", help="Processes that work off the queue.")

    def handle(self, *, bind: str, web: int, workers: int, **options: Any) -> None:
        """Start everything, wait, and stop what was started."""
        site = [sys.executable, "-m", "gunicorn", "phoenix.wsgi", "--bind", bind, "--workers", str(web), "--log-level", "warning"]
        programs = [
            Program("site", (*site, "--reload") if settings.DEBUG else tuple(site)),
            *(worker_program(number) for number in range(1, workers + 1)),
            Program.command("reconciler", "tick", "--loop"),
        ]
        try:
            with queue_server(settings.REDIS_URL, settings.VAR_DIR) as server:
                self.say(f"queue: {'embedded, ' if server.embedded else ''}{'started' if server.started else 'already running'}")
                self.say(f"Open http://{bind}/ and http://{bind}/admin/ · Ctrl-C stops everything.")
                ended = run_together(programs, say=self.say)
        except EmbeddedQueueFault as fault:
            raise CommandError(str(fault)) from fault
        if ended:
            raise CommandError(
                f"SERVE_PROCESS_ENDED: {ended.name} ended by itself, so the rest was stopped. Its last lines are above."
            )
        self.say("Stopped.")

    def say(self, line: str) -> None:
        """Print a line at once, also into a pipe."""
        self.stdout.write(line)
        self.stdout.flush()
