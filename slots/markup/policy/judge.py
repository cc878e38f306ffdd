"""Judge a configuration by what it makes of the base: compose, set aside what the base vouches for, hold the rest to the rules.

Judging the composed source instead of single payloads means that two operations cannot make together what each of them may not
bring, and that a replaced source is judged like everything else. Cost: two parses and one pass.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from slots.errors import Issue
from slots.markup import limits
from slots.markup.address import labels
from slots.markup.compose import compose
from slots.markup.declared import declarations
from slots.markup.ops import Operation
from slots.markup.payloads import ADDRESS, PayloadSpan, compose_payloads, makes_output
from slots.markup.policy import rules
from slots.markup.policy.attributes import Attributes
from slots.markup.policy.balance import changed_ends
from slots.markup.policy.expressions import PLAIN, Expressions, Scope, Value
from slots.markup.policy.finding import Remark, missing, not_allowed, too_much, unsafe
from slots.markup.policy.trust import Surroundings, arguments, keep_leftovers, libraries, trust_of
from slots.markup.tree import Node, Tree, attributes, nodes, parse
from slots.schema import STRICT, Contract

_LOOP = re.compile(r"\{%\s*for\s")
_HTML_COMMENT = re.compile(r"<!--[^<>\[\]{}]*-->")
_NOTE = re.compile(r"\{#[^{}]*#\}")
_BLOCK_COMMENT = re.compile(r"\{%\s*comment[^{}]*%\}[^{}]*\{%\s*endcomment\s*%\}")


def judge(operations: Sequence[Operation], contract: Contract, base: str) -> tuple[Issue, ...]:
    """Return what the policy holds against a configuration of `base`, at most `MAX_REMARKS`; nothing where it may be shown."""
    many = limits.operations_refusal(operations)
    if many is not None:
        return (_whole(too_much("", many.text, "Split the customization."), operations),)
    source = compose(base, operations).source
    if source == base:
        return ()
    tree = parse(source)
    beyond = limits.refusal(tree, name="customized template")
    if beyond is not None:
        return (_whole(too_much("", beyond.text, "Make the customization smaller."), operations),)
    found = list(islice(_Judge(contract, parse(base), tree).remarks(), rules.MAX_REMARKS))
    spans = compose_payloads(parse(base), operations, static=True).spans if found else ()
    judged = (_issue(remark, node, tree, spans, operations) for remark, node in found)
    unclean = _unclean(base, operations) if contract.policy == STRICT else ()
    return tuple(dict.fromkeys(islice(chain(judged, unclean), rules.MAX_REMARKS)))


def _unclean(base: str, operations: Sequence[Operation]) -> Iterator[Issue]:
    """Refuse what the strict policy has to clean when it is rendered, and cannot."""
    composed = compose_payloads(parse(base), operations)
    for span in composed.spans:
        text = composed.source[span.start : span.end]
        if span.kind != ADDRESS and span.default is None and makes_output(text):
            what = "It puts in a value and stands around something of the base, so that what it shows cannot be cleaned."
            remark = not_allowed(text, what, "Put the value into an insertion of its own.")
            yield _worded(remark, span.place, span.operation)


class _Judge:
    """Hold one base and one composed source while the latter is judged."""

    def __init__(self, contract: Contract, base: Tree, tree: Tree) -> None:
        """Read both trees."""
        self.contract = contract
        self.base = base
        self.tree = tree
        self.around = Surroundings(tree)
        base_around = Surroundings(base)
        self.trust = trust_of(base, base_around, contract.names)
        self.payload = self._claimed(base, base_around)
        self.loops = {node.order for node in self.payload if node.kind == nodes.BLOCK and node.name == "for"}
        self.expressions = Expressions(contract, frozenset(self.trust.loops), frozenset(self.trust.bound))
        self.attributes = Attributes(self.expressions, frozenset(self.trust.addresses), strict=contract.policy == STRICT)
        self.scopes: dict[int, Scope] = {}
        self.slots = declarations(tree)
        self.aliases = self._aliases()
        self.loaded = set(self.trust.libraries)

    def _claimed(self, base: Tree, base_around: Surroundings) -> list[Node]:
        """Return the nodes that the base does not vouch for, and let its leftovers vouch for their parts."""
        payload = [node for node in self.tree.nodes[1:] if not self.trust.claim(self.around.key(node))]
        leftover = Counter(self.trust.nodes)
        unclaimed: list[Node] = []
        for node in base.nodes[1:]:
            key = base_around.key(node)
            if leftover[key] > 0:
                leftover[key] -= 1
                unclaimed.append(node)
        keep_leftovers(self.trust, base, base_around, unclaimed)
        return payload

    def remarks(self) -> Iterator[tuple[Remark, Node | None]]:
        """Yield each remark with the node that it is about; None where it is about the whole."""
        if self._output() > rules.MAX_OUTPUT:
            text = "Its loops can repeat what is in them without end."
            yield too_much("", text, "Take text or an inner loop out of the loop."), None
        yield from self._seals()
        for node in changed_ends(self.base, self.tree):
            text = f"Its {node.name} tags do not pair, so it would change the page around the component."
            remark = unsafe(self.tree.open(node), text, "Close every element in the branch that opens it.")
            yield remark, node
        for node in self.payload:
            for remark in self._node(node):
                yield remark, node

    def _output(self) -> int:
        """Return how many characters the loops that payloads bring can make, each running as often as the rules allow."""
        total = 0
        rounds = [0] * len(self.tree.nodes)
        for node in self.tree.nodes[1:]:
            around = rounds[node.parent.order] if node.parent is not None else 0
            is_loop = node.kind == nodes.BLOCK and node.name == "for"
            rounds[node.order] = around + (is_loop and (around > 0 or node.order in self.loops))
            text = self.tree.open(node)
            looped = around + len(_LOOP.findall(text)) if node.kind in nodes.TAGGED else around
            if looped:
                total += (len(text) + rules.VALUE_LENGTH * text.count("{{")) * rules.MAX_LOOP_LENGTH**looped
        return total

    def _seals(self) -> Iterator[tuple[Remark, Node | None]]:
        """Refuse sealed elements that are new or not what they were, and those whose end is not in sight."""
        claimed = Counter(self.trust.sealed)
        for node in self.tree.nodes[1:]:
            if node.kind not in nodes.TAGGED or node.name not in rules.SEALED:
                continue
            text = self.tree.text(node)
            if claimed[text] > 0 and node.kind == nodes.ELEMENT:
                claimed[text] -= 1
                continue
            opened = self.tree.open(node)
            yield (
                unsafe(opened, f"Payloads may not bring or change a {node.name} element.", "Leave it as the base has it."),
                node,
            )

    def _node(self, node: Node) -> Iterator[Remark]:
        text = self.tree.open(node)
        seal = self.around.seal[node.order]
        if seal and seal not in ("textarea", "title"):
            yield unsafe(text, f"Payloads may not stand inside a {seal} element.", "Put it outside.")
        elif opaque := self._opaque_block(node):
            yield unsafe(text, f"Nobody knows what the block {opaque} makes of a payload inside it.", "Put it outside the block.")
        elif node.kind in nodes.TAGGED:
            yield from self._open_tag(node)
        elif node.kind in (nodes.TEXT, nodes.RAW):
            if "<" in text:
                yield unsafe(text, "This < is no tag here, but may become one in a browser.", "Write &lt; for <.")
        elif node.kind == nodes.VARIABLE:
            yield from self.expressions.expression(text[2:-2], self._scope(node)).remarks
        elif node.kind in nodes.TEMPLATED:
            yield from self._tag(node, text)
        elif node.kind == nodes.COMMENT:
            whole = self.tree.text(node)
            if not any(form.fullmatch(whole) for form in (_HTML_COMMENT, _NOTE, _BLOCK_COMMENT)):
                yield unsafe(whole, "The comment holds markup or template code that browsers or Django may see.", "Remove it.")
        elif node.kind == nodes.CLOSE:
            if node.name not in rules.ELEMENTS:
                yield unsafe(text, f"Payloads may not close a {node.name} element.", "Remove the tag.")
        else:
            yield unsafe(self.tree.text(node), f"Payloads may not bring a {node.kind}.", "Remove it.")

    def _opaque_block(self, node: Node) -> str:
        """Return the name of a block around the node that may escape or change its content, empty where there is none."""
        clear = rules.TRANSPARENT | (self.contract.tags - rules.TAGS_REFUSED)
        return next((above.name for above in node.ancestors() if above.kind == nodes.BLOCK and above.name not in clear), "")

    def _open_tag(self, node: Node) -> Iterator[Remark]:
        if node.name in rules.SEALED:
            return  # judged as a whole
        text = self.tree.open(node)
        if node.name not in rules.ELEMENTS:
            if self.trust.names[node.name] <= 0:
                yield unsafe(text, f"Payloads may not bring a {node.name} element.", "Use an element that shows content.")
                return
            self.trust.names[node.name] -= 1
        opened = attributes.read(text)
        heads = self.around.heads[node.order]
        styles = frozenset(self.trust.styles.get((node.name, heads), ()))
        scope = self._scope(node)
        for part in opened.parts:
            if not self.trust.claim_part(node.name, heads, part):
                yield from self.attributes.part(part, scope, styles)

    def _tag(self, node: Node, text: str) -> Iterator[Remark]:
        content = arguments(self.tree, node)
        if node.name == "load":
            for library in libraries(text):
                if library not in self.contract.libraries and library not in self.loaded:
                    allowed = ", ".join(sorted(self.contract.libraries)) or "none"
                    yield not_allowed(text, f"Payloads may not load {library}.", f"The contract allows {allowed}.")
            return
        yield from self.expressions.tag(node.name, content, self._scope(node))
        if node.name in rules.TRANSLATING and not self._loads("i18n"):
            yield missing(text, "The library i18n is not loaded.", "Add {% load i18n %}.")
        if node.name == "for":
            depth = sum(above.order in self.loops for above in node.ancestors())
            if depth >= rules.MAX_LOOP_DEPTH:
                yield too_much(text, f"Loops of payloads nest at most {rules.MAX_LOOP_DEPTH} deep.", "Take the inner loop out.")

    def _loads(self, library: str) -> bool:
        return any(
            library in libraries(self.tree.open(node))
            for node in self.tree.nodes
            if node.kind == nodes.TAG and node.name == "load"
        )

    def _scope(self, node: Node) -> Scope:
        """Return the names that a node may use beside the contract's: those bound by the blocks around it, and aliases."""
        parent = node.parent
        if parent is None:
            return Scope(dict(self.aliases))
        known = self.scopes.get(parent.order)
        if known is None:
            around = [parent, *parent.ancestors()]
            scope = Scope(dict(self.aliases))
            for above in reversed(around):
                if above.kind == nodes.BLOCK and above.name in rules.BINDING:
                    bound = self.expressions.bound(above.name, arguments(self.tree, above), scope)
                    scope = scope.inner(bound, is_loop=above.name == "for")
                elif above.order in self.slots:  # what the component hands to a slot's content is bound as `with` binds
                    data = " ".join(f"{name}={value}" for name, value in self.slots[above.order].data)
                    scope = scope.inner(self.expressions.bound("with", data, scope), is_loop=False)
            self.scopes[parent.order] = known = scope
        return known

    def _aliases(self) -> dict[str, Value]:
        """Return the names that tags bind with `as` for everything after them.

        One alias can be made of another, in a loop also of one that stands after it. So values are handed on, wherever a name
        is bound, until none changes; where that takes too long, the worst is assumed of all.
        """
        binding = [
            (node, arguments(self.tree, node)) for node in self.tree.nodes if node.kind in (nodes.BLOCK, nodes.TAG) and node.name
        ]
        aliases = {name for node, content in binding if node.kind == nodes.TAG for name in self._bound(node, content, {})}
        known: dict[str, Value] = {}
        for _ in range(rules.MAX_ALIAS_ROUNDS if aliases else 0):
            before, known = known, {}
            for node, content in binding:
                for name, value in self._bound(node, content, before).items():
                    known[name] = known.get(name, PLAIN) | value
            if known == before:
                return {name: known[name] for name in aliases}
        return dict.fromkeys(aliases, Value(rules.MAX_GROWTH + 1, is_raw=True))

    def _bound(self, node: Node, content: str, known: dict[str, Value]) -> dict[str, Value]:
        return self.expressions.bound(node.name, content, Scope(known))


