"""One translation's pages, as the old system and as slots show them, beside each other.

Pages are rendered whenever they are asked for. What follows from texts alone is kept by content, bounded: compiled templates by
source, diff and operations, and what two pages compare to by the pages. So people who are alike, and looks at the same person,
share it.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from django.template import Template

from migration.actions.legacy import apply_as_legacy, compile_legacy
from migration.engine import compare
from migration.engine.patch import Patched
from slots.actions import renderer
from slots.errors import SlotsError
from slots.markup import ops
from slots.markup.payloads import compose_payloads
from slots.markup.tree import parse
from slots.models import ComponentVersion
from slots.renderer import BoundedCache, plain_context, render_template, render_watched
from slots.schema import STRICT, Sample

COMPILED: Final = 250  # diffs on a version: some 20 MB at 30 kB a template, of which each has three
COMPARED: Final = 4_000  # pairs of pages: some 2 MB


@dataclass(frozen=True, slots=True)
class Side:
    """Hold one system's page: `problem` says why it is the plain base, or why there is none at all."""

    html: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one sample's two pages and their comparison."""

    sample: str
    legacy: Side
    slots: Side
    comparison: compare.Comparison

    @property
    def problems(self) -> tuple[str, ...]:
        """Return why the comparison proves nothing, empty where it does."""
        named = [("old system", self.legacy.problem), ("slots", self.slots.problem)]
        return (*(f"{name}: {problem}" for name, problem in named if problem), *self.comparison.problems)

    @property
    def is_same(self) -> bool:
        """Say whether both pages are rendered without an error and equal by both parsers."""
        return self.comparison.equal and self.comparison.proven and not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return what a Validation keeps of it."""
        return {
            "sample": self.sample,
            "equal": self.comparison.equal,
            "proven": self.comparison.proven,
            "similarity": self.comparison.similarity,
            "first_difference": self.comparison.first_difference,
            "masked": self.comparison.masked,
            "problems": list(self.problems),
        }


def as_stored(pages: Sequence[Page]) -> list[dict[str, Any]]:
    """Return what a Validation keeps of these pages."""
    return [page.as_json() | {"same": page.is_same} for page in pages]


def difference_digest(pages: Sequence[Page]) -> str:
    """Return the SHA-256 of all that differs between the two systems' pages, and of what keeps them from being compared.

    It says the same of two diffs only if each sample is the same on both systems, or differs in the same way.
    """
    found = [
        (page.sample, page.comparison.left_digest, page.comparison.right_digest, page.problems)
        for page in pages
        if not page.is_same
    ]
    return sha256(json.dumps(found, separators=(",", ":")).encode()).hexdigest()


class PagePair:
    """Hold both systems' templates of one diff on one version, compiled once, and render them for any sample."""

    def __init__(self, target: ComponentVersion, diff: str, operations: str) -> None:
        """Take the version, the diff's text and the stored operations."""
        self._target = target
        self._terms = target.terms
        self._pair = _compiled(target.source, diff, operations, is_strict=self._terms.policy == STRICT)
        self.legacy_source = self._pair.legacy_source
        self.slots_source = self._pair.slots_source

    def page(self, sample: Sample) -> Page:
        """Render one sample both ways and compare."""
        legacy, slots = self.render_legacy(sample.context), self.render_slots(sample.context)
        return Page(sample.name, legacy, slots, _compared(legacy.html, slots.html))

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Return the sample contexts of the version."""
        return self._target.sample_contexts

    def pages(self) -> list[Page]:
        """Render all samples of the version."""
        return [self.page(sample) for sample in self.samples]

    def render_legacy(self, context: Mapping[str, Any]) -> Side:
        """Return the old system's page."""
        return self._side(self._pair.legacy, context)

    def render_slots(self, context: Mapping[str, Any]) -> Side:
        """Return slots' page."""
        return self._side(self._pair.slots, context)

    def _side(self, attempt: "_Attempt", context: Mapping[str, Any]) -> Side:
        try:
            values = plain_context(context, self._terms.names)
        except SlotsError as fault:
            return Side("", str(fault))
        html, problem = attempt.render(values)
        if html or not problem:
            return Side(html, problem)
        plain, broken = self._pair.base.render(values)
        return Side(plain, f"{problem}; the plain component does not render either: {broken}" if broken else problem)


class _Attempt:
    """Hold a compiled template, or why there is none; `quick` makes the one that is shown as long as it renders."""

    def __init__(self, compiling: Any, source: str, quick: Any = None) -> None:
        self._template: Template | None = None
        self._quick: Template | None = None
        self.problem = ""
        try:
            self._template = compiling(source)
            self._quick = quick(source) if quick is not None else None
        except Exception as error:  # tag libraries may raise anything
            self.problem = f"does not compile ({_said(error)})"

    def render(self, values: dict[str, Any]) -> tuple[str, str]:
        """Return the page and no problem, or the problem and no page, or a page in which the default of a payload stands."""
        if self._template is None:
            return "", self.problem
        if self._quick is not None:
            with suppress(Exception):  # the other one says what is wrong
                return str(render_template(self._quick, dict(values))), ""
        try:
            html, issues = render_watched(self._template, dict(values), place="the page")
            return str(html), " ".join(issue.text for issue in issues)
        except Exception as error:  # data from outside
            return "", f"does not render ({_said(error)})"


@dataclass(frozen=True, slots=True)
class _Compiled:
    """Hold what follows from a version's source, a diff and operations alone."""

    legacy_source: str
    slots_source: str
    base: _Attempt
    legacy: _Attempt
    slots: _Attempt


_compiled_pairs: BoundedCache[bytes, _Compiled] = BoundedCache(COMPILED)
_comparisons: BoundedCache[bytes, compare.Comparison] = BoundedCache(COMPARED)


def _compiled(source: str, diff: str, operations: str, *, is_strict: bool) -> _Compiled:
    """Return both systems' templates; what does not compile is tried anew each time."""
    key = _digest(source, diff, operations, str(is_strict))
    found = _compiled_pairs.get(key)
    if found is None:
        found = _compile(source, diff, operations, is_strict=is_strict)
        if not (found.base.problem or found.legacy.problem or found.slots.problem):
            _compiled_pairs.put(key, found)
    return found


def _compile(source: str, diff: str, operations: str, *, is_strict: bool) -> _Compiled:
    patched = apply_as_legacy(source, diff)
    legacy_source = patched.source if isinstance(patched, Patched) else source
    composed = compose_payloads(parse(source), ops.loads(operations), static=is_strict)
    isolating = partial(renderer.template, spans=composed.spans, is_strict=is_strict)
    quick = None if is_strict else partial(renderer.quick_template, spans=composed.spans)
    return _Compiled(
        legacy_source,
        composed.source,
        base=_Attempt(compile_legacy, source),
        legacy=_Attempt(compile_legacy, legacy_source),
        slots=_Attempt(isolating, composed.source, quick),  # as people will see it
    )


def _compared(legacy: str, slots: str) -> compare.Comparison:
    """Compare two pages; the same two were compared before."""
    key = _digest(legacy, slots)
    found = _comparisons.get(key)
    if found is None:
        found = compare.compare(legacy, slots)
        _comparisons.put(key, found)
    return found


def _digest(*texts: str) -> bytes:
    """Return the SHA-256 over the digests of texts, so that no two lists of texts run together."""
    return sha256(b"".join(sha256(text.encode(errors="surrogatepass")).digest() for text in texts)).digest()


def _said(error: Exception) -> str:
    """Return an error's name and its first line."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"
