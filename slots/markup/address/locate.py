"""Say where a node is in more than one way, and find it again.

No single locator survives base releases well enough, so an address holds several and `resolve` lets them check each other:
a path that leads to a node with another label is no hit, and two nodes that fit equally well are ambiguous, never "the
nearest". An upgrade does not use `resolve` on the new base: it matches whole trees and takes the address as a cross-check.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from slots.errors import Issue, IssueCode, OperationsInvalid
from slots.markup.address import labels
from slots.markup.declaration import renamed
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree


class Address(NamedTuple):
    """Locate one node of a base.

    `name` is for people. `path` holds kid indexes from the root (empty: the whole document). `kind` and `tag` are the
    node's kind and name. `slot` is the declared slot's name when the node is one. `key` is `labels.key`. `blocks` is the
    chain of enclosing named blocks and slots, outermost first (`block:content`); `depth` says how many steps of the path
    lead to the innermost of them, so that `path[depth:]` is the block-relative path. `own`, `subtree`, `before`, `after`
    are digests of the node's label, of the whole node and of the neighbours' labels (empty where there is none).
    """

    name: str
    path: tuple[int, ...]
    kind: str
    tag: str = ""
    slot: str = ""
    key: str = ""
    blocks: tuple[str, ...] = ()
    depth: int = 0
    own: str = ""
    subtree: str = ""
    before: str = ""
    after: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the address as a JSON object; empty members are left out."""
        found: dict[str, Any] = {"name": self.name, "path": list(self.path), "kind": self.kind}
        for member in ("tag", "slot", "key", "depth", "own", "subtree", "before", "after"):
            value = getattr(self, member)
            if value:
                found[member] = value
        if self.blocks:
            found["blocks"] = list(self.blocks)
        return found

    @classmethod
    def from_json(cls, data: object, place: str) -> "Address":
        """Return the address of a JSON object.

        Raises:
            OperationsInvalid: a member is missing, unknown or of the wrong type; `place` says where.
        """
        if not isinstance(data, Mapping):
            raise OperationsInvalid(place, "an address must be an object")
        if not data.keys() <= _MEMBERS:
            raise OperationsInvalid(place, f"an address has no member {min(data.keys() - _MEMBERS)!r}")
        path, blocks, depth = data.get("path"), data.get("blocks", ()), data.get("depth", 0)
        if not isinstance(path, list) or not all(type(step) is int and step >= 0 for step in path):
            raise OperationsInvalid(f"{place}.path", "must be a list of indexes from 0")
        if not isinstance(blocks, list | tuple) or not all(isinstance(block, str) for block in blocks):
            raise OperationsInvalid(f"{place}.blocks", "must be a list of strings")
        if type(depth) is not int or not 0 <= depth <= len(path):
            raise OperationsInvalid(f"{place}.depth", "must be an index into the path")
        if data.get("kind") not in nodes.KINDS:
            raise OperationsInvalid(f"{place}.kind", f"must be one of {', '.join(sorted(nodes.KINDS))}")
        for member in data.keys() & _TEXTS:
            if not isinstance(data[member], str):
                raise OperationsInvalid(f"{place}.{member}", "must be a string")
        return cls(**{**data, "name": data.get("name", ""), "path": tuple(path), "blocks": tuple(blocks)})


# What an address of JSON may hold, and which members of it are texts.
_MEMBERS: Final = frozenset(Address._fields)
_TEXTS: Final = _MEMBERS - {"path", "blocks", "depth", "kind"}


def describe(tree: Tree, node: Node) -> Address:
    """Return the address of a node of `tree`."""
    memo: dict[int, Address] = tree.memo.setdefault("addresses", {})
    known = memo.get(node.order)
    if known is not None:
        return known
    parent, index = node.parent, node.index
    own, subtree = labels.own_digest(tree, node), labels.subtree_digest(tree, node)
    if parent is None:
        found = Address("document", (), node.kind, own=own, subtree=subtree)
    else:
        path, blocks, depth, prefix = labels.place(tree, parent)
        kids = parent.kids
        before = labels.own_digest(tree, kids[index - 1]) if index else ""
        after = labels.own_digest(tree, kids[index + 1]) if index + 1 < len(kids) else ""
        name = prefix + labels.numbered(tree, parent, index)
        key = labels.key(tree, node)
        slot = key[5:] if key.startswith("slot:") else ""
        where = ((*path, index), node.kind, node.name, slot, key, blocks, depth)
        found = Address(name, *where, own, subtree, before, after)
    memo[node.order] = found
    return found


