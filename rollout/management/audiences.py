"""Acts on who is in a wave: see whom it would take, leave people out, let them wait for a later one."""

import json
from typing import Any

from django.core.management.base import CommandParser

from rollout.actions.audiences import audience_of, is_chosen, preview_audience
from rollout.actions.deferrals import defer_person, withdraw_deferral
from rollout.actions.people import exclude_people, exclude_person, release_holdout
from rollout.audiences import rules_from_json
from rollout.management.acts import Act, act_on, found, who
from rollout.models import Enrolment, Wave
from slots.management.base import Deed, Report, WrongUsage
from slots.schema import PersonKey

SAMPLE = 20  # people named on a terminal


def _preview_options(parser: CommandParser) -> None:
    parser.add_argument("--people", action="store_true", help="Name everybody, not only the first.")


def _preview(wave: Wave, deed: Deed, *, people: bool) -> Report:
    """Show whom a wave takes and why; nothing is written."""
    if is_chosen(wave):
        return _members(wave, people=people)
    preview = preview_audience(wave, at=deed.at)
    choice = preview.choice
    data = {
        "wave": wave.pk,
        "fixed": False,
        "audience": str(audience_of(wave)),
        "size": len(choice.taken),
        "wanted": choice.wanted,
        "short": choice.short,
        "held_out": sorted(preview.held_out),
        "population": preview.population,
        "customised": preview.customised,
        "strata": [{"stratum": list(name), "taken": taken, "matching": count} for name, taken, count in choice.by_stratum],
        "reasons": [{"code": code, "text": text, "people": count} for code, text, count in preview.reasons],
        "taken": [{"user": each.user, "why": choice.reason(each)} for each in choice.taken],
    }
    lines = [f"{wave}: {len(choice.taken)} people, {len(preview.held_out)} of them held out. Meant: {audience_of(wave)}."]
    if preview.population is not None:
        lines.append(f"  The population of the phase is {preview.population:,} of {preview.customised:,} customized people.")
    lines += [f"  {' · '.join(name)}: {taken} of {count}" for name, taken, count in choice.by_stratum]
    lines += [f"  left out: {count} ({code}). {text}" for code, text, count in preview.reasons]
    shown_people = choice.taken if people else choice.taken[:SAMPLE]
    lines += [f"  {each.user}: {choice.reason(each)}" for each in shown_people]
    sentence = (
        f"{choice.short} people short: nobody else matches. Widen the rules, or let the others wait." if choice.short else ""
    )
    return Report(data, lines, sentence)


def _members(wave: Wave, *, people: bool) -> Report:
    """Show who is in a wave whose people are fixed, each with the key that other acts take."""
    columns = ("pk", "person__tenant", "person__user", "state", "chosen_for")
    taken = [
        {"enrolment": pk, "user": str(PersonKey(tenant, user)), "state": state, "why": why}
        for pk, tenant, user, state, why in wave.enrolments.order_by("pk").values_list(*columns)
    ]
    data = {"wave": wave.pk, "fixed": True, "size": wave.size, "members": wave.members_by_state(), "taken": taken}
    shown = taken if people else taken[:SAMPLE]
    lines = [f"  {each['user']} (enrolment {each['enrolment']}): {each['state']}. {each['why']}" for each in shown]
    return Report(data, [f"{wave}: its {wave.size} people are fixed.", *lines])


def _defer_options(parser: CommandParser) -> None:
    parser.add_argument("--to", type=int, required=True, metavar="WAVE", help="Primary key of the later wave.")


def _defer(row: Enrolment, deed: Deed, *, to: int) -> Report:
    later = defer_person(row, to=found(Wave, to), **who(deed))
    data = {"enrolment": row.pk, "state": row.state, "later": later.pk, "wave": later.wave_id, "deferrals": later.deferrals}
    return Report(data, [f"{row.person} waits for {later.wave} (enrolment {later.pk})."])


def _withdraw(row: Enrolment, deed: Deed) -> Report:
    withdraw_deferral(row, **who(deed))
    return Report({"enrolment": row.pk, "state": row.state}, [f"{row.person} is {row.state_label} in {row.wave} again."])


def _exclude(row: Enrolment, deed: Deed) -> Report:
    exclude_person(row, **who(deed))
    return Report({"enrolment": row.pk, "state": row.state}, [f"{row.person} is left out of {row.wave}."])


def _exclude_people_options(parser: CommandParser) -> None:
    parser.add_argument("--users", default="", metavar="A,B", help="These users; tenant/user outside the default tenant.")
    parser.add_argument("--rules", default="[]", metavar="JSON", help="A list of rules, all of which match whoever is left out.")


def _exclude_people(wave: Wave, deed: Deed, *, users: str, rules: str) -> Report:
    try:
        read: Any = json.loads(rules)
    except json.JSONDecodeError as broken:
        raise WrongUsage(
            f'--rules is no JSON: {broken}. Write for example \'[{{"trait": "technical", "is": true}}]\'.'
        ) from broken
    names = [name.strip() for name in users.split(",") if name.strip()]
    done = exclude_people(wave, users=names, rules=rules_from_json(read), **who(deed))
    sentence = f"Not waiting in {wave}: {', '.join(done.missing)}." if done.missing else ""
    data = {"wave": wave.pk, "excluded": done.count, "missing": list(done.missing)}
    return Report(data, [f"{done.count} people are left out of {wave}."], sentence)


def _release(wave: Wave, deed: Deed) -> Report:
    count = release_holdout(wave, **who(deed))
    return Report({"wave": wave.pk, "released": count}, [f"{count} people of {wave} are free for another wave."])


ACTS: tuple[Act, ...] = (
    act_on(Wave, "preview", "Show whom a wave takes, whom not, and why.", _preview, _preview_options),
    act_on(Enrolment, "defer", "Let somebody who has not begun wait for a later wave.", _defer, _defer_options),
    act_on(Enrolment, "withdraw", "Give somebody who was deferred their place back.", _withdraw),
    act_on(Enrolment, "exclude", "Leave somebody out of their wave.", _exclude),
    act_on(
        Wave,
        "exclude-people",
        "Leave people out of a wave before it starts, by name or rule.",
        _exclude_people,
        _exclude_people_options,
    ),
    act_on(Wave, "release-holdout", "End the comparison of a wave: whom it held out is free.", _release),
)
