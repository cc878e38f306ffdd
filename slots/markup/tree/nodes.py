"""Hold one template source as a tree of nodes that are spans of it.

A node never holds text of its own: it names offsets into `Tree.source`, so a tree is lossless by construction as long as the
spans tile the source, which `serialize` relies on and the tests check. The layout of one node is

    start      head          open_end ...kids...  tail_start   close          end
    |  lead    |  open tag   |                    |    tail    |  close tag   |

`lead` is the white space before the node (it belongs to the node), `tail` the white space before the close tag. A leaf has
`open_end == close == end`. Cost: one object a node; depth is unlimited, nothing here recurses.
"""

from collections.abc import Iterator
from typing import Any, Final

ROOT: Final = "root"
ELEMENT: Final = "element"  # HTML element with its close tag, void element or self-closed tag
BLOCK: Final = "block"  # template tag whose end tag was found; separators are flat among its kids
LOOSE: Final = "loose"  # HTML open tag without a close tag in its template segment; it still has attributes
CLOSE: Final = "close"  # HTML close tag without an open tag in its template segment
TAG: Final = "tag"  # template tag that opens nothing
SEPARATOR: Final = "separator"  # else, elif, empty, plural directly inside their block
VARIABLE: Final = "variable"  # {{ … }}
TEXT: Final = "text"  # one line of text
RAW: Final = "raw"  # one line inside script, style, textarea or title
COMMENT: Final = "comment"  # <!-- … -->, {# … #} or {% comment %} … {% endcomment %}
VERBATIM: Final = "verbatim"  # {% verbatim %} … {% endverbatim %}
DOCTYPE: Final = "doctype"  # <!doctype …> and other <! … > declarations

KINDS: Final = frozenset({ROOT, ELEMENT, BLOCK, LOOSE, CLOSE, TAG, SEPARATOR, VARIABLE, TEXT, RAW, COMMENT, VERBATIM, DOCTYPE})
TAGGED: Final = frozenset({ELEMENT, LOOSE})  # kinds whose open text is an HTML open tag with attributes
TEMPLATED: Final = frozenset({BLOCK, TAG, SEPARATOR, VARIABLE})  # kinds whose open text is one template construct
CONTAINERS: Final = frozenset({ROOT, ELEMENT, BLOCK})


# What leaves have in place of a list of their own: a list each would be half of all objects of a tree. Nothing is ever put in.
NO_KIDS: Final[list["Node"]] = []


class Node:
    """Name one span of the source, its kind and its kids; all offsets are characters, half-open.

    `name` is the lower-cased tag name, the template tag name, or for comments the opener (`<!--`, `{#`, `comment`).
    `index` is the position among the parent's kids. `order` is the position in document order (root is 0) and `last` the order
    of the last node below it (its own for a leaf), so `a.order <= b.order <= a.last` says that b is a or below a.
    """

    __slots__ = ("close", "end", "head", "index", "kids", "kind", "last", "name", "open_end", "order", "parent", "start")

    def __init__(self, kind: str, name: str, start: int, head: int, open_end: int) -> None:
        """Make a leaf; the builder gives it a list of kids and moves `close` and `end`."""
        self.kind = kind
        self.name = name
        self.start = start
        self.head = head
        self.open_end = open_end
        self.close = open_end
        self.end = open_end
        self.kids: list[Node] = NO_KIDS
        self.parent: Node | None = None
        self.index = 0
        self.order = 0
        self.last = 0

    @property
    def tail_start(self) -> int:
        """Return where the white space before the close tag begins."""
        return self.kids[-1].end if self.kids else self.open_end

    @property
    def path(self) -> tuple[int, ...]:
        """Return the indexes that lead from the root to the node; empty for the root."""
        steps: list[int] = []
        node: Node = self
        while node.parent is not None:
            steps.append(node.index)
            node = node.parent
        return tuple(reversed(steps))

    def ancestors(self) -> Iterator["Node"]:
        """Yield parent, grandparent … root."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def contains(self, other: "Node") -> bool:
        """Say whether `other` is this node or below it (both of one tree)."""
        return self.order <= other.order <= self.last

    def __repr__(self) -> str:
        """Return kind, name and span for the debugger."""
        return f"<Node {self.kind} {self.name!r} [{self.start}:{self.end}]>"


class Tree:
    """Hold a source and its nodes in document order; `nodes[0]` is the root.

    `memo` keeps values that others derive from the tree (indexes, digests), keyed by the name of who derives them.
    """

    __slots__ = ("memo", "nodes", "root", "source")

    def __init__(self, source: str, nodes: list[Node]) -> None:
        """Number the nodes, which come in document order, and link them to their parents."""
        self.source = source
        self.root = nodes[0]
        self.nodes = nodes
        self.memo: dict[str, Any] = {}
        for order in range(len(nodes) - 1, -1, -1):
            node = nodes[order]
            node.order = node.last = order
            kids = node.kids
            if kids:
                node.last = kids[-1].last
                for index, kid in enumerate(kids):
                    kid.parent = node
                    kid.index = index

    def lead(self, node: Node) -> str:
        """Return the white space before the node."""
        return self.source[node.start : node.head]

    def open(self, node: Node) -> str:
        """Return the open tag of a container, or the whole text of a leaf, without the lead."""
        return self.source[node.head : node.open_end]

    def tail(self, node: Node) -> str:
        """Return the white space between the last kid and the close tag."""
        return self.source[node.tail_start : node.close]

    def closing(self, node: Node) -> str:
        """Return the close tag, empty for leaves and void elements."""
        return self.source[node.close : node.end]

    def text(self, node: Node) -> str:
        """Return the node's source without its lead."""
        return self.source[node.head : node.end]

    def at(self, path: tuple[int, ...]) -> Node | None:
        """Return the node that the indexes lead to, or None where there is none."""
        node = self.root
        for index in path:
            if not 0 <= index < len(node.kids):
                return None
            node = node.kids[index]
        return node


def serialize(tree: Tree) -> str:
    """Return the source again, written from the spans of the nodes one by one (so it proves that they tile the source)."""
    source = tree.source
    parts: list[str] = []
    stack: list[Node | str] = [tree.root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        parts.append(source[item.start : item.open_end])
        stack.append(source[item.tail_start : item.end])
        stack.extend(reversed(item.kids))
    return "".join(parts)
