"""Start the process of a contestant and talk to it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings

RENDER: Final = "phoenix.management.bench.render.worker"
ROLLOUT: Final = "phoenix.management.bench.rollout.worker"
# Nothing else of the caller's environment gets in: no database, no keys.
KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")


class WorkerEnded(Exception):
    """The process of a contestant ended before it was told to; the text is the last that it had to say."""


class Worker:
    """Hold the other end of a contestant's process."""

    def __init__(self, name: str, process: "subprocess.Popen[str]", errors: Path) -> None:
        """Keep the process and the file that it writes its errors into, and wait until it is ready."""
        self.name = name
        self._process = process
        self._errors = errors
        self.contestants: list[str] = self._answer()["ready"]

    def ask(self, *order: Any) -> dict[str, Any]:
        """Give an order and return the answer.

        Raises:
            WorkerEnded: the process ended instead.
        """
        pipe = self._process.stdin
        try:
            print(json.dumps(order), file=pipe, flush=True)
        except BrokenPipeError as broken:
            raise WorkerEnded(self._last_words()) from broken
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise WorkerEnded(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        self._process.wait()
        said = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"{self.name}: {said[-1] if said else 'it ended without a word'}"


@contextmanager
def started(name: str, folder: Path, environment: Mapping[str, str], module: str = RENDER) -> Iterator[Worker]:
    """Run a contestant's process for a while; `module` is what it runs.

    Raises:
        WorkerEnded: it did not get ready.
    """
    errors = folder / f"{name}.log"
    kept = {variable: os.environ[variable] for variable in KEPT if variable in os.environ}
    with errors.open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - own arguments
            [sys.executable, "-m", module, name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=settings.BASE_DIR,
            env={**kept, **environment},
            text=True,
            encoding="utf-8",
        )
        with process:
            try:
                yield Worker(name, process, errors)
            finally:
                process.kill()
