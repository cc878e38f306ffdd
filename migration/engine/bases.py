"""Keeping what many translations need of the same few bases: each is read once, and each pair of versions is matched once.

A tree does not change once it is made, but for what others note down in its memo, so any number of translations may hold it. They
have to come from one thread, as notes are not guarded. What was not asked for the longest goes first.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from slots.markup import rebase
from slots.markup.match import ready
from slots.markup.tree import Tree

TREES: Final = 32
PAIRINGS: Final = 64


class Bases:
    """Read and pair versions of bases by their sources."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self.read: Callable[[str], Tree] = lru_cache(maxsize=TREES)(ready)
        self.prepare: Callable[[str, str], rebase.Pairing] = lru_cache(maxsize=PAIRINGS)(self._pair)

    def _pair(self, old: str, new: str) -> rebase.Pairing:
        return rebase.prepare(self.read(old), self.read(new))
