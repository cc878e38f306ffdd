"""Start the site's processes, watch them, and end exactly those again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final

from django.conf import settings

GRACE: Final = 20.0  # seconds to finish a request or a job after being asked to stop
PAUSE: Final = 0.2  # seconds between two looks at the children


@dataclass(frozen=True, slots=True)
class Program:
    """Name a process and what it runs."""

    name: str
    arguments: tuple[str, ...]

    @classmethod
    def command(cls, name: str, *arguments: str) -> "Program":
        """Return the program that runs a Django command with the interpreter and the settings of this process."""
        return cls(name, (sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments))


def worker_program(number: int = 1) -> Program:
    """Return an RQ worker of Phoenix's one queue; with its scheduler, because a retry after a pause is a scheduled job."""
    return Program.command(f"worker {number}", "rqworker", settings.QUEUE_NAME, "--with-scheduler", "--verbosity", "0")


@contextlib.contextmanager
def running(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """Run `program` while the block runs, then ask it to stop, and insist after `GRACE` seconds.

    It gets a process group of its own: Ctrl-C reaches us alone, and a worker is told once, which lets it finish its job; told
    twice it would drop it.
    """
    process = subprocess.Popen(program.arguments, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 - our own arguments
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):  # a worker that was killed leaves its scheduler in the group
            os.killpg(process.pid, signal.SIGKILL)


def run_together(
    programs: Sequence[Program],
    *,
    say: Callable[[str], None],
    is_ready: Callable[[], bool] = lambda: False,
    ready: str = "",
) -> Program | None:
    """Run the programs until one ends by itself, which is returned, or until SIGINT or SIGTERM asks us to stop: None.

    `ready` is said once, as soon as `is_ready` is true while all of them run.

    Only the main thread may call this, because it handles signals; the former handlers are put back.
    """
    stop_asked = False
    is_awaited = bool(ready)

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stop_asked
        stop_asked = True

    with contextlib.ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, ask_to_stop))
        children = {program: stack.enter_context(running(program)) for program in programs}
        for program, child in children.items():
            say(f"{program.name}: process {child.pid}")
        while not stop_asked:
            for program, child in children.items():
                if child.poll() is not None:
                    return program
            if is_awaited and is_ready():
                say(ready)
                is_awaited = False
            time.sleep(PAUSE)
    return None
