"""Compile a component's source: slots leave nothing but their content, plain names are read at a glance."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from django.template import Template
from django.template.base import FilterExpression, Lexer, Node, NodeList, Parser, Token, Variable

_PLAIN_NAME: Final = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z0-9]\w*)*", re.ASCII)


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

    filters: ClassVar[Mapping[str, Callable[..., Any]]] = {}  # beside those of the engine

    def compile_nodelist(self) -> NodeList:
        """Return the nodes of the source."""
        engine = self.engine
        tokens = Lexer(self.source).tokenize()
        parser = ComponentParser(tokens, engine.template_libraries, engine.template_builtins, self.origin)
        parser.filters.update(self.filters)
        nodelist = parser.parse()
        self.extra_data = parser.extra_data
        return nodelist
