"""Decide, from values alone, whom a wave means: rules over traits, mixes, shares, and the order that people come in.

Pure: what is known of people goes in, names come out. The same functions serve the preview, the lock and the rehearsal.
"""

from rollout.audiences.audience import Audience
from rollout.audiences.order import in_order, rank
from rollout.audiences.rules import Miss, Rule, first_miss, rules_from_json
from rollout.audiences.traits import Traits

__all__ = ["Audience", "Miss", "Rule", "Traits", "first_miss", "in_order", "rank", "rules_from_json"]
