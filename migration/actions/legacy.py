"""The old system, as people see it today: the stored diff patched onto the current template, the way GNU patch does it.

A diff that does not apply, or whose result does not compile or render, leaves the plain base; that is logged and counted, never
silent. Patched templates are kept compiled by content (digests of source and diff), so equal customizations share one. The
result does not depend on anything that a migration does, so after a rollback the page is the same to the byte.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from threading import Lock
from typing import Any, Final

import structlog
from django.template import Engine, Template
from django.template.backends.django import get_installed_libraries

from migration.engine import diff, patch
from migration.models import Customization
from migration.states import CustomizationState
from slots.errors import Refusal
from slots.renderer import BoundedCache, render_template
from slots.schema import PersonKey

log = structlog.get_logger(__name__)

DOES_NOT_APPLY: Final = "LEGACY_DOES_NOT_APPLY"
DOES_NOT_COMPILE: Final = "LEGACY_DOES_NOT_COMPILE"
RENDER_ERROR: Final = "LEGACY_RENDER_ERROR"
CAPACITY: Final = 2_000


@dataclass(frozen=True, slots=True)
class LegacyTemplate:
    """Hold what the old system makes of one diff on one source.

    `source` is the text that `template` was compiled from: the patched one, else the plain base, and then `problem` says why.
    """

    source: str
    template: Template
    fuzz: int = 0
    problem: Refusal | None = None

    @property
    def is_plain(self) -> bool:
        """Say whether the plain base is shown."""
        return self.problem is not None


class Fallbacks:
    """Count how often this process showed the plain base, by code."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, code: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[code] += 1

    def counts(self) -> dict[str, int]:
        """Return the counts by code."""
        with self._lock:
            return dict(sorted(self._counts.items()))


fallbacks = Fallbacks()
_templates: BoundedCache[str, LegacyTemplate] = BoundedCache(CAPACITY)


class LegacyRenderer:
    """Render one person's components as the old system does; made once a request, and costs one query however many it renders."""

    name = "legacy"

    def __init__(self, person: PersonKey) -> None:
        """Take the person; nothing is read before the first component."""
        self.person = person
        self.fell_back = False

    @cached_property
    def _diffs(self) -> dict[str, tuple[str, str]]:
        """Return diff and digest of each component that the person customised."""
        rows = Customization.objects.active().of(self.person).exclude(state=CustomizationState.ARCHIVED)
        return {key: (text, digest) for key, text, digest in rows.values_list("component_key", "diff", "diff_digest")}

    def render(self, component: str, version: str, source: str, context: Mapping[str, Any]) -> str:
        """Return the component's HTML; see `slots.schema.OtherSystem`."""
        text, digest = self._diffs.get(component, ("", ""))
        found = legacy_template(source, text, digest)
        html, self.fell_back = render_legacy(found, source, context, place=f"{component}@{version}")
        return html


def render_legacy(found: LegacyTemplate, source: str, context: Mapping[str, Any], *, place: str) -> tuple[str, bool]:
    """Render a patched template; where it fails show the plain base, and say so: beside the page, in the log, and by a count."""
    values = dict(context)
    if found.problem is not None:
        _fall_back(found.problem.code, place, str(found.problem))
    elif found.source != source:
        try:
            return _render(found, values), False
        except Exception as error:  # the diff is data from outside: whatever it does, the page stands
            _fall_back(RENDER_ERROR, place, f"{type(error).__name__}: {error}")
            return _render(legacy_template(source, "", ""), values), True
    return _render(found, values), found.is_plain


def legacy_template(source: str, text: str, digest: str) -> LegacyTemplate:
    """Return the template of a source with a diff (empty text: none), compiled; `digest` is the diff's SHA-256."""
    key = f"{_digest(source)}:{digest}"
    found = _templates.get(key)
    if found is None:
        found = _patched(source, text) if digest else LegacyTemplate(source, compile_legacy(source))
        _templates.put(key, found)
    return found


def apply_as_legacy(source: str, text: str) -> patch.Patched | Refusal:
    """Return what GNU patch makes of the source, or why it makes nothing."""
    read = diff.accept(text)
    return read if isinstance(read, Refusal) else patch.apply_like_gnu(source, read)


def compile_legacy(source: str) -> Template:
    """Compile a source; `TemplateSyntaxError` or whatever a tag library raises where that fails."""
    return Template(source, engine=_engine())


def _patched(source: str, text: str) -> LegacyTemplate:
    patched = apply_as_legacy(source, text)
    if isinstance(patched, Refusal):
        problem = Refusal(DOES_NOT_APPLY, patched.line, f"{patched.code}: {patched.text}")
        return LegacyTemplate(source, compile_legacy(source), problem=problem)
    try:
        return LegacyTemplate(patched.source, compile_legacy(patched.source), patched.fuzz)
    except Exception as error:  # tag libraries may raise anything; the page shows the plain base
        problem = Refusal(DOES_NOT_COMPILE, 0, f"The patched template does not compile: {type(error).__name__}: {error}")
        return LegacyTemplate(source, compile_legacy(source), patched.fuzz, problem)


def _render(found: LegacyTemplate, values: dict[str, Any]) -> str:
    return str(render_template(found.template, values))


def _fall_back(code: str, place: str, text: str) -> None:
    fallbacks.add(code)
    log.warning(code, place=place, problem=text)


def _digest(source: str) -> str:
    return sha256(source.encode(errors="surrogatepass")).hexdigest()


@lru_cache(maxsize=1)
def _engine() -> Engine:
    """Return the engine of the old system's templates: that of slots, with bounds on what pads output."""
    return Engine(
        dirs=[],
        app_dirs=False,
        loaders=[],
        context_processors=[],
        debug=False,
        autoescape=True,
        libraries=get_installed_libraries(),
        builtins=["slots.templatetags.slots", "migration.actions.padding"],
    )
