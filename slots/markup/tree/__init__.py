"""Read a template source into a lossless tree of HTML interleaved with Django template constructs.

`serialize(parse(s)) == s` for every string. Parsing is linear, iterative and never fails; limits on size and depth are for the
caller to check (`slots.schema`).
"""

from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node, Tree, serialize

__all__ = ["Node", "Tree", "parse", "serialize"]
