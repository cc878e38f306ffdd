"""The rollout in the admin: plans, phases, waves, people, gates and breaches, holds, windows and
freezes, notices and their messages, acts on many, the flag and the record.
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
    tasks,
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
    "tasks",
    "waves",
]
