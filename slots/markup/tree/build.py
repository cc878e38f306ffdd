"""Build the tree: template blocks nest first, HTML elements pair inside one segment of one block (`frames`).

Most sources hold nothing doubtful and are read in one pass (`quick`). Where anything is, constructs are found and paired first
(`template`), then the HTML between them is cut with care (`scan`). Both ways give the same tree; the second one defines it.
"""

from slots.markup.tree import nodes, quick, scan, template
from slots.markup.tree.frames import Frames
from slots.markup.tree.nodes import Tree
from slots.markup.tree.scan import Scanner

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


def parse(source: str) -> Tree:
    """Return the lossless tree of `source`; linear, iterative, never fails."""
    return quick.parse(source) or careful(source)


def careful(source: str) -> Tree:
    """Return the tree of any source, by pairing all its template constructs before any HTML is looked at."""
    found = template.constructs(source)
    partner = found.partner
    frames = Frames()
    start = 0  # the white space before an item belongs to it
    for kind, name, head, end, index in Scanner(source, found).items():
        if kind == scan.OPEN:
            frames.open_element(name, start, head, end)
        elif kind == scan.CLOSE:
            frames.close_element(name, start, head, end)
        elif kind != scan.CONSTRUCT:
            frames.add(_PLAIN[kind], name, start, head, end)
        elif found.items[index].kind != template.TAG:
            frames.add(*_CONSTRUCT[found.items[index].kind], start, head, end)
        elif (other := partner[index]) < 0:
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
