"""Developer tooling: which slots there are, where a value comes from, what is wrong, whom a new version affects; two helpers."""

from argparse import SUPPRESS
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandParser
from django.db import transaction
from django.template.defaultfilters import pluralize

from slots.actions.checking import Problem, check_components
from slots.actions.condensing import Condensation, condense_component
from slots.actions.explaining import Explanation, explain
from slots.actions.people import is_known
from slots.actions.scaffolding import scaffold, write_scaffold
from slots.actions.upgrades import impact, plan_upgrade
from slots.errors import ComponentUnknown, VersionUnknown
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage
from slots.management.impact import impact_lines
from slots.markup.address import slot_nodes
from slots.markup.declaration import declarations
from slots.markup.tree import parse
from slots.models import Component, ComponentVersion, Layer, SlotConfiguration
from slots.schema import DEFAULT_TENANT, PersonKey

DECLARED: Final = ("kinds", "required", "many", "aliases", "deprecated")  # what `slots list` shows of a declaration


class Command(PhoenixCommand):
    """Look at slots (list, explain, check, impact), make configurations shorter (condense), begin a component (scaffold)."""

    help = (
        "List slots of components, explain a person's effective configuration, check components and configurations, show whom a "
        "new version affects; reduce configurations made by hand to their net effect; make the files of a new component."
    )
    changes_data = False

    def add_options(self, parser: CommandParser) -> None:
        """Declare the subcommands; each also takes --json after its name."""
        kinds = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        listing = kinds.add_parser("list", help="Show declared and derived slots.")
        listing.add_argument("component", nargs="?", default="", help="The component's key; all where left out.")
        listing.add_argument("--version", dest="component_version", default="", help="Another than the current version.")
        listing.add_argument("--declared", action="store_true", help="Leave the derived slots out.")
        explaining = kinds.add_parser("explain", help="Show for each value which layer it comes from.")
        explaining.add_argument("component", help="The component's key.")
        explaining.add_argument("--user", default="", help="Whose; a stranger's where left out.")
        explaining.add_argument("--tenant", default=DEFAULT_TENANT)
        checking = kinds.add_parser("check", help="Check sources, sample pages and configurations.")
        checking.add_argument("component", nargs="?", default="", help="The component's key; all where left out.")
        affecting = kinds.add_parser("impact", help="Show who a new version affects, before it is live.")
        affecting.add_argument("component", help="The component's key.")
        affecting.add_argument("component_version", metavar="version", help="The version that is to be shown.")
        condensing = kinds.add_parser("condense", help="Reduce configurations made by hand to their net effect.")
        condensing.add_argument("component", nargs="?", default="", help="The component's key; all where left out.")
        condensing.add_argument("--by", default=SUPPRESS, help="Who does it, for the history; the log-in name if left out.")
        condensing.add_argument("--reason", default=SUPPRESS, help="Why, for the history.")
        making = kinds.add_parser("scaffold", help="Make template, contract and sample of a new component.")
        making.add_argument("component", help="Its key, such as shop.teaser.")
        making.add_argument("--version", dest="component_version", default="1.0", help="The version's name, 1.0 if left out.")
        making.add_argument("--from", dest="template", type=Path, help="A Django template to begin with.")
        making.add_argument("--into", type=Path, default=Path("components"), help="The folder to write to, components.")
        for each in (condensing, making):
            each.add_argument("--dry-run", action="store_true", default=SUPPRESS, help="Report it and change nothing.")
        for each in (listing, explaining, checking, affecting, condensing, making):
            each.add_argument("--json", action="store_true", dest="as_json", default=SUPPRESS, help="Print one JSON object.")

    def work(self, deed: Deed, *, subcommand: str, **options: Any) -> Report:
        """Run one subcommand."""
        self.changes_data = subcommand in ("condense", "scaffold")
        return SUBCOMMANDS[subcommand](deed, **options, dry_run=self.dry_run)


def _components(key: str) -> list[Component]:
    found = list(Component.objects.filter(**({"key": key} if key else {})).select_related("current_version"))
    if key and not found:
        raise ComponentUnknown(key)
    return found


def _list(deed: Deed, *, component: str, component_version: str, declared: bool, **_: Any) -> Report:
    listed: list[dict[str, Any]] = []
    lines: list[str] = []
    for each in _components(component):
        version = _version(each, component_version)
        entries = [slot for slot in _slots(version) if not declared or slot["kind"] == "declared"] if version else []
        name = f"{each.key}@{version.version}" if version else f"{each.key} (no current version)"
        listed.append({"component": each.key, "version": version.version if version else None, "slots": entries})
        lines.append(f"{name}: {len(entries)} slot{pluralize(entries)}")
        lines.extend(f"  line {slot['line']:>4}  {slot['kind']:<8}  {slot['name']}{_declared(slot)}" for slot in entries)
    return Report({"components": listed}, lines or ["No components. `manage.py import_components PATH` brings them in."])


def _slots(version: ComponentVersion) -> Iterator[dict[str, Any]]:
    """Yield the entries of the slot map, those of declared slots with all that their tags declare."""
    tree = parse(version.source)
    declared = declarations(tree)
    named = {name: declared[node.order] for name, node in slot_nodes(tree).items() if node.order in declared}
    for slot in version.slot_map:
        found = named.get(slot["name"])
        yield {**slot, **{name: getattr(found, name) for name in DECLARED}} if found else slot


