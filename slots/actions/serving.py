"""Show components to one person: one query says which system, which version and which layers, for all components at once.

A second query fetches the sources that this process has not compiled yet. Nothing here depends on a request: commands and
validation use `render`, a request keeps its `PersonPage` so that 24 components cost what one costs.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final

from django.conf import settings
from django.db.models import CharField, F, TextField, Value
from django.db.models.functions import Cast
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe

from slots.actions.issues import FoundIssue, record_issues
from slots.actions.stacks import Material, Stack, StackLayer, VersionRow, build_stack, compose_stacks
from slots.errors import ComponentUnknown
from slots.models import Component, ComponentVersion, ComposedTemplate, SlotConfiguration
from slots.renderer import COMPILED_TEMPLATES, BoundedCache, Compiled, SlotRenderer, plain_context
from slots.schema import DEFAULT_TENANT, OtherSystem, PersonKey, SystemResolver

STRANGER: Final = PersonKey(DEFAULT_TENANT, "")  # no row names an empty user, so a stranger sees the default and site layers
PREFETCHED: Final = 500  # sources fetched at once on a cold start; what a page needs first is always among them
PATIENCE_S: Final = 2.0
_STANDING: Final = "standing"
_LAYER: Final = "layer"
_CURRENT: Final = "current"

renderer = SlotRenderer(capacity=getattr(settings, "SLOTS_COMPILED_TEMPLATES", COMPILED_TEMPLATES))
_materials: BoundedCache[str, Material] = BoundedCache(renderer.compiled.capacity)
_fetching = threading.Lock()


def forget_compiled() -> None:
    """Forget every source and compiled template of this process; the next page fetches them again."""
    renderer.compiled.clear()
    _materials.clear()


class PersonPage:
    """Render any number of components for one person in at most two queries.

    `found` collects what went wrong while rendering; `record` stores it.
    """

    def __init__(self, person: PersonKey | None, *, at: datetime) -> None:
        """Prepare a page for a person, or for a stranger; nothing is read yet."""
        self.person = person
        self.at = at
        self.found: list[FoundIssue] = []

    def render(self, component: str, context: Mapping[str, Any]) -> SafeString:
        """Return the component's HTML as the person's system shows it.

        Raises:
            ComponentUnknown: no component has that key, or it has no current version.
            ContextNotPlain: the context holds more than plain values.
        """
        current = self._current.get(component)
        if current is None:
            raise ComponentUnknown(component)
        if self.system is not None:
            base = self._material(current.content_digest, component)
            html = self.system.render(component, current.name, base.source, plain_context(context, base.names))
            return mark_safe(html)  # a whole component's HTML, made by a system that escapes as ours does
        stack = self.stacks[component]
        compiled = self._compiled(stack, component)
        if not stack.layers:
            return renderer.render(compiled, context)
        bare = Stack(stack.version)
        rendered = renderer.render_or_base(compiled, lambda: self._compiled(bare, component), context, place=component)
        if rendered.issue is not None:
            self.found.append(FoundIssue(stack.version.pk, stack.digest, rendered.issue))
        return rendered.html

    def record(self) -> int:
        """Store the issues found so far and forget them; return how many there were."""
        found, self.found = self.found, []
        return record_issues(found, at=self.at)

    @cached_property
    def system(self) -> OtherSystem | None:
        """Return the system that renders for the person, None where that is slots."""
        return self._answers[0]

    @property
    def stacks(self) -> Mapping[str, Stack]:
        """Return what the person sees of each component, by key."""
        return self._answers[1]

    @property
    def _current(self) -> Mapping[str, VersionRow]:
        return self._answers[2]

    @cached_property
    def _answers(self) -> tuple[OtherSystem | None, dict[str, Stack], dict[str, VersionRow]]:
        """Read the one query of the request."""
        resolver = system_resolver() if self.person is not None else None
        standing: list[Any] = []
        layers: dict[str, list[tuple[StackLayer, VersionRow]]] = {}
        current: dict[str, VersionRow] = {}
        for *five, kind, version_pk, name, content in page_query(self.person or STRANGER, resolver):
            if kind == _STANDING:
                standing.append(tuple(five))
                continue
            row = VersionRow(int(version_pk), name, content)
            if kind == _LAYER:
                component, layer, key, priority, body = five
                layers.setdefault(component, []).append((StackLayer(layer, key, int(priority), body), row))
            else:
                current[five[0]] = row
        system = resolver.choose(self.person, standing) if resolver is not None and self.person is not None else None
        stacks = {component: build_stack(row, layers.get(component, ())) for component, row in current.items()}
        return system, stacks, current

    def _compiled(self, stack: Stack, component: str) -> Compiled:
        digest = stack.digest
        found = renderer.compiled.get(digest)
        if found is not None:
            return found
        material = self._material(digest, component, stack)
        return renderer.compile(digest, lambda: material.source, material.names)

    def _material(self, digest: str, component: str, stack: Stack | None = None) -> Material:
        found = _materials.get(digest)
        if found is None:
            # A thread that waits here may hold the write lock that the one inside needs: after a while both go on by themselves.
            is_mine = _fetching.acquire(timeout=PATIENCE_S)
            try:
                found = _materials.get(digest) or self._fetched(digest, stack or Stack(self._current[component]))
            finally:
                if is_mine:
                    _fetching.release()
        return found

    def _fetched(self, digest: str, first: Stack) -> Material:
        """Fetch in one query what this page may need and this process does not have; compose what nobody composed yet."""
        stacks = self.stacks.values() if self.system is None else map(Stack, self._current.values())
        wanted = {first.digest: first}
        for stack in stacks:
            if len(wanted) >= PREFETCHED:
                break
            if stack.digest not in wanted and stack.digest not in _materials and stack.digest not in renderer.compiled:
                wanted[stack.digest] = stack
        got = {key: Material.of(source, contract) for key, source, contract in _material_query(wanted.values())}
        got |= compose_stacks((stack for key, stack in wanted.items() if key not in got), at=self.at)
        for key, material in got.items():
            _materials.put(key, material)
        return got[digest]


def render(component: str, person: PersonKey | None, context: Mapping[str, Any], *, at: datetime) -> SafeString:
    """Return one component's HTML for a person outside a request, and record what went wrong."""
    page = PersonPage(person, at=at)
    html = page.render(component, context)
    page.record()
    return html


