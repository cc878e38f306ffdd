"""Work with tickets from the shell as support does in the admin."""

from typing import Any

from django.core.management.base import CommandParser

from rollout.errors import RolloutError
from rollout.management.acts import add_acts, own_options
from rollout.management.tickets import ACTS
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report

RUNS = {act.name: act.run for act in ACTS}


class Command(PhoenixCommand):
    """List, open, answer, resolve, reopen and grade tickets, or take in those of a helpdesk."""

    help = (
        "List tickets (list; --pressing: those near their deadline), open, answer, resolve, reopen and regrade, or import "
        "those of a helpdesk from JSON Lines: external_id, user, severity, subject, reported_at; where it applies source, "
        "tenant, text, answered_at, resolved_at."
    )
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare the acts."""
        add_acts(parser, ACTS, dest="act")

    def work(self, deed: Deed, *, act: str, **options: Any) -> Report:
        """Do one act and show what came of it."""
        return RUNS[act](deed, **own_options(options))
