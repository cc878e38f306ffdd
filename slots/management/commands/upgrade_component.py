"""Carry a component's configurations to a new version and show it."""

from typing import Any

from django.core.management.base import CommandParser
from django.template.defaultfilters import pluralize

from slots.actions.upgrades import activate_upgrade, impact, plan_upgrade
from slots.errors import ComponentUnknown
from slots.jobs import compose_later
from slots.management.base import Deed, PhoenixCommand, Report
from slots.management.impact import impact_lines
from slots.models import Component


class Command(PhoenixCommand):
    """Plan, say the impact, go live with all that needs nobody; the rest stays where it is."""

    help = (
        "Carry a component's configurations to another version and make it the current one. What both sides changed, or what "
        "lost its place, waits for a person: those configurations and the people who see them stay on the version they have."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Declare the component and the version."""
        parser.add_argument("component", metavar="KEY", help="The component's key.")
        parser.add_argument("component_version", metavar="VERSION", help="The version to show.")
        parser.add_argument("--plan-only", action="store_true", help="Store the plan for the admin, change nobody's page.")

    def work(self, deed: Deed, *, component: str, component_version: str, plan_only: bool, **options: Any) -> Report:
        """Plan and go live."""
        found = Component.objects.filter(key=component).first()
        if found is None:
            raise ComponentUnknown(component)
        upgrade = plan_upgrade(found, component_version, **deed.keywords())
        if not plan_only:
            activate_upgrade(upgrade, by=deed.by, at=deed.at, reason=deed.reason)
            compose_later(found)
        effect = impact(upgrade)
        waiting = effect.waiting
        needed = (
            f"{waiting} configuration{pluralize(waiting, ' waits,s wait')} for a decision: Admin › Slots › Upgrades."
            if waiting
            else ""
        )
        return Report(effect.as_json(), impact_lines(effect), needed)
