"""What the acts of `manage.py rollout` are made of: a word, its own arguments, and what it does."""

from argparse import SUPPRESS
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.management.base import CommandParser
from django.db.models import Model

from slots.management.base import Deed, Report, WrongUsage

Row = TypeVar("Row", bound=Model)
SHOWN_BY = {
    "breach": "`manage.py rollout breaches` lists them.",
    "enrolment": "`manage.py rollout preview WAVE` lists them.",
    "freeze": "`manage.py rollout calendar` lists them.",
    "plan": "`manage.py rollout plan list` lists them.",
    "selection": "`manage.py rollout select ACT` makes one.",
    "task": "`manage.py rollout plan show PK` lists them.",
    "ticket": "`manage.py tickets list` lists them.",
}
DJANGOS_OWN = frozenset({"version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"})
STREAMS = frozenset({"stdout", "stderr"})  # of whoever calls the command from code


def nothing_more(_parser: CommandParser) -> None:
    """Declare no arguments."""


@dataclass(frozen=True, slots=True)
class Act:
    """Describe one act: `run` takes the deed and, by name, what `options` declares.

    `dry` is what a dry run does instead, outside of any transaction; without it the act is done and undone.
    """

    name: str
    help: str
    run: Callable[..., Report]
    options: Callable[[CommandParser], None] = nothing_more
    dry: Callable[..., Report] | None = None


def act_on(
    model: type[Row],
    name: str,
    help: str,
    run: Callable[..., Report],
    options: Callable[[CommandParser], None] = nothing_more,
) -> Act:
    """Return an act on one row, named by its primary key: `run` takes the row, the deed, and what `options` declares."""

    def declare(parser: CommandParser) -> None:
        noun = model._meta.verbose_name
        parser.add_argument("pk", nargs="?", type=int, metavar="PK", help=f"Primary key of the {noun}.")
        options(parser)

    def work(deed: Deed, *, pk: int | None, **given: Any) -> Report:
        return run(found(model, pk), deed, **given)

    return Act(name, help, work, declare)


def found(model: type[Row], pk: int | None) -> Row:
    """Return the row.

    Raises:
        WrongUsage: none is named, or there is none.
    """
    name = str(model._meta.verbose_name)
    where = SHOWN_BY.get(str(model._meta.model_name), "`manage.py rollout status` lists them.")
    if pk is None:
        raise WrongUsage(f"Name a {name} by its primary key. {where}")
    row = model._default_manager.filter(pk=pk).first()
    if row is None:
        raise WrongUsage(f"There is no {name} {pk}. {where}", f"{name.upper().replace(' ', '_')}_UNKNOWN")
    return row


def who(deed: Deed) -> dict[str, Any]:
    """Return by, at and reason as the keywords of an action."""
    return {"by": deed.by, "at": deed.at, "reason": deed.reason}


def shared_options(parser: CommandParser) -> None:
    """Let what every command takes stand behind the act too; left out there, what stood before it counts."""
    parser.add_argument("--json", action="store_true", dest="as_json", default=SUPPRESS, help="Print one JSON object.")
    parser.add_argument("--dry-run", action="store_true", default=SUPPRESS, help="Do everything, report it, and undo it.")
    parser.add_argument("--by", default=SUPPRESS, help="Who does it, for the history; the log-in name if left out.")
    parser.add_argument("--reason", default=SUPPRESS, help="Why, for the history.")


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an act declared, without what every command of Django takes."""
    return {name: value for name, value in options.items() if name not in DJANGOS_OWN | STREAMS}


def add_acts(parser: CommandParser, acts: tuple[Act, ...], dest: str) -> None:
    """Declare acts as words of a command, each with its own arguments and the shared ones."""
    words = parser.add_subparsers(dest=dest, required=True, metavar=dest.upper())
    for act in acts:
        each = words.add_parser(act.name, help=act.help, description=act.help)
        shared_options(each)
        act.options(each)


def noun(name: str, help: str, words: tuple[Act, ...]) -> Act:
    """Return an act that takes one of these words after its own."""
    runs = {act.name: act.run for act in words}

    def declare(parser: CommandParser) -> None:
        add_acts(parser, words, dest="word")

    def run(deed: Deed, *, word: str, **options: Any) -> Report:
        return runs[word](deed, **options)

    return Act(name, help, run, declare)
