"""Where every plan stands."""

from typing import Any

from rollout.actions.holds import holds_on, is_frozen
from rollout.actions.progress import Progress, causes_of, progress_of
from rollout.actions.standstill import Standstill, in_json, of_wave, what_stands
from rollout.management.acts import Act
from rollout.management.waves import shown_wave
from rollout.models import Plan, Wave
from rollout.states import WAVE_AT_WORK
from rollout.switch import is_killed
from slots.management.base import Deed, Report


def _status(deed: Deed) -> Report:
    """Return every plan with its phases and waves, and what waits for somebody."""
    stands = what_stands(at=deed.at)
    plans = Plan.objects.prefetch_related("phases__waves__phase__plan", "policies").order_by("pk")
    data = {
        "kill_switch": is_killed(),
        "frozen": is_frozen(),
        "plans": [
            {
                "pk": plan.pk,
                "name": plan.name,
                "state": plan.state,
                "policies": [
                    {"pk": row.pk, "name": row.name, "purpose": row.purpose, "metric": row.metric}
                    for row in plan.policies.all()
                    if row.retired_at is None
                ],
                "phases": [
                    {
                        "pk": phase.pk,
                        "name": phase.name,
                        "state": phase.state,
                        "waves": [_wave(wave, deed) for wave in phase.waves.all()],
                    }
                    for phase in plan.phases.all()
                ],
            }
            for plan in plans
        ],
        "stands": in_json(stands),
    }
    lines = [f"Kill switch: {'ON, everybody sees the legacy system' if data['kill_switch'] else 'off'}"]
    if data["frozen"]:
        lines.append("Every plan is frozen.")
    for plan in plans:
        lines += _lines(plan, deed)
    return Report(data, [*lines, *_said(stands)])


def _wave(wave: Wave, deed: Deed) -> dict[str, Any]:
    """Return the JSON object of a wave: what keeps it, and, while it is at work, how far it is and what went wrong."""
    shown = shown_wave(wave) | {"stands": in_json(of_wave(wave, at=deed.at))}
    if wave.state not in WAVE_AT_WORK:
        return shown
    causes = [each.as_json() for each in causes_of(wave)]
    return shown | {"progress": _progress(wave, deed).as_json() | {"causes": causes}}


def _progress(wave: Wave, deed: Deed) -> Progress:
    return progress_of(wave, at=deed.at, is_held=bool(holds_on(wave, at=deed.at)))


def _needs(deed: Deed) -> Report:
    """Return everything that waits for somebody."""
    stands = what_stands(at=deed.at)
    return Report({"stands": in_json(stands)}, _said(stands))


def _said(stands: list[Standstill]) -> list[str]:
    """Return each standstill with its four answers, or that there is none."""
    if not stands:
        return ["Nothing waits for anybody."]
    lines = ["What waits for somebody:"]
    for each in stands:
        lines += [f"  {each.name} ({each.subject} {each.pk}): {each}", f"    To be set going by {each.who}. ({each.code})"]
    return lines


def _lines(plan: Plan, deed: Deed) -> list[str]:
    lines = [f"{plan.name}: {plan.state_label}"]
    lines += [
        f"  {row.name} (policy {row.pk}): {row.purpose} of {row.metric}" for row in plan.policies.all() if row.retired_at is None
    ]
    for phase in plan.phases.all():
        lines.append(f"  {phase.name} (phase {phase.pk}): {phase.state_label}")
        for wave in phase.waves.all():
            members = ", ".join(f"{count} {state}" for state, count in wave.members_by_state().items())
            lines.append(f"    {wave.name} (wave {wave.pk}): {wave.state_label}, {wave.size} members: {members or 'none yet'}")
            if wave.state in WAVE_AT_WORK:
                lines.append(f"      {_progress(wave, deed)}")
    return lines


ACTS: tuple[Act, ...] = (
    Act("status", "Show every plan with its phases and waves, and what waits for somebody.", _status),
    Act("needs", "Show everything that waits for somebody: why, since when, by whom, and what comes next.", _needs),
)
