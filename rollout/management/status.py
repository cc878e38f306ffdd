"""Where every plan stands."""

from rollout.actions.holds import is_frozen
from rollout.actions.standstill import Standstill, in_json, of_wave, what_stands
from rollout.management.acts import Act
from rollout.management.waves import shown_wave
from rollout.models import Plan
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
                        "waves": [
                            shown_wave(wave) | {"stands": in_json(of_wave(wave, at=deed.at))} for wave in phase.waves.all()
                        ],
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
        lines += _lines(plan)
    return Report(data, [*lines, *_said(stands)])


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


def _lines(plan: Plan) -> list[str]:
    lines = [f"{plan.name}: {plan.state_label}"]
    lines += [
        f"  {row.name} (policy {row.pk}): {row.purpose} of {row.metric}" for row in plan.policies.all() if row.retired_at is None
    ]
    for phase in plan.phases.all():
        lines.append(f"  {phase.name} (phase {phase.pk}): {phase.state_label}")
        for wave in phase.waves.all():
            members = ", ".join(f"{count} {state}" for state, count in wave.members_by_state().items())
            lines.append(f"    {wave.name} (wave {wave.pk}): {wave.state_label}, {wave.size} members: {members or 'none yet'}")
    return lines


ACTS: tuple[Act, ...] = (
    Act("status", "Show every plan with its phases and waves, and what waits for somebody.", _status),
    Act("needs", "Show everything that waits for somebody: why, since when, by whom, and what comes next.", _needs),
)
