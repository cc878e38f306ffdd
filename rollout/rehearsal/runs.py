"""Rehearse a plan of the database, or a template with people who are made up: copy, play apart, check, keep the report."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from rollout.actions.blueprints import template
from rollout.actions.contents import content_hash_of
from rollout.errors import RehearsalBroken, RehearsalNotPossible, RehearsalTooSlow
from rollout.models import Plan, Rehearsal
from rollout.rehearsal.copying import copy_plan, people_of
from rollout.rehearsal.orders import Order
from rollout.rehearsal.process import PATIENCE, play_apart
from rollout.rehearsal.report import digest_of
from rollout.rehearsal.scenarios import SCENARIOS
from rollout.rehearsal.scratch import scratch_database
from rollout.rehearsal.staging import dates_of
from rollout.states import PlanState

REHEARSED_IN: Final = frozenset({PlanState.DRAFT, PlanState.IN_REVIEW, PlanState.APPROVED, PlanState.SCHEDULED})
MOST_SEED: Final = 2**31 - 1


def rehearse_template(order: Order, *, patience: float = PATIENCE) -> dict[str, Any]:
    """Play a template with made-up people, and return the report; nothing is kept.

    Raises:
        RehearsalNotPossible: there is no such scenario, or so few people that it would never end.
        TemplateUnknown: there is no such template.
        RehearsalTooSlow, RehearsalBroken: there is no report.
    """
    _require_scenario(order.template, order.scenario)
    template(order.template)  # here, where its refusal keeps its own code
    with scratch_database() as (file, _alias):
        return _checked(play_apart(order, file, patience=patience))


def ask_for_rehearsal(plan: Plan, *, seed: int, scenario: str = "", by: str, at: datetime) -> Rehearsal:
    """Make the row of a rehearsal that is to be played.

    Raises:
        RehearsalNotPossible: there is no such scenario or seed, the plan has begun, or it has no dates.
    """
    require_playable(plan, seed=seed, scenario=scenario)
    return Rehearsal.objects.create(
        plan=plan,
        scenario=scenario,
        seed=seed,
        people=people_of(plan),
        content_hash=content_hash_of(plan),
        by=by,
        asked_at=at,
    )


def rehearse_copy(plan: Plan, *, seed: int, scenario: str = "", patience: float = PATIENCE) -> dict[str, Any]:
    """Play a plan with its people, and return the report; nothing is kept.

    Raises:
        RehearsalNotPossible: as for `ask_for_rehearsal`.
        RehearsalTooSlow, RehearsalBroken: there is no report.
    """
    require_playable(plan, seed=seed, scenario=scenario)
    return _played(plan, Order(seed=seed, scenario=scenario, plan=plan.pk), patience)


def play_rehearsal(rehearsal: Rehearsal, *, clock: Callable[[], datetime], patience: float = PATIENCE) -> bool:
    """Play a rehearsal that was asked for, keep its report or why there is none, and say whether all went well.

    Played twice it stays as it was played first.

    Raises:
        RehearsalTooSlow, RehearsalBroken: there is no report; the row says so too.
    """
    if rehearsal.finished_at is not None:
        return rehearsal.is_completed and not rehearsal.violations
    order = Order(seed=rehearsal.seed, scenario=rehearsal.scenario, plan=rehearsal.plan_id)
    try:
        report = _played(rehearsal.plan, order, patience)
    except (RehearsalBroken, RehearsalNotPossible, RehearsalTooSlow) as failed:
        _keep(rehearsal, at=clock(), error=f"{failed.code}: {failed}")
        raise
    _keep(
        rehearsal,
        at=clock(),
        report=report,
        digest=report["digest"],
        is_completed=report["completed"],
        violations=report["violations"],
    )
    return bool(report["completed"]) and not report["violations"]


def _played(plan: Plan, order: Order, patience: float) -> dict[str, Any]:
    with scratch_database() as (file, alias):
        copy_plan(plan, alias)
        return _checked(play_apart(order, file, patience=patience))


def _keep(rehearsal: Rehearsal, *, at: datetime, **columns: Any) -> None:
    kept = Rehearsal.objects.filter(pk=rehearsal.pk, finished_at__isnull=True)  # of two that play it the first one counts
    kept.update(finished_at=at, **columns)
    rehearsal.refresh_from_db()


def _checked(report: dict[str, Any]) -> dict[str, Any]:
    """Refuse a report whose digest is not its own."""
    if digest_of(report) != report["digest"]:
        raise RehearsalBroken("its digest is not that of what it tells.")
    return report


def require_playable(plan: Plan, *, seed: int = 1, scenario: str = "") -> None:
    """Refuse what could not be played.

    Raises:
        RehearsalNotPossible: there is no such scenario or seed, the plan has begun, or it has no dates.
    """
    _require_scenario(str(plan), scenario)
    if not 0 <= seed <= MOST_SEED:
        raise RehearsalNotPossible(str(plan), f"a seed is a whole number from 0 to {MOST_SEED}.")
    if plan.state not in REHEARSED_IN:
        raise RehearsalNotPossible(str(plan), f"it is {plan.state_label}. Copy it, and rehearse the copy.")
    dates_of(plan)


def _require_scenario(what: str, scenario: str) -> None:
    if scenario not in SCENARIOS:
        known = ", ".join(name for name in SCENARIOS if name)
        raise RehearsalNotPossible(what, f"there is no scenario {scenario!r}. There are: {known}.")
