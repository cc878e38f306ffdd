"""Build the tree: template blocks nest first, HTML elements pair inside one segment of one block (`frames`).

Most sources hold nothing doubtful and are read in one pass (`quick`). Where anything is, constructs are found and paired first
(`template`), then the HTML between them is cut with care (`scan`). Both ways give the same tree; the second one defines it.
"""

from typing import Final, NamedTuple

from slots.markup.tree import nodes, quick, scan, template
from slots.markup.tree.frames import Frames
from slots.markup.tree.nodes import Node, Tree
from slots.markup.tree.scan import RAW_NAMES, Scanner

_PLAIN = {
    scan.TEXT: nodes.TEXT,
    scan.RAW: nodes.RAW,
    scan.COMMENT: nodes.COMMENT,
    scan.DOCTYPE: nodes.DOCTYPE,
    scan.VOID: nodes.ELEMENT,
}
_CONSTRUCT = {
    template.VARIABLE: (nodes.VARIABLE, "{{"),
    template.NOTE: (nodes.COMMENT, "{#"),
    template.VERBATIM: (nodes.VERBATIM, "verbatim"),
    template.COMMENT: (nodes.COMMENT, "comment"),
}


class Context(NamedTuple):
    """Say where a piece of source stands.

    Inside a raw element tags and comments are text; directly in a block `else` divides it.
    """

    is_raw: bool = False
    is_divided: bool = False


DOCUMENT: Final = Context()


def parse(source: str) -> Tree:
    """Return the lossless tree of `source`; linear, iterative, never fails."""
    return quick.parse(source) or careful(source)


def parse_piece(source: str, context: Context) -> Tree:
    """Return the tree of a piece of source that stands among the kids of a node with that context."""
    return parse(source) if context == DOCUMENT else careful(source, context)


def context_of(parent: Node) -> Context:
    """Return what reading the kids of a node needs to know about it."""
    around = next((node for node in (parent, *parent.ancestors()) if node.kind == nodes.ELEMENT), None)
    is_raw = around is not None and around.name in RAW_NAMES and not any(kid.kind in nodes.TAGGED for kid in around.kids)
    return Context(is_raw=is_raw, is_divided=parent.kind == nodes.BLOCK)


def careful(source: str, context: Context = DOCUMENT) -> Tree:
    """Return the tree of any source, by pairing all its template constructs before any HTML is looked at."""
    found = template.constructs(source)
    partner = found.partner
    frames = Frames()
    start = 0  # the white space before an item belongs to it
    scanner = Scanner(source, found)
    for kind, name, head, end, index in scanner.raw_items() if context.is_raw else scanner.items():
        if kind == scan.OPEN:
            frames.open_element(name, start, head, end)
        elif kind == scan.CLOSE:
            frames.close_element(name, start, head, end)
        elif kind != scan.CONSTRUCT:
            frames.add(_PLAIN[kind], name, start, head, end)
        elif found.items[index].kind != template.TAG:
            frames.add(*_CONSTRUCT[found.items[index].kind], start, head, end)
        elif (other := partner[index]) < 0:
            if context.is_divided and len(frames.segments) == 1 and name in template.SEPARATORS:
                frames.end_segment()
                frames.add(nodes.SEPARATOR, name, start, head, end)
            else:
                frames.add(nodes.TAG, name, start, head, end)
        elif other > index:
            frames.open_block(name, start, head, end)
        elif partner[other] == index:
            frames.close_block(head, end)
        else:
            frames.end_segment()
            frames.add(nodes.SEPARATOR, name, start, head, end)
        start = end
    return frames.tree(source)
