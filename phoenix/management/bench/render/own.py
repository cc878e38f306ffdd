"""What runs in Phoenix's own process: slots, the legacy system, the fork, and Django's blocks.

A page is shown as a site shows it: a compiled template with `{% render_component %}`, and a request whose person was looked up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpRequest
from django.template import Context, Template, engines
from django.test import RequestFactory

from migration.actions.legacy import LegacyRenderer, apply_as_legacy, compile_legacy
from migration.engine import diff
from migration.engine.patch import Patched
from migration.models import Customization, Person
from phoenix.management.bench.render import card
from phoenix.management.bench.render.scenes import Scenes
from rollout.switch import SystemResolver
from slots.actions import Placement, import_component, install_configuration, save_body, set_current_version
from slots.errors import Refusal
from slots.markup import ops
from slots.markup.address import describe
from slots.markup.policy import judge
from slots.markup.tree import parse
from slots.models import ComponentVersion, Origin
from slots.registry import ComponentRecord
from slots.renderer import render_template
from slots.schema import OtherSystem, PersonKey, StandingRow

AT: Final = datetime(2026, 11, 2, 9, tzinfo=UTC)
BY: Final = "bench"
# Which system the page of a person is shown by; the name is the person's.
SLOTS: Final = PersonKey("default", "bob")
LEGACY: Final = PersonKey("default", "legacy")
UNCACHED: Final = PersonKey("default", "uncached")


class CardRefused(Exception):
    """The benchmark's own card is not what it is said to be; the text says in what."""


class Uncached(LegacyRenderer):
    """Parse the diff, patch and compile at every render, as the original system did."""

    def render(self, component: str, version: str, source: str, context: Mapping[str, Any]) -> str:
        """Return the component's HTML."""
        text, _ = self._diffs[component]
        patched = apply_as_legacy(source, text)
        if not isinstance(patched, Patched):
            raise CardRefused(f"the diff does not apply: {patched}")
        return str(render_template(compile_legacy(patched.source), dict(context)))


class Resolver(SystemResolver):
    """Ask what the rollout asks, and put each person on the system that they are named after."""

    def choose(self, person: PersonKey, rows: Sequence[StandingRow]) -> OtherSystem | None:
        """Return the system by the person's name, after the rollout's own decision was made."""
        super().choose(person, rows)
        if person == LEGACY:
            return LegacyRenderer(person)
        return Uncached(person) if person == UNCACHED else None


def prepare() -> ComponentVersion:
    """Make the tables, the component, one person's configuration of it and the same change as two people's diffs."""
    call_command("migrate", verbosity=0)
    record = ComponentRecord(card.KEY, "1.0", card.base(), contract={"names": ["product"]})
    imported = import_component(record, at=AT, by=BY)
    if isinstance(imported, Refusal):
        raise CardRefused(str(imported))
    version = imported.version
    set_current_version(version.component, version, at=AT, by=BY)
    operations = overriding(card.OVERRIDES)
    refused = judge(operations, version.terms, version.source)
    if refused:
        raise CardRefused(f"the policy refuses it: {refused[0].text}")
    placement = Placement.for_person(SLOTS, version, save_body(operations, at=AT), origin=Origin.HAND)
    install_configuration(placement, by=BY, at=AT, reason="benchmark")
    text = diff.make(card.base(), card.customized(), path="card.html")
    for person in (LEGACY, UNCACHED):
        Customization.objects.create(
            external_id=person.user,
            person=Person.objects.create(tenant=person.tenant, user=person.user),
            component_key=card.KEY,
            base_version=version.version,
            diff=text,
            diff_digest=sha256(text.encode()).hexdigest(),
            imported_at=AT,
        )
    return version


def overriding(texts: Mapping[str, str]) -> tuple[ops.Operation, ...]:
    """Return the operations that put other content into the card's slots, one for each slot."""
    tree = parse(card.base())
    made: list[ops.Operation] = []
    for node in tree.nodes:
        if node.name == "slot":
            (content,) = node.kids
            address = describe(tree, content)
            payload, displaced = texts[address.blocks[-1].partition(":")[2]], tree.source[content.start : content.end]
            operation = ops.Operation(ops.REPLACE, address, payload=(payload,), displaced=(displaced,))
            made.append(replace(operation, id=operation.identifier()))
    if len(made) != len(card.DEFAULTS):
        raise CardRefused(f"it has {len(made)} slots, not {len(card.DEFAULTS)}")
    return tuple(made)


def contestants() -> dict[str, Scenes]:
    """Return the scenes of everything that runs in this process."""
    fork = template("fork.html")
    shown = card.products()
    return {
        "phoenix": _pages("component", SLOTS),
        "fork": _pages("fork", SLOTS),
        "fork_direct": Scenes(
            lambda: fork.render(Context({"product": shown[1]})),
            lambda: "".join([fork.render(Context({"product": each})) for each in shown]),
        ),
        "django_blocks": _pages("blocks", SLOTS),
        "legacy": _pages("component", LEGACY),
        "legacy_uncached": _pages("component", UNCACHED),
    }


def template(name: str) -> Template:
    """Return a compiled template of the project."""
    found: Template = engines["django"].get_template(name).template  # type: ignore[attr-defined]
    return found


def request_of(person: PersonKey) -> HttpRequest:
    """Return a request of the person."""
    request = RequestFactory().get("/")
    request.user = User(username=person.user)
    return request


def _pages(prefix: str, person: PersonKey) -> Scenes:
    """Return the scenes of two pages; whoever the request is from is looked up by the first call."""
    request = request_of(person)
    shown = card.products()
    values = {"request": request, "product": shown[1], "products": shown}

    def call(scene: str) -> Callable[[], str]:
        page = template(f"{prefix}_{scene}.html")
        return lambda: page.render(Context(values))

    return Scenes(*map(call, Scenes._fields))
