"""Nodes that hold a payload apart from the component around it: errors, loops, size, addresses.

They are put around what the parser made of a payload (`marking`), never written into a template, so nobody can write or end one.
Cost: a microsecond for a payload that goes well, which is why a page is first rendered without (`rendering`).
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, NamedTuple, NoReturn

from django.template import Context
from django.template.base import Node, NodeList
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from slots.errors import IssueCode
from slots.markup.payloads import PayloadSpan
from slots.markup.policy import rules
from slots.markup.web import decoded, is_live_address
from slots.renderer.compiling import ComponentTemplate
from slots.renderer.limits import PayloadRefused, RenderLimits

# Filters that make a text as long as their argument says.
PADDING: Final = frozenset({"center", "floatformat", "ljust", "rjust", "stringformat"})
_NUMBER = re.compile(r"\d[\d_]*")  # as int() reads it
_HARMLESS: Final = ("/", "#", "?", "https://", "http://")  # most addresses start so, and then nothing can be wrong with them


class Failure(NamedTuple):
    """Say that a payload failed, what the issue's code is, and why."""

    span: PayloadSpan
    code: IssueCode
    problem: str
    error: Exception


class PayloadContext(Context):
    """Count what payloads make in one render, and keep which of them failed."""

    rounds = 0
    made = 0  # characters
    failures: dict[PayloadSpan, Failure] | None = None

    def note(self, span: PayloadSpan, error: Exception) -> None:
        """Keep that a payload failed, once, however often it is shown."""
        if self.failures is None:
            self.failures = {}
        code, problem = explained(error)
        self.failures.setdefault(span, Failure(span, code, problem, error))


def explained(error: Exception) -> tuple[IssueCode, str]:
    """Return the code of the issue that an error in a template makes, and the error in words."""
    if isinstance(error, PayloadRefused):
        return error.issue_code, str(error)
    try:
        return IssueCode.RENDER_ERROR, f"{type(error).__name__}: {error}"
    except Exception:  # an error that cannot be printed is one all the same
        return IssueCode.RENDER_ERROR, type(error).__name__


class PayloadNode(Node):
    """Show a payload; where it fails show nothing of it, but what it displaced.

    `loads` are the `load` tags before it, which its default may need; `clean` is what its output goes through last.
    """

    def __init__(
        self,
        nodelist: NodeList,
        span: PayloadSpan,
        limits: RenderLimits,
        loads: tuple[str, ...] = (),
        clean: Callable[[str], str] | None = None,
    ) -> None:
        """Keep what the payload consists of."""
        self.nodelist: Any = nodelist
        self.span = span
        self.loads = loads
        self.clean = clean
        self.most = limits.payload_characters
        self.most_in_all = limits.component_characters
        self._default: NodeList | None = None

    def render(self, context: Any) -> str:
        """Render the payload, or its default; whatever a failed payload left behind in the context is undone."""
        dicts, before = context.dicts, context.made
        depth, escapes, localizes, zoned = len(dicts), context.autoescape, context.use_l10n, context.use_tz
        try:
            html: str = "".join([node.render_annotated(context) for node in self.nodelist])
            if self.clean is not None:
                html = self.clean(html)
            context.made = made = before + len(html)
            if len(html) > self.most or made > self.most_in_all:
                self._refuse(len(html))
        except Exception as error:  # the payload is data from outside: whatever it does, the component stands
            del dicts[depth:]
            context.autoescape, context.use_l10n, context.use_tz = escapes, localizes, zoned
            context.made = before
            context.note(self.span, error)
            return self._shown_default(context)
        return html

    def _refuse(self, length: int) -> NoReturn:
        text = f"All payloads together made more than {self.most_in_all:,} characters, which is the limit."
        if length > self.most:
            text = f"It made {length:,} characters; the limit is {self.most:,}."
        raise PayloadRefused(IssueCode.LIMIT_EXCEEDED, text)

    def _shown_default(self, context: Any) -> SafeString:
        """Render what the payload displaced. That is code of the base: what it raises is the component's affair."""
        if not self.span.default:
            return SafeString("")
        default = self._default
        if default is None:  # compiled when it is needed first: most never are
            loads = "".join(f"{{% {each} %}}" for each in self.loads)
            template = ComponentTemplate(loads + self.span.default, engine=context.template.engine)
            default = self._default = template.nodelist
        return default.render(context)


class AddressNode(Node):
    """Show the value of an attribute that leads somewhere, unless it leads into a script."""

    def __init__(self, nodelist: NodeList) -> None:
        """Keep what the value consists of."""
        self.nodelist: Any = nodelist

    def render(self, context: Context) -> str:
        """Render the value.

        Raises:
            PayloadRefused: a browser would run or open it as something of its own.
        """
        nodes = self.nodelist
        html = (
            nodes[0].render_annotated(context) if len(nodes) == 1 else "".join([node.render_annotated(context) for node in nodes])
        )
        check_address(html)
        return html

    render_annotated = render  # nothing to add to an error: the engine does not debug


def check_address(html: str) -> None:
    """Look at the value of an attribute that leads somewhere.

    Raises:
        PayloadRefused: a browser would run or open it as something of its own.
    """
    if not html.startswith(_HARMLESS) and is_live_address(decoded(html)):
        raise PayloadRefused(IssueCode.UNSAFE_HTML, f"The address {html[:80]!r} would run in the page.")


def held_address(value: Any) -> Any:
    """Return a value as it is, or raise as `check_address` does; a filter for where it is the whole of an attribute."""
    check_address(conditional_escape(value))
    return value


class LoopBody(Node):
    """Show what a payload's loop repeats, and count how often it does."""

    def __init__(self, nodelist: NodeList, limits: RenderLimits) -> None:
        """Keep what is repeated."""
        self.nodelist = nodelist
        self.rounds = limits.rounds
        self.most_in_all = limits.component_characters

    def render(self, context: Any) -> SafeString:
        """Render one round.

        Raises:
            PayloadRefused: the loops of payloads ran too often, or made too much.
        """
        context.rounds += 1
        if context.rounds > self.rounds:
            text = f"The loops of payloads run more than {self.rounds:,} times in all, which is the limit."
            raise PayloadRefused(IssueCode.LIMIT_EXCEEDED, text)
        before = context.made
        html = self.nodelist.render(context)
        context.made = max(context.made, before + len(html))  # inner loops have counted theirs
        if context.made > self.most_in_all:
            text = f"Its loops make more than {self.most_in_all:,} characters, which is the limit."
            raise PayloadRefused(IssueCode.LIMIT_EXCEEDED, text)
        return html


class RefusedNode(Node):
    """Stand for a construct that payloads may not have where this one stands."""

    def __init__(self, refused: PayloadRefused) -> None:
        """Keep what is wrong with it."""
        self.refused = refused

    def render(self, context: Context) -> SafeString:
        """Raise what is wrong."""
        raise PayloadRefused(self.refused.issue_code, str(self.refused))


def bounded(name: str, padding: Callable[..., Any]) -> Callable[..., Any]:
    """Return a padding filter that refuses to make more than the policy lets anybody write."""

    @wraps(padding)
    def pad(value: Any, *arguments: Any, **options: Any) -> Any:
        digits = _NUMBER.findall(str(arguments[0])) if arguments else []
        if any(len(each) > 9 or int(each.replace("_", "")) > rules.MAX_NUMBER for each in digits):
            raise PayloadRefused(IssueCode.LIMIT_EXCEEDED, f"{name} pads to at most {rules.MAX_NUMBER:,} characters.")
        return padding(value, *arguments, **options)

    return pad
