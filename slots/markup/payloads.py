"""Say where the payloads of a composed source stand, so that rendering can hold each of them apart from its base.

A span is a run of characters of the composed source that one operation brought. What it displaced is its default: text of
the base, empty for an insertion. A payload that stands around something of the base (it has holes, or it is the head of a
block) has no default, since showing the base's text in its place would drop or double what it stands around. In an open tag
the spans are single attributes. The composed source itself is what `compose` gives, to the byte. Cost: that of composing.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

from slots.errors import Issue
from slots.markup import ops
from slots.markup.compose import Gap, Piece, Plan
from slots.markup.ops import Operation
from slots.markup.tree import Node, Tree, attributes, nodes, template
from slots.markup.tree.attributes import Part

CONTENT: Final = "content"  # what stands where content stands: text, elements, constructs
ATTRIBUTE: Final = "attribute"  # one whole attribute, with the white space before it
ADDRESS: Final = "address"  # the value of an attribute that leads somewhere, inside one of the others
ADDRESSES: Final = "action|cite|data|formaction|href|itemid|itemtype|ping|poster|src|srcset|xlink:href"

# Constructs that only choose and repeat what is written out: tags, by name.
QUIET: Final = frozenset("comment elif else empty endfor endif endwith for if load with".split())

_CODE = re.compile(r"\{[{%]")
_MASK: Final = "\0"
_ASSIGNED = re.compile(r"""=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""")
_EQUALS = re.compile("=")
_ADDRESS = re.compile(rf"(?<![\w:.-])(?:{ADDRESSES})$", re.IGNORECASE)
_LONGEST: Final = 12  # characters: `formaction` and one before it


class PayloadSpan(NamedTuple):
    """Name a run of characters of a composed source, half-open, and the operation that brought it.

    `place` is the operation's readable address, `layer` the layer that it is from, empty where nobody said. `default` is the
    base's text that the payload displaced, None where the base cannot stand in for it.
    """

    start: int
    end: int
    operation: str
    place: str
    kind: str = CONTENT
    default: str | None = None
    layer: str = ""


@dataclass(frozen=True, slots=True)
class ComposedPayloads:
    """Hold a composed source, what could not be applied, and where its payloads stand, outer ones first."""

    source: str
    issues: tuple[Issue, ...]
    spans: tuple[PayloadSpan, ...]


class _Brought(str):
    """A piece of text that operations brought; its spans count from its own start."""

    __slots__ = ("spans",)
    spans: tuple[PayloadSpan, ...]


def compose_payloads(base: Tree, operations: Iterable[Operation], *, static: bool = False) -> ComposedPayloads:
    """Return what `compose` gives, and the spans of payloads that hold template code; with `static`, of all others as well."""
    chosen = tuple(operations)
    for operation in reversed(chosen):
        if operation.kind == ops.REPLACE_SOURCE:
            return ComposedPayloads(operation.text, (), tuple(_spans(operation.text, operation)))
    plan = _MarkedPlan(base, chosen, static)
    composed = plan.compose()
    return ComposedPayloads(composed.source, composed.issues, tuple(plan.spans()))


def makes_output(text: str) -> bool:
    """Say whether template code in a text puts in something that nobody could read when it was written."""
    found = template.items(text)
    return any(item.kind == template.VARIABLE or (item.kind != template.NOTE and item.name not in QUIET) for item in found)


def dumps(spans: Iterable[PayloadSpan]) -> str:
    """Return the spans as compact JSON."""
    return json.dumps(tuple(spans), separators=(",", ":"))


def loads(text: str) -> tuple[PayloadSpan, ...]:
    """Read what `dumps` wrote."""
    return tuple(PayloadSpan(*members) for members in json.loads(text))


class _MarkedPlan(Plan):
    """Compose, and mark what operations bring."""

    def __init__(self, tree: Tree, operations: Sequence[Operation], static: bool) -> None:
        """Plan the operations; with `static`, payloads without template code are marked too."""
        self.static = static
        super().__init__(tree, operations)

    def spans(self) -> Iterator[PayloadSpan]:
        """Yield the spans of the composed source in order."""
        position = 0
        for part in self.parts:
            if isinstance(part, _Brought):
                for span in part.spans:
                    yield PayloadSpan(position + span.start, position + span.end, *span[2:])
            position += len(part)

    def pieces(self, gap: Gap) -> Sequence[Piece]:
        """Return what a gap brings, its texts marked; without holes they are one text."""
        if gap.holes:
            return [piece if isinstance(piece, Node) else self._marked(piece, gap.operation, None) for piece in gap.pieces]
        text = gap.operation.text
        return [self._marked(text, gap.operation, self._displaced(gap))] if text else []

    def opened(self, node: Node, text: Any) -> Any:
        """Return an open tag or a leaf's text, with what operations changed in it marked."""
        changes = self.edits.labels.get(node.order)
        own = self.tree.open(node)
        if not changes or text == own or not (self.static or _CODE.search(text)):
            return text
        if node.kind in nodes.TAGGED:
            return _brought(text, self._attributes(text, own, changes))
        return self._marked(text, changes[-1], None if node.kind in (nodes.BLOCK, nodes.SEPARATOR) else own)

    def _marked(self, text: str, operation: Operation, default: str | None) -> str:
        if not (self.static or _CODE.search(text)) or not text.strip():
            return text
        return _brought(text, _spans(text, operation, default=default))

    def _displaced(self, gap: Gap) -> str | None:
        """Return the base's text that a gap takes the place of; None where that is no single run, or part of it is elsewhere."""
        if gap.operation.place:
            return ""
        gone = [gap.node, *gap.targets]
        for left, right in pairwise(gone):
            if left.parent is not right.parent or right.index != left.index + 1:
                return None
        if self.holder and any(order in self.holder for order in range(gone[0].order, gone[-1].last + 1)):
            return None
        return self.tree.source[gone[0].start : gone[-1].end]

    def _attributes(self, text: str, own: str, changes: Sequence[Operation]) -> Iterator[PayloadSpan]:
        """Yield a span for each attribute of an open tag that is not the base's."""
        before, tag = attributes.read(own), attributes.read(text)
        position = 1 + len(tag.name)
        for part in tag.parts:
            written = part.space + part.text
            old = before.find(part.key)
            if part not in before.parts and (self.static or _CODE.search(written)):
                default = "" if old is None else old.space + old.text
                operation = _changer(part, changes)
                yield from _spans(written, operation, default=default, kind=ATTRIBUTE, offset=position)
            position += len(written)


