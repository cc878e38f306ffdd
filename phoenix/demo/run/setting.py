"""What the steps of the demo share: who acts, the clock, where files go, and how a command of Phoenix is run."""

import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from phoenix.demo.accounts import APPROVER, OPERATOR
from phoenix.demo.run.printing import Printer


@dataclass(frozen=True, slots=True)
class Setting:
    """Hold what a run of the demo is made with; `clock` tells the time at the edge."""

    printer: Printer
    clock: Callable[[], datetime]
    folder: Path
    people: int
    seed: int
    workers: int
    wave: int
    operator: str = OPERATOR
    approver: str = APPROVER

    def deed(self, reason: str) -> dict[str, Any]:
        """Return the keywords of an action that the operator does now."""
        return {"by": self.operator, "at": self.clock(), "reason": reason}

    def traced_deed(self, reason: str) -> dict[str, Any]:
        """Return the same with an act of its own, for actions that write history."""
        return {**self.deed(reason), "act": uuid.uuid4()}


def run_command(*words: str) -> tuple[int, dict[str, Any]]:
    """Run a command with `--json` in this process; return its exit code and its object."""
    out = io.StringIO()
    try:
        call_command(*words, "--json", stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue() or "{}")
    return 0, json.loads(out.getvalue())
