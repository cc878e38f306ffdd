"""Tell that a source means the same in another layout, without reading it a second time.

A source that was read in one pass (`tree.quick`) is a row of pieces: tags, template constructs, comments, lines of text. Where a
piece ends depends on its own characters alone, but for text, which ends at the last character before a line end or the
next `<` or `{` that is no white space. So other white space between two pieces leaves them what they are, as long as a line
end stays between two lines of text, and no white space is lost after a `{` that is text. A tag may be spelled in another way
as long as it is one piece with the same name, the same slash and the same template tags in it. Then the respelled source has
the same tree, and its canonical form differs where `canonical` says that it does: never for white space instead of other
white space, nor for some instead of none beside what is block-level, nor for an open tag of the same form.

What this does not cover is not said to differ: then both sources have to be compared. Cost: linear in the nodes.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from slots.markup import canonical
from slots.markup.tree import nodes, quick
from slots.markup.tree.nodes import Node, Tree
from slots.markup.tree.scan import RAW_NAMES

SPACE: Final = " \t\n\r\f"
_LITERAL: Final = canonical.PRESERVING | RAW_NAMES


class Respelling(NamedTuple):
    """Say what stands in place of `source[start:end]`."""

    start: int
    end: int
    text: str


def respell(source: str, respellings: Iterable[Respelling]) -> str:
    """Return the source with the respellings made, which come in order and do not overlap."""
    pieces: list[str] = []
    position = 0
    for start, end, text in respellings:
        pieces += (source[position:start], text)
        position = end
    return "".join([*pieces, source[position:]])


def is_layout(tree: Tree, respellings: Iterable[Respelling]) -> bool:
    """Say whether the tree's source has the same canonical form once respelled; False where that cannot be told from here."""
    if not quick.is_plain(tree):
        return False
    pieces = _Pieces(tree)
    return all(pieces.are_kept(respelling) for respelling in respellings)


def covered(tree: Tree, names: frozenset[str]) -> list[bool]:
    """Say for each node, by its order, whether it or a node around it has one of the names."""
    found = [False] * len(tree.nodes)
    for node in tree.nodes:
        if node.name in names and not found[node.order]:
            found[node.order : node.last + 1] = [True] * (node.last + 1 - node.order)
    return found


class _Pieces:
    """Find the pieces of a tree by where they begin."""

    def __init__(self, tree: Tree) -> None:
        """Note where open tags, leaves and close tags begin; the root's close tag is the end of the source."""
        self.source = tree.source
        self.literal = covered(tree, _LITERAL)
        self.opening = {node.head: node for node in tree.nodes[1:]}
        self.closing = {node.close: node for node in tree.nodes if node.close < node.end or node.parent is None}

    def are_kept(self, respelling: Respelling) -> bool:
        """Say whether the pieces stay what they are, and their canonical form too."""
        start, end, text = respelling
        if text.strip(SPACE):
            return self._is_same_tag(respelling)
        node, close = self.opening.get(end), self.closing.get(end)
        if node is not None and node.parent is not None and node.start == start:
            parent, index, right = node.parent, node.index, node
        elif close is not None and close.tail_start == start:
            parent, index, right = close, len(close.kids), close
        else:
            return False
        left = parent.kids[index - 1] if index else parent
        if self.literal[parent.order]:
            return False
        if left.kind == nodes.TEXT:
            if right.kind == nodes.TEXT:
                return "\n" in text
            if not text and self.source[start - 1] == "{":
                return False
        return bool(text and start < end) or _is_block_level(left) or _is_block_level(right)

    def _is_same_tag(self, respelling: Respelling) -> bool:
        """Say whether an open or close tag is spelled in another way."""
        start, end, text = respelling
        old = self.source[start:end]
        form = quick.form(old)
        if form is None or form != quick.form(text):
            return False
        node = self.opening.get(start)
        if node is None:
            return start in self.closing
        return node.kind in nodes.TAGGED and canonical.open_tag(text) == canonical.open_tag(old)


def _is_block_level(node: Node) -> bool:
    """Say whether white space beside a leaf, or beside an open or close tag of a node, means nothing.

    A `load` tag is not in the canonical form, so what is beside it is beside what is behind it: nothing is said of it.
    """
    return canonical.is_block_level(node) and (node.kind != nodes.TAG or node.name == "extends")
