"""System checks of slots: settings that name nothing, and components that code declares with mistakes.

They read no rows: a check also runs before there is a database. `manage.py slots check` looks at what is stored.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.template import TemplateSyntaxError
from django.utils.module_loading import import_string

from slots.actions import renderer
from slots.actions.component_files import read_definition
from slots.actions.drafts import WARNINGS
from slots.errors import OperationsInvalid, Refusal
from slots.markup import ops
from slots.markup.address import slot_map
from slots.markup.compose import compose
from slots.markup.declared import remarks
from slots.markup.tree import parse
from slots.registry import ComponentDefinition, ComponentRecord, SlotRegistry
from slots.renderer import RenderLimits

RESOLVERS: Final = ("SLOTS_PERSON_RESOLVER", "SLOTS_SYSTEM_RESOLVER", "SLOTS_RENDER_OBSERVER")


@register(Tags.compatibility)
def check_settings(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Find resolvers that are missing, cannot be imported or do not answer what they are asked."""
    found: list[CheckMessage] = []
    if not getattr(settings, "SLOTS_PERSON_RESOLVER", None):
        text = "SLOTS_PERSON_RESOLVER is not set: everybody is a stranger, so user and segment layers never show."
        hint = "Name a callable that takes the request's user and returns a slots.schema.PersonKey, or None for a stranger."
        found.append(checks.Warning(text, hint=hint, id="slots.W002"))
    for name in RESOLVERS:
        path = getattr(settings, name, None)
        if not path:
            continue
        try:
            named = import_string(path)
        except ImportError as error:
            found.append(Error(f"{name} = {path!r} cannot be imported: {error}.", hint="Mend the dotted path.", id="slots.E001"))
            continue
        asked = ("standing_query", "choose") if name == "SLOTS_SYSTEM_RESOLVER" else ("__call__",)
        lacking = [each for each in asked if not callable(getattr(named, each, None))]
        if lacking:
            hint = "slots.schema.SystemResolver says what it has to answer."
            found.append(Error(f"{name} = {path!r} has no {' and no '.join(lacking)}.", hint=hint, id="slots.E002"))
    capacity = getattr(settings, "SLOTS_COMPILED_TEMPLATES", 1)
    if not isinstance(capacity, int) or capacity < 1:
        hint = "2000 is the default; a compiled card takes about 30 kB."
        found.append(Error("SLOTS_COMPILED_TEMPLATES has to be a number from 1.", hint=hint, id="slots.E003"))
    try:
        RenderLimits.of(getattr(settings, "SLOTS_RENDER_LIMITS", {}))
    except ValueError as error:
        hint = 'Name the limits that differ, as in {"rounds": 5_000}; until then all are as they are by default.'
        found.append(Error(f"SLOTS_RENDER_LIMITS is wrong: {error}.", hint=hint, id="slots.E010"))
    return found


@register(Tags.templates)
def check_declared(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Find mistakes in the components that installed apps declare."""
    return check_registry(apps.get_app_config("slots").registry)  # type: ignore[attr-defined]


def check_registry(registry: SlotRegistry) -> list[CheckMessage]:
    """Find what cannot be read, does not compile or declares a slot twice."""
    found: list[CheckMessage] = []
    for definition in registry:
        if definition.folder and not Path(definition.folder).is_dir():
            text = f"Component {definition.key}: there is no folder {definition.folder}."
            found.append(Error(text, hint="Mend `folder` in slots.py.", id="slots.E004"))
            continue
        newest: ComponentRecord | None = None
        for source, _line, record in read_definition(definition):
            found.extend(_record_messages(source, record))
            newest = record if isinstance(record, ComponentRecord) else newest
        found.extend(_default_messages(definition, newest))
    return found


def _default_messages(definition: ComponentDefinition, newest: ComponentRecord | None) -> list[CheckMessage]:
    """Find default operations that cannot be read, or that do not fit the newest version."""
    if not definition.defaults or newest is None:
        return []
    subject = f"Component {definition.key}: its default operations"
    try:
        operations = ops.loads(json.dumps({"schema": ops.SCHEMA, "ops": list(definition.defaults)}))
    except OperationsInvalid as error:
        return [Error(f"{subject} cannot be read: {error}.", hint="Mend `defaults` in slots.py.", id="slots.E008")]
    base = parse(newest.source)
    found: list[CheckMessage] = []
    for issue in dict.fromkeys((*compose(base, operations).issues, *remarks(base, operations))):
        kind, number = (checks.Warning, "slots.W003") if issue.code in WARNINGS else (Error, "slots.E009")
        text = f"{subject} on {newest.version}: {issue.code} {issue.text}"
        found.append(kind(text, hint=issue.suggestion or "Mend `defaults` in slots.py.", id=number))
    return found


def _record_messages(source: str, record: ComponentRecord | Refusal) -> list[CheckMessage]:
    if isinstance(record, Refusal):
        return [Error(f"{source}: {record}", hint="Mend the file.", id="slots.E005")]
    subject = f"{record.key}@{record.version}"
    found: list[CheckMessage] = []
    names = Counter(slot.name.partition("#")[0] for slot in slot_map(record.source) if slot.kind == "declared")
    for name in (name for name, count in names.items() if count > 1):
        text = f"{subject} declares the slot {name!r} more than once."
        found.append(Error(text, hint="Give each slot a name of its own.", id="slots.E006"))
    try:
        renderer.template(record.source)
    except TemplateSyntaxError as error:
        found.append(Error(f"{subject} cannot be compiled: {error}.", hint="Mend the template.", id="slots.E007"))
    if not record.contract.get("names"):
        text = f"{subject} is given no names, so its template sees no values."
        found.append(checks.Warning(text, hint="List them under [contract] names.", id="slots.W001"))
    return found
