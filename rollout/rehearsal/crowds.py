"""How many made-up people a plan needs at least: with fewer, one of its gates never has as many observations as it wants."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from rollout.gates import Metric, Purpose
from rollout.models import GuardPolicy, Phase, Plan, ShareOf, Wave
from rollout.states import WaveState

OF_PEOPLE: Final = frozenset({Metric.MIGRATION_SUCCESS, Metric.ISSUE_REPORTS})  # of which each person is one observation


@dataclass(frozen=True, slots=True)
class Need:
    """Name a gate, and of how many people its phase's first wave is large enough for it."""

    people: int
    gate: str
    wave: str
    sample: int


def largest_need(plan: Plan) -> Need | None:
    """Return what needs the most people; None where nothing does.

    The second wave of a phase starts past the phase's own gates, when only the first has people on slots. It takes some more
    where people of the first fail.
    """
    gates = GuardPolicy.objects.filter(
        plan=plan, purpose=Purpose.GATE.value, metric__in=OF_PEOPLE, phase__share_of=ShareOf.CUSTOMIZED, retired_at__isnull=True
    )
    needs = [need for row in gates.select_related("phase").order_by("pk") if (need := _need(row, row.phase)) is not None]
    return max(needs, key=lambda need: need.people, default=None)


def _need(row: GuardPolicy, phase: Phase | None) -> Need | None:
    waves: list[Wave] = []
    if phase is not None:
        waves = list(phase.waves.exclude(state=WaveState.CANCELLED).order_by("starts_at", "position")[:2])
    if phase is None or len(waves) < 2 or not waves[0].share:
        return None
    part = float(100 if phase.share is None else phase.share) / 100 * float(waves[0].share) / 100
    return Need(ceil(row.min_sample / part), row.name, waves[0].name, row.min_sample)
