"""Carry changes of `{% load %}`: a set of libraries, whatever the tags say them in.

What the customization adds is added, what it takes out is taken out only where the new base says exactly what the old one
said; a library that upstream needs is never dropped.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from slots.markup import ops
from slots.markup.address import Address, describe, resolve
from slots.markup.ops import Operation
from slots.markup.rebase import spelling
from slots.markup.rebase.case import Case
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Pairing
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Node, Tree
from slots.markup.tree.template import constructs

LOAD = "load"
# Tags and filters that need no library.
BUILT_IN: Final = frozenset(
    (
        "autoescape block comment csrf_token cycle debug elif else empty extends filter firstof for if ifchanged ifequal "
        "ifnotequal include load lorem now plural querystring regroup resetcycle slot spaceless templatetag url verbatim "
        "widthratio with "
        "add addslashes capfirst center cut date default default_if_none dictsort dictsortreversed divisibleby escape "
        "escapejs escapeseq filesizeformat first floatformat force_escape get_digit iriencode join json_script last length "
        "length_is linebreaks linebreaksbr linenumbers ljust lower make_list phone2numeric pluralize pprint random rjust "
        "safe safeseq slice slugify stringformat striptags time timesince timeuntil title truncatechars truncatechars_html "
        "truncatewords truncatewords_html unordered_list upper urlencode urlize urlizetrunc wordcount wordwrap yesno"
    ).split()
)
_FILTER: Final = re.compile(r"\|\s*(\w+)")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")


def concerns(pairing: Pairing, operation: Operation, node: Node) -> bool:
    """Tell whether the operation changes the libraries of one `load` tag."""
    return operation.kind == ops.SET_TAG_ARGS and not operation.layout and is_load(node)


def is_load(node: Node) -> bool:
    """Tell whether a node is a `load` tag."""
    return node.kind == nodes.TAG and node.name == LOAD


def loaded(tree: Tree) -> frozenset[str]:
    """Return all libraries that a source loads; kept in the tree's memo."""
    found = tree.memo.get("rebase.loaded")
    if not isinstance(found, frozenset):
        tags = [tree.open(node) for node in tree.nodes if node.name == LOAD and node.kind == nodes.TAG]
        found = tree.memo["rebase.loaded"] = frozenset[str]().union(*map(spelling.libraries, tags))
    return found


def carry(pairing: Pairing, operation: Operation, node: Node) -> Carried:
    """Return a changed `load` tag carried over."""
    before, wanted = spelling.libraries(pairing.old.open(node)), spelling.libraries(operation.text)
    there = pairing.partner(node) or _other_load(pairing, wanted)
    if there is None:
        outcome = Outcome(
            operation.id,
            Status.CONFLICT,
            Texts(pairing.old.open(node), operation.text, ""),
            "Upstream loads nothing here any more.",
        )
        return Carried(None, outcome)
    theirs = spelling.libraries(pairing.new.open(there))
    everywhere = loaded(pairing.new)
    texts = Texts(pairing.old.open(node), operation.text, pairing.new.open(there))
    if theirs == before and pairing.partner(node) is there:
        carried = replace(operation, address=describe(pairing.new, there), displaced=(pairing.new.open(there),))
        return Carried(carried, Outcome(operation.id, Status.CLEAN, texts, "", operation.address.name))
    missing = sorted(wanted - before - everywhere)
    if not missing:
        return Carried(
            None, Outcome(operation.id, Status.ABSORBED, texts, "The new base loads these libraries.", operation.address.name)
        )
    text = pairing.new.open(there)
    if " from " in text:
        outcome = Outcome(operation.id, Status.CONFLICT, texts, "The new base loads single names here; decide how to join them.")
        return Carried(None, outcome)
    joined = f"{text[:-2].rstrip()} {' '.join(missing)} %}}"
    carried = replace(operation, address=describe(pairing.new, there), payload=(joined,), displaced=(text,))
    return Carried(
        carried, Outcome(operation.id, Status.ADAPTED, texts, "The libraries of both sides are loaded.", operation.address.name)
    )


def _other_load(pairing: Pairing, wanted: frozenset[str]) -> Node | None:
    """Return the `load` tag of the new base that shares most with the wanted one, the first of equals."""
    best: Node | None = None
    most = 0
    for node in pairing.new.nodes:
        if is_load(node):
            common = 1 + len(spelling.libraries(pairing.new.open(node)) & wanted)
            if common > most:
                best, most = node, common
    return best


