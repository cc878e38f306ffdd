"""Acts on breaches and on policies."""

from typing import Any

from rollout.actions.breaches import cases_of, revalidate_breach, waive_breach
from rollout.actions.gates import retire_policy
from rollout.management.acts import Act, act_on, who
from rollout.models import Breach, GuardPolicy
from rollout.states import BreachState
from slots.management.base import Deed, Report


def _breaches(_deed: Deed) -> Report:
    rows = list(Breach.objects.filter(state=BreachState.OPEN).select_related("policy__plan", "evaluation").order_by("pk"))
    lines = [f"{len(rows)} breaches are open."]
    for row in rows:
        lines.append(f"  {row} (breach {row.pk}): {row.evaluation.text}")
        lines += [f"    {case.user}: {case.code}. {case.text}" for case in cases_of(row)]
    return Report({"breaches": [_shown(row) for row in rows]}, lines)


def _shown(breach: Breach) -> dict[str, Any]:
    return {
        "pk": breach.pk,
        "policy": breach.policy_id,
        "state": breach.state,
        "wave": breach.wave_id,
        "affected": len(breach.affected),
        "failed": [{"user": each.user, "code": each.code, "text": each.text} for each in cases_of(breach)],
    }


def _revalidate(breach: Breach, deed: Deed) -> Report:
    found = revalidate_breach(breach, **who(deed))
    breach.refresh_from_db()
    data = _shown(breach) | {"code": found.code, "value": found.value}
    sentence = "" if breach.state != BreachState.OPEN else f"It stays open. {found.text}"
    return Report(data, [f"{breach} is {breach.state_label}. {found.text}"], sentence)


def _waive(breach: Breach, deed: Deed) -> Report:
    waive_breach(breach, **who(deed))
    return Report(_shown(breach), [f"{breach} is waived by {deed.by}."])


def _retire(row: GuardPolicy, deed: Deed) -> Report:
    changed = retire_policy(row, **who(deed))
    return Report({"policy": row.pk, "changed": changed}, [f"{row} is retired{'' if changed else ' already'}."])


ACTS: tuple[Act, ...] = (
    Act("breaches", "Show open breaches with their failed cases.", _breaches),
    act_on(Breach, "revalidate", "Validate everybody whom a breach affects again.", _revalidate),
    act_on(Breach, "waive", "Close a breach in your name.", _waive),
    act_on(GuardPolicy, "retire", "Demand a policy no longer.", _retire),
)
