"""Prefer a name to content: an element whose tag and class names are found once in both versions is the same element.

The matching follows content. Where upstream puts a new element between a named one and its content, content leads to the new
one inside, and the named one seems to be new around it. Its name says otherwise.
"""

from slots.markup.address import labels
from slots.markup.match import Matching
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree

Name = tuple[str, frozenset[str]]


def prefer(matching: Matching) -> None:
    """Match elements with a unique name that content led elsewhere: to what lies inside their namesake or around it."""
    wanted = {
        name: node
        for node in matching.right.nodes
        if matching.to_left[node.order] < 0 and (name := _name(matching.right, node)) is not None
    }
    if not wanted:
        return
    old, new = (_unique(tree, wanted) for tree in (matching.left, matching.right))
    for name, node in new.items():
        namesake = old.get(name)
        if namesake is None or matching.to_left[node.order] >= 0:
            continue
        there = matching.partner(namesake)
        if there is None or ((node.contains(there) or there.contains(node)) and _name(matching.right, there) != name):
            if there is not None:
                matching.to_left[there.order] = -1
            matching.pair(namesake.order, node.order)


def _unique(tree: Tree, wanted: dict[Name, Node]) -> dict[Name, Node]:
    """Return the elements of a tree that are the only one with their name, of the names that are wanted."""
    found: dict[Name, Node | None] = {}
    for node in tree.nodes:
        name = _name(tree, node)
        if name in wanted:
            found[name] = None if name in found else node
    return {name: node for name, node in found.items() if node is not None}


def _name(tree: Tree, node: Node) -> Name | None:
    """Return tag and literal class names of an element, None without."""
    if node.kind not in nodes.TAGGED:
        return None
    classes = labels.literal(tree.open(node), "class")
    return (node.name, frozenset(classes.split())) if classes else None
