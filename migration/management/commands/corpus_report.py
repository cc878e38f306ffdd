"""`corpus_report`: the engine against recorded customizations, beside git merge-file, GNU patch and xmldiff."""

import json
import os
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from migration.management.corpus import peers, tables
from migration.management.corpus.pool import measure_all
from migration.management.corpus.report import Report
from slots.errors import Refusal
from slots.management.base import PlainCommand, WrongUsage

PROGRESS_EVERY = 50


class Command(PlainCommand):
    """Measure the engine on a corpus of recorded customizations."""

    help = (
        "Translates every record of a corpus, carries it to later releases of its base and looks for results that are wrong, "
        "with git merge-file, GNU patch and xmldiff on the same input in the same run. Nothing is stored. Exits 1 when a "
        "record could not be measured."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the corpus, the details file and the form of the output."""
        parser.add_argument("file", type=Path, metavar="FILE.jsonl", help="the corpus, one JSON object a line")
        parser.add_argument(
            "--details", type=Path, metavar="OUT.jsonl", help="write sources, operations and outcomes of every pair"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="worker processes (default 2)")

    def handle(self, *, file: Path, details: Path | None, json: bool, processes: int, **options: Any) -> None:
        """Measure, print, and exit 1 when records were rejected."""
        try:
            with ExitStack() as stack:
                corpus = stack.enter_context(file.open("rb"))
                written = stack.enter_context(details.open("w", encoding="utf-8")) if details else None
                report = self._measure(corpus, written, processes)
        except OSError as error:
            raise WrongUsage(f"{error.filename}: {error.strerror}. Give the path of a readable corpus.") from error
        found = report.as_json()
        self.stdout.write(_compact(found) if json else "\n".join(tables.lines(found)))
        if report.rejected:
            sys.exit(1)

    def _measure(self, corpus: BinaryIO, details: TextIO | None, processes: int) -> Report:
        tools = peers.find_tools()
        report = Report(has_git=tools.git is not None, has_patch=tools.patch is not None)
        shows_progress = self.stderr.isatty()
        for count, row in enumerate(measure_all(corpus, tools, processes=processes), start=1):
            if isinstance(row, Refusal):
                report.reject(row)
            else:
                report.add(row)
                if details:
                    details.write(_compact(row) + "\n")
            if shows_progress and count % PROGRESS_EVERY == 0:
                self.stderr.write(f"\r{count} records", ending="")
        if shows_progress:
            self.stderr.write("")
        return report


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
