"""Play plans through before they are carried out, and compare afterwards."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from rollout.management.acts import Act, act_on, found
from rollout.models import Plan
from rollout.rehearsal.comparing import planned_against_actual
from rollout.rehearsal.orders import START, TEMPLATE, Order
from rollout.rehearsal.runs import ask_for_rehearsal, play_rehearsal, rehearse_copy, rehearse_template
from rollout.rehearsal.scenarios import SCENARIOS
from slots.management.base import Deed, Report, WrongUsage

PEOPLE = 1_250
Row = dict[str, Any]


def _options(parser: CommandParser) -> None:
    parser.add_argument("pk", nargs="?", type=int, metavar="PLAN", help="A plan with its real people; without one, a template.")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="The same seed gives the same report (default 1).")
    names = [name for name in SCENARIOS if name]
    parser.add_argument("--scenario", choices=names, default="", help="What goes wrong; without one, nothing.")
    parser.add_argument("--people", type=int, metavar="N", help=f"So many made-up people for a template (default {PEOPLE:,}).")
    parser.add_argument("--template", metavar="NAME", help=f"The template (default {TEMPLATE}).")
    parser.add_argument("--start", type=date.fromisoformat, metavar="DATE", help=f"The template's first day (default {START}).")


def _rehearse(deed: Deed, *, pk: int | None, **options: Any) -> Report:
    """Play, and keep the report with the plan."""
    if pk is None:
        return _told(rehearse_template(_order(**options)))
    plan = _plan(pk, **options)
    row = ask_for_rehearsal(plan, seed=options["seed"], scenario=options["scenario"], by=deed.by, at=deed.at)
    play_rehearsal(row, clock=timezone.now)
    return _told({**row.report, "rehearsal": row.pk})


def _rehearse_dry(_deed: Deed, *, pk: int | None, **options: Any) -> Report:
    """Play, and keep nothing."""
    if pk is None:
        return _told(rehearse_template(_order(**options)))
    return _told(rehearse_copy(_plan(pk, **options), seed=options["seed"], scenario=options["scenario"]))


def _plan(pk: int, *, people: int | None, template: str | None, start: date | None, **_options: Any) -> Plan:
    if people is not None or template is not None or start is not None:
        raise WrongUsage("A plan has its own people and dates: leave --people, --template and --start out.")
    return found(Plan, pk)


def _order(*, seed: int, scenario: str, people: int | None, template: str | None, start: date | None) -> Order:
    people = PEOPLE if people is None else people
    if people < 1 or seed < 0:
        raise WrongUsage("--people is at least 1, and a seed at least 0.")
    first = (start or START).isoformat()
    return Order(seed=seed, scenario=scenario, people=people, template=template or TEMPLATE, start=first)


def _told(report: Row) -> Report:
    trouble = []
    if not report["completed"]:
        trouble.append("The plan did not complete.")
    if report["violations"]:
        trouble.append(f"{report['violations']} times an invariant did not hold.")
    return Report(report, list(_lines(report)), " ".join(trouble) + " Read what it waited for." if trouble else "")


def _lines(report: Row) -> Iterator[str]:
    """Return the report for people: a table for each phase, and what happened beside it."""
    played = f"{report['scenario']}: {report['text']}" if report["scenario"] else "nothing goes wrong"
    yield f"{report['plan']}, {report['people']} people, seed {report['seed']}, {played}"
    yield f"{'completed' if report['completed'] else 'NOT COMPLETED'}, {_day(report['began_at'])} to {_day(report['ended_at'])}"
    for phase in report["phases"]:
        yield ""
        yield f"{phase['name']}: {phase['state']}, planned {_day(phase['planned_start'])}, opened {_day(phase['opened_at'])}"
        yield f"  {'wave':<24} {'state':<12} {'people':>6}  {'planned':<16}  {'started':<16}  {'ended':<16}"
        for wave in phase["waves"]:
            yield (
                f"  {wave['name'][:24]:<24} {wave['state'][:12]:<12} {wave['members']:>6}  {_day(wave['planned_start']):<16}  "
                f"{_day(wave['started_at']):<16}  {_day(wave['finished_at']):<16}"
            )
    yield ""
    yield from _besides(report)
    yield f"{report['events']:,} events, invariants checked {report['looks']:,} times, {report['violations']} violations."
    yield from (f"  {each['invariant']}: {each['text']}" for each in report["violated"][:20])
    yield f"Digest {report['digest']}; {report['wall_s']:.1f} s, worst rollback {report['worst_rollback_s']:.2f} s."


def _besides(report: Row) -> Iterator[str]:
    yield f"{report['notices']:,} messages:"
    yield from (f"  {_day(each['first_at'])}  {each['people']:>5}  {each['notice']} ({each['wave']})" for each in report["told"])
    for each in report["gate_trips"]:
        ended = f"It was {each['state']} {_day(each['closed_at'])}." if each["closed_at"] else "It is open."
        yield f"Breach {_day(each['opened_at'])}: {each['policy']}. {each['why']} {ended}"
        yield from (f"  {one['action']} {_day(one['done_at'])}: {one['outcome']}" for one in each["responses"] if one["done_at"])
    for each in report["rollbacks"]:
        yield f"Taken back {_day(each['at'])}: {each['wave']}, {each['people']} people. {each['reason']}"
    for each in report["holds"]:
        yield f"Held {_day(each['set_at'])} to {_day(each['cleared_at'])}: {each['on']}. {each['reason']}"
    for each in report["waits"]:
        yield f"Waited {_day(each['since'])} to {_day(each['until'])}: {each['wave']}. {' '.join(each['reasons'])}"


def _day(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}" if text else "–"


def _report(plan: Plan, _deed: Deed) -> Report:
    data = planned_against_actual(plan)
    lines = [
        f"{data['name']}: {data['state']}",
        f"  {'':<32} {'planned':<16}  {'rehearsed':<16}  {'actual':<16}  {'hours late':>10}",
    ]
    for row in data["rows"]:
        name = f"  {row['wave']}" if row["wave"] else row["phase"]
        late = "–" if row["hours_late"] is None else f"{row['hours_late']:.1f}"
        days = f"{_day(row['planned']):<16}  {_day(row['rehearsed']):<16}  {_day(row['actual']):<16}"
        lines.append(f"  {name[:32]:<32} {days}  {late:>10}")
    for name in ("notices", "gate_trips", "rollbacks"):
        both = data[name]
        rehearsed = "not rehearsed" if both["rehearsed"] is None else f"{both['rehearsed']} in the rehearsal"
        lines.append(f"{name.replace('_', ' ').capitalize()}: {rehearsed}, {both['actual']} really.")
    return Report(data, lines)


ACTS: tuple[Act, ...] = (
    Act("rehearse", "Play a plan, or a template, through on a virtual clock.", _rehearse, _options, dry=_rehearse_dry),
    act_on(Plan, "report", "Compare what was planned with what was rehearsed and what happened.", _report),
)
