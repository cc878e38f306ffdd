"""Keep the open blocks and elements while the pieces of a source pass by.

Template tags nest in real sources, HTML need not (`{% if a %}<a>{% else %}<b>{% endif %}`): an HTML tag without a partner in
its segment becomes a loose leaf, still with its attributes. What a closing tag leaves open is flattened from the outside in, so
every kid moves once and the whole is linear.
"""

from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree


class Frames:
    """Hold the nodes made so far and the open ones among them.

    `nodes` are in document order, which is the order in which they are made; `open` are those whose close tag may still come, the
    root first. `segments` holds the index in `open` of each open block (the root's is 0), `waiting` by open block how
    many elements of each name are open in its present segment.
    """

    __slots__ = ("nodes", "open", "segments", "waiting")

    def __init__(self) -> None:
        """Start with the root as the only frame."""
        root = Node(nodes.ROOT, "", 0, 0, 0)
        root.kids = []
        self.nodes: list[Node] = [root]
        self.open: list[Node] = [root]
        self.segments: list[int] = [0]
        self.waiting: list[dict[str, int]] = [{}]

    def add(self, kind: str, name: str, start: int, head: int, end: int) -> None:
        """Append a leaf to the innermost frame."""
        node = Node(kind, name, start, head, end)
        self.nodes.append(node)
        self.open[-1].kids.append(node)

    def open_element(self, name: str, start: int, head: int, end: int) -> None:
        """Open an element."""
        node = Node(nodes.ELEMENT, name, start, head, end)
        node.kids = []
        self.nodes.append(node)
        self.open.append(node)
        counts = self.waiting[-1]
        counts[name] = counts.get(name, 0) + 1

    def open_block(self, name: str, start: int, head: int, end: int) -> None:
        """Open a template block, and with it a new segment."""
        node = Node(nodes.BLOCK, name, start, head, end)
        node.kids = []
        self.nodes.append(node)
        self.segments.append(len(self.open))
        self.open.append(node)
        self.waiting.append({})

    def flatten(self, depth: int) -> None:
        """Turn the elements from frame `depth` up into loose leaves of the frame below, their kids beside them."""
        if depth >= len(self.open):
            return
        target = self.open[depth - 1].kids
        for frame in self.open[depth:]:
            kids = frame.kids
            frame.kind = nodes.LOOSE
            frame.kids = nodes.NO_KIDS
            target.append(frame)
            target.extend(kids)
        del self.open[depth:]

    def end_segment(self) -> None:
        """Close what is open in the innermost block: a separator or the block's end has come."""
        self.flatten(self.segments[-1] + 1)
        self.waiting[-1] = {}

    def close_block(self, close: int, end: int) -> None:
        """Close the innermost block and hang it into the frame around it."""
        self.flatten(self.segments.pop() + 1)
        self.waiting.pop()
        block = self.open.pop()
        block.close = close
        block.end = end
        self.open[-1].kids.append(block)

    def close_element(self, name: str, start: int, head: int, end: int) -> None:
        """Close the nearest open element of that name in this segment; without one the close tag is a leaf."""
        counts = self.waiting[-1]
        if not counts.get(name, 0):
            self.add(nodes.CLOSE, name, start, head, end)
            return
        frames = self.open
        counts[name] -= 1
        if frames[-1].name != name:
            depth = len(frames) - 1
            while frames[depth].name != name:
                counts[frames[depth].name] -= 1
                depth -= 1
            self.flatten(depth + 1)
        element = frames.pop()
        element.close = head
        element.end = end
        frames[-1].kids.append(element)

    def tree(self, source: str) -> Tree:
        """Return the tree of `source` once all its pieces have passed by."""
        self.flatten(1)
        root = self.nodes[0]
        root.close = root.end = len(source)
        return Tree(source, self.nodes)