def system_resolver() -> SystemResolver | None:
    """Return the resolver that the settings name; None where everybody is on slots."""
    path = getattr(settings, "SLOTS_SYSTEM_RESOLVER", None)
    return _resolver_at(path) if path else None


@lru_cache(maxsize=8)
def _resolver_at(path: str) -> SystemResolver:
    resolver: SystemResolver = import_string(path)()
    return resolver


def page_query(person: PersonKey, resolver: SystemResolver | None) -> Iterable[tuple[Any, ...]]:
    """Return the one query of a request as rows of nine texts.

    Five columns by kind of row, then the kind, then a version's key, name and content digest:

    - `standing`: what the resolver asked for, handed back to it;
    - `layer`: component, layer, key, priority, body digest; the version it was made for;
    - `current`: component; its current version.
    """
    text = CharField()
    layers = _marked(
        SlotConfiguration.objects.for_request(person)
        .order_by()
        .values_list("component__key", "layer", "key", Cast("priority", text), "body_id"),
        _LAYER,
        Cast("component_version_id", text),
        "component_version__version",
        "component_version__content_digest",
    )
    current = _marked(
        Component.objects.filter(current_version__isnull=False)
        .order_by()
        .values_list("key", Value("", text), Value("", text), Value("", text), Value("", text)),
        _CURRENT,
        Cast("current_version_id", text),
        "current_version__version",
        "current_version__content_digest",
    )
    parts = [layers, current]
    if resolver is not None:
        blank = Value("", text)
        parts.insert(0, _marked(resolver.standing_query(person).order_by(), _STANDING, blank, blank, blank))
    rows: Iterable[tuple[Any, ...]] = parts[0].union(*parts[1:], all=True)
    return rows


def _marked(rows: Any, kind: str, version: Any, name: Any, content: Any) -> Any:
    """Add the four columns that say what a row is; the first five stay as they are."""
    return rows.annotate(
        row_kind=Value(kind, CharField()),
        row_version=F(version) if isinstance(version, str) else version,
        row_name=F(name) if isinstance(name, str) else name,
        row_content=F(content) if isinstance(content, str) else content,
    )


def _material_query(stacks: Iterable[Stack]) -> Iterable[tuple[Any, ...]]:
    """Return digest, source and contract (JSON text) of the stacks, plain versions and composed templates in one query."""
    plain: set[int] = set()
    composed: set[str] = set()
    for stack in stacks:
        if stack.layers:
            composed.add(stack.digest)
        else:
            plain.add(stack.version.pk)
    bare = ComponentVersion.objects.filter(pk__in=plain).order_by()
    mixed = ComposedTemplate.objects.filter(digest__in=composed).order_by()
    text = TextField()
    bare_rows = bare.values_list("content_digest", "source", Cast("contract", text))
    mixed_rows = mixed.values_list("digest", "source", Cast("component_version__contract", text))
    if not composed:
        return bare_rows
    return mixed_rows.union(bare_rows, all=True) if plain else mixed_rows
