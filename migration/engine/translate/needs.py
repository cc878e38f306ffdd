"""Record what a payload needs and the base does not offer: libraries, blocks, context variables, included templates.

Read from the text, without Django: a name counts as offered when the base uses it anywhere, as bound when the payload binds it.
"""

import re
from dataclasses import dataclass
from typing import Final

from slots.markup.canonical import libraries
from slots.markup.ops import Requirements
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Tree

# Tags and filters that Django offers without a library.
BUILT_IN: Final = frozenset(
    {
        "autoescape", "block", "comment", "csrf_token", "cycle", "debug", "elif", "else", "empty", "extends", "filter",
        "firstof", "for", "if", "ifchanged", "include", "load", "lorem", "now", "plural", "querystring", "regroup",
        "resetcycle", "spaceless", "templatetag", "url", "verbatim", "widthratio", "with", "slot",
    }
)  # fmt: skip
_KEYWORDS: Final = frozenset(
    {"and", "or", "not", "in", "is", "as", "by", "with", "only", "True", "False", "None", "from", "count", "on", "off"}
)
# What stands inside gives way to the next opener and is never read twice: a line of openers costs no more than its length.
_TAG = re.compile(r"\{%\s*(\w+)((?:[^\n{%]|\{(?!%)|%(?!\}))*+)%\}")
_VARIABLE = re.compile(r"\{\{((?:[^\n{}]|\{(?!\{)|\}(?!\}))*+)\}\}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME = re.compile(r"(?<![\w.|:'\"-])([A-Za-z_]\w*)(?![\w(]|\s*=(?!=))")
_BOUND = re.compile(r"\bas\s+(\w+)|\bfor\s+([\w\s,]+?)\s+in\b|(\w+)=(?!=)")
_FILTER = re.compile(r"\|\s*\w+")
_IMPLICIT: Final = frozenset({"forloop", "block", "csrf_token"})
_UNNAMED: Final = frozenset({"load", "block", "endblock", "csrf_token", "comment", "slot", "endslot", "now", "templatetag"})


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold what a source loads, defines and uses; `tags` are the names of its template tags."""

    libraries: frozenset[str]
    blocks: frozenset[str]
    variables: frozenset[str]
    tags: frozenset[str]
    includes: frozenset[str]


def offer(tree: Tree) -> Offer:
    """Return what a template offers to payloads that are put into it."""
    names = uses(tree.source)
    return Offer(loaded(tree), names.blocks, names.variables, names.tags, names.includes)


def loaded(tree: Tree) -> frozenset[str]:
    """Return the libraries that a template loads."""
    tags = (node for node in tree.nodes if node.name == "load" and node.kind == nodes.TAG)
    return frozenset().union(*(libraries(tree.open(tag)) for tag in tags))


def uses(text: str) -> Offer:
    """Return what a piece of template source uses; names that it binds itself are left out."""
    variables: set[str] = set()
    bound: set[str] = set(_IMPLICIT)
    used: set[str] = set()
    blocks: set[str] = set()
    includes: set[str] = set()
    expressions = _VARIABLE.findall(text)
    for name, rest in _TAG.findall(text):
        used.add(name)
        if name == "block":
            blocks.update(rest.split()[:1])
        elif name == "include":
            includes.update(quoted[1:-1] for quoted in _QUOTED.findall(rest)[:1])
        bound.update(_bound(f"for {rest}" if name == "for" else rest))
        if name not in _UNNAMED:
            expressions.append(rest)
    for expression in set(expressions):
        variables.update(_names(expression))
    return Offer(frozenset(), frozenset(blocks), frozenset(variables - bound - _KEYWORDS), frozenset(used), frozenset(includes))


def _bound(rest: str) -> list[str]:
    """Return the names that a tag's arguments bind; most tags hold none of the marks and bind nothing."""
    if not any(mark in rest for mark in ("=", "as", "for")):
        return []
    return [name for binding in _BOUND.findall(rest) for part in binding for name in part.replace(",", " ").split()]


def _names(expression: str) -> list[str]:
    """Return the names in an expression outside quotes and filters."""
    if '"' in expression or "'" in expression:
        expression = _QUOTED.sub("''", expression)
    if "|" in expression:
        expression = _FILTER.sub("", expression)
    return _NAME.findall(expression)


def needs(text: str, base: Offer, custom: frozenset[str]) -> Requirements:
    """Return what a payload needs beyond the base; `custom` holds the libraries that the customized source loads.

    Libraries are those that the customization loads in addition, where the payload has tags that the base does not use.
    """
    if "{" not in text:
        return Requirements()
    found = uses(text)
    plain = {name for name in found.tags if not name.startswith("end")}
    foreign = plain - BUILT_IN - base.tags
    return Requirements(
        libraries=tuple(sorted(custom - base.libraries)) if foreign else (),
        blocks=tuple(sorted(found.blocks - base.blocks)),
        variables=tuple(sorted(found.variables - base.variables)),
        includes=tuple(sorted(found.includes - base.includes)),
    )
