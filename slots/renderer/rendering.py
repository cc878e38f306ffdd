"""Render compiled templates with plain values, and nothing else; one that fails shows the component's base instead.

A dedicated engine compiles: no loaders that a payload could reach files through, no debug, autoescape on. Compiled templates
stay in this process, bounded and by content: the key is a digest over source, contract and bodies, so what two tenants share is
what they wrote alike, and an entry can never be stale.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple

from django.template import Engine, Template
from django.template.backends.django import get_installed_libraries
from django.utils.safestring import SafeString

from slots.errors import Issue, IssueCode, SlotsError
from slots.markup.payloads import ADDRESS, PayloadSpan
from slots.renderer.cache import BoundedCache
from slots.renderer.cleaning import cleaned
from slots.renderer.compiling import ComponentTemplate
from slots.renderer.limits import DEFAULT_LIMITS, RenderLimits
from slots.renderer.marking import NEEDS_BOUNDS, READ_AS_TEXT, GuardedTemplate, PayloadTemplate, begins_with_variable
from slots.renderer.payload_nodes import Failure, PayloadContext, explained
from slots.renderer.plain import plain_context

logger = logging.getLogger(__name__)

COMPILED_TEMPLATES: Final = 2_000  # about 60 MB at 30 kB a card; bounded, so a million configurations cost no more


@dataclass(slots=True)
class Compiled:
    """Hold a template that is ready to render, or why it cannot be compiled; `names` are those its context may hold.

    `spans` are the payloads to isolate once one has failed; `is_isolating` says that the template does so. What fails is logged
    once with its traceback; how often it does, the issue counts.
    """

    template: Template | None
    names: frozenset[str]
    problem: str = ""
    spans: Sequence[PayloadSpan] = ()
    is_isolating: bool = False
    logged: set[str] = field(default_factory=set)  # operations whose failure the log has


class Rendered(NamedTuple):
    """Hold the HTML of one component, and an issue for each payload that failed, or for the customization as a whole."""

    html: SafeString
    issues: tuple[Issue, ...] = ()


class SlotRenderer:
    """Compile sources and render them; one instance serves a whole process."""

    def __init__(self, *, capacity: int = COMPILED_TEMPLATES, limits: RenderLimits = DEFAULT_LIMITS) -> None:
        """Start with an empty cache of `capacity` compiled templates; payloads are held to the limits."""
        self.compiled: BoundedCache[str, Compiled] = BoundedCache(capacity)
        self.limits = limits
        self._compiling = threading.Lock()

    @cached_property
    def engine(self) -> Engine:
        """Return the engine for components: installed tag libraries, no files, no debug."""
        return Engine(
            dirs=[],
            app_dirs=False,
            loaders=[],
            context_processors=[],
            debug=False,
            autoescape=True,
            libraries=get_installed_libraries(),
            builtins=["slots.templatetags.slots"],
        )

    def template(self, source: str, spans: Sequence[PayloadSpan] = (), *, is_strict: bool = False) -> Template:
        """Compile a source, uncached; the payloads at `spans` are isolated, under the strict policy also cleaned.

        Raises:
            TemplateSyntaxError: it cannot be compiled.
            PayloadRefused: what a payload makes has to be cleaned and cannot be.
        """
        if not spans:
            return ComponentTemplate(source, engine=self.engine)
        return PayloadTemplate(source, self.engine, spans, self.limits, cleaned if is_strict else None)

    def quick_template(self, source: str, spans: Sequence[PayloadSpan]) -> Template:
        """Compile a source whose payloads are bounded, but not isolated: it costs what the same source without marks does."""
        needed = [span for span in spans if span.kind == ADDRESS or NEEDS_BOUNDS.search(source, span.start, span.end)]
        if not needed:
            return ComponentTemplate(source, engine=self.engine)
        if not READ_AS_TEXT.search(source) and all(begins_with_variable(source, span) for span in needed):
            return GuardedTemplate(source, self.engine, needed)
        return PayloadTemplate(source, self.engine, needed, self.limits, isolates=False)

    def compile(
        self,
        digest: str,
        source: Callable[[], str],
        names: frozenset[str],
        spans: Sequence[PayloadSpan] = (),
        *,
        is_strict: bool = False,
    ) -> Compiled:
        """Return the compiled template of a digest; `source` is called on a miss only, by one thread at a time.

        `spans` and `is_strict` are as for `template`; payloads are isolated only where one has failed, or has to be cleaned. What
        cannot be compiled is kept as such, so that it fails once and not on every page.
        """
        found = self.compiled.get(digest)
        if found is not None:
            return found
        with self._compiling:
            found = self.compiled.get(digest)
            if found is None:
                text = source()
                try:
                    made = self.template(text, spans, is_strict=True) if is_strict else self.quick_template(text, spans)
                    found = Compiled(made, names, "", spans, is_isolating=is_strict)
                except Exception as error:  # tag libraries may raise anything; the page shows the base, with an issue
                    logger.warning("Composed template %s cannot be compiled", digest, exc_info=True)
                    found = Compiled(None, names, f"{type(error).__name__}: {error}")
                self.compiled.put(digest, found)
        return found

    def render(self, compiled: Compiled, context: Mapping[str, Any]) -> SafeString:
        """Render with the plain values of the contract's names; whatever goes wrong is raised."""
        if compiled.template is None:
            raise TemplateNotCompiled(compiled.problem)
        return render_template(compiled.template, plain_context(context, compiled.names))

    def render_or_base(
        self, compiled: Compiled, base: Callable[[], Compiled], context: Mapping[str, Any], *, place: str
    ) -> Rendered:
        """Render a customised component; what fails shows its default, or the component its base, and is said in issues.

        The base itself may raise.
        """
        if not compiled.is_isolating:
            quick = self._quickly(compiled, context)
            if quick is not None:
                return Rendered(quick)
        issues: tuple[Issue, ...] = ()
        code, problem = IssueCode.RENDER_ERROR, compiled.problem
        if compiled.template is not None:
            used = PayloadContext(plain_context(context, compiled.names))
            try:
                html = _render(self._isolating(compiled, compiled.template), used)
            except Exception as error:  # the payload is data from outside: whatever it does, the page stands
                logger.warning("%s: a customization failed to render", place, exc_info=True)
                code, problem = explained(error)
            issues = _payload_issues(place, used, compiled.logged)
            if not problem:
                return Rendered(html, issues)
        issue = Issue(
            code,
            f"The customised {place} could not be rendered, its base is shown: {problem[:500]}",
            suggestion="Open the configuration's operations, mend or remove the one that uses the failing expression.",
        )
        return Rendered(self.render(base(), context), (*issues, issue))

    def _quickly(self, compiled: Compiled, context: Mapping[str, Any]) -> SafeString | None:
        """Render without isolating anything; None where that fails or makes much, so that nobody knows which payload it was."""
        used = PayloadContext(plain_context(context, compiled.names))
        if compiled.template is None:
            return None
        try:
            html = _render(compiled.template, used)
        except Exception:  # it is rendered again, and then somebody says what it was
            return None
        is_small = len(html) <= self.limits.payload_characters or not compiled.spans
        return html if is_small and used.failures is None else None  # another thread may have put the isolating one in its place

    def _isolating(self, compiled: Compiled, template: Template) -> Template:
        """Return the template with its payloads isolated, which from now on is the one that is rendered."""
        if not compiled.is_isolating and compiled.spans:
            template = self.template(str(template.source), compiled.spans)
            compiled.template, compiled.is_isolating = template, True
        return template


