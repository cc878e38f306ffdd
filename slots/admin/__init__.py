"""The admin of slots: components, their versions, what is laid over them, and what went wrong."""

from slots.admin import bodies, components, configurations, drafts, issues, segments, upgrades

__all__ = ["bodies", "components", "configurations", "drafts", "issues", "segments", "upgrades"]
