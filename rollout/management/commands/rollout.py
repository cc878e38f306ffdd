"""Drive a rollout from the shell as the admin does."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from rollout.errors import RolloutError
from rollout.management.acts import add_acts
from rollout.management.registry import ACTS
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report

RUNS = {act.name: act.run for act in ACTS}
DRY_RUNS = {act.name: act.dry for act in ACTS}
DJANGOS_OWN = frozenset({"version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"})
STREAMS = frozenset({"stdout", "stderr"})  # of whoever calls the command from code


class Command(PhoenixCommand):
    """Show plans and what holds them, or act on a plan, a wave, a breach, a policy, or everything."""

    help = "Show plans (status), what holds waves (holds) and open breaches (breaches), and act on them; `ACT --help` tells more."
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare the acts."""
        add_acts(parser, ACTS, dest="act")

    def work(self, deed: Deed, *, act: str, **options: Any) -> Report:
        """Do one act and show what came of it."""
        return RUNS[act](deed, **_own(options))

    def _work_undone(self, deed: Deed, options: Mapping[str, Any]) -> Report:
        """Do an act and undo it, or what it has for a dry run in its place."""
        dry = DRY_RUNS[options["act"]]
        if dry is None:
            return super()._work_undone(deed, options)
        return dry(deed, **{name: value for name, value in _own(options).items() if name != "act"})


def _own(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in DJANGOS_OWN | STREAMS}