def missing(pairing: Pairing, ours: Tree, result: Tree) -> frozenset[str]:
    """Return libraries that a result needs and does not load.

    What the customization adds is needed. What upstream loads is needed too, unless the customization stopped loading it and the
    result uses no tag and no filter but those that it uses itself and Django's own. The other way round it is the same.
    """
    before, edited, theirs, after = (loaded(tree) for tree in (pairing.old, ours, pairing.new, result))
    dropped = before - edited
    needed = (theirs - dropped) | (edited - before)
    if dropped & theirs and foreign(result) - foreign(ours):
        needed |= dropped & theirs
    if edited - theirs and foreign(result) - foreign(pairing.new):
        needed |= edited - theirs
    return needed - after


def retain(case: Case, result: Tree, carried: Sequence[Carried]) -> list[tuple[int, Operation]]:
    """Return operations that load again what a result needs and another operation dropped, each with the index of that one."""
    pairing = case.pairing
    wanted = missing(pairing, case.ours, result)
    if not wanted:
        return []
    found: list[tuple[int, Operation]] = []
    for node in pairing.new.nodes:
        libraries = sorted(wanted & spelling.libraries(pairing.new.open(node))) if is_load(node) else []
        dropped = _dropped(pairing, node, carried) if libraries else None
        if dropped is not None:
            index, taken = dropped
            wanted -= frozenset(libraries)
            text = pairing.new.lead(node) + pairing.new.open(node)
            found.append((index, _load(pairing, taken, text, carried[index])))
    users = [index for index, each in enumerate(carried) if each.operation is not None and each.operation.text.strip()]
    if wanted and users:
        anchor = _last_head(pairing)
        text = f"{{% load {' '.join(sorted(wanted))} %}}"
        found.append((users[0], _load(pairing, anchor, "\n" + text if anchor is not None else text + "\n", carried[users[0]])))
    return found


def _load(pairing: Pairing, anchor: Node | None, text: str, carried: Carried) -> Operation:
    """Return an insertion of a `load` tag after a node, or at the start of the document; it is named after its cause."""
    address = describe(pairing.new, anchor if anchor is not None else pairing.new.root)
    place = ops.AFTER if anchor is not None else ops.PREPEND
    return Operation(ops.INSERT, address, (text,), place=place, id=f"{carried.outcome.operation_id}-load")


def _last_head(pairing: Pairing) -> Node | None:
    """Return the last of the `extends` and `load` tags that the new base starts with."""
    found: Node | None = None
    for kid in pairing.new.root.kids:
        if kid.kind == nodes.TAG and kid.name in ("extends", LOAD):
            found = kid
        elif kid.kind != nodes.COMMENT:
            break
    return found


def _dropped(pairing: Pairing, node: Node, carried: Sequence[Carried]) -> tuple[int, Node] | None:
    """Return the index of the operation that takes a `load` tag of the new base away or rewrites it, and what it takes.

    Of several the one that takes most: what stands inside that is not in the result.
    """
    found: tuple[int, Node] | None = None
    for index, each in enumerate(carried):
        operation = each.operation
        if operation is None or operation.place:
            continue
        there = _resolved(pairing, operation.address, *operation.targets)
        taken = next((one for one in there if one.contains(node)), None)
        if taken is None or (taken is not node and operation.kind not in ops.STRUCTURAL):
            continue
        is_kept = any(hole.contains(node) for hole in _resolved(pairing, *operation.holes))
        if not is_kept and (found is None or taken.order < found[1].order):
            found = index, taken
    return found


def _resolved(pairing: Pairing, *addresses: Address) -> list[Node]:
    """Return the nodes of the new base below the root that addresses lead to."""
    found = (resolve(pairing.new, address) for address in addresses)
    return [node for node in found if isinstance(node, Node) and node.parent is not None]


def foreign(tree: Tree) -> frozenset[str]:
    """Return the names of tags and filters in a source that Django does not bring itself."""
    found = tree.memo.get("rebase.foreign")
    if not isinstance(found, frozenset):
        names: set[str] = set()
        for construct in constructs(tree.source).items:
            if construct.kind in ("%", "{"):
                text = tree.source[construct.start : construct.end]
                names.update(_FILTER.findall(_QUOTED.sub("", text)))
                if construct.name and not construct.name.startswith("end"):
                    names.add(spelling.TAG_NAMES.get(construct.name, construct.name))
        found = tree.memo["rebase.foreign"] = frozenset(names - BUILT_IN)
    return found
