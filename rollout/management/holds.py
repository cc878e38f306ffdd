"""What holds waves, and the switch that freezes everything."""

from rollout.actions.holds import freeze, is_frozen, unfreeze
from rollout.management.acts import Act, who
from rollout.models import Hold
from slots.management.base import Deed, Report


def _freeze(deed: Deed) -> Report:
    changed = freeze(**who(deed))
    return Report({"frozen": is_frozen(), "changed": changed}, ["Every plan is frozen."])


def _unfreeze(deed: Deed) -> Report:
    changed = unfreeze(**who(deed))
    return Report({"frozen": is_frozen(), "changed": changed}, ["The freeze is off; what else holds a wave goes on holding it."])


def _holds(_deed: Deed) -> Report:
    rows = Hold.objects.standing().select_related("plan", "phase__plan", "wave__phase__plan").order_by("pk")
    data = [{"pk": row.pk, "kind": row.kind, "on": row.scope, "reason": row.reason, "by": row.set_by} for row in rows]
    return Report({"holds": data}, [f"{len(data)} holds stand.", *(f"  {row} (“{row.reason}”, {row.set_by})" for row in rows)])


ACTS: tuple[Act, ...] = (
    Act("holds", "Show what holds which waves.", _holds),
    Act("freeze", "Hold every wave of every plan.", _freeze),
    Act("unfreeze", "Take the freeze off.", _unfreeze),
)
