"""Work through the review queue from the shell as the admin does."""

from argparse import SUPPRESS
from typing import Any

from django.core.management.base import CommandParser
from django.template.defaultfilters import pluralize

from migration.actions import validate_customizations
from migration.actions.reviewing import (
    Group,
    GroupDecision,
    Kind,
    Sampled,
    decide_group,
    group_named,
    look_at,
    open_groups,
    preview_group,
)
from migration.errors import MigrationError
from migration.models import Decision
from slots.actions.upgrades import OpenConflicts, open_conflicts
from slots.errors import SlotsError
from slots.management.base import Deed, PhoenixCommand, Report, WrongUsage

UPGRADE = "upgrade"


class Command(PhoenixCommand):
    """List what needs a person (list), show a group with a sample of its members (show), accept or reject it."""

    help = (
        "List what needs a person, the same change once; show one group with a sample of its members; accept or reject a group "
        "as `show` showed it."
    )
    faults = (SlotsError, MigrationError)

    def add_options(self, parser: CommandParser) -> None:
        """Declare the subcommands; each also takes the shared arguments after its name."""
        words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
        listing = words.add_parser("list", help="List the groups, those of most people first.")
        listing.add_argument("--component", default="", metavar="KEY", help="Only those of a component.")
        listing.add_argument("--kind", default="", choices=["", *Kind.values, UPGRADE], metavar="KIND", help=_kinds())
        showing = words.add_parser("show", help="Show a group and look at a sample of its members.")
        accepting = words.add_parser("accept", help="Accept a group that was shown; its pages are validated again.")
        rejecting = words.add_parser("reject", help="Reject a group that was shown: its people stay on the old system.")
        for each in (showing, accepting, rejecting):
            each.add_argument("group", metavar="GROUP", help="The group's digest, or its beginning.")
        for each in (accepting, rejecting):
            each.add_argument("--shown", required=True, metavar="HASH", help="What `show` called it.")
        for each in (listing, showing, accepting, rejecting):
            each.add_argument("--json", action="store_true", dest="as_json", default=SUPPRESS, help="Print one JSON object.")
            each.add_argument("--dry-run", action="store_true", default=SUPPRESS, help="Do everything, report it, and undo it.")
            each.add_argument("--by", default=SUPPRESS, help="Who does it, for the history; the log-in name if left out.")
            each.add_argument("--reason", default=SUPPRESS, help="Why, for the history.")

    def work(self, deed: Deed, *, word: str, **options: Any) -> Report:
        """Do what the word says."""
        if word == "list":
            return _list(component=options["component"], kind=options["kind"])
        digest = _digest(options["group"])
        if word == "show":
            return _show(digest, deed)
        decision = Decision.ACCEPTED if word == "accept" else Decision.REFUSED
        return _decide(digest, decision, deed, shown=options["shown"])


def _kinds() -> str:
    return "Only those of a kind: " + ", ".join([*Kind.values, UPGRADE]) + "."


def _digest(beginning: str) -> str:
    """Return the digest of the one open group that begins so; what begins none is taken for a digest."""
    found = [group.digest for group in open_groups() if group.digest.startswith(beginning)]
    if len(found) > 1:
        raise WrongUsage(f"{beginning!r} begins {len(found)} groups; give more of the digest.", code="GROUP_AMBIGUOUS")
    return found[0] if found else beginning


def _list(*, component: str, kind: str) -> Report:
    groups = [] if kind == UPGRADE else open_groups(component=component, kind=kind)
    conflicts = [each for each in open_conflicts() if component in ("", each.component)] if kind in ("", UPGRADE) else []
    data = {
        "total": len(groups),
        "people": sum(group.people for group in groups),
        "groups": [group.as_json() for group in groups],
        "upgrade_conflicts": [each.as_json() for each in conflicts],
    }
    lines = [*map(_line, groups), *map(_conflict_line, conflicts)]
    said = f"{len(groups)} group{pluralize(groups)} of {data['people']} customizations wait for a decision"
    more = f", and {len(conflicts)} group{pluralize(conflicts)} of upgrade conflicts" if conflicts else ""
    return Report(data, [*lines, f"{said}{more}."])


def _line(group: Group) -> str:
    name = f"{group.digest[:12]}  {group.people:>6}  {group.component}@{group.version}"
    return f"{name}  {', '.join(group.codes)} ({group.kind.label}): {group.text}"


def _conflict_line(each: OpenConflicts) -> str:
    return f"{'upgrade':12}  {each.configurations:>6}  {each.component}@{each.version}  {each.status}: {each.words}"


def _show(digest: str, deed: Deed) -> Report:
    """Show a group, look at its sample, and say what names exactly this."""
    group = group_named(digest)
    if group is None:
        raise WrongUsage(f"{digest!r} is no group that waits for somebody. `manage.py review list` lists them.", "GROUP_UNKNOWN")
    shown = preview_group(group)
    sample = look_at(shown.sample)
    data = group.as_json() | {"shown": shown.digest, "sample": [each.as_json() for each in sample]}
    lines = [_line(group), f"A sample of {len(sample)} of {group.people}:", *map(_sampled_line, sample)]
    then = f"manage.py review accept|reject {digest[:12]} --shown {shown.digest} --by {deed.by} --reason …"
    return Report(data, [*lines, f"Decide it: {then}"])


def _sampled_line(each: Sampled) -> str:
    return f"  {each.person}  {each.external_id}, made against {each.base_version}: {each.look.label}"


def _decide(digest: str, decision: Decision, deed: Deed, *, shown: str) -> Report:
    done: GroupDecision = decide_group(digest, decision=decision, shown=shown, **deed.keywords())
    data, lines = done.as_json(), [f"{len(done.customizations)} customizations, {done.findings} findings {decision.label}."]
    if decision == Decision.ACCEPTED:
        report = validate_customizations(done.customizations, **deed.keywords())
        data["validated"] = report.as_json()
        lines.append(f"Validated again: {report.passed} passed, {report.failed} did not.")
    return Report(data, lines)
