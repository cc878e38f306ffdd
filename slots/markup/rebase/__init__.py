"""Carry a configuration over to a new version of its base, operation by operation, and say how each fared."""

from slots.markup.rebase.carry import rebase
from slots.markup.rebase.outcomes import AUTOMATIC, Outcome, Rebased, Status, Texts
from slots.markup.rebase.pairing import Pairing, prepare

__all__ = ["AUTOMATIC", "Outcome", "Pairing", "Rebased", "Status", "Texts", "prepare", "rebase"]
