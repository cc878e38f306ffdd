"""What every command of Phoenix has in common: one JSON object, honest exit codes, a dry run that is the real run.

A command names its arguments in `add_options` and does its work in `work`, which returns a `Report`. The base reads the clock and
the acting name once, at the edge, and passes them down. Exit codes: 0 done; 1 a person is needed, or it was refused; 2 wrong
usage, which is also to name what is not there. Every refusal begins with its code, the one of `--json`.
"""

import getpass
import json
import os
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, ClassVar, Protocol, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from slots.errors import Refusal, SlotsError, Unknown


class WrongUsage(CommandError):
    """Say that the arguments make no sense together or name nothing there is; the exit code is 2."""

    def __init__(self, text: str, code: str = "WRONG_USAGE") -> None:
        """Keep the sentence and the code of `--json`."""
        super().__init__(f"{code}: {text}", returncode=2)
        self.code = code
        self.text = text


class NeedsPerson(CommandError):
    """Say that the command ran and left something for a person; the exit code is 1 and `report` is what was printed."""

    def __init__(self, text: str, report: "Report") -> None:
        """Keep the sentence and the whole report."""
        super().__init__(text, returncode=1)
        self.report = report


@dataclass(frozen=True, slots=True)
class Report:
    """Hold what a command has to say.

    `data` is the JSON object of `--json`; `lines` is the same for people. `needs_person` is a sentence with the next step, empty
    where all is well.
    """

    data: Mapping[str, Any]
    lines: Sequence[str] = field(default_factory=tuple)
    needs_person: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Say who does something, when, why, and under which act its history rows are kept: the keywords of every action."""

    by: str
    at: datetime
    reason: str
    act: uuid.UUID

    def keywords(self) -> dict[str, Any]:
        """Return the deed as keyword arguments of an action."""
        return {"by": self.by, "at": self.at, "reason": self.reason, "act": self.act}


class Ticker(Protocol):
    """Count what is done."""

    def advance(self, count: int = 1) -> None:
        """Add `count` to what is done."""
        ...


class _Quiet:
    def advance(self, count: int = 1) -> None:
        """Say nothing: nobody is watching."""


class _Bar:
    def __init__(self, progress: Progress, label: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=total)

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        self._progress.advance(self._task, count)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        return "command line"


class PlainCommand(BaseCommand):
    """Say what went wrong in a sentence."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Honour NO_COLOR (no-color.org) before Django decides about colours; on a terminal an error is a sentence.

        Django would put the class of the error in front of it, which tells its reader nothing.
        """
        if os.environ.get("NO_COLOR") and not options.get("force_color"):
            options["no_color"] = True
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            if not getattr(self, "_called_from_command_line", False) or options.get("traceback"):
                raise
            self.stderr.write(str(error))
            sys.exit(error.returncode)


class PhoenixCommand(PlainCommand):
    """Run one action and print its report.

    Subclasses set `changes_data` and write `add_options` and `work`; apps above slots add their own base fault to `faults`.
    """

    changes_data: bool = True
    faults: ClassVar[tuple[type[Exception], ...]] = (SlotsError,)
    requires_migrations_checks = False

    dry_run: bool = False
    as_json: bool = False

    def add_options(self, parser: CommandParser) -> None:
        """Declare the command's own arguments."""

    def work(self, *args: Any, **options: Any) -> Report:
        """Do the work and return what is to be said; subclasses take the deed and then their own options by name."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the shared arguments and the command's own."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print one JSON object on standard output.")
        if self.changes_data:
            parser.add_argument("--dry-run", action="store_true", help="Do everything, report it, and undo it.")
            parser.add_argument("--by", default="", help="Who does it, for the history; the log-in name if left out.")
            parser.add_argument("--reason", default="", help="Why, for the history.")
        self.add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Work, undo it after a dry run, print, and leave with an honest exit code."""
        self.as_json = options.pop("as_json")
        self.dry_run = bool(options.pop("dry_run", False))
        deed = Deed(
            by=options.pop("by", "") or _login(),
            at=timezone.now(),
            reason=options.pop("reason", "") or f"manage.py {self.name}",
            act=uuid.uuid4(),
        )
        try:
            report = self._work_undone(deed, options) if self.dry_run else self.work(deed, **options)
        except self.faults as fault:
            raise self._said(fault) from fault
        except WrongUsage as wrong:
            self._print_error(wrong.code, wrong.text)
            raise
        self._print(report)
        if report.needs_person:
            raise NeedsPerson(report.needs_person, report)

    @property
    def name(self) -> str:
        """Return the command's name as it is typed."""
        return type(self).__module__.rpartition(".")[2]

    @contextmanager
    def ticking(self, label: str, total: int | None = None) -> Iterator[Ticker]:
        """Show a bar on standard error while the block runs, where that is a terminal and no JSON is asked for."""
        stream = cast(IO[str], self.stderr._out)
        if not self.stderr.isatty():
            yield _Quiet()
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(file=stream), transient=True) as progress:
            yield _Bar(progress, label, total)

    def _work_undone(self, deed: Deed, options: Mapping[str, Any]) -> Report:
        with transaction.atomic():
            report = self.work(deed, **options)
            transaction.set_rollback(True)
        return report

    def _said(self, fault: Exception) -> CommandError:
        code = getattr(fault, "code", type(fault).__name__)
        self._print_error(code, str(fault))
        return CommandError(f"{code}: {fault}", returncode=2 if isinstance(fault, Unknown) else 1)

    def _print_error(self, code: str, text: str) -> None:
        if self.as_json:
            self.stdout.write(json.dumps({"error": {"code": code, "text": text}}, ensure_ascii=False))

    def _print(self, report: Report) -> None:
        if self.as_json:
            data = {**report.data, "dry_run": self.dry_run} if self.changes_data else report.data
            self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False))
            return
        for line in report.lines:
            self.stdout.write(line)
        if self.dry_run:
            self.stdout.write("Dry run: everything above was undone.")


def rejected_as_json(rejected: Sequence[tuple[str, Refusal]]) -> list[dict[str, str | int]]:
    """Return refused records as the JSON objects under `rejected`, each with the `source` it came from."""
    return [{"source": source, **refusal.as_json()} for source, refusal in rejected]
