"""Import component versions from JSON Lines, from folders, or from what installed apps declare."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import CommandParser
from django.template.defaultfilters import pluralize

from slots.actions import ImportedComponent, Outcome, import_component, initialise_defaults, newest_version, set_current_version
from slots.actions.component_files import Found, read_definition, read_path
from slots.errors import Refusal
from slots.jobs import compose_later
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage, rejected_as_json
from slots.models import Component
from slots.registry import SlotRegistry


class Command(PhoenixCommand):
    """Import every record, report each bad one, and go on."""

    help = "Import component versions: JSON Lines files, folders KEY/VERSION/template.html, or --declared by installed apps."

    def add_options(self, parser: CommandParser) -> None:
        """Declare the sources."""
        parser.add_argument("paths", nargs="*", metavar="PATH", help="A .jsonl file or a folder.")
        parser.add_argument("--declared", action="store_true", help="Import what the slots.py of installed apps declare.")
        parser.add_argument(
            "--activate", action="store_true", help="Show the newest version of components that were there before, too."
        )

    def work(self, deed: Deed, *, paths: list[str], declared: bool, activate: bool, **options: Any) -> Report:
        """Import and say what became of each record."""
        if not paths and not declared:
            raise WrongUsage("Name a file or a folder, or give --declared.")
        missing = [path for path in paths if not Path(path).exists()]
        if missing:
            raise WrongUsage(f"There is no file or folder {', '.join(missing)}.", "FILE_UNKNOWN")
        registry: SlotRegistry = apps.get_app_config("slots").registry if declared else SlotRegistry()  # type: ignore[attr-defined]
        known = set(Component.objects.values_list("key", flat=True))
        counted: Counter[str] = Counter()
        rejected: list[tuple[str, Refusal]] = []
        touched: set[str] = set()
        with self.ticking("Components") as ticker:
            for source, line, record in _records(paths, registry):
                result = record if isinstance(record, Refusal) else import_component(record, at=deed.at, by=deed.by)
                ticker.advance()
                if isinstance(result, ImportedComponent):
                    counted[result.outcome] += 1
                    touched.add(result.version.component.key)
                else:
                    rejected.append((source, _at_line(result, line)))
        shown, waiting = _show_newest(touched, known if not activate else set(), deed)
        for definition in registry:
            component = Component.objects.filter(key=definition.key, current_version__isnull=False).first()
            if component is not None:
                initialise_defaults(component, operations=definition.defaults, **deed.keywords())
        return _report(counted, rejected, shown, waiting)


def _records(paths: list[str], registry: SlotRegistry) -> Iterator[Found]:
    for definition in registry:
        yield from read_definition(definition)
    for path in paths:
        yield from read_path(Path(path))


def _at_line(refusal: Refusal, line: int) -> Refusal:
    """Return the refusal with the line of the file; a line of the template goes into the sentence."""
    if not line or refusal.line == line:
        return refusal
    text = f"{refusal.text} (line {refusal.line} of the template)" if refusal.line else refusal.text
    return Refusal(refusal.code, line, text)


def _show_newest(touched: set[str], known: set[str], deed: Deed) -> tuple[list[str], list[str]]:
    """Make the newest version current where the component is new; return what is shown and what waits to be."""
    shown: list[str] = []
    waiting: list[str] = []
    for component in Component.objects.filter(key__in=touched).select_related("current_version"):
        newest = newest_version(component)
        if newest is None:
            continue
        name = f"{component.key}@{newest.version}"
        if component.key not in known:
            set_current_version(component, newest, at=deed.at, by=deed.by)
            compose_later(component)
            shown.append(name)
        elif component.current_version_id != newest.pk:
            waiting.append(name)
    return shown, waiting


def _report(counted: Counter[str], rejected: list[tuple[str, Refusal]], shown: list[str], waiting: list[str]) -> Report:
    data = {
        "imported": counted[Outcome.IMPORTED],
        "updated": counted[Outcome.UPDATED],
        "unchanged": counted[Outcome.UNCHANGED],
        "rejected": rejected_as_json(rejected),
        "current": shown,
        "waiting": waiting,
    }
    lines = [
        f"{counted[Outcome.IMPORTED]} imported, {counted[Outcome.UPDATED]} updated, {counted[Outcome.UNCHANGED]} unchanged, "
        f"{len(rejected)} rejected.",
        *(f"Now shown: {name}" for name in shown),
        *(f"Imported but not shown: {name}. Give --activate to show it." for name in waiting),
        *(f"{source}: {refusal}" for source, refusal in rejected),
    ]
    needs = ""
    if rejected:
        number = f"{len(rejected)} record{pluralize(rejected, ' was,s were')}"
        needs = f"{number} rejected; mend what is named above and import it again."
    return Report(data, lines, needs)
