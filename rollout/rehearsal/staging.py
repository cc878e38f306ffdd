"""Set the stage in the scratch database: tables are there; now people, roles, the plan, and who plays whom."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max, Min
from django.utils.module_loading import import_string

from migration.models import Person
from rollout.actions.blueprints import create_from_template, template
from rollout.errors import RehearsalNotPossible
from rollout.models import Plan, Task, Wave
from rollout.rehearsal.cast import AUTHOR, make_accounts
from rollout.rehearsal.crowds import largest_need
from rollout.rehearsal.orders import Order
from rollout.rehearsal.play import Play
from rollout.rehearsal.scenarios import SCENARIOS
from rollout.roles import ensure_roles

BEFORE: Final = timedelta(days=14)  # so long before its first date a plan is submitted
MADE: Final = timedelta(days=30)  # so long before it the people are there


def set_stage(order: Order) -> Play:
    """Return the play of an order, everything being ready.

    Raises:
        RehearsalNotPossible: the plan has no dates, no crowd is known, or the crowd is too small for the plan to end.
    """
    ensure_roles()
    plan = Plan.objects.get(pk=order.plan) if order.plan else _from_template(order)
    make_accounts(plan)
    chosen = SCENARIOS[order.scenario]()
    at = dates_of(plan)[0] - BEFORE
    chosen.prepare(plan, at=at)
    plan.refresh_from_db()
    return Play.of(plan, seed=order.seed, scenario=chosen, at=at, until=dates_of(plan)[1])  # a scenario may have moved the dates


def dates_of(plan: Plan) -> tuple[datetime, datetime]:
    """Return the first and the last date of a plan.

    Raises:
        RehearsalNotPossible: it has none.
    """
    waves = Wave.objects.filter(phase__plan=plan).aggregate(first=Min("starts_at"), last=Max("starts_at"))
    phases = plan.phases.aggregate(first=Min("starts_at"), last=Max("starts_at"))
    tasks = Task.objects.filter(phase__plan=plan).aggregate(first=Min("due_at"), last=Max("due_at"))
    firsts = [each["first"] for each in (waves, phases, tasks) if each["first"] is not None]
    lasts = [each["last"] for each in (waves, phases, tasks) if each["last"] is not None]
    if not firsts:
        raise RehearsalNotPossible(str(plan), "none of its phases and waves has a date. Set its dates first.")
    return min(firsts), max(lasts)


def _from_template(order: Order) -> Plan:
    """Make a plan of a template, and so many people for it."""
    blueprint = template(order.template)
    start = date.fromisoformat(order.start)
    at = datetime.combine(start, time(9), ZoneInfo(blueprint.time_zone)).astimezone(UTC) - MADE
    plan = create_from_template(
        blueprint.title or blueprint.name,
        template=blueprint,
        starts_on=start,
        by=AUTHOR,
        at=at,
        salt=f"rehearsal {order.seed}",
    )
    if order.people:
        _require_crowd(plan, order.people)
        _crowd(order, at=at)
    return plan


def _require_crowd(plan: Plan, people: int) -> None:
    """Refuse a crowd with which the plan would wait at a gate until the play gives up."""
    need = largest_need(plan)
    if need is not None and people < need.people:
        why = (
            f"of {people:,} people too few are in “{need.wave}” for “{need.gate}”, which wants {need.sample}, so the next wave "
            f"would never start. Take at least {need.people:,}."
        )
        raise RehearsalNotPossible(str(plan), why)


def _crowd(order: Order, *, at: datetime) -> None:
    path = getattr(settings, "ROLLOUT_REHEARSAL_CROWD", "")
    if not path:
        raise RehearsalNotPossible(order.template, "no crowd is known here. Name a plan, or set ROLLOUT_REHEARSAL_CROWD.")
    if not Person.objects.exists():
        import_string(path)(order.people, seed=order.seed, by=AUTHOR, at=at)
