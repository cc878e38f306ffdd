"""The rollout in the admin: plans, phases, waves, people, gates and breaches, holds, windows and
freezes, notices and their messages, tickets, acts on many, the flag and the record.
"""

from rollout.admin import (
    breaches,
    holds,
    notices,
    people,
    plans,
    policies,
    record,
    rehearsals,
    selections,
    signoffs,
    support,
    tasks,
    tickets,
    waves,
)

__all__ = [
    "breaches",
    "holds",
    "notices",
    "people",
    "plans",
    "policies",
    "record",
    "rehearsals",
    "selections",
    "signoffs",
    "support",
    "tasks",
    "tickets",
    "waves",
]
