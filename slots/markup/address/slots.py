"""List the slots of a template: those it declares, and every other element by a readable address."""

from dataclasses import dataclass

from slots.markup.address import labels
from slots.markup.declaration import is_slot
from slots.markup.tree import nodes
from slots.markup.tree.build import parse
from slots.markup.tree.nodes import Node, Tree

DECLARED = "declared"
DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class SlotEntry:
    """Describe one slot: `kind` is `declared` or `derived`, `line` counts from 1, `default` is its content in the base."""

    name: str
    kind: str
    tag: str
    line: int
    default: str


def slot_map(source: str) -> tuple[SlotEntry, ...]:
    """Return the slots of a template in document order; names are unique (a second `card/title` is `card/title#2`)."""
    tree = parse(source)
    found: list[SlotEntry] = []
    line = 1
    counted = 0
    for name, node in slot_nodes(tree).items():
        line += source.count("\n", counted, node.head)
        counted = node.head
        default = source[node.open_end : node.close].strip()
        found.append(SlotEntry(name, DECLARED if node.kind == nodes.BLOCK else DERIVED, node.name, line, default))
    return tuple(found)


def slot_nodes(tree: Tree) -> dict[str, Node]:
    """Return the node of each slot, declared or derived, by its unique name, in document order; kept in the tree's memo."""
    known: dict[str, Node] | None = tree.memo.get("slot nodes")
    if known is not None:
        return known
    found: dict[str, Node] = {}
    seen: dict[str, int] = {}
    for node in tree.nodes:
        declared = is_slot(node)
        if not declared and node.kind != nodes.ELEMENT:
            continue
        name = labels.argument(tree.open(node)) if declared else labels.readable(tree, node)
        seen[name] = seen.get(name, 0) + 1
        found[f"{name}#{seen[name]}" if seen[name] > 1 else name] = node
    tree.memo["slot nodes"] = found
    return found
