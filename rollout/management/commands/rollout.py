"""Drive a rollout from the shell as the admin does."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from rollout.errors import RolloutError
from rollout.management.acts import add_acts, own_options
from rollout.management.registry import ACTS
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report

RUNS = {act.name: act.run for act in ACTS}
DRY_RUNS = {act.name: act.dry for act in ACTS}


class Command(PhoenixCommand):
    """Show plans and what holds them, or act on a plan, a wave, a breach, a policy, or everything."""

    help = "Show plans (status), what holds waves (holds) and open breaches (breaches), and act on them; `ACT --help` tells more."
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare the acts."""
        add_acts(parser, ACTS, dest="act")

    def work(self, deed: Deed, *, act: str, **options: Any) -> Report:
        """Do one act and show what came of it."""
        return RUNS[act](deed, **own_options(options))

    def _work_undone(self, deed: Deed, options: Mapping[str, Any]) -> Report:
        """Do an act and undo it, or what it has for a dry run in its place."""
        dry = DRY_RUNS[options["act"]]
        if dry is None:
            return super()._work_undone(deed, options)
        return dry(deed, **{name: value for name, value in own_options(options).items() if name != "act"})
