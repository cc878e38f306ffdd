"""Fill the sample shop, without migrating anybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from migration.actions import import_customizations, import_people
from phoenix.demo.accounts import make_customer_accounts
from phoenix.demo.customers import FEWEST, TooFewPeople, customers
from phoenix.demo.exports import write_export
from phoenix.demo.shelf import read_shelf
from phoenix.demo.shop import ShopBroken, load_components
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage


class Command(PhoenixCommand):
    """Load components with their defaults, people with accounts, and their customizations."""

    help = "Load the sample shop: components with their default configurations, people, accounts, customizations."
    faults = (SlotsError, ShopBroken)

    def add_options(self, parser: CommandParser) -> None:
        """Take how many people, and the seed."""
        parser.add_argument("--people", type=int, default=1250, metavar="N", help=f"How many people, at least {FEWEST}.")
        parser.add_argument("--seed", type=int, default=2026, metavar="N", help="The same seed makes the same people.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Load everything; diffs that cannot be used are part of the sample and no reason to fail."""
        shelf = read_shelf()
        loaded = load_components(shelf, **deed.keywords())
        with self._folder() as folder:
            try:
                with self.ticking("export", options["people"]):
                    people = customers(shelf, seed=options["seed"], people=options["people"])
                    export = write_export(folder, people, with_bad_lines=False)
            except TooFewPeople as error:
                raise WrongUsage(str(error)) from error
            with self.ticking("people", export.customers) as ticker:
                persons = import_people([export.people], **deed.keywords(), progress=ticker.advance)
            with self.ticking("customizations", len(export.records)) as ticker:
                files = [export.customizations, export.folder]
                customizations = import_customizations(files, **deed.keywords(), progress=ticker.advance)
        accounts = make_customer_accounts()
        data = {
            "components": loaded.components,
            "versions": loaded.versions,
            "defaults": loaded.defaults,
            "people": persons.as_json(),
            "accounts": accounts,
            "customizations": customizations.as_json(),
        }
        lines = [
            f"{loaded.components} components in {loaded.versions} versions, {loaded.defaults} default configurations.",
            f"{persons.imported} people imported, {persons.unchanged} unchanged; {accounts} accounts made.",
            f"{customizations.imported} customizations imported, {customizations.unchanged} unchanged,"
            f" {len(customizations.rejected)} stored although they cannot be used.",
            "Next: manage.py translate --all, or make demo.",
        ]
        return Report(data, lines)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """Hand out where the export is written: a folder that stays, or for a dry run one that is gone afterwards."""
        if self.dry_run:
            with TemporaryDirectory() as folder:
                yield Path(folder)
        else:
            yield settings.VAR_DIR / "demo"
