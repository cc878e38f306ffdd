"""Compile a composed source so that each of its payloads is held apart by a node of our own.

Tokens are cut where payloads begin and end, and know which of them they belong to. Nodes are made as ever; when the last token
of a payload has become a node, and its first one became a node of the same list, what lies between is put into a node
(`payload_nodes`). So no tag is written into the source, which anybody could write too, and what a template tag makes of the
tokens inside it (`blocktranslate`) stays as it is. A payload that is no whole number of nodes is not held apart.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from django.template import Engine
from django.template.base import Lexer, Node, NodeList, Token, TokenType, tag_re
from django.template.defaulttags import ForNode, do_for, load

from slots.errors import IssueCode
from slots.markup.payloads import ADDRESS, PayloadSpan, makes_output
from slots.renderer.compiling import ComponentParser, ComponentTemplate
from slots.renderer.limits import DEFAULT_LIMITS, PayloadRefused, RenderLimits
from slots.renderer.payload_nodes import PADDING, AddressNode, LoopBody, PayloadNode, RefusedNode, bounded, held_address

# What in a payload has to be bounded, however it is rendered.
NEEDS_BOUNDS: Final = re.compile(rf"\{{%\s*for\s|\|\s*(?:{'|'.join(sorted(PADDING))})\b")
# Stands behind variables that are addresses; nobody's library has a filter of that name, and one that a payload names is refused.
GUARD: Final = "held_address"
_VARIABLE = re.compile(r"""\{\{[^\n{}]*[\w"'] *\}\}""")
# Tags that read the constructs inside them as text, or take plain names only.
READ_AS_TEXT: Final = re.compile(r"\{%\s*(?:blocktrans|comment|verbatim)")
Cleaner = Callable[[str, str], str]  # what a span's kind and its rendered text make


class Region:
    """Follow one span while its tokens become nodes."""

    __slots__ = ("closes_at", "index", "is_torn", "is_wrapped", "nodelist", "opens_at", "span")

    def __init__(self, span: PayloadSpan) -> None:
        """Start with no token seen."""
        self.span = span
        self.opens_at = self.closes_at = -1  # where the first token that is no comment starts, where the last one ends
        self.is_torn = False  # a token reaches over its border
        self.is_wrapped = False
        self.nodelist: NodeList | None = None
        self.index = 0


class PayloadToken(Token):
    """A token that an operation brought, with the regions it is in, outer ones first."""

    def __init__(self, token: Token, regions: tuple[Region, ...]) -> None:
        """Take over a token."""
        super().__init__(token.token_type, token.contents, token.position, token.lineno)
        self.regions = regions


def tokenize(source: str, regions: Sequence[Region]) -> list[Token]:
    """Return the tokens of a source, texts cut at the borders of regions, which come in order of their start.

    Tokens are made as Django's lexer makes them, with positions, which its own keeps only while it debugs and for twice the time.
    """
    edges = sorted({edge for region in regions for edge in (region.span.start, region.span.end)})
    starts = [*(region.span.start for region in regions), len(source)]
    create = Lexer(source).create_token
    tokens: list[Token] = []
    live: list[Region] = []
    position, upcoming, lineno, is_tag = 0, 0, 1, False
    following = starts[0]  # where the next region begins
    for text in tag_re.split(source):
        if text:
            end = position + len(text)
            if is_tag:
                token = create(text, (position, end), lineno, True)
            else:
                token = Token(TokenType.TEXT, text, (position, end), lineno)
                lineno += text.count("\n")
            if not live and following >= end:
                tokens.append(token)
            else:
                for piece in _cut(token, edges):
                    upcoming = _enter(piece, live, regions, upcoming)
                    tokens.append(_marked(piece, live) if live else piece)
                following = starts[upcoming]
            position = end
        is_tag = not is_tag
    return tokens


def _enter(token: Token, live: list[Region], regions: Sequence[Region], upcoming: int) -> int:
    """Leave in `live` the regions that a token touches; return the index of the next one."""
    start, end = token.position or (0, 0)
    live[:] = [region for region in live if region.span.end > start]
    while upcoming < len(regions) and regions[upcoming].span.start < end:
        live.append(regions[upcoming])
        upcoming += 1
    return upcoming


def _marked(token: Token, live: Sequence[Region]) -> PayloadToken:
    """Return a token that knows the regions it is in; those it only reaches into are torn."""
    start, end = token.position or (0, 0)
    inside = tuple(region for region in live if region.span.start <= start and end <= region.span.end)
    for region in live:
        region.is_torn = region.is_torn or region not in inside
    if token.token_type != TokenType.COMMENT:
        for region in inside:
            region.opens_at = start if region.opens_at < 0 else region.opens_at
            region.closes_at = end
    return PayloadToken(token, inside)


def _cut(token: Token, edges: list[int]) -> Iterator[Token]:
    """Yield a token whole, or a text in the pieces that the edges inside it make."""
    start, end = token.position or (0, 0)
    inside = edges[bisect_right(edges, start) : bisect_left(edges, end)]
    if token.token_type != TokenType.TEXT or not inside:
        yield token
        return
    lineno = token.lineno or 0
    for left, right in zip((start, *inside), (*inside, end), strict=True):
        text = token.contents[left - start : right - start]
        yield Token(TokenType.TEXT, text, (left, right), lineno)
        lineno += text.count("\n")


class PayloadParser(ComponentParser):
    """Parse a composed source and put payloads into nodes of their own."""

    tokens: list[Token]

    def __init__(self, tokens: list[Token], template: "PayloadTemplate") -> None:
        """Take the tokens, and bound the loops among them."""
        engine = template.engine
        super().__init__(tokens, engine.template_libraries, engine.template_builtins, template.origin)
        self.template = template
        self.token: Token | None = None
        self.loads: list[str] = []
        self.loop_depth = 0
        self.tags["for"] = _for
        self.tags["load"] = _load

    def next_token(self) -> Token:
        """Return the next token, and remember it."""
        self.token = token = self.tokens.pop()
        return token

    def find_filter(self, filter_name: str) -> Callable[..., Any]:
        """Return a filter; one that pads is bounded where a payload uses it."""
        found: Callable[..., Any] = super().find_filter(filter_name)
        is_bounded = filter_name in PADDING and isinstance(self.token, PayloadToken)
        return bounded(filter_name, found) if is_bounded else found

    def extend_nodelist(self, nodelist: NodeList, node: Node, token: Token) -> None:
        """Add a node; with the last one of a payload, put the payload into a node of its own."""
        if not isinstance(token, PayloadToken):
            ComponentParser.extend_nodelist(self, nodelist, node, token)
            return
        regions = token.regions
        for region in regions:
            if token.position and region.opens_at == token.position[0]:
                region.nodelist, region.index = nodelist, len(nodelist)
        ComponentParser.extend_nodelist(self, nodelist, node, token)
        upcoming = self.tokens[-1].position if self.tokens else None
        reached = upcoming[0] if upcoming else len(self.template.source)
        for region in reversed(regions):
            if region.nodelist is nodelist and region.closes_at <= reached <= region.span.end and not region.is_torn:
                self._wrap(region, nodelist, token)

    def _wrap(self, region: Region, nodelist: NodeList, token: Token) -> None:
        content = NodeList(nodelist[region.index :])
        node = self.template.payload_node(region.span, content, tuple(self.loads))
        if node is not None:
            node.token, node.origin = token, self.template.origin
            nodelist[region.index :] = [node]
            region.is_wrapped = True


class PayloadTemplate(ComponentTemplate):
    """Compile a composed source whose payloads are bounded, and isolated unless that is not wanted.

    With `clean`, what they show goes through it last.
    """

    def __init__(
        self,
        source: str,
        engine: Engine,
        spans: Sequence[PayloadSpan],
        limits: RenderLimits = DEFAULT_LIMITS,
        clean: Cleaner | None = None,
        *,
        isolates: bool = True,
    ) -> None:
        """Compile; `spans` are in order of their start."""
        self.isolates = isolates
        self.spans = spans
        self.limits = limits
        self.clean = clean
        super().__init__(source, engine=engine)

    def compile_nodelist(self) -> NodeList:
        """Return the nodes of the source.

        Raises:
            PayloadRefused: what a payload makes has to be cleaned, and cannot be since it is no whole number of nodes.
        """
        regions = [Region(span) for span in self.spans]
        parser = PayloadParser(tokenize(self.source, regions), self)
        nodelist = parser.parse()
        self.extra_data = parser.extra_data
        for region in regions if self.clean is not None else ():
            span = region.span
            if span.kind != ADDRESS and not region.is_wrapped and makes_output(self.source[span.start : span.end]):
                text = f"What {span.operation} brings to {span.place} cannot be cleaned: it stands around something of the base."
                raise PayloadRefused(IssueCode.UNSAFE_HTML, text)
        return nodelist

    def payload_node(self, span: PayloadSpan, content: NodeList, loads: tuple[str, ...]) -> Node | None:
        """Return the node that holds the content of a payload apart, None where that cannot be."""
        if span.kind == ADDRESS:
            return AddressNode(content)
        if not self.isolates or span.default is None:
            return None
        clean = None if self.clean is None else partial(self.clean, span.kind)
        return PayloadNode(content, span, self.limits, loads, clean)


class GuardedTemplate(ComponentTemplate):
    """Compile a composed source in which each address that payloads make begins with a variable, with a look at its value.

    Beside a whole tokenizer that knows where payloads stand, a filter behind the variable costs next to nothing. `source` is the
    composed source as it was.
    """

    filters: ClassVar[Mapping[str, Callable[..., Any]]] = {GUARD: held_address}

    def __init__(self, source: str, engine: Engine, spans: Sequence[PayloadSpan]) -> None:
        """Compile; `spans`, in order of their start, are those for which `begins_with_variable` holds."""
        pieces: list[str] = []
        position = 0
        for span in spans:
            end = source.index("}}", span.start)
            pieces += (source[position:end], f"|{GUARD}")
            position = end
        super().__init__("".join([*pieces, source[position:]]), engine=engine)
        self.source = source


def begins_with_variable(source: str, span: PayloadSpan) -> bool:
    """Say whether a span is the value of an address of which one variable alone can make the scheme."""
    found = _VARIABLE.match(source, span.start, span.end) if span.kind == ADDRESS else None
    return found is not None and (found.end() == span.end or source[found.end()] in "/?#")


def _for(parser: PayloadParser, token: Token) -> Node:
    """Compile a loop; one that a payload brings is counted, and nests only so deep."""
    if not isinstance(token, PayloadToken):
        return do_for(parser, token)
    limits = parser.template.limits
    parser.loop_depth += 1
    try:
        node: ForNode = do_for(parser, token)
    finally:
        parser.loop_depth -= 1
    if parser.loop_depth >= limits.loop_depth:
        text = f"Loops of payloads nest at most {limits.loop_depth} deep."
        return RefusedNode(PayloadRefused(IssueCode.LIMIT_EXCEEDED, text))
    node.nodelist_loop = NodeList([LoopBody(node.nodelist_loop, limits)])  # type: ignore[arg-type]  # stubs say list[str]
    return node


def _load(parser: PayloadParser, token: Token) -> Node:
    """Load a library, and remember that it is."""
    parser.loads.append(token.contents)
    return load(parser, token)
