"""The rollout in the admin: plans, phases, waves, people, gates and breaches, holds and windows, the flag and the record."""

from rollout.admin import breaches, holds, people, plans, policies, record, rehearsals, signoffs, waves

__all__ = ["breaches", "holds", "people", "plans", "policies", "record", "rehearsals", "signoffs", "waves"]
