"""A second, small look at template source, independent of the engine's tree.

`scan` cuts source into a flat list of tokens with one regular expression and follows no nesting; `nesting` then follows both
nestings over that list. Atomic groups keep the scan linear on what templates hold. It knows nothing of repairs that a
browser makes beyond end tags that HTML lets one omit.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
END_MAY_MISS: Final = frozenset("p li option optgroup tr td th tbody thead tfoot colgroup dt dd html head body".split())
SEPARATORS: Final = frozenset({"else", "elif", "elseif", "empty", "plural"})
# Template tags that need an end tag even where the source forgot to write one.
BLOCKS: Final = frozenset(
    "if for block with autoescape filter spaceless comment verbatim blocktrans blocktranslate ifequal ifnotequal ifchanged "
    "cache language localize localtime timezone compress".split()
)

_TEMPLATE: Final = r"(?>\{%(?>[^%\n]|%(?!\}))*+%\}|\{\{(?>[^}\n]|\}(?!\}))*+\}\}|\{\#(?>[^#\n]|\#(?!\}))*+\#\})"
_SKIPPED: Final = r"(?P<skipped>\{%\s*(?P<skip>comment|verbatim)\b[^\n]*?%\}.*?\{%\s*end(?P=skip)\b[^\n]*?%\})"
_TEMPLATE_TOKEN: Final = re.compile(rf"{_SKIPPED} | (?P<template>{_TEMPLATE})", re.DOTALL | re.VERBOSE)
_TOKEN: Final = re.compile(
    rf"""
      {_SKIPPED}
    | (?P<template>{_TEMPLATE})
    | (?P<aside><!--.*?-->|<!\[CDATA\[.*?\]\]>|<![^>]*>)
    | <(?P<close>/?)(?P<name>[a-zA-Z][\w:.-]*)
      (?P<attributes>(?>{_TEMPLATE}|"(?>{_TEMPLATE}|[^"])*+"|'(?>{_TEMPLATE}|[^'])*+'|[^<>"'])*+)>
    """,
    re.DOTALL | re.VERBOSE,
)
_TEMPLATE_NAME: Final = re.compile(r"\{%-?\s*([\w.:-]+)")
_RAW_TEXT: Final = frozenset({"script", "style", "textarea"})


@dataclass(frozen=True, slots=True)
class Token:
    """Hold one token: `kind` is open, close, void, raw, tag, variable or text; `text` is squeezed to single spaces.

    For elements `text` is the attributes, and for raw elements `body` is what stands between the tags.
    """

    kind: str
    name: str = ""
    text: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Nesting:
    """State what is wrong with the nesting: sentences for template tags, for HTML, and whether every branch balances."""

    template: tuple[str, ...]
    html: tuple[str, ...]
    branches_balance: bool


def squeeze(text: str) -> str:
    """Return the text trimmed, with every run of white space as one space."""
    return " ".join(text.split())


def scan(source: str) -> list[Token]:
    """Return the tokens of the source in order; comments and the bodies of `comment` and `verbatim` leave none."""
    tokens: list[Token] = []
    position = 0
    while found := _TOKEN.search(source, position):
        _add_text(tokens, source[position : found.start()])
        position = found.end()
        if found["skipped"]:
            tokens += _skipped(found["skip"])
        elif found["template"]:
            _add_template(tokens, found["template"])
        elif found["name"]:
            position = _add_element(tokens, found, source)
    _add_text(tokens, source[position:])
    return tokens


def template_tags(source: str) -> list[Token]:
    """Return the template tags of the source in order, also those inside attributes, scripts and HTML comments."""
    tokens: list[Token] = []
    for found in _TEMPLATE_TOKEN.finditer(source):
        if found["skipped"]:
            tokens += _skipped(found["skip"])
        elif found["template"].startswith("{%"):
            _add_template(tokens, found["template"])
    return tokens


def _skipped(name: str) -> tuple[Token, Token]:
    return Token("tag", name, f"{{% {name} %}}"), Token("tag", "end" + name, f"{{% end{name} %}}")


def _add_text(tokens: list[Token], text: str) -> None:
    if text.strip():
        tokens.append(Token("text", text=squeeze(text)))


def _add_template(tokens: list[Token], text: str) -> None:
    if text.startswith("{{"):
        tokens.append(Token("variable", text=squeeze(text)))
    elif text.startswith("{%"):
        tokens.append(Token("tag", template_name(text), squeeze(text)))


def _add_element(tokens: list[Token], found: re.Match[str], source: str) -> int:
    name = found["name"].lower()
    attributes = found["attributes"]
    if found["close"]:
        tokens.append(Token("close", name))
    elif name in VOID or attributes.endswith("/"):
        tokens.append(Token("void", name, squeeze(attributes.removesuffix("/"))))
    elif name in _RAW_TEXT:
        end = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(source, found.end())
        body = source[found.end() : end.start() if end else len(source)]
        tokens.append(Token("raw", name, squeeze(attributes), squeeze(body)))
        return end.end() if end else len(source)
    else:
        tokens.append(Token("open", name, squeeze(attributes)))
    return found.end()


def template_name(text: str) -> str:
    """Return the name of the template tag that the text starts with (`if`), or nothing."""
    found = _TEMPLATE_NAME.match(text)
    return found[1] if found else ""


def block_names(tokens: Iterable[Token]) -> frozenset[str]:
    """Return the names of template tags that have an end tag somewhere in the source."""
    names = {token.name for token in tokens if token.kind == "tag"}
    return frozenset(name for name in names if "end" + name in names)


def nesting(source: str) -> Nesting:
    """Return what is wrong with the nesting of template tags and of HTML."""
    html, balance = _html_problems(scan(source))
    return Nesting(tuple(_template_problems(template_tags(source))), tuple(html), balance)


def _template_problems(tags: Sequence[Token]) -> list[str]:
    blocks = block_names(tags) | BLOCKS
    named: Counter[str] = Counter()
    problems: list[str] = []
    open_blocks: list[str] = []
    for place, tag in enumerate(tags):
        if tag.name in blocks:
            open_blocks.append(tag.name)
            words = tag.text[2:-2].split()
            if tag.name == "block" and len(words) > 1:
                named[words[1]] += 1
        elif tag.name.startswith("end") and tag.name[3:] in blocks:
            problems += _close_block(open_blocks, tag.name[3:])
        elif tag.name in SEPARATORS and not open_blocks:
            problems.append(f"{tag.name} stands outside a block")
        elif tag.name == "extends" and any(earlier.name not in ("comment", "endcomment") for earlier in tags[:place]):
            problems.append("extends is not the first tag")
    problems += [f"{name} is not closed" for name in open_blocks]
    problems += [f"block {name} stands {count} times" for name, count in named.items() if count > 1]
    return problems


def _close_block(open_blocks: list[str], name: str) -> list[str]:
    matches = bool(open_blocks) and open_blocks[-1] == name
    if name in open_blocks:
        while open_blocks.pop() != name:
            continue
    return [] if matches else [f"end{name} closes nothing"]


def _html_problems(tokens: Sequence[Token]) -> tuple[list[str], bool]:
    """Follow HTML through the first branch of every block, and every branch by itself."""
    blocks = block_names(tokens)
    problems: list[str] = []
    main: list[str] = []
    branches: list[list[str]] = [[]]
    in_later_branch: list[bool] = []
    balance = True
    for token in tokens:
        first = not any(in_later_branch)
        if token.kind == "open":
            branches[-1].append(token.name)
            if first:
                main.append(token.name)
        elif token.kind == "close" and token.name not in VOID:
            balance &= _close_element(branches[-1], token.name)
            if first and not _close_element(main, token.name):
                problems.append(f"</{token.name}> closes nothing")
        elif token.kind == "tag" and token.name in blocks:
            branches.append([])
            in_later_branch.append(False)
        elif token.kind == "tag" and in_later_branch and token.name in SEPARATORS:
            balance &= _is_finished(branches[-1])
            branches[-1] = []
            in_later_branch[-1] = True
        elif token.kind == "tag" and in_later_branch and token.name.startswith("end") and token.name[3:] in blocks:
            balance &= _is_finished(branches.pop())
            in_later_branch.pop()
    problems += [f"<{name}> is not closed" for name in main if name not in END_MAY_MISS]
    return problems, balance and len(branches) == 1 and _is_finished(branches[0])


def _is_finished(open_elements: list[str]) -> bool:
    return all(name in END_MAY_MISS for name in open_elements)


def _close_element(open_elements: list[str], name: str) -> bool:
    for index in range(len(open_elements) - 1, -1, -1):
        if open_elements[index] == name:
            inner = open_elements[index + 1 :]
            del open_elements[index:]
            return _is_finished(inner)
    return name == "p"