def _brought(text: str, spans: Iterable[PayloadSpan]) -> str:
    brought = _Brought(text)
    brought.spans = tuple(spans)
    return brought


def _spans(
    text: str, operation: Operation, *, default: str | None = None, kind: str = CONTENT, offset: int = 0
) -> Iterator[PayloadSpan]:
    """Yield the span of a text that an operation brought, then those of the addresses in it that template code makes."""
    identifier, place = operation.id, operation.address.name
    yield PayloadSpan(offset, offset + len(text), identifier, place, kind, default)
    if not _CODE.search(text) or not any(_is_address(text, match.start()) for match in _EQUALS.finditer(text)):
        return
    for match in _ASSIGNED.finditer(_masked(text)):
        value = match.lastindex or 0
        if _MASK not in match[value]:
            continue
        if _is_address(text, match.start()):
            yield PayloadSpan(offset + match.start(value), offset + match.end(value), identifier, place, ADDRESS)


def _is_address(text: str, equals: int) -> bool:
    """Say whether the `=` at that place sets an attribute that leads somewhere."""
    while equals and text[equals - 1] in " \t\n\r\f":
        equals -= 1
    return _ADDRESS.search(text, max(0, equals - _LONGEST), equals) is not None


def _masked(text: str) -> str:
    """Return the text with a character of the same width in place of each one of its template constructs."""
    parts: list[str] = []
    position = 0
    for item in template.items(text):
        parts += (text[position : item.start], _MASK * (item.end - item.start))
        position = item.end
    return "".join([*parts, text[position:]])


def _changer(part: Part, changes: Sequence[Operation]) -> Operation:
    """Return the last operation on a tag that says something about one attribute of it."""
    wanted = (part.key, f"attr:{part.key}", "open")
    own = [each for each in changes if each.facet in wanted or each.facet.startswith(f"{part.key}:")]
    return (own or changes)[-1]