def outline(tree: Tree, node: Node) -> Address:
    """Return a short address for layout operations: name, path, kind and the digest of the label."""
    path = (*labels.place(tree, node.parent).path, node.index) if node.parent is not None else ()
    return Address(labels.readable(tree, node), path, node.kind, own=labels.own_digest(tree, node))


class _Index:
    """Find nodes of one tree by key, label and content; made only when a path does not lead straight to the node."""

    def __init__(self, tree: Tree) -> None:
        """Read every node of the tree once."""
        self.by_key: dict[str, list[Node]] = {}
        self.by_own: dict[str, list[Node]] = {}
        self.by_subtree: dict[str, list[Node]] = {}
        for node in tree.nodes[1:]:
            key = labels.key(tree, node)
            if key:
                self.by_key.setdefault(key, []).append(node)
            own = labels.own_digest(tree, node)
            self.by_own.setdefault(own, []).append(node)
            subtree = labels.subtree_digest(tree, node) if node.kids else own
            self.by_subtree.setdefault(subtree, []).append(node)

    @classmethod
    def of(cls, tree: Tree) -> "_Index":
        """Return the index of the tree, made once."""
        found = tree.memo.get("index")
        if not isinstance(found, cls):
            tree.memo["index"] = found = cls(tree)
        return found


def _confirmed(tree: Tree, node: Node, address: Address) -> bool:
    """Say whether a node that the path leads to is the one that the address means, without looking at the rest of the tree."""
    if node.kind != address.kind or labels.own_digest(tree, node) != address.own:
        return False
    if not address.subtree or labels.subtree_digest(tree, node) == address.subtree:
        return True
    if address.key and labels.key(tree, node) == address.key:
        return True
    found = describe(tree, node)
    return bool(address.before or address.after) and (found.before, found.after) == (address.before, address.after)


def resolve(tree: Tree, address: Address) -> Node | Issue:
    """Return the node of `tree` that the address means, or an issue TARGET_MISSING or TARGET_AMBIGUOUS.

    A declared slot wins over everything where its name is unique; where there is none of that name, the slot that had it before.
    Then: the path, when label and content, key or neighbours agree; the key with its label; the content where it is unique; the
    label where it is unique in its chain of blocks; the key alone at the same path.
    """
    if address.kind == nodes.ROOT:
        return tree.root
    at_path = tree.at(address.path)
    if at_path is not None and not address.slot and _confirmed(tree, at_path, address):
        return at_path
    index = _Index.of(tree)
    if address.slot:
        declared = index.by_key.get(f"slot:{address.slot}", [])
        if len(declared) == 1:
            return declared[0]
        if address.slot in (former := renamed(tree)):
            return former[address.slot]
        if at_path is not None and _confirmed(tree, at_path, address):  # other libraries use the tag for names that repeat
            return at_path
    keyed = [node for node in index.by_key.get(address.key, []) if node.kind == address.kind] if address.key else []
    labelled = [node for node in index.by_own.get(address.own, []) if node.kind == address.kind]
    same = [node for node in index.by_subtree.get(address.subtree, []) if node.kind == address.kind]
    blocks = tuple(_present(tree, block) for block in address.blocks)
    inside = [node for node in labelled if describe(tree, node).blocks == blocks] if len(labelled) < 64 else []
    for found in ([node for node in keyed if node in labelled], same, keyed, inside, labelled):
        if len(found) == 1:
            return found[0]
    if at_path is not None and at_path in keyed:
        return at_path
    return _only(labelled or keyed, address)


def _present(tree: Tree, block: str) -> str:
    """Return a link of a chain of blocks as it is called now."""
    name = block.removeprefix("slot:")
    return labels.identity(tree, renamed(tree)[name]) if name != block and name in renamed(tree) else block


def _only(found: list[Node], address: Address) -> Node | Issue:
    """Return the single node found, or say that there is none or more than one."""
    if len(found) == 1:
        return found[0]
    if found:
        return Issue(
            IssueCode.TARGET_AMBIGUOUS,
            f"{len(found)} places of the template fit {address.name} equally well.",
            place=address.name,
            suggestion="Give the element an id or declare a slot there, then point the operation at it.",
        )
    return Issue(
        IssueCode.TARGET_MISSING,
        f"The template has no {address.name} any more.",
        place=address.name,
        suggestion="Remove the operation, or point it at the element that took its place.",
    )
