"""Tell what a composed source took over from its base, which is trusted, from what a customization brought.

Trust goes by content and place: a node counts as the base's where the base has one of the same kind and text, in the same kind
of surroundings (a text moved into a script is not the same thing), with the same names bound around it. Each node of the base
vouches for one node of the composed source only.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from slots.markup.policy import rules
from slots.markup.policy.expressions import Expressions, Scope, roots
from slots.markup.tree import Node, Tree, attributes, nodes
from slots.markup.tree.attributes import OpenTag, Part
from slots.schema import Contract

K = TypeVar("K", bound=Hashable)
Heads = tuple[str, ...]
NodeKey = tuple[str, str, Heads, str]
_QUIET: Final[Heads] = ()
_READING: Final = Expressions(Contract(), frozenset(), frozenset())


class Surroundings:
    """Know for every node of one tree which element seals it and which block heads bind names around it."""

    def __init__(self, tree: Tree) -> None:
        """Walk the tree once."""
        self.tree = tree
        self.seal: list[str] = [""] * len(tree.nodes)
        self.heads: list[Heads] = [()] * len(tree.nodes)
        for node in tree.nodes[1:]:
            parent = node.parent
            if parent is None:
                continue
            heads = self.heads[parent.order]
            if parent.kind == nodes.BLOCK and (parent.name in rules.BINDING or parent.name in rules.ESCAPING):
                heads = (*heads, " ".join(tree.open(parent).split()))
            seal = self.seal[parent.order]
            if parent.kind == nodes.ELEMENT and (parent.name in rules.SEALED or parent.name in ("textarea", "title")):
                seal = seal or parent.name
            self.heads[node.order] = heads
            self.seal[node.order] = seal

    def key(self, node: Node) -> NodeKey:
        """Return what makes a node the same as another one."""
        text = " ".join(self.tree.open(node).split())
        heads = self.heads[node.order] if "{" in text else _QUIET
        return node.kind, self.seal[node.order], heads, text


@dataclass(slots=True)
class Trust:
    """Hold what the base vouches for and nothing has claimed yet."""

    nodes: Counter[NodeKey] = field(default_factory=Counter)
    sealed: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    parts: Counter[tuple[str, Heads, str]] = field(default_factory=Counter)
    styles: dict[tuple[str, Heads], set[tuple[str, str]]] = field(default_factory=dict)
    loops: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)

    def claim(self, key: NodeKey) -> bool:
        """Say whether the base has an unclaimed node like this, and claim it."""
        return _take(self.nodes, key)

    def claim_part(self, name: str, heads: Heads, part: Part) -> bool:
        """Say whether an element of that name in the base has an unclaimed part like this, and claim it."""
        text = " ".join(part.text.split())
        return _take(self.parts, (name, heads if "{" in text else _QUIET, text))


def trust_of(tree: Tree, around: Surroundings, names: frozenset[str]) -> Trust:
    """Return all that a base vouches for; `names` are those of the contract."""
    trust = Trust()
    for node in tree.nodes[1:]:
        trust.nodes[around.key(node)] += 1
        if node.kind in (nodes.BLOCK, nodes.TAG):
            trust.bound.update(_READING.bound(node.name, arguments(tree, node), Scope()))
        if node.kind in nodes.TAGGED and node.name in rules.SEALED:
            trust.sealed[tree.text(node)] += 1
        elif node.kind == nodes.BLOCK and node.name == "for":
            bits = tree.open(node)[2:-2].split()
            if "in" in bits[:-1]:
                trust.loops.add(bits[bits.index("in") + 1])
        elif node.kind == nodes.TAG and node.name == "load":
            trust.libraries.update(libraries(tree.open(node)))
        if node.kind in nodes.TAGGED:
            _vouch_addresses(trust, tree, node, names)
    return trust


def keep_leftovers(trust: Trust, tree: Tree, around: Surroundings, unclaimed: list[Node]) -> None:
    """Let the base's elements that nothing claimed whole vouch for their name and their single parts."""
    for node in unclaimed:
        if node.kind not in nodes.TAGGED:
            continue
        trust.names[node.name] += 1
        heads = around.heads[node.order]
        opened = attributes.read(tree.open(node))
        for part in opened.parts:
            text = " ".join(part.text.split())
            trust.parts[node.name, heads if "{" in text else _QUIET, text] += 1
        trust.styles.setdefault((node.name, heads), set()).update(_declarations(opened))


def arguments(tree: Tree, node: Node) -> str:
    """Return what follows the name of a template tag."""
    return tree.open(node)[2:-2].strip()[len(node.name) :].strip()


def libraries(text: str) -> list[str]:
    """Return the libraries that a `{% load %}` names."""
    bits = text[2:-2].split()[1:]
    return bits[-1:] if len(bits) > 2 and bits[-2] == "from" else bits


def _declarations(opened: OpenTag) -> list[tuple[str, str]]:
    part = opened.find("style")
    return attributes.declarations(part.value) if part is not None and part.value else []


def _vouch_addresses(trust: Trust, tree: Tree, node: Node, names: frozenset[str]) -> None:
    """Note the expressions that the base shows as whole addresses, by names that nothing in a payload can bind anew."""
    if "{{" not in tree.open(node):
        return
    for part in attributes.read(tree.open(node)).parts:
        value = (part.value or "").strip()
        if part.key in rules.ADDRESSES and value.startswith("{{") and value.endswith("}}") and value.count("{{") == 1:
            expression = value[2:-2].strip()
            used = roots(expression)
            if used and used <= names:
                trust.addresses.add(expression)


def _take(counter: Counter[K], key: K) -> bool:
    if counter[key] <= 0:
        return False
    counter[key] -= 1
    return True
