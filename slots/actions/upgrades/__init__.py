"""Carry a component's configurations to a new version: plan, look at the impact, decide what is open, go live."""

from slots.actions.upgrades.deciding import ResolutionNotPossible, decide_conflicts
from slots.actions.upgrades.impact import Impact, OpenConflicts, conflict_groups, impact, open_conflicts
from slots.actions.upgrades.moving import UpgradeBlocked, UpgradeNotPlanned, activate_upgrade, move_ready
from slots.actions.upgrades.planning import plan_upgrade

__all__ = [
    "Impact",
    "OpenConflicts",
    "ResolutionNotPossible",
    "UpgradeBlocked",
    "UpgradeNotPlanned",
    "activate_upgrade",
    "conflict_groups",
    "decide_conflicts",
    "impact",
    "move_ready",
    "open_conflicts",
    "plan_upgrade",
]
