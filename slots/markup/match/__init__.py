"""Map the nodes of one tree to those of another."""

from slots.markup.match.pairs import Matching, match, ready

__all__ = ["Matching", "match", "ready"]
