"""Compile composed sources and render them with plain values, and nothing else.

A dedicated engine compiles: no loaders that a payload could reach files through, no debug, autoescape on. Compiled templates
stay in this process, bounded and by content: the key is a digest over source, contract and bodies, so what two tenants share is
what they wrote alike, and an entry can never be stale. A composed template that fails shows the component's base instead.
"""

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from django.template import Context, Engine, Template
from django.template.backends.django import get_installed_libraries
from django.template.base import FilterExpression, Lexer, Node, NodeList, Parser, Token, Variable
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from slots.errors import Issue, IssueCode, SlotsError

logger = logging.getLogger(__name__)

COMPILED_TEMPLATES: Final = 2_000  # about 60 MB at 30 kB a card; bounded, so a million configurations cost no more
MAX_CONTEXT_DEPTH: Final = 20
_PLAIN_NAME: Final = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z0-9]\w*)*", re.ASCII)
_SCALARS: Final = frozenset({str, int, float, bool, type(None), Decimal, date, datetime, time, timedelta, UUID})

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ContextNotPlain(SlotsError):
    """A page handed a component something else than plain values."""

    code = "CONTEXT_NOT_PLAIN"

    def __init__(self, place: str, type_name: str) -> None:
        """Keep where in the context (`product.owner`) and the type that stood there."""
        super().__init__(
            f"{place} is a {type_name}. Components are given plain values only (texts, numbers, dates, lists, dictionaries, data "
            f"classes), since customizations must not reach methods or other rows. Pass a dictionary of what is shown."
        )
        self.place = place
        self.type_name = type_name


class BoundedCache(Generic[K, V]):
    """Keep the entries that were used last, at most `capacity`; safe between threads."""

    def __init__(self, capacity: int) -> None:
        """Start empty."""
        self.capacity = capacity
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return the entry, which then counts as just used, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: K, value: V) -> None:
        """Keep an entry and drop the one unused for longest where there are too many."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            while len(self._entries) > self.capacity:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __contains__(self, key: object) -> bool:
        """Say whether the entry is there, without using it."""
        return key in self._entries

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)


@lru_cache(maxsize=1_024)
def _check_arguments(name: str, filter_: Callable[..., Any], count: int) -> bool:
    """Say that a filter takes as many arguments, or raise; Django looks at the function's signature each time, for 25 us."""
    return FilterExpression.args_check(name, filter_, [(False, None)] * count)


class ComponentExpression(FilterExpression):
    """Know from before how many arguments each filter takes."""

    __slots__ = ()

    @staticmethod
    def args_check(name: str, func: Callable[..., Any], provided: list[Any]) -> bool:
        """Say that the filter takes these arguments, or raise `TemplateSyntaxError`."""
        return _check_arguments(name, func, len(provided))


class ComponentParser(Parser):
    """Parse a component's template, put what a slot holds in the slot's place, and read plain names at a glance.

    A slot has no part in rendering. So a composed template is, node by node, the one that somebody would have forked by hand,
    and costs the same. A node says so of itself by an attribute `is_transparent`.
    """

    def compile_filter(self, token: str) -> FilterExpression:
        """Return an expression. Most are plain names (`product.url`), with which Django's own reading takes 8 us, this one 1."""
        if _PLAIN_NAME.fullmatch(token) is None:
            return ComponentExpression(token, self)
        variable = Variable.__new__(Variable)
        variable.var, variable.lookups, variable.literal = token, tuple(token.split(".")), None
        variable.translate, variable.message_context = False, None
        expression = FilterExpression.__new__(FilterExpression)
        expression.token, expression.filters, expression.var, expression.is_var = token, [], variable, True
        return expression

    def extend_nodelist(self, nodelist: NodeList, node: Node, token: Token) -> None:
        """Add a node, or the content of one that shows nothing but its content."""
        if getattr(node, "is_transparent", False):
            nodelist.contains_nontext = True
            nodelist.extend(node.nodelist)  # type: ignore[attr-defined]
        else:
            Parser.extend_nodelist(self, nodelist, node, token)  # not super(): this runs for every node


class ComponentTemplate(Template):
    """Compile a component's source without its slots; the engine's `debug` is off, so nothing is kept for error pages."""

    def compile_nodelist(self) -> NodeList:
        """Return the nodes of the source."""
        engine = self.engine
        tokens = Lexer(self.source).tokenize()
        parser = ComponentParser(tokens, engine.template_libraries, engine.template_builtins, self.origin)
        nodelist = parser.parse()
        self.extra_data = parser.extra_data
        return nodelist


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


def plain_context(context: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return the context's values under the contract's names, as plain values.

    Raises:
        ContextNotPlain: an object with methods of its own was passed.
    """
    return {name: value if is_plain(value) else plain(value, name) for name, value in context.items() if name in names}


def is_plain(value: Any, depth: int = 0) -> bool:
    """Say whether a value is made of plain values already; the quick way for what nearly every page passes."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if depth > MAX_CONTEXT_DEPTH:
        return False
    if kind is dict:
        entries = value.values()
    elif kind is list or kind is tuple:
        entries = value
    else:
        return False
    for entry in entries:  # noqa: SIM110 - the generator of all() costs more than what it looks at, for every card
        if type(entry) not in _SCALARS and not is_plain(entry, depth + 1):
            return False
    return True


def plain(value: Any, place: str, depth: int = 0) -> Any:
    """Return a value made of texts, numbers, dates, lists and dictionaries only; the same object where it already is.

    Safe strings lose their mark: what a customization may print unescaped is not for the caller to say.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if depth > MAX_CONTEXT_DEPTH:
        raise ContextNotPlain(place, f"nesting deeper than {MAX_CONTEXT_DEPTH}")
    if kind is dict:
        return _plain_items(value, place, depth)
    if kind is list or kind is tuple:
        entries = [plain(entry, f"{place}.{index}", depth + 1) for index, entry in enumerate(value)]
        return value if all(map(_is, entries, value)) else entries
    if isinstance(value, str | Promise):
        return str.__str__(str(value))
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain_items(value._asdict(), place, depth)
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_items({each.name: getattr(value, each.name) for each in fields(value)}, place, depth)
    if isinstance(value, Mapping):
        return _plain_items(dict(value), place, depth)
    if isinstance(value, int | float | Decimal):  # enumerations and other subclasses
        return value + 0
    if isinstance(value, list | tuple | set | frozenset | range):
        return [plain(entry, f"{place}.{index}", depth + 1) for index, entry in enumerate(value)]
    raise ContextNotPlain(place, kind.__name__)


def _plain_items(value: dict[Any, Any], place: str, depth: int) -> dict[Any, Any]:
    items = {name: plain(entry, f"{place}.{name}", depth + 1) for name, entry in value.items()}
    return value if all(items[name] is entry for name, entry in value.items()) else items


def _is(left: object, right: object) -> bool:
    return left is right
