"""Merge three texts word by word: what only one side changed is taken from it, what both changed alike is taken once.

Two changes that touch each other are no merge: between what one side changed and what the other one did there has to stand a
word that both left. Cost: that of two longest common subsequences, capped.
"""

import re
from typing import Final

from slots.markup.match import sequence

_WORD: Final = re.compile(r"\s*\S+|\s+")  # white space at the end is a word too: no search fails there


def merge(base: str, ours: str, theirs: str) -> str | None:
    """Return the merged text, None where both sides changed one place in different ways."""
    numbers: dict[str, int] = {}
    before, edited, after = (_WORD.findall(text) for text in (base, ours, theirs))
    coded = [[numbers.setdefault(word.strip(), len(numbers)) for word in words] for words in (before, edited, after)]
    to_ours, to_theirs = dict(sequence.common(coded[0], coded[1])), dict(sequence.common(coded[0], coded[2]))
    stable = [index for index in range(len(before)) if index in to_ours and index in to_theirs]
    merged: list[str] = []
    last = (-1, -1, -1)
    for here in [*((index, to_ours[index], to_theirs[index]) for index in stable), (len(before), len(edited), len(after))]:
        one, two, three = (
            words[start + 1 : stop] for words, start, stop in zip((before, edited, after), last, here, strict=True)
        )
        found = _choose(one, two, three)
        if found is None:
            return None
        merged += found
        if here[0] < len(before):
            merged.append(edited[here[1]] if edited[here[1]] != before[here[0]] else after[here[2]])
        last = here
    return "".join(merged)


def _choose(base: list[str], ours: list[str], theirs: list[str]) -> list[str] | None:
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None
