"""Show components to one person: one query says which system, which version and which layers, for all components at once.

A second query fetches the sources that this process has not compiled yet. Nothing here depends on a request: commands and
validation use `render`, a request keeps its `PersonPage` so that 24 components cost what one costs.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from time import perf_counter
from typing import Any, Final

import structlog
from django.conf import settings
from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.utils.safestring import SafeString, mark_safe

from slots.actions.asking import LAYER, STANDING, ask, render_observer, system_resolver
from slots.actions.issues import FoundIssue, record_issues
from slots.actions.stacks import Material, Stack, StackLayer, VersionRow, build_stack, compose_stacks
from slots.errors import ComponentUnknown, SlotsError
from slots.models import ComponentVersion, ComposedTemplate
from slots.renderer import COMPILED_TEMPLATES, BoundedCache, Compiled, RenderLimits, SlotRenderer, plain_context
from slots.schema import FELL_BACK, OK, RAISED, OtherSystem, PersonKey

log = structlog.get_logger(__name__)

PREFETCHED: Final = 500  # sources fetched at once on a cold start; what a page needs first is always among them
PATIENCE_S: Final = 2.0


def _limits() -> RenderLimits:
    """Return the limits of the settings; where these are wrong, which a system check says, those that hold by default."""
    try:
        return RenderLimits.of(getattr(settings, "SLOTS_RENDER_LIMITS", {}))
    except ValueError:
        return RenderLimits()


renderer = SlotRenderer(capacity=getattr(settings, "SLOTS_COMPILED_TEMPLATES", COMPILED_TEMPLATES), limits=_limits())
_materials: BoundedCache[str, Material] = BoundedCache(renderer.compiled.capacity)
_fetching = threading.Lock()


def forget_compiled() -> None:
    """Forget every source and compiled template of this process; the next page fetches them again."""
    renderer.compiled.clear()
    _materials.clear()


class ShownElsewhere(SlotsError):
    """Another system renders for the person, so there is no effective tree."""

    code = "SHOWN_ELSEWHERE"

    def __init__(self, system: str) -> None:
        """Keep the system's name."""
        super().__init__(f"The {system} system renders for this person, and it knows pages only. Ask for the rendered HTML.")
        self.system = system


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold what a person sees of a component before values are put in: version, digest, composed source, names of its context."""

    component: str
    version: str
    digest: str
    source: str
    names: frozenset[str]


class PersonPage:
    """Render any number of components for one person in at most two queries.

    `found` collects what went wrong while rendering; `record` stores it.
    """

    def __init__(self, person: PersonKey | None, *, at: datetime) -> None:
        """Prepare a page for a person, or for a stranger; nothing is read yet."""
        self.person = person
        self.at = at
        self.found: list[FoundIssue] = []
        self._observer = render_observer()
        self._ready: dict[str, tuple[Stack, Compiled]] = {}

    def render(self, component: str, context: Mapping[str, Any]) -> SafeString:
        """Return the component's HTML as the person's system shows it.

        Raises:
            ComponentUnknown: no component has that key, or it has no current version.
            ContextNotPlain: the context holds more than plain values.
        """
        if self._observer is None:
            return self._rendered(component, context)
        system, problems = self.system, len(self.found)  # with the one query, which is the page's and no component's
        began = perf_counter()
        try:
            html = self._rendered(component, context)
        except SlotsError:  # asked for what there is not: no render
            raise
        except Exception:
            self._tell(component, perf_counter() - began, RAISED)
            raise
        has_less = len(self.found) > problems or (system is not None and getattr(system, "fell_back", False))
        self._tell(component, perf_counter() - began, FELL_BACK if has_less else OK)
        return html

    def _tell(self, component: str, seconds: float, outcome: str) -> None:
        """Let the observer know of a render; the page stands whatever that does."""
        try:
            if self._observer is not None:
                self._observer(component, self.person, "slots" if self.system is None else self.system.name, seconds, outcome)
        except Exception:  # not ours, and no reason to show nothing
            log.exception("observer_failed", component=component)

    def _rendered(self, component: str, context: Mapping[str, Any]) -> SafeString:
        if self.system is not None:
            return self._render_elsewhere(self.system, component, context)
        ready = self._ready.get(component)
        if ready is None:  # once a page: a further card of the kind costs no digest and no look into what threads share
            ready = self._ready[component] = self._prepare(component)
        stack, compiled = ready
        if not stack.layers:
            return renderer.render(compiled, context)
        html, issues = renderer.render_or_base(
            compiled, lambda: self._compiled(Stack(stack.version), component), context, place=component
        )
        if issues:
            self.found += [FoundIssue(stack.version.pk, stack.digest, issue) for issue in issues]
        return html

    def shown(self, component: str) -> Shown:
        """Return the composed source that the person sees of a component.

        Raises:
            ComponentUnknown: no component has that key, or it has no current version.
            ShownElsewhere: another system renders for the person.
        """
        self._current_of(component)
        if self.system is not None:
            raise ShownElsewhere(self.system.name)
        stack = self.stacks[component]
        material = self._material(stack.digest, component, stack)
        return Shown(component, stack.version.name, stack.digest, material.source, material.names)

    def _prepare(self, component: str) -> tuple[Stack, Compiled]:
        self._current_of(component)
        stack = self.stacks[component]
        return stack, self._compiled(stack, component)

    def _render_elsewhere(self, system: OtherSystem, component: str, context: Mapping[str, Any]) -> SafeString:
        current = self._current_of(component)
        base = self._material(current.content_digest, component)
        html = system.render(component, current.name, base.source, plain_context(context, base.names))
        return mark_safe(html)  # a whole component's HTML, made by a system that escapes as ours does

    def _current_of(self, component: str) -> VersionRow:
        current = self._current.get(component)
        if current is None:
            raise ComponentUnknown(component)
        return current

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
        for *five, kind, version_pk, name, content in ask(self.person, resolver):
            if kind == STANDING:
                standing.append(tuple(five))
                continue
            row = VersionRow(int(version_pk), name, content)
            if kind == LAYER:
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
        return renderer.compile(digest, lambda: material.source, material.names, material.spans, is_strict=material.is_strict)

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
        got = {key: Material.of(*texts) for key, *texts in _material_query(wanted.values())}
        got |= compose_stacks((stack for key, stack in wanted.items() if key not in got), at=self.at)
        missing = [stack for key, stack in wanted.items() if key not in got]
        if missing:  # another process has stored them since the question before
            got |= {key: Material.of(*texts) for key, *texts in _material_query(missing)}
        for key, material in got.items():
            _materials.put(key, material)
        return got[digest]


def render(component: str, person: PersonKey | None, context: Mapping[str, Any], *, at: datetime) -> SafeString:
    """Return one component's HTML for a person outside a request, and record what went wrong."""
    page = PersonPage(person, at=at)
    html = page.render(component, context)
    page.record()
    return html


def _material_query(stacks: Iterable[Stack]) -> Iterable[tuple[Any, ...]]:
    """Return digest, source, contract and spans (JSON texts) of the stacks, plain and composed ones in one query."""
    plain: set[int] = set()
    composed: set[str] = set()
    for stack in stacks:
        if stack.layers:
            composed.add(stack.digest)
        else:
            plain.add(stack.version.pk)
    bare = ComponentVersion.objects.filter(pk__in=plain).order_by()
    mixed = ComposedTemplate.objects.usable().filter(digest__in=composed).order_by()
    text = TextField()
    bare_rows = bare.values_list("content_digest", "source", Cast("contract", text), Value("[]", text))
    mixed_rows = mixed.values_list("digest", "source", Cast("component_version__contract", text), "spans")
    if not composed:
        return bare_rows
    return mixed_rows.union(bare_rows, all=True) if plain else mixed_rows
