"""List the slots of a template: those it declares, and every other element by a readable address."""

from dataclasses import dataclass

from slots.markup.address import labels
from slots.markup.tree import nodes
from slots.markup.tree.build import parse

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
    seen: dict[str, int] = {}
    line = 1
    counted = 0
    for node in tree.nodes:
        declared = node.kind == nodes.BLOCK and node.name == labels.DECLARING
        if not declared and node.kind != nodes.ELEMENT:
            continue
        line += source.count("\n", counted, node.head)
        counted = node.head
        name = labels.argument(tree.open(node)) if declared else labels.readable(tree, node)
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = f"{name}#{seen[name]}"
        default = source[node.open_end : node.close].strip()
        found.append(SlotEntry(name, DECLARED if declared else DERIVED, node.name, line, default))
    return tuple(found)
