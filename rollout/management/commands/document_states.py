"""Write the state tables into the documentation."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from rollout.management.diagrams import document, renewed


class Command(BaseCommand):
    """Print the diagrams, or write them into docs/rollout.md."""

    help = "Print the state tables as diagrams and sentences; with --write renew them in docs/rollout.md."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to do with them."""
        parser.add_argument("--write", action="store_true", help="Write into docs/rollout.md.")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        """Print or write."""
        if not write:
            self.stdout.write(document())
            return
        page = Path(settings.BASE_DIR) / "docs" / "rollout.md"
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"{page.name} is current.")
