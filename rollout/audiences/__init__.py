"""Decide, from values alone, whom a wave means: rules over traits, mixes, shares, and the order that people come in.

Pure: what is known of people goes in, names come out. The same functions serve the preview, the lock and the rehearsal.
"""

from rollout.audiences.audience import Audience
from rollout.audiences.choosing import Candidate, Choice, allot, choose, held_out, line_up
from rollout.audiences.order import in_order, rank
from rollout.audiences.rules import Miss, Rule, first_miss, rules_from_json
from rollout.audiences.shares import part_of, portions
from rollout.audiences.strata import mixed, places
from rollout.audiences.traits import Traits

__all__ = [
    "Audience",
    "Candidate",
    "Choice",
    "Miss",
    "Rule",
    "Traits",
    "allot",
    "choose",
    "first_miss",
    "held_out",
    "in_order",
    "line_up",
    "mixed",
    "part_of",
    "places",
    "portions",
    "rank",
    "rules_from_json",
]
