"""Move chosen accounts, or a wave, to slots."""

from typing import Any

from django.core.management.base import CommandParser
from django.template.defaultfilters import pluralize
from django.utils import timezone

from rollout.actions.accounts import AccountsReport, outcome, run_up_to_start, start_chosen_accounts, work_off
from rollout.actions.candidates import Skipped
from rollout.audiences import Audience
from rollout.errors import RolloutError
from rollout.jobs import wake_wave
from rollout.management.acts import found
from rollout.models import Wave
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage


class Command(PhoenixCommand):
    """Migrate internal accounts, named users, or one wave of a plan."""

    help = (
        "Move chosen accounts to slots: translate, validate, snapshot, switch. Without --async it works here and needs no queue."
    )
    faults = (RolloutError, SlotsError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare whom."""
        parser.add_argument("--internal", action="store_true", help="The internal accounts.")
        parser.add_argument("--users", default="", metavar="A,B", help="These users; tenant/user outside the default tenant.")
        parser.add_argument("--wave", type=int, metavar="PK", help="This wave of a plan, from wherever it stands.")
        parser.add_argument("--limit", type=int, metavar="N", help="At most so many of them, in sticky order.")
        parser.add_argument("--size", type=int, metavar="N", help="People in one chunk; else as many as goes quickly.")
        parser.add_argument("--async", action="store_true", dest="in_queue", help="Leave the work to the workers of the queue.")

    def work(self, deed: Deed, **options: Any) -> Report:
        """Choose, start, and work off or wake up."""
        wave, skipped = self._started(deed, **options)
        if wave is not None and options["in_queue"]:
            wake_wave(wave.pk, size=options["size"])
        elif wave is not None:
            with self.ticking("people", wave.size) as bar:
                work_off(wave, clock=timezone.now, size=options["size"], progress=bar.advance)
        return _report(outcome(wave, skipped, at=timezone.now()), has_wave=wave is not None and not self.dry_run)

    def _started(self, deed: Deed, **options: Any) -> tuple[Wave | None, tuple[Skipped, ...]]:
        users = tuple(user.strip() for user in options["users"].split(",") if user.strip())
        chosen = bool(options["internal"] or users or options["limit"])
        if chosen == (options["wave"] is not None) or (options["size"] is not None and options["size"] < 1):
            raise WrongUsage("Say whom: --internal, --users or --limit, or else --wave. --size is at least 1.")
        said: dict[str, Any] = {"by": deed.by, "at": deed.at, "reason": deed.reason}
        if chosen:
            return start_chosen_accounts(Audience(options["internal"], users, options["limit"]), **said)
        wave = found(Wave, options["wave"])
        return wave, run_up_to_start(wave, **said)


def _report(done: AccountsReport, *, has_wave: bool) -> Report:
    lines = [f"{done.migrated} of {done.total} migrated, {done.waiting} waiting."]
    lines += [f"  failed   {each.user}: {each.code}. {each.text}" for each in done.failed]
    lines += [f"  skipped  {each.user}: {each.code}. {each.text}" for each in done.skipped]
    lines += [f"  held     {text}" for text in done.held]
    unknown = sum(each.code == "PERSON_UNKNOWN" for each in done.skipped)
    sentence = ""
    if done.failed or unknown:
        stay = f"{len(done.failed)} {pluralize(len(done.failed), 'person stays,people stay')} on the legacy system"
        sentence = f"{stay} and {unknown} {pluralize(unknown, 'is,are')} unknown."
        if done.failed and has_wave:
            sentence += f" Open wave {done.wave_pk} in the admin."
        if unknown:
            sentence += " `manage.py import_people` and `import_customizations` make people known."
    if done.held:
        sentence += f" {done.waiting} people wait: the wave is held."
    return Report(done.as_json(), lines, sentence.strip())
