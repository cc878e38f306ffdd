"""Write a template's tree as JSON, for front ends that draw components themselves.

Nodes are objects with a `type`:

| type | members |
| --- | --- |
| `element` | `tag`, `attributes` (name to value, true for one without), `slot` (its unique name), `children` |
| `slot` | `name`, `children`: a declared slot |
| `text` | `text`, white space as the canonical form has it |
| `value` | `expression`: what stands between double braces |
| `block` | `branches`, each with `tag`, `arguments` and `children`: `if`, `for` and other blocks |
| `tag` | `tag`, `arguments`: a template tag that opens nothing |
| `raw` | `text`: content of scripts, styles, text areas, to the character |
| `markup` | `text`: an open or close tag without its partner in this branch, a doctype |

A value of an attribute may hold constructs: it is given as it stands in the template, and `dynamic` names such attributes.
Comments and `{% load %}` are left out. Everything that a front end may show has to be escaped by it, as React does.
"""

from collections.abc import Iterator
from typing import Any

from slots.markup import canonical
from slots.markup.address import labels, slot_nodes
from slots.markup.declaration import is_slot
from slots.markup.tree import Node, Tree, attributes, nodes

Json = dict[str, Any]


def as_json(tree: Tree) -> list[Json]:
    """Return the outermost nodes of a template, in order; nesting is that of the template."""
    names = {node.order: name for name, node in slot_nodes(tree).items()}
    written: dict[int, list[Json]] = {}
    for node in reversed(tree.nodes):  # kids stand behind their parent, so they are written before it
        kids = [(kid, written.pop(kid.order)) for kid in node.kids]
        if node.parent is None:
            return [each for _, found in kids for each in found]
        written[node.order] = list(_write(tree, node, kids, names))
    return []


def _write(tree: Tree, node: Node, kids: list[tuple[Node, list[Json]]], names: dict[int, str]) -> Iterator[Json]:
    """Yield the node as JSON, nothing for what says nothing; a space before it is a text of its own where it means something."""
    text = tree.open(node)
    if node.start < node.head and node.kind in (nodes.TEXT, nodes.VARIABLE):
        yield {"type": "text", "text": " "}
    children = [each for _, found in kids for each in found]
    if node.kind == nodes.ELEMENT:
        yield {"type": "element", "tag": node.name, **_attributes(text), "slot": names.get(node.order, ""), "children": children}
    elif is_slot(node):
        yield {"type": "slot", "name": labels.argument(text), "children": children}
    elif node.kind == nodes.BLOCK:
        yield {"type": "block", "branches": _branches(tree, node, kids)}
    elif node.kind == nodes.TEXT:
        yield {"type": "text", "text": canonical.words(text)}
    elif node.kind == nodes.VARIABLE:
        yield {"type": "value", "expression": text[2:-2].strip()}
    elif node.kind == nodes.TAG and node.name != "load":
        yield {"type": "tag", "tag": node.name, "arguments": _arguments(text, node.name)}
    elif node.kind in (nodes.RAW, nodes.VERBATIM):
        yield {"type": "raw", "text": tree.lead(node) + tree.text(node)}
    elif node.kind in (nodes.LOOSE, nodes.CLOSE, nodes.DOCTYPE):
        yield {"type": "markup", "text": text}


def _attributes(text: str) -> Json:
    found: dict[str, str | bool] = {}
    dynamic: list[str] = []
    for part in attributes.read(text).parts:
        if part.key in found or part.key == "/":
            continue
        found[part.key] = True if part.value is None else part.value
        if part.chunk or "{" in (part.value or ""):
            dynamic.append(part.key)
    return {"attributes": found, "dynamic": dynamic}


def _branches(tree: Tree, node: Node, kids: list[tuple[Node, list[Json]]]) -> list[Json]:
    """Cut a block at its separators."""
    text = tree.open(node)
    found: list[Json] = [{"tag": node.name, "arguments": _arguments(text, node.name), "children": []}]
    for kid, children in kids:
        if kid.kind == nodes.SEPARATOR:
            found.append({"tag": kid.name, "arguments": _arguments(tree.open(kid), kid.name), "children": []})
        else:
            found[-1]["children"].extend(children)
    return found


def _arguments(text: str, name: str) -> str:
    return text[2:-2].strip()[len(name) :].strip()
