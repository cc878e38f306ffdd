"""Say a content in words, for whoever is to sign it: every demand that the hash stands for has its line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from rollout.audiences import Audience
from rollout.errors import AudienceInvalid
from rollout.gates import DEFINITIONS, Compare, Metric, Purpose
from rollout.gates.metrics import HIGHER_IS_BETTER
from rollout.models import Channel, Moment, ShareOf

Row = Mapping[str, Any]
UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
COMPARED: Final = {
    Compare.ABSOLUTE: "",
    Compare.BASELINE: ", against the time before the plan,",
    Compare.CONTROL: ", against the old system at the same time,",
}
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Section:
    """Hold what is demanded of the whole plan, or of one phase, each demand as a line."""

    title: str
    lines: tuple[str, ...]


def content_in_words(content: Row) -> list[Section]:
    """Return the content of a plan, or of one of its phases, in sections: the plan first, then the phases in their order."""
    plan = content["plan"]
    phases = content.get("phases") or [content["phase"]]
    times = {1: "once"}.get(plan["max_deferrals"], f"{plan['max_deferrals']} times")
    lines = [
        f"A person may ask {times} for a later wave, by {span(plan['deferral_limit'])} at most.",
        f"A measured rollback counts for {span(plan['certificate_valid_for'])}.",
        f"People are taken in an order that is drawn by lot, once and for all, from {plan['salt']}.",
    ]
    whole = Section(f"{plan['name']}: the whole plan", (*lines, *_shared(content)))
    return [whole, *(_phase(each) for each in phases)]


def span(seconds: float) -> str:
    """Return a duration in words, in the largest units that say it."""
    left, parts = round(seconds), []
    for size, name in UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' if count != 1 else ''}")
    return " ".join(parts) or "no time"


def _phase(content: Row) -> Section:
    phase = content["phase"]
    lines = [phase["objective"]] if phase["objective"] else []
    if phase["share"] is not None:
        lines.append(f"It takes {phase['share']} % of {ShareOf(phase['share_of']).label}.")
    lines.append(f"It is watched for {span(phase['soak'])} after its last wave.")
    if phase["needs_certificate"]:
        lines.append("No wave starts without a freshly measured rollback.")
    lines += [_wave(each) for each in content["waves"]]
    return Section(f"Phase {phase['position']}: {phase['name']}", (*lines, *_shared(content)))


def _wave(wave: Row) -> str:
    checks = ", ".join(span(each) for each in wave["checks"])
    share = f"{wave['share']} % of the phase: " if wave["share"] is not None else ""
    return (
        f"Wave {wave['position']}, {wave['name']}: {share}{_audience(wave)}. Frozen {span(wave['lock_lead'])} before it starts; "
        f"each person is watched for {span(wave['soak'])}"
        f"{f' and looked at after {checks}' if checks else ''}."
    )


def _audience(wave: Row) -> str:
    try:
        return str(Audience.from_json(wave["audience"], has_share=wave["share"] is not None))
    except AudienceInvalid as invalid:
        return f"nobody ({invalid})"


def _shared(content: Row) -> Iterable[str]:
    yield from map(_policy, content["policies"])
    for each in content["windows"]:
        days = ", ".join(DAYS[day] for day in each["days"])
        yield f"People are moved {each['opens'][:5]} to {each['closes'][:5]} {each['zone']} on {days}."
    for each in content["notices"]:
        must = "; the wave waits for it" if each["is_required"] else ""
        when = f"{span(each['lead'])} {Moment(each['moment']).label}"
        yield f"Notice {each['name']}, {Channel(each['channel']).label}, {when}{must}: “{each['subject']}” {each['body']}"
    for each in content["tasks"]:
        yield f"Task{'' if each['is_required'] else ' (if possible)'}: {each['text']}"
    if content["signoffs"]:
        yield f"To be signed by: {', '.join(content['signoffs'])}."


def _policy(row: Row) -> str:
    words = [
        f"{row['purpose'].capitalize()} “{row['name']}”: {Metric(row['metric']).in_words}{COMPARED[Compare(row['compare'])]} "
        f"{_asked(row)}, over {span(row['window'])}",
        f"from {row['min_sample']} observations",
    ]
    if row["sustained"]:
        words.append(f"crossed for {span(row['sustained'])}")
    words.append(f"without data it {row['no_data'].replace('_', ' ')}s")
    words.append(f"{row['severity']} severity")
    if row["respond_within"] is not None:
        words.append(f"to be analysed within {span(row['respond_within'])}")
    for each in row["responses"]:
        after = span(each["after_s"]) if each.get("after_s") else "once"
        who = f" {' and '.join(each['roles'])}" if each.get("roles") else ""
        words.append(f"{each['action'].replace('_', ' ')}{who} {'at once' if after == 'once' else f'after {after}'}")
    if row["needs_revalidation"]:
        words.append("clears only by validating the affected people again")
    return f"{', '.join(words)}."


def _asked(row: Row) -> str:
    """Return where a policy trips and where it is clear; of a gate, whose only question is the latter, both where they differ."""
    good, bad = ("above", "below") if Metric(row["metric"]) in HIGHER_IS_BETTER else ("below", "above")
    clear, trip = (f"{side} {_exactly(row, row[name])}" for side, name in ((good, "clear"), (bad, "trip")))
    if row["purpose"] == Purpose.GATE:
        return f"passes {clear}" + (f" and trips {trip}" if row["trip"] != row["clear"] else "")
    return f"trips {trip} and is clear {clear}"


def _exactly(row: Row, value: float) -> str:
    """Return a threshold to the last digit that counts: whoever signs it, signs no rounded number."""
    definition = DEFINITIONS[Metric(row["metric"])]
    exact = Decimal(str(value))  # as it is stored: the shortest digits that mean this number
    if Compare(row["compare"]) != Compare.ABSOLUTE:
        return f"{exact.normalize():f} times as much"
    if definition.is_share:
        return f"{(exact * 100).normalize():f} %"
    return span(value) if definition.unit == "s" and value == round(value) else f"{exact.normalize():f} {definition.unit}"
