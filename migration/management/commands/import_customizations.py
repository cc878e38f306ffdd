"""Import the customizations of the old system."""

from typing import Any

from django.core.management.base import CommandParser

from migration.actions import import_customizations
from migration.management.imports import existing, import_report
from slots.management.base import Deed, PhoenixCommand, Report


class Command(PhoenixCommand):
    """Read JSON Lines and folders of diffs and write customizations."""

    help = "Import customizations from JSON Lines files, or from folders of USER/COMPONENT@BASE.diff."

    def add_options(self, parser: CommandParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="+", metavar="FILE", help="JSON Lines, one customization a line; or a folder.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Import and report."""
        paths = existing(options["files"])
        with self.ticking("customizations") as ticker:
            return import_report(import_customizations(paths, **deed.keywords(), progress=ticker.advance), dry_run=self.dry_run)
