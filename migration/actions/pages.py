"""One translation's pages, as the old system and as slots show them, beside each other."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

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
from slots.renderer import plain_context, render_template, render_watched
from slots.schema import STRICT, Sample


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
    """Compile both systems' templates of one diff on one version once, and render them for any sample."""

    def __init__(self, target: ComponentVersion, diff: str, operations: str) -> None:
        """Take the version, the diff's text and the stored operations."""
        self._target = target
        patched = apply_as_legacy(target.source, diff)
        self.legacy_source = patched.source if isinstance(patched, Patched) else target.source
        is_strict = target.terms.policy == STRICT
        composed = compose_payloads(parse(target.source), ops.loads(operations), static=is_strict)
        self.slots_source = composed.source
        self._base = _Attempt(compile_legacy, target.source)
        self._legacy = _Attempt(compile_legacy, self.legacy_source)
        isolating = partial(renderer.template, spans=composed.spans, is_strict=is_strict)
        quick = None if is_strict else partial(renderer.quick_template, spans=composed.spans)
        self._slots = _Attempt(isolating, self.slots_source, quick)  # as people will see it

    def page(self, sample: Sample) -> Page:
        """Render one sample both ways and compare."""
        legacy, slots = self.render_legacy(sample.context), self.render_slots(sample.context)
        return Page(sample.name, legacy, slots, compare.compare(legacy.html, slots.html))

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Return the sample contexts of the version."""
        return self._target.sample_contexts

    def pages(self) -> list[Page]:
        """Render all samples of the version."""
        return [self.page(sample) for sample in self.samples]

    def render_legacy(self, context: Mapping[str, Any]) -> Side:
        """Return the old system's page."""
        return self._side(self._legacy, context)

    def render_slots(self, context: Mapping[str, Any]) -> Side:
        """Return slots' page."""
        return self._side(self._slots, context)

    def _side(self, attempt: "_Attempt", context: Mapping[str, Any]) -> Side:
        try:
            values = plain_context(context, self._target.terms.names)
        except SlotsError as fault:
            return Side("", str(fault))
        html, problem = attempt.render(values)
        if html or not problem:
            return Side(html, problem)
        plain, broken = self._base.render(values)
        return Side(plain, f"{problem}; the plain component does not render either: {broken}" if broken else problem)


class _Attempt:
    """Hold a compiled template, or why there is none; `quick` makes the one that is shown as long as it renders."""

    def __init__(self, compiling: Any, source: str, quick: Any = None) -> None:
        self._template: Template | None = None
        self._quick: Template | None = None
        self._problem = ""
        try:
            self._template = compiling(source)
            self._quick = quick(source) if quick is not None else None
        except Exception as error:  # tag libraries may raise anything
            self._problem = f"does not compile ({_said(error)})"

    def render(self, values: dict[str, Any]) -> tuple[str, str]:
        """Return the page and no problem, or the problem and no page, or a page in which the default of a payload stands."""
        if self._template is None:
            return "", self._problem
        if self._quick is not None:
            with suppress(Exception):  # the other one says what is wrong
                return str(render_template(self._quick, dict(values))), ""
        try:
            html, issues = render_watched(self._template, dict(values), place="the page")
            return str(html), " ".join(issue.text for issue in issues)
        except Exception as error:  # data from outside
            return "", f"does not render ({_said(error)})"


def _said(error: Exception) -> str:
    """Return an error's name and its first line."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"