def _declared(slot: Mapping[str, Any]) -> str:
    """Return what a slot declares as a tag says it; nothing of a derived one, and nothing of what is left out."""
    words = [f'{name}="{" ".join(slot[name])}"' for name in ("kinds", "aliases") if slot.get(name)]
    words += [name for name in ("required", "many") if slot.get(name)]
    words += [f'deprecated="{slot["deprecated"]}"'] if slot.get("deprecated") else []
    return "".join(f"  {word}" for word in words)


def _version(component: Component, name: str) -> ComponentVersion | None:
    if not name:
        return component.current_version
    found = component.versions.filter(version=name).first()
    if found is None:
        raise VersionUnknown(component.key, name)
    return found


def _explain(deed: Deed, *, component: str, user: str, tenant: str, **_: Any) -> Report:
    person = PersonKey(tenant, user) if user else None
    doubt = _doubt(person) if person else ""
    explained: Explanation = explain(component, person)
    lines = [f"{component}@{explained.version}, {explained.system}"]
    if explained.system != "slots":
        lines.append(f"  {person} is on {explained.system}: none of this shows to them now.")
    lines.extend(f"  layer {layer}" for layer in explained.layers)
    for value, words in zip(explained.effective.values, explained.words, strict=True):
        by = f", {value.provenance.by}" if value.provenance.by else ""
        at = f", {value.provenance.at:%Y-%m-%d %H:%M} UTC" if value.provenance.at else ""
        lines.append(f"  {value.operation.address.name}  {words}")
        lines.append(f"      {value.provenance}, revision {value.provenance.revision or 'unknown'}{by}{at}")
    lines.extend(f"  {issue.code}: {issue.text} {issue.suggestion}" for issue in explained.issues)
    if not explained.effective.values:
        lines.append("  Nothing lies over the base.")
    lines.extend(f"  {sentence}" for sentence in (doubt,) if sentence)
    return Report(explained.as_json(), lines)


def _doubt(person: PersonKey) -> str:
    """Return a sentence where nobody could know the person: slots keeps no list of people.

    Raises:
        WrongUsage: whoever could know them does not.
    """
    own = SlotConfiguration.objects.filter(layer=Layer.USER, tenant=person.tenant, key=person.user)
    known = own.exists() or is_known(person)
    if known is None:
        return f"No layer and no segment names {person}: if the name is right, they see what everybody sees."
    if not known:
        text = f"Nobody knows {person}, and no layer and no segment names them. Look whether the name is right."
        raise WrongUsage(text, "PERSON_UNKNOWN")
    return ""


def _check(deed: Deed, *, component: str, **_: Any) -> Report:
    components = _components(component)
    problems: list[Problem] = check_components(components, at=deed.at)
    data = {"components": len(components), "problems": [problem.as_json() for problem in problems]}
    lines = [
        f"{len(components)} component{pluralize(components)}, {len(problems)} problem{pluralize(problems)}.",
        *(str(problem) for problem in problems),
    ]
    needed = f"{len(problems)} problem{pluralize(problems, ' needs,s need')} somebody; each says what to do." if problems else ""
    return Report(data, lines, needed)


def _impact(deed: Deed, *, component: str, component_version: str, **_: Any) -> Report:
    """Plan the upgrade and take the plan back: nothing stays in the database."""
    (each,) = _components(component)
    with transaction.atomic():
        upgrade = plan_upgrade(each, component_version, **deed.keywords())
        found = impact(upgrade)
        transaction.set_rollback(True)
    return Report(found.as_json(), impact_lines(found))


def _condense(deed: Deed, *, component: str, **_: Any) -> Report:
    found = {each.key: condense_component(each, **deed.keywords()) for each in _components(component)}
    sums = {name: sum(getattr(each, name) for each in found.values()) for name in Condensation.__slots__}
    lines = [
        f"{_some(sums['total'], 'configuration')} made by hand, {sums['distinct']} distinct with "
        f"{_some(sums['operations'], 'operation')}: {sums['condensed']} condensed, {_some(sums['dropped'], 'operation')} dropped."
    ]
    if sums["needed"]:
        stays = pluralize(sums["needed"], "stays as it is,stay as they are")
        says = pluralize(sums["needed"], "it says,they say")
        lines.append(f"{sums['needed']} {stays}: over the layers below {says} something.")
    unreadable = sums["unreadable"]
    needed = f"{unreadable} cannot be read; `slots check` names them." if unreadable else ""
    return Report({**sums, "components": {key: asdict(each) for key, each in found.items()}}, lines, needed)


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}{pluralize(count)}"


def _scaffold(
    deed: Deed, *, component: str, component_version: str, template: Path | None, into: Path, dry_run: bool, **_: Any
) -> Report:
    try:
        source = template.read_text("utf-8") if template else ""
    except OSError as error:
        raise WrongUsage(f"{template} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise WrongUsage(f"{template} is no text in UTF-8: {error.reason} at byte {error.start}.") from error
    made = scaffold(component, component_version, source)
    paths = [str(into / made.key / made.version / name) for name in made.files]
    if not dry_run:
        paths = [str(path) for path in write_scaffold(made, into)]
    data = {"component": made.key, "version": made.version, "files": paths, "names": list(made.names)}
    needs = ", ".join(made.names) or "nothing"
    lines = [*paths, f"The template is given {needs}.", f"Look at the contract, then: manage.py import_components {into}"]
    return Report(data, lines)


SUBCOMMANDS: dict[str, Callable[..., Report]] = {
    "list": _list,
    "explain": _explain,
    "check": _check,
    "impact": _impact,
    "condense": _condense,
    "scaffold": _scaffold,
}
