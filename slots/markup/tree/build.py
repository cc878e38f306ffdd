"""Build the tree: template blocks nest first, HTML elements pair inside one segment of one block.

Template tags nest in real sources, HTML need not (`{% if a %}<a>{% else %}<b>{% endif %}`): an HTML tag without a partner in
its segment becomes a loose leaf, still with its attributes. Frames hold open blocks and elements; what a closing tag leaves open
is flattened from the outside in, so every kid moves once and the whole is linear.
"""

from slots.markup.tree import nodes, scan, template
from slots.markup.tree.nodes import Node, Tree
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


class _Builder:
    """Keep the open frames while the items pass by."""

    def __init__(self) -> None:
        """Start with the root as the only frame."""
        self.nodes: list[Node] = []  # in document order, which is the order in which they are made
        self.frames: list[Node] = []
        self.segments: list[int] = [0]  # frame index of each open block (the root's is 0)
        self.waiting: list[dict[str, int]] = [{}]  # per open block: how many elements of each name are open in this segment
        self.frames.append(self.make(nodes.ROOT, "", 0, 0, 0))

    def make(self, kind: str, name: str, start: int, head: int, end: int) -> Node:
        """Return a new node, which is not in any frame yet."""
        node = Node(kind, name, start, head, end)
        self.nodes.append(node)
        return node

    def add(self, kind: str, name: str, start: int, head: int, end: int) -> None:
        """Append a leaf to the innermost frame."""
        node = Node(kind, name, start, head, end)
        self.nodes.append(node)
        self.frames[-1].kids.append(node)

    def open_element(self, name: str, start: int, head: int, end: int) -> None:
        """Open an element."""
        self.frames.append(self.make(nodes.ELEMENT, name, start, head, end))
        counts = self.waiting[-1]
        counts[name] = counts.get(name, 0) + 1

    def open_block(self, name: str, start: int, head: int, end: int) -> None:
        """Open a template block, and with it a new segment."""
        self.segments.append(len(self.frames))
        self.frames.append(self.make(nodes.BLOCK, name, start, head, end))
        self.waiting.append({})

    def flatten(self, depth: int) -> None:
        """Turn the elements from frame `depth` up into loose leaves of the frame below, their kids beside them."""
        if depth >= len(self.frames):
            return
        target = self.frames[depth - 1].kids
        for frame in self.frames[depth:]:
            kids = frame.kids
            frame.kind = nodes.LOOSE
            frame.kids = []
            target.append(frame)
            target.extend(kids)
        del self.frames[depth:]

    def end_segment(self) -> None:
        """Close what is open in the innermost block: a separator or the block's end has come."""
        self.flatten(self.segments[-1] + 1)
        self.waiting[-1] = {}

    def close_block(self, close: int, end: int) -> None:
        """Close the innermost block and hang it into the frame around it."""
        self.end_segment()
        block = self.frames.pop()
        block.close = close
        block.end = end
        self.segments.pop()
        self.waiting.pop()
        self.frames[-1].kids.append(block)

    def close_element(self, name: str, start: int, head: int, end: int) -> None:
        """Close the nearest open element of that name in this segment; without one the close tag is a leaf."""
        counts = self.waiting[-1]
        if not counts.get(name, 0):
            self.add(nodes.CLOSE, name, start, head, end)
            return
        frames = self.frames
        depth = len(frames) - 1
        while frames[depth].name != name:
            counts[frames[depth].name] -= 1
            depth -= 1
        counts[name] -= 1
        self.flatten(depth + 1)
        element = frames.pop()
        element.close = head
        element.end = end
        frames[-1].kids.append(element)


def parse(source: str) -> Tree:
    """Return the lossless tree of `source`; linear, iterative, never fails."""
    found = template.constructs(source)
    partner = found.partner
    builder = _Builder()
    start = 0  # the white space before an item belongs to it
    for kind, name, head, end, index in Scanner(source, found).items():
        if kind == scan.OPEN:
            builder.open_element(name, start, head, end)
        elif kind == scan.CLOSE:
            builder.close_element(name, start, head, end)
        elif kind != scan.CONSTRUCT:
            builder.add(_PLAIN[kind], name, start, head, end)
        elif found.items[index].kind != template.TAG:
            builder.add(*_CONSTRUCT[found.items[index].kind], start, head, end)
        elif (other := partner[index]) < 0:
            builder.add(nodes.TAG, name, start, head, end)
        elif other > index:
            builder.open_block(name, start, head, end)
        elif partner[other] == index:
            builder.close_block(head, end)
        else:
            builder.end_segment()
            builder.add(nodes.SEPARATOR, name, start, head, end)
        start = end
    builder.flatten(1)
    root = builder.nodes[0]
    root.close = root.end = len(source)
    return Tree(source, builder.nodes)
