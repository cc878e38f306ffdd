"""Name nodes: identities and keys for matching, digests for fingerprints, readable segments for people.

An *identity* is a name that the author gave and that is meant to be unique: a declared slot, a block name, a literal id. A
*key* is anything that tells a node from its neighbours: name, for, url name, translated text, included template. Digests
ignore how white space is laid out. Everything is derived from the source alone.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from slots.markup.declaration import DECLARING
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree

_ARGUMENT = re.compile(r"\{%-?\s*[^\s%]+\s+(?:\"([^\"]*)\"|'([^']*)'|([^\s%]+))")
_LITERAL: Final = {
    name: re.compile(rf"\s{name}\s*=\s*(?:\"([^\"{{]*)\"|'([^'{{]*)'|([^\s\"'=<>`{{]+)(?=[\s>]))")
    for name in ("id", "name", "for", "class")
}
_URL = re.compile(r"\{%\s*url\s+(?:\"([^\"]*)\"|'([^']*)')")
_TRANSLATED = frozenset({"trans", "translate"})
_ARGUED: Final = frozenset({"include", "url", "trans", "translate", "static", "extends", "render_component"})
NAMED: Final = nodes.TAGGED | {nodes.BLOCK}  # kinds that can have an identity
DIGEST_BYTES: Final = 6
COMMON: Final = 200  # characters of a label up to which its digest is remembered beyond its tree
STEPS: Final = 4  # segments of a readable name


def argument(text: str) -> str:
    """Return the first argument of a template tag without its quotes, empty where it has none."""
    match = _ARGUMENT.match(text)
    return match[match.lastindex] if match and match.lastindex else ""


def literal(text: str, name: str) -> str:
    """Return the value of an id, name, for or class in an open tag's text; empty where it is absent or not literal."""
    if name not in text:
        return ""
    match = _LITERAL[name].search(text)
    return match[match.lastindex] if match and match.lastindex else ""


def identity(tree: Tree, node: Node) -> str:
    """Return `slot:NAME`, `block:NAME` or `id:NAME`, empty for a node without an identity."""
    return identity_of(node.kind, node.name, tree.open(node)) if node.kind in NAMED else ""


@lru_cache(maxsize=8192)
def identity_of(kind: str, name: str, text: str) -> str:
    """Return the identity of a node of one of the kinds `NAMED` by its name and the text of its open tag."""
    if kind == nodes.BLOCK:
        return f"{name}:{argument(text)}" if name in ("block", DECLARING) else ""
    found = literal(text, "id") if "id" in text else ""
    return f"id:{found}" if found else ""


def key(tree: Tree, node: Node) -> str:
    """Return the identity, else the best other key (`name:`, `for:`, `url:`, `text:`, `include:` …), else empty."""
    found = identity(tree, node)
    if found:
        return found
    text = tree.open(node)
    if node.kind in nodes.TAGGED:
        for name in ("name", "for"):
            value = literal(text, name)
            if value:
                return f"{name}:{value}"
        url = _URL.search(text)
        if url is not None:
            return f"url:{url.group(1) or url.group(2)}"
        for kid in node.kids[:2]:
            if kid.kind == nodes.TAG and kid.name in _TRANSLATED:
                return f"text:{argument(tree.open(kid))}"
    elif node.kind == nodes.TAG and node.name in _ARGUED:
        return f"{'text' if node.name in _TRANSLATED else node.name}:{argument(text)}"
    return ""


def digest(text: str) -> str:
    """Return twelve hex digits that are equal for texts which differ in the layout of white space only."""
    return blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


@lru_cache(maxsize=8192)
def _common_digest(text: str) -> str:
    """Return the digest of a short label; the same ones come again in every template."""
    return digest(text)


def own_digest(tree: Tree, node: Node) -> str:
    """Return the digest of the node's open tag or leaf text; kept in the tree's memo."""
    memo: dict[int, str] = tree.memo.setdefault("own digests", {})
    found = memo.get(node.order)
    if found is None:
        text = tree.source[node.head : node.open_end]
        found = memo[node.order] = _common_digest(text) if len(text) <= COMMON else digest(text)
    return found


def subtree_digest(tree: Tree, node: Node) -> str:
    """Return the digest of the node with everything in it; kept in the tree's memo."""
    if node.open_end == node.end:
        return own_digest(tree, node)
    memo: dict[int, str] = tree.memo.setdefault("subtree digests", {})
    found = memo.get(node.order)
    if found is None:
        found = memo[node.order] = digest(tree.text(node))
    return found


def segment(tree: Tree, node: Node) -> str:
    """Return the node's part of a readable name: id, first class, block name or tag name."""
    kind = node.kind
    if kind in nodes.TAGGED:
        named = identity(tree, node)
        if named:
            return named.removeprefix("id:")
        classes = literal(tree.open(node), "class").split()
        return classes[0] if classes else node.name
    if kind == nodes.BLOCK and node.name in ("block", DECLARING):
        return identity(tree, node)[len(node.name) + 1 :] or node.name
    if kind == nodes.VARIABLE:
        return tree.open(node)[2:-2].split("|")[0].strip() or kind
    if kind in (nodes.BLOCK, nodes.TAG, nodes.SEPARATOR):
        return node.name or kind
    return kind


def numbered(tree: Tree, parent: Node, index: int) -> str:
    """Return the segment of one of the parent's kids, numbered from 1 where it is not the first of its name (`li[2]`).

    What was read of the kids before it is kept in the tree's memo.
    """
    memo: dict[int, tuple[list[str], dict[str, int]]] = tree.memo.setdefault("segments", {})
    found = memo.get(parent.order)
    if found is None:
        found = memo[parent.order] = ([], {})
    names, seen = found
    for kid in parent.kids[len(names) : index + 1]:
        name = segment(tree, kid)
        count = seen[name] = seen.get(name, 0) + 1
        names.append(f"{name}[{count}]" if count > 1 else name)
    return names[index]


class Place(NamedTuple):
    """Hold what the names and addresses of one node's kids share.

    `path` leads to the node. `blocks` holds the identities of the blocks among the node and those around it, outermost first;
    `depth` says how many steps of the path lead to the innermost of them. The readable names of the kids begin with `prefix`.
    """

    path: tuple[int, ...]
    blocks: tuple[str, ...]
    depth: int
    prefix: str


def place(tree: Tree, node: Node) -> Place:
    """Return what the kids of a node share; kept in the tree's memo."""
    memo: dict[int, Place] = tree.memo.setdefault("places", {})
    found = memo.get(node.order)
    if found is None:
        found = memo[node.order] = _place(tree, node)
    return found


def _place(tree: Tree, node: Node) -> Place:
    """Go up from a node once."""
    path: list[int] = []
    blocks: list[str] = []
    prefix = ""
    below = 0  # steps from the innermost block to the node
    while node.parent is not None:
        if node.kind == nodes.BLOCK and (name := identity(tree, node)):
            below = below if blocks else len(path)
            blocks.append(name)
        if len(path) < STEPS - 1:
            prefix = f"{numbered(tree, node.parent, node.index)}/{prefix}"
        path.append(node.index)
        node = node.parent
    return Place(tuple(path[::-1]), tuple(blocks[::-1]), len(path) - below if blocks else 0, prefix)


def readable(tree: Tree, node: Node) -> str:
    """Return a name for people, such as `card/footer/buy-button`: the last STEPS segments from the outside in."""
    if node.parent is None:
        return "document"
    return place(tree, node.parent).prefix + numbered(tree, node.parent, node.index)
