"""Choosing the customizations that a command works on."""

from collections.abc import Sequence
from typing import Any, Final

from django.core.management.base import CommandParser

from migration.actions import Need
from migration.errors import MigrationError
from migration.jobs import enqueue
from migration.models import Customization, CustomizationQuerySet, Person
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage
from slots.models import Component
from slots.schema import DEFAULT_TENANT

SHOWN: Final = 10


class OnCustomizations(PhoenixCommand):
    """Work on chosen customizations, at once or through the queue."""

    faults = (SlotsError, MigrationError)

    def add_options(self, parser: CommandParser) -> None:
        """Take what chooses."""
        parser.add_argument("--all", action="store_true", dest="everything", help="Every customization.")
        parser.add_argument("--component", action="append", default=[], metavar="KEY", help="Those of a component; repeatable.")
        parser.add_argument("--user", action="append", default=[], metavar="USER", help="Those of a person; repeatable.")
        parser.add_argument("--tenant", default=DEFAULT_TENANT, help="Whose users --user names.")
        parser.add_argument("--async", action="store_true", dest="later", help="Leave the work to the workers of the queue.")

    def chosen(self, **options: Any) -> CustomizationQuerySet:
        """Return the customizations that the options choose; a name that nobody has is wrong usage."""
        components, users = options["component"], options["user"]
        if options["everything"] == bool(components or users):
            raise WrongUsage("Name what to work on: --all, or --component KEY, or --user USER.")
        found = Customization.objects.order_by("pk")
        for key in components:
            if not Component.objects.filter(key=key).exists() and not found.filter(component_key=key).exists():
                raise WrongUsage(
                    f"No component and no customization is of {key!r}. `manage.py slots list` names the components.",
                    code="COMPONENT_UNKNOWN",
                )
        for user in users:
            if not Person.objects.filter(tenant=options["tenant"], user=user).exists():
                raise WrongUsage(
                    f"Nobody is called {user!r} in the tenant {options['tenant']!r}. "
                    "`manage.py import_people` and `import_customizations` make people known.",
                    code="PERSON_UNKNOWN",
                )
        if components:
            found = found.filter(component_key__in=components)
        return found.filter(person__tenant=options["tenant"], person__user__in=users) if users else found

    def left_to_workers(self, job: Any, deed: Deed, chosen: CustomizationQuerySet) -> Report:
        """Enqueue the work in chunks and say so."""
        total = chosen.count()
        jobs = enqueue(job, list(chosen.values_list("pk", flat=True)), by=deed.by, reason=deed.reason)
        return Report({"total": total, "jobs": jobs}, [f"Left {total} customizations to the workers, in {jobs} jobs."])


def needs_lines(needs: Sequence[Need]) -> list[str]:
    """Return the first of those that wait for somebody, one a line, and how many more there are."""
    lines = [f"  {need}" for need in needs[:SHOWN]]
    return [*lines, f"  … and {len(needs) - SHOWN} more; --json lists them all."] if len(needs) > SHOWN else lines
