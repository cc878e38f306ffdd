"""Translate a diff into operations on slots, and prove them.

Apply the diff strictly, parse base and result, match the trees, write the script, compose it, compare. What cannot be
proven is made coarser at the smallest enclosing node, at the root by replacing the whole source: so every diff that applies
translates, and every translation is proven. Near-linear in the size of the sources.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from migration.engine import patch
from migration.engine.diff import Diff
from migration.engine.translate.fineness import fineness
from migration.engine.translate.hunks import Hunks
from migration.engine.translate.proof import coarsen, prove
from migration.engine.translate.script import Script
from slots.errors import Refusal
from slots.markup import canonical, limits, ops
from slots.markup.address import describe
from slots.markup.compose import compose
from slots.markup.match import match
from slots.markup.ops import NOTHING, Operation, Requirements
from slots.markup.tree import Tree, parse

ENGINE_VERSION: Final = "1"
BUDGET: Final = "budget"
COARSE: Final = "coarse"
CUSTOMIZED: Final = "customized template"  # what refusals call the patched source
MAX_COARSENING: Final = 12  # attempts before the whole source is replaced


@dataclass(frozen=True)
class Translation:
    """Hold the operations that turn a base into a customized source.

    `source` is the customized source. `proven`: composing gives the same canonical form; `byte_exact`: and with layout
    operations the same bytes. `coarsened` counts nodes that had to be replaced as a whole for the proof. `reason` is empty,
    `budget` or `coarse` where the whole source was replaced. `requirements` sums up what the payloads need. `base` is the
    base's source.
    """

    operations: tuple[Operation, ...]
    source: str
    proven: bool
    byte_exact: bool
    replaced_source: bool
    coarsened: int
    requirements: Requirements
    reason: str
    base: str
    fuzzed: bool = False

    @cached_property
    def fineness(self) -> float:
        """Return φ (see `fineness`), from 0 for a replaced document to 1; computed when first asked for."""
        return fineness(parse(self.base), self.source, self.operations)


def never() -> bool:
    """Say that the time is not up."""
    return False


def translate(base: str | Tree, diff: Diff, *, expired: Callable[[], bool] = never) -> Translation | Refusal:
    """Translate a diff against its base; whoever translates many diffs of one base reads it once and gives the tree.

    Refused are a diff that does not apply strictly (see `patch.apply`), and one that makes more of the base than the limits
    allow (LIMIT_EXCEEDED).
    """
    source = base if isinstance(base, str) else base.source
    patched = patch.apply(source, diff)
    if isinstance(patched, Refusal):
        return patched
    custom = parse(patched.source)
    beyond = limits.retold(limits.refusal(custom, name=CUSTOMIZED), CUSTOMIZED)
    hunks = Hunks(diff, patched.placements, source, custom.source)
    return _translate(base, custom, hunks, expired) if beyond is None else beyond


def translate_sources(
    base: str | Tree, custom: str, *, hunks: Hunks | None = None, expired: Callable[[], bool] = never
) -> Translation:
    """Translate what was done to a base, given the result; always succeeds and is always proven.

    `hunks` says which hunk of a diff made what, where there is one. `expired` is asked between the steps; when it says yes the
    whole source is replaced, with the reason `budget`. So it is where either source has more nodes than a template may have, or
    is deeper.
    """
    source = base if isinstance(base, str) else base.source
    if expired() and source != custom:
        return _replaced(source, custom, BUDGET)
    return _translate(base, parse(custom), hunks, expired)


def _translate(known: str | Tree, right: Tree, hunks: Hunks | None, expired: Callable[[], bool]) -> Translation:
    """Translate, given the result as a tree."""
    base, custom = known if isinstance(known, str) else known.source, right.source
    if base == custom:
        return Translation((), custom, True, True, False, 0, NOTHING, "", base)
    if limits.is_beyond(right):  # so that two such trees are never held at once
        return _replaced(base, custom, BUDGET)
    left = parse(base) if isinstance(known, str) else known
    if expired() or limits.is_beyond(left):
        return _replaced(base, custom, BUDGET, tree=left)
    matching = match(left, right)
    coarsened = 0
    while coarsened <= MAX_COARSENING:
        if expired():
            return _replaced(base, custom, BUDGET, tree=left)
        operations = Script(matching, hunks).write()
        proof = prove(left, right, operations)
        if proof.exact and not proof.bare:  # white space that was taken for layout means something here
            operations = [replace(operation, layout=False) for operation in operations]
            proof = prove(left, right, operations)
        if proof.holds:
            summed = _sum(operations)
            return Translation(tuple(operations), custom, True, True, False, coarsened, summed, "", base)
        coarsened += 1
        if not coarsen(matching, compose(left, operations).source):
            break
    return _replaced(base, custom, COARSE, tree=left, coarsened=coarsened)


def _replaced(base: str, custom: str, reason: str, *, tree: Tree | None = None, coarsened: int = 0) -> Translation:
    """Return the last resort: one operation that replaces the whole source."""
    tree = parse("") if tree is None else tree
    address = describe(tree, tree.root)
    operation = Operation(ops.REPLACE_SOURCE, address, (custom,), displaced=(base,))
    operation = replace(operation, id=operation.identifier())
    composed = compose(base, [operation]).source
    proven = canonical.equal(composed, custom)
    return Translation((operation,), custom, proven, composed == custom, True, coarsened, NOTHING, reason, base)


def _sum(operations: list[Operation]) -> Requirements:
    """Return the union of what the operations need."""
    needed = [operation.requires for operation in operations if operation.requires]
    if len(needed) < 2:
        return needed[0] if needed else NOTHING
    members = {
        member: tuple(sorted({name for each in needed for name in getattr(each, member)})) for member in Requirements.__slots__
    }
    return Requirements(**members)