def _payload_issues(component: str, context: PayloadContext, logged: set[str]) -> tuple[Issue, ...]:
    """Return an issue for each payload that failed in a render; the log gets those that are not in `logged` yet."""
    failures = (context.failures or {}).values()
    for failure in failures:
        if failure.span.operation not in logged:
            logged.add(failure.span.operation)
            text = "%s: operation %s failed to render: %s"
            logger.warning(text, component, failure.span.operation, failure.problem, exc_info=failure.error)
    return tuple(_payload_issue(component, failure) for failure in failures)


def _payload_issue(component: str, failure: Failure) -> Issue:
    """Return what is to be said of a payload that failed; the operation is part of the place, so that each is counted."""
    span = failure.span
    layer = f" of the {span.layer} layer" if span.layer else ""
    shown = "what it displaced is shown" if span.default else "nothing is shown"
    return Issue(
        failure.code,
        f"{component}: operation {span.operation}{layer} failed at {span.place}, so {shown} there: {failure.problem[:500]}",
        place=f"{span.place} ({span.operation})",
        operation=span.operation,
        suggestion="Open the configuration's operations, mend or remove this one.",
    )


class TemplateNotCompiled(SlotsError):
    """A component's template has an error, so there is nothing to render."""

    code = "TEMPLATE_NOT_COMPILED"

    def __init__(self, problem: str) -> None:
        """Keep the compiler's words."""
        super().__init__(f"The template cannot be compiled: {problem}. `manage.py slots check` names the component.")
        self.problem = problem


def stack_digest(content_digest: str, bodies: tuple[str, ...]) -> str:
    """Return the digest of a component version's content with the bodies laid over it, weakest first, in hex.

    Parts have a fixed length (64 digits each), so no two stacks run together.
    """
    return sha256("".join((content_digest, *bodies)).encode()).hexdigest()


def render_template(template: Template, values: dict[str, Any]) -> SafeString:
    """Render a template with these values and no others; what a payload that is held apart does wrong is not said."""
    return _render(template, PayloadContext(values))


def render_watched(template: Template, values: dict[str, Any], *, place: str) -> Rendered:
    """Render a template with these values, and say in issues which payloads of the component `place` failed."""
    context = PayloadContext(values)
    html = _render(template, context)
    return Rendered(html, _payload_issues(place, context, set()))


def _render(template: Template, context: PayloadContext) -> SafeString:
    """Render a template with a context that is new.

    `Template.render` binds the template to a context that may already serve another one, in two context managers. This one
    serves nobody else, so it is set up directly: 7 % of a card's time.
    """
    context.template = context.render_context.template = template
    html: SafeString = template._render(context)  # type: ignore[attr-defined]
    return html
