"""Take operations back: one, those of one hunk, or all, as operations on the page that they made.

A configuration is a list of operations on a base, so what is left when some are taken away is the rest of the list. That does
for a place that holds the list. Who holds only the customized source (an exported template, a fork, a preview) needs the way
back as operations on *that*: it is a translation like any other, proven and exact to the byte, bound to the operations that it
takes back.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from migration.engine.translate import Translation, translate_sources
from slots.markup.compose import compose
from slots.markup.ops import Operation


@dataclass(frozen=True, slots=True)
class Reversal:
    """Hold what taking operations back gives.

    `taken` are the operations taken back and `left` the others, both in order. `back` leads from the customized source to the
    source that `left` makes of the base: its `base` is the one, its `source` the other.
    """

    taken: tuple[Operation, ...]
    left: tuple[Operation, ...]
    back: Translation


def reverse(
    base: str, operations: Sequence[Operation], *, ids: Collection[str] | None = None, hunk: int | None = None
) -> Reversal:
    """Return the way back from what operations make of a base; all are taken back where nothing else is said.

    `ids` takes back the operations with these ids, `hunk` those that came from that hunk of the diff; with both, either.

    Raises:
        KeyError: an id is not among the operations.
    """
    unknown = set(ids or ()) - {operation.id for operation in operations}
    if unknown:
        raise KeyError(*sorted(unknown))
    everything = ids is None and hunk is None
    taken = [each for each in operations if everything or each.id in (ids or ()) or (hunk is not None and each.hunk == hunk)]
    gone = {operation.id for operation in taken}
    left = [operation for operation in operations if operation.id not in gone]
    back = translate_sources(compose(base, operations).source, compose(base, left).source)
    return Reversal(tuple(taken), tuple(left), back)
