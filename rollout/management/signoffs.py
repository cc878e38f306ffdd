"""Acts on sign-offs and on rollback certificates."""

import time
from typing import Any

from django.core.management.base import CommandParser

from rollout.actions.certifying import LIMIT, certify_rollback
from rollout.actions.signing import remove_role, require_role, sign
from rollout.actions.signoffs import RoleStanding, hash_to_sign, missing_signoffs, required_of, standings
from rollout.management.acts import Act, act_on, found, who
from rollout.models import Decision, Phase, Plan, Signoff, SignoffRequirement, Wave
from slots.management.base import Deed, Report, WrongUsage

SHOWN = 12  # digits of a hash that people compare


def _signing_options(parser: CommandParser) -> None:
    _role_options(parser)
    parser.add_argument("--reject", action="store_true", help="Refuse it; --reason says why.")
    parser.add_argument(
        "--content", default="", metavar="HASH", help="What was shown (`signoffs` says it); refused if edited since."
    )


def _role_options(parser: CommandParser) -> None:
    parser.add_argument("pk", nargs="?", type=int, metavar="PLAN", help="Primary key of the plan.")
    parser.add_argument("--phase", type=int, help="Primary key of a phase, instead of the plan.")
    parser.add_argument("--role", required=True, help="The group in whose name is signed, such as CTO.")


def _subject(pk: int | None, phase: int | None) -> Plan | Phase:
    if phase is None:
        return found(Plan, pk)
    row = found(Phase, phase)
    if pk not in (None, row.plan_id):
        raise WrongUsage(f"Phase {phase} belongs to plan {row.plan_id}, not to {pk}.")
    return row


def _requirement(subject: Plan | Phase, role: str) -> SignoffRequirement:
    requirement = required_of(subject).filter(role=role).first()
    if requirement is None:
        asked = ", ".join(required_of(subject).order_by("role").values_list("role", flat=True)) or "nobody"
        raise WrongUsage(f"{subject} is not signed by {role!r}. Asked: {asked}.", "ROLE_UNKNOWN")
    return requirement


def _sign(deed: Deed, *, pk: int | None, phase: int | None, role: str, reject: bool, content: str) -> Report:
    subject = _subject(pk, phase)
    present = hash_to_sign(subject)
    shown = present if len(content) >= SHOWN and present.startswith(content) else content or present
    decision = Decision.REJECTED if reject else Decision.APPROVED
    made = sign(_requirement(subject, role), decision=decision, content_hash=shown, **who(deed))
    missing = missing_signoffs(subject)
    lines = [f"{role} has {decision.label} {subject} ({shown[:SHOWN]}), in the name of {deed.by}."]
    return Report({**_signoff(made), "missing": missing}, lines + [f"  {each}" for each in missing])


def _require(deed: Deed, *, pk: int | None, phase: int | None, role: str) -> Report:
    subject = _subject(pk, phase)
    require_role(subject, role, **who(deed))
    return Report({"role": role, "of": str(subject)}, [f"{subject} is to be signed by {role}."])


def _drop(deed: Deed, *, pk: int | None, phase: int | None, role: str) -> Report:
    subject = _subject(pk, phase)
    remove_role(_requirement(subject, role), **who(deed))
    return Report({"role": role, "of": str(subject)}, [f"{subject} is not signed by {role} any more."])


def _signoffs(plan: Plan, _deed: Deed) -> Report:
    subjects: list[Plan | Phase] = [plan, *plan.phases.order_by("position")]
    data, lines = [], []
    for subject in subjects:
        rows, present = standings(subject), hash_to_sign(subject)
        data.append(
            {
                "of": str(subject),
                "phase": subject.pk if isinstance(subject, Phase) else None,
                "content_hash": present,
                "roles": [_standing(row) for row in rows],
                "missing": missing_signoffs(subject),
            }
        )
        lines.append(f"{subject} ({present[:SHOWN]}):{'' if rows else ' no role signs it by itself.'}")
        for row in rows:
            lines.append(
                f"  {row.missing or f'{row.decided} on {row.decided.at:%Y-%m-%d %H:%M} UTC.' if row.decided else row.missing}"
            )
            lines += [f"    void, of {each.content_hash[:SHOWN]}: {each} on {each.at:%Y-%m-%d %H:%M} UTC." for each in row.void]
    sentence = "Let the roles sign what is missing." if any(each["missing"] for each in data) else ""
    return Report({"plan": plan.pk, "signoffs": data}, lines, sentence)


def _standing(row: RoleStanding) -> dict[str, Any]:
    return {
        "role": row.requirement.role,
        "decided": _signoff(row.decided) if row.decided else None,
        "void": [_signoff(each) for each in row.void],
    }


def _signoff(row: Signoff) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "decision": row.decision,
        "by": row.by,
        "at": row.at,
        "reason": row.reason,
        "content_hash": row.content_hash,
        "evidence": row.evidence,
    }


def _certifying_options(parser: CommandParser) -> None:
    parser.add_argument("--wave", type=int, help="Primary key of one of its waves, instead of the whole phase.")
    parser.add_argument("--limit", type=int, default=LIMIT, help=f"People switched and taken back at most ({LIMIT}).")


def _certify(phase: Phase, deed: Deed, *, wave: int | None, limit: int) -> Report:
    one = found(Wave, wave) if wave is not None else None
    if one is not None and one.phase_id != phase.pk:
        raise WrongUsage(f"Wave {wave} belongs to another phase.")
    if limit < 1:
        raise WrongUsage("`--limit` is a whole number from 1.")
    made = certify_rollback(phase, wave=one, by=deed.by, at=deed.at, timer=time.perf_counter, limit=limit)
    data = {
        "pk": made.pk,
        "people": made.people,
        "roster": made.roster,
        "effective_ms": made.effective_ms,
        "reconciled_ms": made.reconciled_ms,
        "projected_s": made.projected_s,
        "is_exact": made.is_exact,
        "engine_version": made.engine_version,
    }
    lines = [
        made.text,
        f"  effective after {made.effective_ms:.1f} ms, their rows put back after {made.reconciled_ms:.0f} ms; "
        f"all {made.roster} people: {made.projected_s:.1f} s",
    ]
    sentence = "" if made.is_exact else "It was not exact and does not count. Look at the people named before anybody is moved."
    return Report(data, lines, sentence)


ACTS: tuple[Act, ...] = (
    act_on(Plan, "signoffs", "Show which roles have signed a plan and its phases, and what is missing.", _signoffs),
    Act("sign", "Decide on a plan or a phase in the name of a role that you hold.", _sign, _signing_options),
    Act("require-role", "Demand that a role signs a plan or a phase.", _require, _role_options),
    Act("drop-role", "Demand a role's signature no longer.", _drop, _role_options),
    act_on(
        Phase, "certify", "Measure the rollback of a phase on its people; all of it is undone.", _certify, _certifying_options
    ),
)
