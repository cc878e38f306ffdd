"""Judge attributes of payloads: their names, where expressions stand in them, addresses and styles."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from slots.markup.policy import rules, styles
from slots.markup.policy.expressions import Expressions, Scope
from slots.markup.policy.finding import Remark, not_allowed, unsafe
from slots.markup.tree import attributes, template
from slots.markup.tree.attributes import Part
from slots.markup.web import decoded, is_web_address

_NAME = re.compile(r"[a-z][a-z0-9_.:-]*")
_BARE = re.compile(r"[A-Za-z0-9_.:/%#?=-]*")
_CONTINUED = re.compile(r"[/?#]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold a run of text or one construct of an attribute's value; `partner` is as in `template.Constructs`."""

    text: str
    kind: str = ""
    name: str = ""
    content: str = ""
    partner: int = -1


def pieces(value: str) -> list[Piece]:
    """Cut a value into text and constructs; the partners are indexes into the result."""
    found = template.constructs(value)
    result: list[Piece] = []
    place: dict[int, int] = {}
    position = 0
    for index, item in enumerate(found.items):
        if item.start > position:
            result.append(Piece(value[position : item.start]))
        inside = value[item.start + 2 : item.end - 2].strip()
        content = inside[len(item.name) :].strip() if item.kind == template.TAG else inside
        place[index] = len(result)
        result.append(Piece(value[item.start : item.end], item.kind, item.name, content, found.partner[index]))
        position = item.end
    if position < len(value):
        result.append(Piece(value[position:]))
    return [Piece(p.text, p.kind, p.name, p.content, place[p.partner]) if p.partner >= 0 else p for p in result]


