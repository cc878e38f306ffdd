"""Say how deep a recorded edit goes: simple, medium or complex.

Simple: text, attributes and output tags only. Medium: whole balanced pieces come or go, control tags in attributes or a
script body change. Complex: a piece that does not balance by itself comes or goes, so that the nesting is another.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from migration.management.corpus import markup
from migration.management.corpus.markup import Token
from migration.management.corpus.records import Record

NAMES: Final = ("simple", "medium", "complex", "rewrite")
SIMILARITIES: Final = (("0.8 and more", 0.8), ("0.5 to 0.8", 0.5), ("0.3 to 0.5", 0.3), ("below 0.3", float("-inf")))

# Their arguments decide what is shown, so that another argument is another logic.
_CONTROL: Final = frozenset(
    "if elif else for empty with ifequal ifnotequal ifchanged block extends autoescape filter cache".split()
)


def complexity(record: Record) -> str:
    """Return `rewrite` or the class of the edit."""
    return "rewrite" if record.is_rewrite else NAMES[depth(record.base, record.customized)]


def similarity_class(record: Record) -> str:
    """Return the name of the band that the record's similarity to its base falls into."""
    return next(name for name, least in SIMILARITIES if record.similarity >= least)


def depth(base: str, customized: str) -> int:
    """Return 0 for a simple edit, 1 for a medium one, 2 for a complex one."""
    before, after = markup.scan(base), markup.scan(customized)
    blocks = markup.block_names(before + after) | markup.BLOCKS
    old, new = _skeleton(before, blocks), _skeleton(after, blocks)
    old_keys, new_keys = [key for key, _ in old], [key for key, _ in new]
    level = 0
    for change, old_from, old_to, new_from, new_to in SequenceMatcher(None, old_keys, new_keys, autojunk=False).get_opcodes():
        if change == "equal":
            pairs = zip(old[old_from:old_to], new[new_from:new_to], strict=True)
            level = max(level, *(int(_changes_logic(left, right)) for (_, left), (_, right) in pairs))
            continue
        for side, keys, start, end in ((old, old_keys, old_from, old_to), (new, new_keys, new_from, new_to)):
            if start < end:
                level = max(level, _run_level(side, keys, start, end, blocks, slides=change != "replace"))
    return level


def _skeleton(tokens: Sequence[Token], blocks: frozenset[str]) -> list[tuple[str, Token]]:
    """Return the tokens that nesting and logic are made of, each with what has to be equal for two to be the same."""
    kept: list[tuple[str, Token]] = []
    for token in tokens:
        if token.kind in ("open", "close", "void", "raw"):
            kept.append((f"{token.kind} {token.name}", token))
        elif token.kind == "tag" and token.name != "load":
            if token.name in _CONTROL or token.name == "include":
                kept.append((token.text, token))
            elif token.name.removeprefix("end") in blocks or token.name in markup.SEPARATORS:
                kept.append((token.name, token))
    return kept


def _changes_logic(left: Token, right: Token) -> bool:
    if left.kind not in ("open", "void", "raw"):
        return False
    if left.text != right.text and _control_tags(left.text) != _control_tags(right.text):
        return True
    return left.body != right.body


def _control_tags(attributes: str) -> list[str]:
    tags = [token for token in markup.scan(attributes) if token.kind == "tag"]
    return [tag.text for tag in tags if tag.name in _CONTROL | markup.BLOCKS]


def _run_level(
    side: list[tuple[str, Token]], keys: list[str], start: int, end: int, blocks: frozenset[str], *, slides: bool
) -> int:
    run = [token for _, token in side[start:end]]
    if all(token.kind == "tag" and token.name == "extends" for token in run):
        return 1
    windows = _windows(keys, start, end) if slides else iter([(start, end)])
    tokens = [token for _, token in side]
    return 1 if any(_balances(tokens[left:right], blocks) for left, right in windows) else 2


def _windows(keys: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the places where the same run could have been inserted or deleted with the same outcome."""
    yield start, end
    left, right = start, end
    while left > 0 and keys[left - 1] == keys[right - 1]:
        left, right = left - 1, right - 1
        yield left, right
    left, right = start, end
    while right < len(keys) and keys[left] == keys[right]:
        left, right = left + 1, right + 1
        yield left, right


def _balances(run: Sequence[Token], blocks: frozenset[str]) -> bool:
    elements: list[str] = []
    open_blocks: list[tuple[str, int]] = []
    for token in run:
        if token.kind == "open":
            elements.append(token.name)
        elif token.kind == "close":
            if not elements or elements.pop() != token.name:
                return False
        elif token.kind == "tag" and token.name.startswith("end"):
            if not open_blocks or open_blocks.pop() != (token.name[3:], len(elements)):
                return False
        elif token.kind == "tag" and token.name in markup.SEPARATORS:
            if not open_blocks or open_blocks[-1][1] != len(elements):
                return False
        elif token.kind == "tag" and token.name in blocks:
            open_blocks.append((token.name, len(elements)))
    return not elements and not open_blocks