def _issue(remark: Remark, node: Node | None, tree: Tree, spans: Sequence[PayloadSpan], operations: Sequence[Operation]) -> Issue:
    """Tie a remark to the operation whose payload stands where the remark is about, the innermost one."""
    if node is None:
        return _whole(remark, operations)
    place = labels.readable(tree, node)
    start, end = node.start, node.open_end
    found = tree.source.find(remark.snippet, node.start, node.end) if remark.snippet else -1
    if found >= 0:
        start, end = found, found + len(remark.snippet)
    near = [span for span in spans if span.kind != ADDRESS and span.start < end and start < span.end]
    if near:
        span = min(near, key=lambda each: each.end - each.start)
        return _worded(remark, span.place or place, span.operation)
    return _whole(remark, operations, place)


def _whole(remark: Remark, operations: Sequence[Operation], place: str = "") -> Issue:
    """Tie a remark that no payload stands for to the only operation whose text holds the snippet, or that there is."""
    holding = [each for each in operations if remark.snippet and remark.snippet in each.text]
    chosen = holding if len(holding) == 1 else operations
    if len(chosen) != 1:
        return _worded(remark, place, "")
    return _worded(remark, (chosen[0].address.name if holding else "") or place, chosen[0].id)


def _worded(remark: Remark, place: str, operation: str) -> Issue:
    snippet = " ".join(remark.snippet.split())
    shown = f"{snippet[:80]}{'…' if len(snippet) > 80 else ''}: " if snippet else ""
    return Issue(remark.code, f"{shown}{remark.text}", place=place, operation=operation, suggestion=remark.suggestion)
