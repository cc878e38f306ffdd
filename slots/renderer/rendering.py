"""Render compiled templates with plain values, and nothing else; one that fails shows the component's base instead.

A dedicated engine compiles: no loaders that a payload could reach files through, no debug, autoescape on. Compiled templates
stay in this process, bounded and by content: the key is a digest over source, contract and bodies, so what two tenants share is
what they wrote alike, and an entry can never be stale.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple

from django.template import Context, Engine, Template
from django.template.backends.django import get_installed_libraries
from django.utils.safestring import SafeString

from slots.errors import Issue, IssueCode, SlotsError
from slots.renderer.cache import BoundedCache
from slots.renderer.compiling import ComponentTemplate
from slots.renderer.plain import plain_context

logger = logging.getLogger(__name__)

COMPILED_TEMPLATES: Final = 2_000  # about 60 MB at 30 kB a card; bounded, so a million configurations cost no more


@dataclass(frozen=True, slots=True)
class Compiled:
    """Hold a template that is ready to render, or why it cannot be compiled; `names` are those its context may hold."""

    template: Template | None
    names: frozenset[str]
    problem: str = ""


class Rendered(NamedTuple):
    """Hold the HTML of one component, and the issue where the customization failed and the base is shown."""

    html: SafeString
    issue: Issue | None = None


class SlotRenderer:
    """Compile sources and render them; one instance serves a whole process."""

    def __init__(self, *, capacity: int = COMPILED_TEMPLATES) -> None:
        """Start with an empty cache of `capacity` compiled templates."""
        self.compiled: BoundedCache[str, Compiled] = BoundedCache(capacity)
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

    def template(self, source: str) -> Template:
        """Compile a source, uncached; `TemplateSyntaxError` where it cannot be compiled."""
        return ComponentTemplate(source, engine=self.engine)

    def compile(self, digest: str, source: Callable[[], str], names: frozenset[str]) -> Compiled:
        """Return the compiled template of a digest; `source` is called on a miss only, by one thread at a time.

        What cannot be compiled is kept as such, so that it fails once and not on every page.
        """
        found = self.compiled.get(digest)
        if found is not None:
            return found
        with self._compiling:
            found = self.compiled.get(digest)
            if found is None:
                text = source()
                try:
                    found = Compiled(self.template(text), names)
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
        """Render a customised component; where that fails show its base and say so in an issue. The base itself may raise."""
        values = plain_context(context, compiled.names)
        problem = compiled.problem
        if compiled.template is not None:
            try:
                return Rendered(render_template(compiled.template, values))
            except Exception as error:  # the payload is data from outside: whatever it does, the page stands
                logger.warning("%s: a customization failed to render", place, exc_info=True)
                problem = f"{type(error).__name__}: {error}"
        issue = Issue(
            IssueCode.RENDER_ERROR,
            f"The customised {place} could not be rendered, its base is shown: {problem[:500]}",
            suggestion="Open the configuration's operations, mend or remove the one that uses the failing expression.",
        )
        return Rendered(self.render(base(), context), issue)


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
    """Render a template with these values and no others.

    `Template.render` binds the template to a context that may already serve another one, in two context managers. This context
    is new and serves nobody else, so it is set up directly: 7 % of a card's time.
    """
    context = Context(values)
    context.template = context.render_context.template = template
    html: SafeString = template._render(context)  # type: ignore[attr-defined]
    return html
