"""Carry operations that take nodes away: remove, replace, wrap, unwrap.

Upstream touched the place when a node that is taken away says something else now, or when something was added that the place
would swallow. What upstream added beside a kept node stays beside it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from slots.markup import ops
from slots.markup.address import Address, describe
from slots.markup.ops import Hole
from slots.markup.rebase import upstream, versions
from slots.markup.rebase.halves import are_parted
from slots.markup.rebase.insertion import anchored
from slots.markup.rebase.outcomes import Carried, Outcome, Status, Texts
from slots.markup.rebase.pairing import Fragment, Pairing, covering, labels_of, outermost
from slots.markup.rebase.places import Place, absorbed, conflict, described, is_put, orders_of, ours_text, text_of
from slots.markup.tree.nodes import Node


class Displacement:
    """Carry one operation that takes nodes away and perhaps puts a fragment in their place."""

    def __init__(self, pairing: Pairing, place: Place) -> None:
        """Look up where everything went."""
        self.pairing = pairing
        self.place = place
        self.operation = place.operation
        self.targets = outermost([place.node, *place.targets])
        self.claimed = place.others.claimed
        self.lifted = self._lifted()
        self.there = [
            found for target in self.targets if (found := self._partner(target)) is not None and found.order not in self.claimed
        ]
        self.removed = {node.order for node in place.removed}
        self.holes = {there.order: there for hole in place.holes if (there := self._partner(hole)) is not None}
        self.kept = {there.order: there for hole in place.others.holes if (there := pairing.partner(hole)) is not None}
        self.strays = self._strays()
        self.payload: list[str | Node] = self._payload()
        self.swallowed: list[Node] = []  # upstream's additions that the place would swallow
        self.attached: list[Node] = []  # what of upstream's was put beside or around a kept node
        self.doubled = False  # upstream added something that the fragment brings too

    @cached_property
    def written(self) -> Counter[str]:
        """Return the labels of what the operation writes."""
        return labels_of(self._fragment(self.operation.text).tree) if self.operation.payload else Counter[str]()

    def _strays(self) -> list[Node]:
        """Return where nodes that go away went outside of the targets' places."""
        found = [there for node in self.place.removed if (there := self.pairing.partner(node)) is not None]
        is_there = covering(self.there)
        return outermost([node for node in found if not is_there(node)])

    def _payload(self) -> list[str | Node]:
        following = iter(self.place.holes)
        pieces: list[str | Node] = []
        for piece in self.operation.payload:
            if isinstance(piece, str):
                pieces.append(piece)
            else:
                there = self._partner(next(following))
                if there is not None:
                    pieces.append(there)
        return pieces

    def _lifted(self) -> dict[int, Node]:
        """Return what upstream put around some of several siblings that are kept, by the order of the old node.

        A fragment around all of them has to stand around that, not inside it.
        """
        around = self.targets[0].parent
        parent = self.pairing.partner(around) if around is not None else None
        kept = [(hole, there) for hole in self.place.holes if (there := self.pairing.partner(hole)) and hole.parent is around]
        if (
            parent is None
            or all(there.parent is parent for _, there in kept)
            or not any(there.parent is parent for _, there in kept)
        ):
            return {}
        found: dict[int, Node] = {}
        for hole, there in kept:
            while there.parent is not None and there.parent is not parent and self.pairing.origin(there.parent) is None:
                there = there.parent
            if there.parent is parent:
                found[hole.order] = there
        return found

    def _partner(self, node: Node) -> Node | None:
        return self.lifted.get(node.order) or self.pairing.partner(node)

    def _fragment(self, text: str) -> Fragment:
        return self.pairing.fragment(text, self.targets[0].parent)

    def carry(self) -> Carried:
        """Return the operation carried over."""
        if self.place.holes and not self.holes:
            return conflict(self.pairing, self.place, "Upstream removed all that this operation keeps.")
        run = self._upstream_run()
        if run is not None:
            kept = orders_of(self.holes.values())
            return absorbed(self.pairing, self.place, self._theirs(), orders_of(run) - kept)
        if not self.there:
            return self._carry_gone()
        self._look_inside()
        if not self.operation.payload:
            return self._carry_removal()
        status, reason = self._status()
        return self._settle(status, reason, self.there)

    def _upstream_run(self) -> Sequence[Node] | None:
        """Return the nodes that the new base has at this place where they are what the operation would make of it, else None."""
        pairing = self.pairing
        if not self.operation.payload:
            return None if self.there or self.strays else ()
        if len(self.there) == len(self.targets) and all(map(self._is_left, self.targets, self.there)):
            return None
        text = "".join(piece if isinstance(piece, str) else pairing.new.text(piece) for piece in self.payload)
        fragment = self._fragment(text)
        return next((run for run in self._runs() if upstream.is_run(pairing, fragment, run)), None)

    def _is_left(self, target: Node, there: Node) -> bool:
        """Tell whether upstream left a node where it was and what it was."""
        has_moved = target.parent is not None and self.pairing.partner(target.parent) is not there.parent
        return not has_moved and self.pairing.is_untouched(target, there)

    def _runs(self) -> Iterable[list[Node]]:
        """Yield the runs of new nodes that could be this place: the gap's, from first to last kept node, new nodes around them.

        All stand under what became of the old parent: the same nodes inside something else are another place.
        """
        pairing = self.pairing
        first, last = self.targets[0], self.targets[-1]
        parent = pairing.partner(first.parent) if first.parent is not None else None
        if parent is None or first.parent is None or last.parent is not first.parent:
            return
        gap = pairing.gap(first.parent, first.index, last.index + 1)
        if gap is not None:
            yield gap.kids
            yield [kid for kid in gap.kids if kid.order not in self.claimed]
        marks = sorted([*self.there, *self.holes.values()], key=lambda node: node.order)
        if marks and all(node.parent is parent for node in marks):
            start, stop = marks[0].index, marks[-1].index + 1
            yield parent.kids[start:stop]
            while start and is_put(pairing, self.place, parent.kids[start - 1]):
                start -= 1
            while stop < len(parent.kids) and is_put(pairing, self.place, parent.kids[stop]):
                stop += 1
            yield parent.kids[start:stop]
        around = marks[0].parent if marks else None
        while around is not None and pairing.origin(around) is None:
            if around.parent is parent:
                yield [around]
            around = around.parent

    def _look_inside(self) -> None:
        """Find what upstream put into the place, and put it beside a kept node where it stands beside one."""
        pairing = self.pairing
        for target in outermost(self.there):
            stack = [target]
            while stack:
                node = stack.pop()
                if node.order in self.holes or node.order in self.kept:
                    continue
                origin = pairing.origin(node)
                if origin is not None and origin.order in self.removed:
                    stack.extend(reversed(node.kids))
                elif self.written[pairing.new_label(node)]:  # the fragment has its own one: a second would stand beside it
                    self.doubled = True
                    stack.extend(reversed(node.kids))
                elif not self._attach(node):
                    self.swallowed.append(node)
        self._take_in_between()

    def _take_in_between(self) -> None:
        """Put what upstream added between two kept nodes between them again, where the fragment leaves nothing else there."""
        pieces: list[str | Node] = []
        before: Node | None = None
        for piece in self.payload:
            if isinstance(piece, Node):
                added = self._added_between(before, piece) if before is not None else []
                if added:
                    space = pieces.pop() if isinstance(pieces[-1], str) else ""
                    for node in added:
                        pieces.extend((self.pairing.new.lead(node), node))
                    pieces.append(space)
                    self.attached += added
                before = piece
            elif piece.strip():
                before = None
            pieces.append(piece)
        self.payload = pieces

    def _added_between(self, before: Node, after: Node) -> list[Node]:
        if before.parent is None or before.parent is not after.parent:
            return []
        found = before.parent.kids[before.index + 1 : after.index]
        is_ours = any(self.written[self.pairing.new_label(node)] for node in found)
        return [] if is_ours or any(self.pairing.origin(node) is not None for node in found) else found

    def _attach(self, node: Node) -> bool:
        """Put a node of upstream's into the payload: in place of the holes that it contains, else beside the hole next to it."""
        inner = [index for index, piece in enumerate(self.payload) if isinstance(piece, Node) and node.contains(piece)]
        if inner:
            self.payload[inner[0]] = node
            for index in reversed(inner[1:]):
                del self.payload[index]
            self.attached.append(node)
            return True
        if node.parent is None:
            return False
        known = {piece.order: index for index, piece in enumerate(self.payload) if isinstance(piece, Node)}
        siblings = node.parent.kids
        if node.index and siblings[node.index - 1].order in known:
            at = known[siblings[node.index - 1].order] + 1
        elif node.index + 1 < len(siblings) and siblings[node.index + 1].order in known:
            at = known[siblings[node.index + 1].order]
            if at and isinstance(self.payload[at - 1], str):
                self.payload[at - 1 : at] = [self.payload[at - 1], node, self.pairing.new.lead(siblings[node.index + 1])]
                self.attached.append(node)
                return True
        else:
            return False
        self.payload[at:at] = [self.pairing.new.lead(node), node]
        self.attached.append(node)
        return True

    def _status(self) -> tuple[Status, str]:
        pairing = self.pairing
        if any(pairing.origin(node) is not None for node in self.swallowed):
            return Status.CONFLICT, "Upstream moved something into the place that this operation replaces."
        touched = bool(self.swallowed or self.strays or self.doubled) or len(self.there) < len(self.targets)
        last = -1
        for node in self.place.removed:
            there = pairing.partner(node)
            if there is None or there.order < last or not pairing.same_label(node, there):
                touched = True
            last = there.order if there is not None else last
        if touched and self._ours_holds_theirs():
            return Status.ADAPTED, "The customization has at this place what the new base changed there."
        if touched:
            return Status.KEPT, "The new base changed what this operation replaces; the customization's version stands."
        lost_hole = len(self.holes) < len(self.place.holes)
        parent = self.targets[0].parent
        new_parent = pairing.partner(parent) if parent is not None else None
        moved = new_parent is not self.there[0].parent
        if len({id(hole.parent) for hole in self._siblings()}) > 1:
            return Status.KEPT, "Upstream parted what this operation keeps together; the customization's version stands."
        if are_parted(self.attached, pairing.new):
            return Status.KEPT, "Upstream put something around this place that begins or ends inside it."
        moved = moved or bool(self.lifted)
        return (Status.ADAPTED if self.attached or lost_hole or moved else Status.CLEAN), ""

    def _siblings(self) -> list[Node]:
        """Return the new nodes of those that are kept and stood beside each other."""
        around = self.targets[0].parent
        return [there for hole in self.place.holes if hole.parent is around and (there := self._partner(hole)) is not None]

    def _ours_holds_theirs(self) -> bool:
        """Tell whether ours says what upstream changed inside the place: it has what that added, and not what that removed."""
        return self._says(outermost([*self.there, *self.strays]))

    def _says(self, there: Sequence[Node]) -> bool:
        """Tell the same of the nodes that upstream has for those that go away, without what is kept in them."""
        pairing = self.pairing
        is_there = covering(there)
        is_kept = covering([hole for hole in (*self.holes.values(), *self.kept.values()) if is_there(hole)])
        nodes = (node for each in there for node in pairing.new.nodes[each.order : each.last + 1])
        tree = self._fragment(self.operation.text).tree
        return versions.agrees(
            versions.tokens_of(pairing.old, self.place.removed),
            versions.tokens_of(pairing.new, [node for node in nodes if not is_kept(node)]),
            versions.tokens_of(tree, tree.nodes),
        )

    def _carry_removal(self) -> Carried:
        """Carry a removal: what the user took away stays away, wherever upstream moved it."""
        pairing = self.pairing
        if any(pairing.origin(node) is not None for node in self.swallowed):
            return conflict(pairing, self.place, "Upstream moved something into what this operation removes.")
        relabelled = any(
            (there := pairing.partner(node)) is not None and not pairing.same_label(node, there) for node in self.place.removed
        )
        if (self.swallowed or relabelled) and not self._ours_holds_theirs():
            return self._settle(Status.KEPT, "The new base changed what this operation removes; it stays removed.", self.there)
        partly = self.swallowed or relabelled or self.strays or len(self.there) < len(self.targets)
        parent = self.targets[0].parent
        moved = parent is not None and pairing.partner(parent) is not self.there[0].parent
        return self._settle(Status.ADAPTED if partly or moved else Status.CLEAN, "", self.there)

    def _carry_gone(self) -> Carried:
        """Carry an operation none of whose targets is there any more."""
        pairing, operation = self.pairing, self.operation
        if not operation.payload:
            return self._settle(Status.ADAPTED, "", self.strays, replaced=self.strays)
        if self.holes and not self.strays and not operation.text.strip() and len(self.holes) == len(self.place.holes):
            return absorbed(pairing, self.place, text_of(pairing.new, list(self.holes.values())))
        if self.holes:
            return conflict(pairing, self.place, "Upstream restructured the place around what this operation keeps.")
        first, last = self.targets[0], self.targets[-1]
        gap = None
        if first.parent is not None and last.parent is first.parent:
            gap = pairing.gap(first.parent, first.index, last.index + 1)
        if gap is None or self.strays:
            return conflict(pairing, self.place, "Upstream removed or dissolved the place that this operation replaces.")
        added = [node for node in pairing.added(gap) if not self._holds_kept(node)]
        if added and versions.holds("", operation.text, text_of(pairing.new, added)):
            return absorbed(pairing, self.place, text_of(pairing.new, added), orders_of(added))
        instead = [node for node in added if node.order not in self.claimed]
        reason = "The new base replaced the same place; the customization's version stands."
        if instead:
            return (
                self._settle(Status.ADAPTED, "", instead) if self._says(instead) else self._settle(Status.KEPT, reason, instead)
            )
        carried, _ = anchored(pairing, replace(operation, kind=ops.INSERT, place=ops.AFTER, displaced=(), targets=()), gap, None)
        reason = "The new base removed what this operation replaces; the customization's version stands."
        return Carried(carried, self._outcome(Status.KEPT, reason, ""))

    def _holds_kept(self, node: Node) -> bool:
        return not self.pairing.is_added(node)

    def _settle(self, status: Status, reason: str, there: list[Node], *, replaced: list[Node] | None = None) -> Carried:
        """Return the operation made on the nodes `there` of the new base."""
        if status is Status.CONFLICT:
            return conflict(self.pairing, self.place, reason)
        pairing, operation = self.pairing, self.operation
        place = there[0]
        self._take_lead(place)
        nodes = [place, *(node for node in [*there[1:], *self.strays] if node is not place)]
        nodes.extend(self._leftovers(nodes))
        payload = tuple(piece if isinstance(piece, str) else Hole(describe(pairing.new, piece)) for piece in self.payload)
        carried = replace(
            operation,
            address=describe(pairing.new, place),
            targets=tuple(describe(pairing.new, node) for node in nodes[1:]),
            payload=payload,
            parent=describe(pairing.new, place.parent) if operation.parent is not None and place.parent is not None else None,
            near=self._near(place, nodes[-1]) if operation.near != (None, None) else operation.near,
            displaced=tuple(pairing.new.source[node.start : node.end] for node in nodes) if operation.displaced else (),
        )
        return Carried(carried, self._outcome(status, reason, self._theirs(there)))

    def _take_lead(self, place: Node) -> None:
        """Let the fragment begin with upstream's white space where the customization left what stood there."""
        first = self.payload[0] if self.payload else None
        if not isinstance(first, str):
            return
        rest = first.lstrip()
        old, new = self.pairing.old.lead(self.targets[0]), self.pairing.new.lead(place)
        if first[: len(first) - len(rest)] == old != new and (rest or len(self.payload) > 1):
            self.payload[0] = new + rest

    def _leftovers(self, nodes: Sequence[Node]) -> list[Node]:
        """Return nodes that go away but stand inside something of upstream's that is kept."""
        is_kept = covering([piece for piece in self.payload if isinstance(piece, Node) and piece.order not in self.holes])
        known = {node.order for node in nodes}
        found = [there for node in self.place.removed if (there := self.pairing.partner(node)) is not None]
        return outermost([node for node in found if is_kept(node) and node.order not in known])

    def _near(self, first: Node, last: Node) -> tuple[Address | None, Address | None]:
        siblings = first.parent.kids if first.parent is not None else [first]
        end = last.index if last.parent is first.parent else first.index
        before = siblings[first.index - 1] if first.index else None
        after = siblings[end + 1] if end + 1 < len(siblings) else None
        return described(self.pairing, before, after)

    def _theirs(self, there: list[Node] | None = None) -> str:
        return text_of(self.pairing.new, self.there if there is None else there)

    def _outcome(self, status: Status, reason: str, theirs: str) -> Outcome:
        texts = Texts(text_of(self.pairing.old, self.targets), ours_text(self.pairing, self.place), theirs)
        return Outcome(self.operation.id, status, texts, reason, self.operation.address.name)
