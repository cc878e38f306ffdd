"""Judge template expressions and tags of payloads: names, filters, their arguments, and how much output they can make.

Expressions are read as Django's `FilterExpression` reads them: an operand (a literal, a number or a dotted name) and filters with
at most one argument each. Whatever does not read that way is refused, not guessed at.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Final

from slots.markup.policy import rules
from slots.markup.policy.finding import Remark, missing, not_allowed, too_much, unsafe
from slots.schema import DEFAULT_FILTERS, Contract

_LITERAL = r"_?\(?\s*\"[^\"\\]*(?:\\.[^\"\\]*)*\"\s*\)?|_?\(?\s*'[^'\\]*(?:\\.[^'\\]*)*'\s*\)?"
_NUMBER = r"[-+]?\d[\d.eE+-]*"
_NAME = r"[A-Za-z_][\w.]*"
_OPERAND = re.compile(rf"\s*(?:(?P<literal>{_LITERAL})|(?P<number>{_NUMBER}(?![\w]))|(?P<name>{_NAME}))\s*")
_FILTER = re.compile(
    rf"\|\s*(?P<filter>\w+)(?:\s*:\s*(?:(?P<literal>{_LITERAL})|(?P<number>{_NUMBER}(?![\w]))|(?P<name>{_NAME})))?\s*"
)
_BIT = re.compile(r"""(?:[^\s'"]*(?:(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')[^\s'"]*)+)|\S+""")  # as django.utils.text.smart_split
_SOLID = re.compile(r"\S+")
_UNQUOTED = re.compile(r"[^\s'\"]*")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SLICE_END = re.compile(r"""^["']:(\d{1,6})["']$""")
_WORDS = re.compile(r"""(["'])[\w ,.!?%+-]*\1""")
_RAW = re.compile(r"""["'&\\]""")
# Filters whose literal argument holds numbers, and how these are written.
_COUNTS: Final = {"floatformat": re.compile("[-+]?[0-9]+[gu]{0,2}|[gu]{1,2}|"), "slice": re.compile("[-0-9: ]*")}
_OPERATORS: Final = frozenset("and or not in is == != < > <= >=".split())
_CONSTANTS: Final = frozenset({"True", "False", "None"})
_FORLOOP: Final = frozenset("counter counter0 revcounter revcounter0 first last parentloop".split())


@dataclass(frozen=True, slots=True)
class Value:
    """Say how many times longer than a plain value something can be, and whether it may print quotes or references unescaped.

    Django marks literals safe, and a name that is bound to one keeps the mark: `{% with x='" onclick="…' %}` waits for an
    attribute to break out of.
    """

    growth: int = 1
    is_raw: bool = False

    def __or__(self, other: "Value") -> "Value":
        """Return what holds whichever of the two is meant."""
        return Value(max(self.growth, other.growth), self.is_raw or other.is_raw)


PLAIN: Final = Value()


@dataclass(slots=True)
class Scope:
    """Hold the names that an expression may use beside the contract's, and what is known of each."""

    names: dict[str, Value] = field(default_factory=dict)
    is_loop: bool = False

    def inner(self, bound: Mapping[str, Value], *, is_loop: bool = False) -> "Scope":
        """Return the scope inside a block that binds names; a name bound again may still mean the value before."""
        merged = {name: value | self.names.get(name, PLAIN) for name, value in bound.items()}
        return Scope({**self.names, **merged}, self.is_loop or is_loop)


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold the remarks on an expression and what is known of its output."""

    remarks: tuple[Remark, ...]
    value: Value = PLAIN


def roots(text: str) -> frozenset[str] | None:
    """Return the names that an expression starts from, those of filter arguments included; None where it cannot be read."""
    operand = _OPERAND.match(text)
    if operand is None:
        return None
    found = [operand["name"]]
    position = operand.end()
    while position < len(text):
        applied = _FILTER.match(text, position)
        if applied is None:
            return None
        found.append(applied["name"])
        position = applied.end()
    return frozenset(name.split(".")[0] for name in found if name)


def split(content: str) -> list[str]:
    """Return the bits of a tag's content, quoted ones whole."""
    if "\\" not in content:
        return _BIT.findall(content)
    return list(_bits(content))


def _bits(content: str) -> Iterator[str]:
    """Yield the same where quotes may be escaped: many may never close, and the expression looks to the end for each."""
    closing = {quote: _closing(content, quote) for quote in "'\""}
    size = len(content)
    found = _SOLID.search(content)
    while found is not None:
        start = stop = found.start()
        position = _unquoted(content, start)
        while position < size and (close := closing.get(content[position], {}).get(position + 1, -1)) >= 0:
            stop = position = _unquoted(content, close + 1)
        stop = stop if stop > start else found.end()
        yield content[start:stop]
        found = _SOLID.search(content, stop)


def _unquoted(content: str, position: int) -> int:
    """Return where the next quote or white space stands."""
    match = _UNQUOTED.match(content, position)
    return match.end() if match is not None else position


def _closing(content: str, quote: str) -> dict[int, int]:
    """Return where a quote closes by the position after it, as far as one does."""
    found: dict[int, int] = {}
    for position in range(len(content) - 1, -1, -1):
        character = content[position]
        close = position if character == quote else found.get(position + 1 + (character == "\\"), -1)
        if close >= 0:
            found[position] = close
    return found


class Expressions:
    """Judge by one contract; `loops` are the expressions that the base itself loops over, `taken` the names that it binds."""

    def __init__(self, contract: Contract, loops: frozenset[str], taken: frozenset[str]) -> None:
        """Keep the contract and what the base does."""
        self.contract = contract
        self.loops = loops
        self.taken = taken

    def expression(self, text: str, scope: Scope, *, in_attribute: bool = False) -> Judged:
        """Judge one expression; `text` is what stands between the braces."""
        operand = _OPERAND.match(text)
        if operand is None:
            return Judged((self._unreadable(text),))
        remarks: list[Remark] = []
        known = PLAIN
        if operand["literal"]:
            remarks.extend(_literal(operand["literal"], in_attribute=in_attribute))
            known = _printed(operand["literal"])
        elif operand["name"]:
            remarks.extend(self._name(operand["name"], scope))
            known = _known(operand["name"], scope)
        growth, is_raw = known.growth, known.is_raw
        position = operand.end()
        count = 0
        while position < len(text):
            applied = _FILTER.match(text, position)
            if applied is None:
                return Judged((*remarks, self._unreadable(text)))
            remarks.extend(self._filter(applied, scope, in_attribute=in_attribute))
            literal = applied["literal"] or ""
            is_raw = is_raw or _printed(literal).is_raw or _known(applied["name"] or "", scope).is_raw
            argument = len(literal)
            growth *= argument + 1 if applied["filter"] == "join" else rules.GROWTH.get(applied["filter"], 1)
            position = applied.end()
            count += 1
        if growth > rules.MAX_GROWTH or count > rules.MAX_FILTERS:
            remarks.append(
                too_much(
                    text, "Its filters, one after the other, can blow a value up.", "Use fewer filters, and a shorter `join`."
                )
            )
        if is_raw and in_attribute:
            remarks.append(
                unsafe(
                    text, "The name stands for a literal with quotes or references, which would be live here.", "Write it out."
                )
            )
        return Judged(tuple(remarks), Value(growth, is_raw))

    def tag(self, name: str, content: str, scope: Scope, *, in_attribute: bool = False) -> Iterator[Remark]:
        """Judge one template tag; `content` is what follows its name."""
        snippet = f"{name} {content}".strip()
        if name in rules.TAGS_REFUSED or (name not in self.contract.tags and name not in ("elif", "else", "empty", "plural")):
            allowed = ", ".join(sorted(self.contract.tags - rules.TAGS_REFUSED))
            yield not_allowed(
                f"{{% {snippet} %}}", f"Payloads may not use the tag {name}.", f"The component's contract allows {allowed}."
            )
            return
        for bound in self.bound(name, content, scope):
            yield from self._new_name(bound)
        bits = split(content)
        yield from self._rebound(name, bits, snippet)
        if name in ("if", "elif"):
            yield from self._each([bit for bit in bits if bit not in _OPERATORS], scope, in_attribute=in_attribute)
        elif name == "for":
            yield from self._loop(content, scope)
        elif name in ("else", "empty", "plural"):
            if bits:
                yield self._unreadable(snippet)
        else:
            yield from self._each(_values(name, bits), scope, in_attribute=in_attribute)

    def bound(self, name: str, content: str, scope: Scope) -> dict[str, Value]:
        """Return the names that a tag binds, with what is known of each."""
        bits = split(content)
        if name == "for" and "in" in bits:
            return dict.fromkeys(_IDENTIFIER.findall(" ".join(bits[: bits.index("in")])), PLAIN)
        found: dict[str, Value] = {}
        if name in rules.BINDING:
            for bit in bits:
                key, equals, value = bit.partition("=")
                if equals and _IDENTIFIER.fullmatch(key):
                    found[key] = self.expression(value, scope).value
        if "as" in bits[:-1]:
            values = [self.expression(bit, scope).value for bit in _values(name, bits)]
            most = reduce(or_, values, PLAIN)
            found[bits[bits.index("as") + 1]] = most if name == "with" else most | Value(rules.GROWTH["title"])
        if "asvar" in bits[:-1]:
            found[bits[bits.index("asvar") + 1]] = Value(rules.GROWTH["title"], is_raw=True)
        return found

    def _rebound(self, name: str, bits: list[str], snippet: str) -> Iterator[Remark]:
        """Refuse a tag that gives a name of the base another meaning for all that follows, which the base trusts to be its own.

        Plain words are harmless wherever the base shows them, so a label can be reworded.
        """
        index = next((index for index, bit in enumerate(bits[:-1]) if bit in ("as", "asvar")), -1)
        if index < 0 or name in ("with", "for") or bits[index + 1] not in self.taken:
            return
        if bits[index] == "asvar" or not all(_WORDS.fullmatch(bit) for bit in _values(name, bits)):
            text = f"The component itself shows {bits[index + 1]}, in places that only its own values are safe for."
            yield unsafe(f"{{% {snippet} %}}", text, "Choose another name, or write plain words.")

    def _each(self, bits: list[str], scope: Scope, *, in_attribute: bool) -> Iterator[Remark]:
        for bit in bits:
            yield from self.expression(bit, scope, in_attribute=in_attribute).remarks

    def _loop(self, content: str, scope: Scope) -> Iterator[Remark]:
        bits = split(content)
        if bits and bits[-1] == "reversed":
            bits.pop()
        if "in" not in bits or len(bits) != bits.index("in") + 2:
            yield self._unreadable(f"for {content}")
            return
        over = bits[-1]
        yield from self.expression(over, scope).remarks
        end = _SLICE_END.match(over.rpartition("|slice:")[2]) if "|slice:" in over else None
        if over not in self.loops and not (end and int(end[1]) <= rules.MAX_LOOP_LENGTH):
            yield too_much(
                f"{{% for {content} %}}",
                f"Nobody knows how often this loop over {over} runs.",
                f'Loop over what the component itself loops over, or cut it: `{over}|slice:":{rules.MAX_LOOP_LENGTH}"`.',
            )

    def _name(self, dotted: str, scope: Scope) -> Iterator[Remark]:
        root, *rest = dotted.split(".")
        private = [part for part in (root, *rest) if part.startswith("_")]
        if private:
            yield unsafe(dotted, f"{private[0]} is private to the program.", "Use the values that the contract names.")
        changing = [part for part in rest if part in rules.CHANGING]
        if changing:
            yield unsafe(dotted, f"Django would call {changing[0]}, which changes the page's own data.", "Read values only.")
        if root == "forloop":
            if not scope.is_loop or (rest and rest[0] not in _FORLOOP):
                yield missing(dotted, "There is no such loop variable here.", "Use forloop.counter inside a loop.")
        elif root not in scope.names and root not in self.contract.names and root not in _CONSTANTS:
            names = ", ".join(sorted(self.contract.names)) or "none"
            yield missing(dotted, f"The component is given no {root}.", f"The contract's names are: {names}.")

    def _new_name(self, name: str) -> Iterator[Remark]:
        if name in ("forloop", "block", *_CONSTANTS) or name in self.contract.names:
            yield unsafe(name, f"{name} already means something here.", "Choose another name for the value.")

    def _filter(self, applied: re.Match[str], scope: Scope, *, in_attribute: bool) -> Iterator[Remark]:
        name = applied["filter"]
        snippet = applied.group().strip()
        if name in rules.FILTERS_REFUSED or (name not in self.contract.filters and name != rules.WEB_ADDRESS):
            allowed = ", ".join(sorted(self.contract.filters - rules.FILTERS_REFUSED))
            yield not_allowed(snippet, f"Payloads may not use the filter {name}.", f"The contract allows {allowed}.")
        if applied["literal"]:
            yield from _literal(applied["literal"], in_attribute=in_attribute)
            yield from self._counting(name, applied["literal"].strip("_() ")[1:-1], snippet)
        elif applied["number"]:
            yield from _size(name, re.findall(r"\d+", applied["number"]), snippet)
        elif applied["name"]:
            yield from self._name(applied["name"], scope)
            if name in DEFAULT_FILTERS and name not in rules.WITH_VARIABLE_ARGUMENT:
                yield too_much(snippet, f"The argument of {name} is a value that nobody knows yet.", "Write the argument out.")

    def _counting(self, name: str, argument: str, snippet: str) -> Iterator[Remark]:
        """Judge a literal that a filter reads as numbers, which Python reads in more ways than one (`1_000`)."""
        form = _COUNTS.get(name)
        if form is not None and not form.fullmatch(argument):
            yield not_allowed(snippet, f"{name} takes no such argument here.", "Write the number out, in digits alone.")
        elif form is not None:
            yield from _size(name, re.findall("[0-9]+", argument), snippet)

    def _unreadable(self, text: str) -> Remark:
        return not_allowed(
            text.strip(), "This is no expression of Django's template language.", "Mend it: name, then |filter:argument."
        )


def _literal(literal: str, *, in_attribute: bool) -> Iterator[Remark]:
    """Judge a literal, which Django prints unescaped."""
    content = literal.strip("_() ")[1:-1]
    bad = set("<>`") | (set("\"'&\\") if in_attribute else set())
    if bad & set(content) or (in_attribute and "\\" in literal):
        yield unsafe(literal, "A literal is printed as it stands, so markup in it would be live.", "Write markup as markup.")
    if len(content) > rules.MAX_LITERAL:
        yield too_much(literal[:60], f"A literal has at most {rules.MAX_LITERAL} characters.", "Write text as text.")


def _printed(literal: str) -> Value:
    """Return what is known of a literal: with quotes or references in it, it must not reach an attribute."""
    return Value(is_raw=_RAW.search(literal.strip("_() ")[1:-1]) is not None)


def _known(dotted: str, scope: Scope) -> Value:
    return scope.names.get(dotted.split(".")[0], PLAIN)


def _size(name: str, numbers: list[str], snippet: str) -> Iterator[Remark]:
    limit = rules.MAX_DECIMALS if name == "floatformat" else rules.MAX_NUMBER
    if any(len(number) > 9 or int(number) > limit for number in numbers):
        yield too_much(snippet, f"The argument of {name} is at most {limit}.", "Use a smaller number.")


def _values(name: str, bits: list[str]) -> list[str]:
    """Return the bits of a tag that are expressions: what is not a keyword, an alias or the name in `name=value`."""
    found: list[str] = []
    skip = False
    for bit in bits:
        if skip or bit in ("noop", "trimmed", "with", "count", "and") or bit in ("as", "asvar"):
            skip = not skip and bit in ("as", "asvar")
            continue
        if bit == "context" and name in rules.TRANSLATING:
            continue
        key, equals, value = bit.partition("=")
        found.append(value if equals and _IDENTIFIER.fullmatch(key) else bit)
    return found
