"""Make very many people, for measurements."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from phoenix.demo.crowd import Crowd, ModelNotSwitched, SeededAlready, seed_people
from phoenix.demo.shop import ShopBroken
from rollout.errors import RolloutError
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage


class Command(PhoenixCommand):
    """Make people with customizations of the sample shop's components, on either system."""

    help = (
        "Make any number of people with proven customizations of the sample shop's components, on the legacy system or, with "
        "--switched, on slots. For measurements: a few hundred are made and moved like everybody, the others are copies of them."
    )
    faults = (SlotsError, RolloutError, ShopBroken, SeededAlready, ModelNotSwitched)

    def add_options(self, parser: CommandParser) -> None:
        """Take how many people, the seed, and where they are."""
        parser.add_argument("count", type=int, metavar="COUNT", help="How many people, at least 1.")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="The same seed makes the same people (default 1).")
        parser.add_argument("--switched", action="store_true", help="Move them to slots, in one wave.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Make them."""
        count, seed = options["count"], options["seed"]
        if count < 1 or seed < 0:
            raise WrongUsage("COUNT is at least 1, and a seed at least 0.")
        with self.ticking("people", count) as ticker:
            made = seed_people(
                count,
                seed=seed,
                is_switched=options["switched"],
                clock=timezone.now,
                **deed.keywords(),
                progress=ticker.advance,
            )
        return Report(_data(made), [_line(made)])


def _data(made: Crowd) -> dict[str, int | None]:
    return {
        "people": made.people,
        "customizations": made.customizations,
        "configurations": made.configurations,
        "distinct": made.distinct,
        "wave": made.wave,
    }


def _line(made: Crowd) -> str:
    where = f"all on slots, in wave {made.wave}" if made.wave else "all on the legacy system"
    return (
        f"{made.people} people with {made.customizations} customizations ({made.distinct} distinct) and {made.configurations}"
        f" configurations, {where}."
    )
