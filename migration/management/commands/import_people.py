"""Import the people of the old system."""

from typing import Any

from django.core.management.base import CommandParser

from migration.actions import import_people
from migration.management.imports import existing, import_report
from slots.management.base import Deed, PhoenixCommand, Report


class Command(PhoenixCommand):
    """Read JSON Lines and write people."""

    help = "Import people from JSON Lines files."

    def add_options(self, parser: CommandParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="+", metavar="FILE", help="JSON Lines, one person a line.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Import and report."""
        paths = existing(options["files"], folders=False)
        with self.ticking("people") as ticker:
            return import_report(import_people(paths, **deed.keywords(), progress=ticker.advance), dry_run=self.dry_run)
