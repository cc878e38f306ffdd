"""Filters and a tag that make much text of little, held to a size, for templates that the legacy system patched.

The old system had no limits: one stored `{{ price|center:"900000000" }}` makes 900 MB on every page view. Within the limits
the output is Django's own, to the byte; beyond them they raise, and the page shows the plain base.
"""

import re
from typing import Any, Final

from django import template
from django.template import defaultfilters, defaulttags
from django.template.base import Node, NodeList, Parser, Token

MAX_WIDTH: Final = 10_000
MAX_LOREM: Final = 100

register = template.Library()


class OutputTooLarge(ValueError):
    """A template asked for more padding than a page may hold."""

    def __init__(self, what: str, width: int, limit: int) -> None:
        """Keep what was asked for."""
        super().__init__(f"{what} asks for {width:,}; the limit is {limit:,}")


def _bounded(name: str, argument: Any) -> None:
    for digits in re.findall(r"[0-9]+", str(argument)):
        if len(digits) > len(str(MAX_WIDTH)) or int(digits) > MAX_WIDTH:
            raise OutputTooLarge(name, int(digits[:18]), MAX_WIDTH)


@register.filter(is_safe=True)
def center(value: Any, arg: Any) -> Any:
    """Centre the value in a field of a bounded width."""
    _bounded("center", arg)
    return defaultfilters.center(value, arg)


@register.filter(is_safe=True)
def ljust(value: Any, arg: Any) -> Any:
    """Left-align the value in a field of a bounded width."""
    _bounded("ljust", arg)
    return defaultfilters.ljust(value, arg)


@register.filter(is_safe=True)
def rjust(value: Any, arg: Any) -> Any:
    """Right-align the value in a field of a bounded width."""
    _bounded("rjust", arg)
    return defaultfilters.rjust(value, arg)


@register.filter(is_safe=True)
def stringformat(value: Any, arg: Any) -> Any:
    """Format the value in a field of a bounded width."""
    _bounded("stringformat", arg)
    return defaultfilters.stringformat(value, arg)


class BoundedLorem(Node):
    """Render `lorem` if it is not asked for too much."""

    def __init__(self, inner: defaulttags.LoremNode) -> None:
        """Keep Django's node."""
        self.inner = inner
        self.nodelist = NodeList()

    def render(self, context: template.Context) -> str:
        """Render, or raise `OutputTooLarge`."""
        asked = self.inner.count.resolve(context)
        if str(asked).lstrip("-").isdigit() and int(asked) > MAX_LOREM:
            raise OutputTooLarge("lorem", int(asked), MAX_LOREM)
        return self.inner.render(context)


@register.tag
def lorem(parser: Parser, token: Token) -> Node:
    """Parse `lorem` as Django does."""
    return BoundedLorem(defaulttags.lorem(parser, token))
