"""Start the process that plays, wait for its report, and say in words where there is none."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rollout.errors import RehearsalBroken, RehearsalNotPossible, RehearsalTooSlow
from rollout.rehearsal.orders import Order

PATIENCE: Final = 600.0  # seconds
LAST_WORDS: Final = 600  # characters of what a process said that died
MODULE: Final = "rollout.rehearsal"
NEEDED: Final = frozenset(
    "completed digest events violations phases gate_trips notices rollbacks worst_rollback_s wall_s".split()
)


def play_apart(order: Order, file: Path, *, patience: float = PATIENCE, module: str = MODULE) -> dict[str, Any]:
    """Play an order in a process of its own whose only database is the file, and return the report.

    Raises:
        RehearsalTooSlow: it took longer than `patience` seconds, and was stopped.
        RehearsalNotPossible: it found that the order cannot be played.
        RehearsalBroken: it died, or what it printed is no report.
    """
    command = [sys.executable, "-m", module, str(file), json.dumps(order.as_json())]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module; the order is data
            command, env=_environment(file), capture_output=True, text=True, encoding="utf-8", timeout=patience, check=False
        )
    except subprocess.TimeoutExpired as slow:
        raise RehearsalTooSlow(patience) from slow
    if done.returncode:
        raise RehearsalBroken(f"its process ended with {done.returncode}. {_last_words(done.stderr)}")
    return _report(done.stdout)


def _environment(file: Path) -> Mapping[str, str]:
    """Return our own environment with the scratch file as the database and a queue that nobody serves."""
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{file}",
        "REDIS_URL": f"unix://{file.parent / 'no-queue'}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONHASHSEED": "0",
    }


def _report(text: str) -> dict[str, Any]:
    try:
        report = json.loads(text)
    except ValueError as malformed:
        raise RehearsalBroken(f"its process printed no JSON, but {text[:LAST_WORDS]!r}.") from malformed
    if isinstance(report, dict) and isinstance(report.get("error"), str):
        if report.get("code") == RehearsalNotPossible.code:
            raise RehearsalNotPossible.as_told(report["error"])
        raise RehearsalBroken(report["error"])
    if not isinstance(report, dict) or (missing := NEEDED - report.keys()):
        lacking = ", ".join(sorted(missing)) if isinstance(report, dict) else "everything"
        raise RehearsalBroken(f"what its process printed lacks {lacking}.")
    return report


def _last_words(text: str) -> str:
    words = text.strip()[-LAST_WORDS:]
    return f"Its last words: {words}" if words else "It said nothing."
