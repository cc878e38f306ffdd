"""Spellings that mean the same: the declared table, and texts brought into their one form.

Upstream that only respells a place has not touched it, and an edit that upstream made in another spelling is there. The table
is short on purpose (docs/engine.md shows it): tag names that Django renamed, quotes in template constructs, libraries that were
renamed, `type` attributes that say what is the default anyway, the order of attributes and of class names.
"""

import re
from functools import lru_cache
from typing import Final

from slots.markup.tree import nodes
from slots.markup.tree.attributes import Part, class_tokens, read
from slots.markup.tree.nodes import Node, Tree
from slots.markup.tree.template import LOOSE_ATOM

TAG_NAMES: Final = {"trans": "translate", "blocktrans": "blocktranslate"}
LIBRARIES: Final = {"staticfiles": "static", "admin_static": "static"}
DEFAULT_TYPES: Final = {"script": "text/javascript", "style": "text/css", "link": "text/css"}
COMPARISONS: Final = {"ifequal": "==", "ifnotequal": "!="}

# Kinds whose nodes say nothing that an edit could be recognised by.
SILENT: Final = frozenset({nodes.ROOT, nodes.SEPARATOR, nodes.CLOSE})

_CONSTRUCT: Final = re.compile(LOOSE_ATOM)
_SINGLE_QUOTED: Final = re.compile(r"'([^'\"\\]*)'")


@lru_cache(maxsize=8192)
def construct(text: str) -> str:
    """Return a template construct in its one form."""
    inner = _SINGLE_QUOTED.sub(r'"\1"', " ".join(text[2:-2].split()))
    if text.startswith("{{"):
        return "{{" + inner + "}}"
    name, _, rest = inner.partition(" ")
    name = TAG_NAMES.get(name, name)
    if name == "load":
        rest = " ".join(sorted(libraries(text)))
    elif name in COMPARISONS and len(rest.split()) == 2:
        name, rest = "if", f" {COMPARISONS[name]} ".join(rest.split())
    elif name == "endblock":
        rest = ""
    return f"{{%{name} {rest}%}}"


@lru_cache(maxsize=1024)
def libraries(text: str) -> frozenset[str]:
    """Return the libraries that a `load` tag's text names, renamed ones by their present name; `x from y` counts as y."""
    words = text[2:-2].split()[1:]
    if "from" in words:
        words = words[words.index("from") + 1 :]
    return frozenset(LIBRARIES.get(word, word) for word in words)


def inline(text: str) -> str:
    """Return text with white space squeezed and every construct in its one form."""
    squeezed = " ".join(text.split())
    return _CONSTRUCT.sub(lambda found: construct(found.group()), squeezed) if "{" in squeezed else squeezed


def value(part: Part, element: str) -> str | None:
    """Return an attribute's value in its one form, None where the attribute says nothing (a default `type`)."""
    name = part.key
    if part.chunk:
        return inline(part.name)
    text = part.value or ""
    if name == "class":
        return " ".join(sorted({inline(token) for token in class_tokens(text)}))
    text = inline(text)
    if name == "type" and text.lower() == DEFAULT_TYPES.get(element.lower()):
        return None
    return "" if text.lower() == name else text


@lru_cache(maxsize=8192)
def open_tag(text: str) -> str:
    """Return an open tag in its one form."""
    tag = read(text)
    element = tag.name.lower()
    parts = []
    for part in tag.parts:
        found = value(part, element)
        if found is not None:
            parts.append(("" if part.chunk else part.key, found))
    return f"<{element} {sorted(parts)}>"


def label(tree: Tree, node: Node) -> str:
    """Return what a node says by itself, without its kids, in its one form."""
    return label_of(node.kind, tree.open(node))


def label_of(kind: str, text: str) -> str:
    """Return the label of an open tag or a leaf of that kind."""
    if kind in nodes.TAGGED:
        return open_tag(text)
    return construct(text) if kind in nodes.TEMPLATED else " ".join(text.split())
