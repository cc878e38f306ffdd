"""Import measurements that the rollout's own rows do not hold."""

from typing import Any

from django.core.management.base import CommandParser

from migration.management.imports import existing
from rollout.actions.samples import import_samples
from rollout.errors import RolloutError
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, rejected_as_json


class Command(PhoenixCommand):
    """Read JSON Lines and keep samples."""

    help = (
        "Import samples from JSON Lines files: metric, numerator, denominator, count, taken_at, source; and, where it applies, "
        "key, arm, plan, phase, note. A key of a source is taken once."
    )
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="+", metavar="FILE", help="JSON Lines, one sample a line.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Import and report."""
        done = import_samples(existing(options["files"], folders=False), by=deed.by, at=deed.at)
        rejected = rejected_as_json(done.rejected)
        data = {"imported": done.imported, "unchanged": done.unchanged, "rejected": rejected}
        lines = [f"Imported {done.imported}, unchanged {done.unchanged}."]
        lines += [f"{source}:{each.line} {each.code}: {each.text}" for source, each in done.rejected]
        return Report(data, lines, f"{len(rejected)} samples were refused; correct them and import again." if rejected else "")
