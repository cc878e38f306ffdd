"""What goes wrong in a rehearsal, when, and what people then do about it: the risks of the plan, one class each.

A scenario twists what sources say, spoils rows as a defect of the engine would, lets a worker die or a signature come late. How
the rollout answers is the engine's business: pausing, holding and taking back are never done here, only what people have to do.
"""

from typing import Final

from rollout.rehearsal.scenarios.calendar import DstWeek, LateApproval
from rollout.rehearsal.scenarios.machines import KilledWorker, MetricOutage
from rollout.rehearsal.scenarios.risks import AngryUsers, BadValidation, SlowRender
from rollout.rehearsal.scenarios.scenario import Scenario, Stage

SCENARIOS: Final[dict[str, type[Scenario]]] = {
    each.name: each
    for each in (Scenario, BadValidation, SlowRender, AngryUsers, MetricOutage, KilledWorker, LateApproval, DstWeek)
}

__all__ = ["SCENARIOS", "Scenario", "Stage"]
