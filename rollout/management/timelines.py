"""What happened to one person, and why."""

from django.core.management.base import CommandParser

from rollout.actions.candidates import person_named
from rollout.actions.timelines import timeline_of
from rollout.management.acts import Act
from rollout.models import standing_of
from slots.management.base import Deed, Report


def _user(parser: CommandParser) -> None:
    parser.add_argument("user", metavar="USER", help="The person, as the site calls them.")


def _timeline(_deed: Deed, *, user: str) -> Report:
    person = person_named(user)
    decision = standing_of(person.key).decide()
    found = timeline_of(person)
    lines = [f"{person} sees {decision.system}: {decision.why}."]
    for each in found:
        why = f": {each.why}" if each.why else ""
        lines.append(f"  {each.at:%Y-%m-%d %H:%M:%S} UTC  {each.what}; {each.by}{why}")
    data = {"user": str(person), "system": str(decision.system), "why": decision.why}
    return Report(data | {"timeline": [each.as_json() for each in found]}, lines)


ACTS: tuple[Act, ...] = (Act("timeline", "Show what happened to a person, who did it and why.", _timeline, _user),)
