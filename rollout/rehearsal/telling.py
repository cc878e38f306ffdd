"""Put the report of a play together."""

import time
from typing import Any

from django.db import transaction

from migration.models import Person
from rollout.actions.rollback import roll_back_all
from rollout.models import Event
from rollout.rehearsal import report
from rollout.rehearsal.cast import OPERATOR
from rollout.rehearsal.orders import Order
from rollout.rehearsal.play import Play
from rollout.states import PhaseState

Row = dict[str, Any]


def tell(play: Play, order: Order, *, wall_s: float) -> Row:
    """Return the report of a play that is over; the wall seconds are those up to here."""
    plan = play.plan
    phases = report.phases_of(plan, play.planned)
    told = report.told_of(plan)
    measured = report.measured_of(plan)
    everybody = measure_everybody(play)
    timeline = [*report.timeline_of(plan), *play.told()]
    found: Row = {
        "plan": plan.name,
        "scenario": order.scenario,
        "text": play.scenario.text,
        "seed": order.seed,
        "people": Person.objects.customised().count(),
        "completed": all(each["state"] == PhaseState.COMPLETED for each in phases) and play.is_over(),
        "events": Event.objects.count(),
        "looks": play.checker.looks,
        "violations": len(play.violations),
        "violated": [{"at": at.isoformat(), **each.as_json()} for at, each in play.violations],
        "began_at": play.began_at.isoformat(),
        "ended_at": play.clock.at.isoformat(),
        "phases": phases,
        "gate_trips": report.trips_of(plan),
        "notices": sum(each["people"] for each in told),
        "told": told,
        "rollbacks": report.rollbacks_of(plan),
        "holds": report.holds_of(plan),
        "waits": [each.as_json() for each in play.waiting.waits],
        "approvals": report.approvals_of(plan),
        "timeline": sorted(timeline, key=lambda row: str(row["at"])),
        "deaths": [{"wave": wave, "people": people} for wave, people in play.workers.deaths],
    }
    seconds = [everybody, *(each["projected_s"] for each in measured), *play.seconds_back]
    found["digest"] = report.digest_of(found)
    found["measured"] = measured
    found["worst_rollback_s"] = round(max(seconds), 3)
    found["wall_s"] = round(wall_s, 3)
    return found


def measure_everybody(play: Play) -> float:
    """Take everybody back who is on slots, and undo it; return how many seconds that took."""
    with transaction.atomic():
        done = roll_back_all(by=OPERATOR, at=play.clock.at, reason="measured, and undone", timer=time.perf_counter)
        transaction.set_rollback(True)
    return (done.reconciled_ms or 0.0) / 1000
