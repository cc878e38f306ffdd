"""The rollout in the admin: plans, phases, waves, people, the flag and the record."""

from rollout.admin import people, plans, record, waves

__all__ = ["people", "plans", "record", "waves"]