class Attributes:
    """Judge parts of open tags; `vouched` are the expressions that the base itself shows as whole addresses."""

    def __init__(self, expressions: Expressions, vouched: frozenset[str], *, strict: bool) -> None:
        """Keep how expressions are judged."""
        self.expressions = expressions
        self.vouched = vouched
        self.strict = strict

    def part(self, part: Part, scope: Scope, trusted_styles: frozenset[tuple[str, str]]) -> Iterator[Remark]:
        """Judge one part of a payload's open tag."""
        if part.chunk:
            yield from self._chunk(part, scope, trusted_styles)
            return
        name = part.key
        if name.startswith("on"):
            yield unsafe(part.text, f"{name} runs a script.", "Use a data-* attribute that the page's own scripts know.")
        elif not _NAME.fullmatch(name) or not _is_listed(name):
            yield unsafe(part.text, f"Payloads may not set the attribute {name}.", "Use class, title, aria-* or data-*.")
        if part.value is None:
            return
        if not part.quote and not _BARE.fullmatch(part.value):
            yield unsafe(part.text, "The value stands without quotes, so what is in it can start another attribute.", "Quote it.")
            return
        cut = pieces(part.value)
        yield from self._constructs(part, cut, scope)
        if any(piece.kind == "" and ("<" in piece.text or "`" in piece.text) for piece in cut):
            yield unsafe(part.text, "The value holds < or a backtick.", "Write &lt; for <.")
        if name == "style":
            yield from self._style(part, trusted_styles)
        elif name in rules.ADDRESSES:
            yield from self._address(part, cut)
        elif name in rules.ADDRESS_LISTS:
            for candidate in _candidates(cut):
                yield from self._address(part, candidate)

    def _constructs(self, part: Part, cut: list[Piece], scope: Scope) -> Iterator[Remark]:
        """Judge the constructs of a value in order, with the names that its own blocks bind."""
        scopes = [scope]
        for index, piece in enumerate(cut):
            if piece.kind == template.VARIABLE:
                yield from self.expressions.expression(piece.content, scopes[-1], in_attribute=True).remarks
            elif piece.kind == template.TAG:
                if 0 <= piece.partner < index and piece.name.startswith("end"):
                    scopes.pop()
                    continue
                if piece.name == "load":
                    yield not_allowed(piece.text, "A library cannot be loaded inside an attribute.", "Load it before the markup.")
                    continue
                yield from self.expressions.tag(piece.name, piece.content, scopes[-1], in_attribute=True)
                if piece.partner > index:
                    bound = self.expressions.bound(piece.name, piece.content, scopes[-1])
                    scopes.append(scopes[-1].inner(bound, is_loop=piece.name == "for"))
            elif piece.kind:
                yield unsafe(part.text, "A template comment in a value hides what the browser will read.", "Remove the comment.")

    def _chunk(self, part: Part, scope: Scope, trusted_styles: frozenset[tuple[str, str]]) -> Iterator[Remark]:
        """Judge a construct that stands among the attributes: blocks whose branches are whole attributes, and nothing else."""
        cut = pieces(part.name)
        yield from self._constructs(part, cut, scope)
        if any(piece.kind not in ("", template.TAG) for piece in cut) or all(piece.kind for piece in cut):
            yield unsafe(part.text, "An expression among the attributes could name any of them.", "Put it into a quoted value.")
            return
        if any(piece.name in rules.BINDING for piece in cut):
            yield unsafe(part.text, "Only conditions may stand around attributes.", "Move the block around the element.")
            return
        for piece in cut:
            if piece.kind:
                continue
            inner = attributes.read(f"<a {piece.text.strip()}>")
            if attributes.join(inner) != f"<a {piece.text.strip()}>" or inner.closing != ">" or piece.text.count('"') % 2:
                yield unsafe(part.text, "A branch does not hold whole attributes.", "Write each attribute inside one branch.")
                continue
            for each in inner.parts:
                yield from self.part(each, scope, trusted_styles)

    def _style(self, part: Part, trusted: frozenset[tuple[str, str]]) -> Iterator[Remark]:
        for name, value in attributes.declarations(part.value or ""):
            if (name, value) in trusted:
                continue
            if self.strict:
                yield not_allowed(part.text, "Under the strict policy payloads bring no styles.", "Use a class.")
                return
            if "{" in name or "{" in value:
                yield unsafe(f"{name}: {value}", "An expression in a style could bring in any style.", "Write the style out.")
                continue
            for problem in styles.problems(decoded(name), decoded(value)):
                yield unsafe(f"{name}: {value}", f"The style is refused: {problem}.", "Use a class of the page's style sheet.")

    def _address(self, part: Part, cut: list[Piece]) -> Iterator[Remark]:
        if all(not piece.kind for piece in cut):
            if not is_web_address(decoded("".join(piece.text for piece in cut))):
                yield _bad_address(part)
        elif self.strict and not (len(cut) == 1 and cut[0].content in self.vouched):
            yield not_allowed(
                part.text, "Under the strict policy addresses are written out.", "Write the address, or use the base's."
            )
        elif not self._starts_safely(cut, 0, len(cut)):
            yield unsafe(
                part.text,
                "Nothing says that this address is harmless: an expression decides how it starts.",
                "Start it with a path or https://…/, or write {{ value|web_address }} and nothing else.",
            )

    def _starts_safely(self, cut: list[Piece], start: int, end: int, *, is_last: bool = True, depth: int = 0) -> bool:
        """Say whether every way through the pieces begins with a path or an allowed scheme.

        `is_last` says that nothing follows them: then a word without a colon is a path, else it may become a scheme.
        """
        index = start
        while index < end and not cut[index].kind:
            index += 1
        prefix = "".join(piece.text for piece in cut[start:index])
        if prefix:
            plain = decoded(prefix)
            settled = ":" in plain or _CONTINUED.search(plain) is not None
            return is_web_address(plain) and (settled or (is_last and index == end))
        if index == end or depth > rules.MAX_BRANCH_DEPTH:
            return False
        piece = cut[index]
        if piece.kind == template.VARIABLE:
            harmless = piece.content in self.vouched or piece.content.rpartition("|")[2].strip() == rules.WEB_ADDRESS
            rest = "".join(each.text for each in cut[index + 1 : end])
            return harmless and (_CONTINUED.match(rest) is not None if rest else is_last)
        if piece.name in ("url", "static"):
            return True
        if piece.name != "if" or piece.partner <= index:
            return False
        close = piece.partner
        marks = [index, *(i for i in range(index + 1, close) if cut[i].kind and cut[i].partner == index), close]
        alone = is_last and close + 1 == end
        branches = all(
            self._starts_safely(cut, left + 1, right, is_last=alone, depth=depth + 1) for left, right in pairwise(marks)
        )
        if any(cut[mark].name == "else" for mark in marks):
            return branches
        return branches and self._starts_safely(cut, close + 1, end, is_last=is_last, depth=depth + 1)


def _is_listed(name: str) -> bool:
    return name in rules.ATTRIBUTES or name.startswith(("aria-", "data-"))


def _bad_address(part: Part) -> Remark:
    return unsafe(part.text, "The address does not lead to a web page.", "Use a path, https:, mailto: or tel:.")


def _candidates(cut: list[Piece]) -> Iterator[list[Piece]]:
    """Yield the candidates of a srcset: what stands between commas outside constructs, without white space around it."""
    current: list[Piece] = []
    for piece in cut:
        if piece.kind:
            current.append(replace(piece, partner=-1))  # a block that holds commas is nothing that can be judged
            continue
        first, *rest = piece.text.split(",")
        for index, text in enumerate((first, *rest)):
            if index:
                yield _stripped(current)
                current = []
            if text:
                current.append(Piece(text))
    yield _stripped(current)


def _stripped(cut: list[Piece]) -> list[Piece]:
    """Return a candidate with its width or density (` 2x`) cut off."""
    if cut and not cut[0].kind:
        cut = [Piece(cut[0].text.lstrip()), *cut[1:]] if cut[0].text.strip() else cut[1:]
    if cut and not cut[-1].kind:
        kept = re.sub(r"\s+[\d.]+[wxh]\s*$", "", cut[-1].text)
        cut = [*cut[:-1], Piece(kept)] if kept else cut[:-1]
    return cut
