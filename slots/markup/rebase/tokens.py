"""Cut a tree into tokens that can be counted: tag names, attributes, class names, properties, constructs, words.

Declared respellings count as one. Separators, close tags and `{% load %}` are left out: balance and libraries are looked at by
themselves. Cost: linear.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from slots.markup.rebase import spelling
from slots.markup.tree import nodes
from slots.markup.tree.attributes import declarations, read
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node, Tree
from slots.markup.tree.template import LOOSE_ATOM

Counts = Counter[str]
_FLAT: Final = re.compile(r"\{%-?\s*(?:else\b|end)")
_VALUE_PIECE: Final = re.compile(rf"{LOOSE_ATOM}|[^\s{{]+|\{{")
_QUOTED: Final = "|".join(f"{quote}(?:{LOOSE_ATOM}|[^{quote}])*+{quote}" for quote in "\"'")
_PIECE: Final = re.compile(rf"{LOOSE_ATOM}|(?P<name>[^\s=>\"'{{]++)(?:\s*+=\s*+(?P<value>{_QUOTED}|[^\s\"'{{]++))?+")


def counted(tree: Tree) -> Counts:
    """Count the tokens of a tree, kept in its memo."""
    found = tree.memo.get("rebase.counts")
    if not isinstance(found, Counter):
        found = tree.memo["rebase.counts"] = Counter(token for node in tree.nodes for token in of(tree, node))
    return found


@lru_cache(maxsize=512)
def counted_text(text: str) -> Counts:
    """Count the tokens of a piece of source; the count is shared and must not be changed."""
    return counted(parse(text))


def of(tree: Tree, node: Node) -> Sequence[str]:
    """Return the tokens that a node says by itself, without its kids."""
    return of_text(node.kind, node.name, tree.open(node))


def of_text(kind: str, name: str, text: str) -> Sequence[str]:
    """Return the tokens of a node of that kind and name whose open tag, or whole text, is the text."""
    if kind in nodes.TAGGED:
        return _tag_tokens(text)
    if kind in nodes.TEMPLATED:
        return () if kind == nodes.SEPARATOR or (kind == nodes.TAG and name == "load") else (spelling.construct(text),)
    return () if kind in (nodes.CLOSE, nodes.ROOT) else text.split()


@lru_cache(maxsize=8192)
def _tag_tokens(text: str) -> tuple[str, ...]:
    tag = read(text)
    element = tag.name.lower()
    found = [f"<{element}"]
    for part in tag.parts:
        if part.chunk:
            found.extend(_chunk_tokens(part.name))
        elif part.key == "class":
            found.extend(f"class:{token}" for token in _value_tokens(part.value or ""))
        elif part.key == "style":
            found.extend(f"style:{name}:{spelling.inline(value)}" for name, value in declarations(part.value or ""))
        else:
            said = spelling.value(part, element)
            if said is not None:
                found.append(f"{part.key}={said}")
    return tuple(found)


def _chunk_tokens(text: str) -> Iterator[str]:
    """Yield the constructs of a conditional attribute, and the attributes that stand between them."""
    for found in _PIECE.finditer(text):
        name, value = found["name"], (found["value"] or "").strip("\"'")
        if not name:
            yield from _value_tokens(found.group())
        elif name.lower() == "class":
            yield from (f"class:{token}" for token in _value_tokens(value))
        else:
            yield f"{name.lower()}={spelling.inline(value)}"


def _value_tokens(text: str) -> Iterator[str]:
    """Yield the names and the constructs of a class value, also those that stand together without white space."""
    for token in _VALUE_PIECE.findall(text):
        if not token.startswith("{%"):
            yield token
        elif not _FLAT.match(token):
            yield spelling.construct(token)
