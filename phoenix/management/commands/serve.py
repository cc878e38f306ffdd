"""Run everything that a site needs on one machine: pages, worker, reconciler and, where none is named, the queue."""

import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from phoenix.embedded_queue import EmbeddedQueueFault, queue_server
from phoenix.processes import Program, run_together, worker_program
from slots.management.base import PlainCommand, WrongUsage

HIGHEST_PORT = 65535


class Command(PlainCommand):
    """Run the site until Ctrl-C or SIGTERM."""

    help = "Run the site, its workers, the reconciler and the embedded queue until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where to listen and how many processes to start."""
        parser.add_argument(
            "--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="Where the site listens (default: %(default)s)."
        )
        parser.add_argument(
            "--web", type=int, default=2, metavar="N", help="Processes that serve pages, at least 1 (default: %(default)s)."
        )
        parser.add_argument(
            "--workers", type=int, default=1, metavar="N",
            help="Processes that work off the queue, at least 1 (default: %(default)s).",
        )  # fmt: skip

    def handle(self, *, bind: str, web: int, workers: int, **options: Any) -> None:
        """Check what is asked for, start everything, wait, and stop what was started."""
        address = _address(bind)
        for name, number in (("--web", web), ("--workers", workers)):
            if number < 1:
                raise WrongUsage(f"{name} is {number}, and has to be at least 1.")
        _claim(address, bind)
        site = [sys.executable, "-m", "gunicorn", "phoenix.wsgi", "--bind", bind, "--workers", str(web), "--log-level", "warning"]
        programs = [
            Program("site", (*site, "--reload") if settings.DEBUG else tuple(site)),
            *(worker_program(number) for number in range(1, workers + 1)),
            Program.command("reconciler", "tick", "--loop"),
        ]
        try:
            with queue_server(settings.REDIS_URL, settings.VAR_DIR) as server:
                self.say(f"queue: {'embedded, ' if server.embedded else ''}{'started' if server.started else 'already running'}")
                ready = f"Open http://{bind}/ and http://{bind}/admin/ · Ctrl-C stops everything."
                ended = run_together(programs, say=self.say, is_ready=lambda: _listens(address), ready=ready)
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


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (host and port.isascii() and port.isdecimal() and 1 <= int(port) <= HIGHEST_PORT):
        raise WrongUsage(f"--bind is {bind!r}, and has to be HOST:PORT, for example 127.0.0.1:8123.")
    return host, int(port)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _claim(address: tuple[str, int], bind: str) -> None:
    """Refuse an address that the site could not listen at; taken and let go at once."""
    host, _ = address
    try:
        with socket.socket(_family(host)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as fault:
        raise CommandError(
            f"SERVE_ADDRESS_REFUSED: The site cannot listen at {bind}: {fault.strerror}. Stop what listens there, or name "
            "another address: --bind 127.0.0.1:8123"
        ) from fault


def _listens(address: tuple[str, int]) -> bool:
    host, port = address
    try:
        with socket.create_connection(({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port), timeout=1):  # noqa: S104
            return True
    except OSError:
        return False
