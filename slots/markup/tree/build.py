"""Build the tree: template blocks nest first, HTML elements pair inside one segment of one block.

Template tags nest in real sources, HTML need not (`{% if a %}<a>{% else %}<b>{% endif %}`): an HTML tag without a partner in
its segment becomes a loose leaf, still with its attributes. Frames hold open blocks and elements; what a closing tag leaves open
is flattened from the outside in, so every kid moves once and the whole is linear.
"""

from slots.markup.tree import nodes, scan, template
from slots.markup.tree.nodes import Node, Tree

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

    def __init__(self, root: Node) -> None:
        """Start with the root as the only frame."""
        self.frames: list[Node] = [root]
        self.segments: list[int] = [0]  # frame index of each open block (the root's is 0)
        self.waiting: list[dict[str, int]] = [{}]  # per open block: how many elements of each name are open in this segment

    def add(self, node: Node) -> None:
        """Append a leaf to the innermost frame."""
        self.frames[-1].kids.append(node)

    def push_element(self, node: Node) -> None:
        """Open an element."""
        self.frames.append(node)
        counts = self.waiting[-1]
        counts[node.name] = counts.get(node.name, 0) + 1

    def push_block(self, node: Node) -> None:
        """Open a template block, and with it a new segment."""
        self.segments.append(len(self.frames))
        self.frames.append(node)
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

    def close_element(self, item: scan.Item) -> None:
        """Close the nearest open element of that name in this segment; without one the close tag is a leaf."""
        counts = self.waiting[-1]
        if not counts.get(item.name, 0):
            self.add(Node(nodes.CLOSE, item.name, item.start, item.head, item.end))
            return
        depth = len(self.frames) - 1
        while self.frames[depth].name != item.name:
            counts[self.frames[depth].name] -= 1
            depth -= 1
        counts[item.name] -= 1
        self.flatten(depth + 1)
        element = self.frames.pop()
        element.close = item.head
        element.end = item.end
        self.frames[-1].kids.append(element)


def parse(source: str) -> Tree:
    """Return the lossless tree of `source`; linear, iterative, never fails."""
    items, found = scan.scan(source)
    root = Node(nodes.ROOT, "", 0, 0, 0)
    builder = _Builder(root)
    partner = found.partner
    for item in items:
        kind = item.kind
        if kind == scan.OPEN:
            builder.push_element(Node(nodes.ELEMENT, item.name, item.start, item.head, item.end))
        elif kind == scan.CLOSE:
            builder.close_element(item)
        elif kind != scan.CONSTRUCT:
            builder.add(Node(_PLAIN[kind], item.name, item.start, item.head, item.end))
        else:
            construct = found.items[item.construct]
            other = partner[item.construct]
            if construct.kind != template.TAG:
                plain, name = _CONSTRUCT[construct.kind]
                builder.add(Node(plain, name, item.start, item.head, item.end))
            elif other < 0:
                builder.add(Node(nodes.TAG, item.name, item.start, item.head, item.end))
            elif other > item.construct:
                builder.push_block(Node(nodes.BLOCK, item.name, item.start, item.head, item.end))
            elif partner[other] == item.construct:
                builder.close_block(item.head, item.end)
            else:
                builder.end_segment()
                builder.add(Node(nodes.SEPARATOR, item.name, item.start, item.head, item.end))
    builder.flatten(1)
    root.close = root.end = len(source)
    return Tree(source, root)
