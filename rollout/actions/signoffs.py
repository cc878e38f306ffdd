"""Say what the roles have decided on a plan or a phase as it is now, and what is still missing.

A decision is bound to the hash of the content that was shown: after an edit it is still there to be read, and counts for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from rollout.actions.contents import content_hash_of
from rollout.errors import SignoffMissing
from rollout.models import Decision, Phase, Plan, Signoff, SignoffRequirement


@dataclass(frozen=True, slots=True)
class RoleStanding:
    """Hold a role that has to agree, its decision on the present content, and what it decided on former ones, newest first."""

    requirement: SignoffRequirement
    decided: Signoff | None
    void: tuple[Signoff, ...]

    @property
    def missing(self) -> str:
        """Return what is missing as a sentence; empty where the role agreed."""
        role = self.requirement.role
        if self.decided is None:
            again = " since it was edited" if self.void else ""
            return f"{role} has not signed{again}."
        if self.decided.decision == Decision.REJECTED:
            return f"{role} rejected it ({self.decided.by}: “{self.decided.reason}”); edit it, and ask again."
        return ""


def in_a_row(words: Sequence[str]) -> str:
    """Return words as people list them: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def missing_together(waiting: Sequence[RoleStanding]) -> str:
    """Return that these roles have not signed as one sentence, or as two where some of them signed a former content."""
    said = []
    for again, group in (
        ("", [each for each in waiting if not each.void]),
        (" since it was edited", [each for each in waiting if each.void]),
    ):
        if group:
            verb = "has" if len(group) == 1 else "have"
            said.append(f"{in_a_row([each.requirement.role for each in group])} {verb} not signed{again}.")
    return " ".join(said)


def required_of(subject: Plan | Phase) -> QuerySet[SignoffRequirement]:
    """Return the roles that have to agree to the plan, or to the phase by itself."""
    if isinstance(subject, Phase):
        return SignoffRequirement.objects.filter(phase=subject)
    return SignoffRequirement.objects.filter(plan=subject, phase__isnull=True)


def subject_of(requirement: SignoffRequirement) -> Plan | Phase:
    """Return what a role agrees to."""
    return requirement.phase or requirement.plan


def hash_to_sign(subject: Plan | Phase) -> str:
    """Return the hash of what a signature stands for now."""
    if isinstance(subject, Phase):
        return content_hash_of(subject.plan, subject)
    return content_hash_of(subject)


def standings(subject: Plan | Phase) -> list[RoleStanding]:
    """Return every role that has to agree, with what it decided."""
    required = list(required_of(subject).prefetch_related("signoffs").order_by("role"))
    if not required:
        return []
    present = hash_to_sign(subject)
    return [_standing(each, list(each.signoffs.all()), present) for each in required]


def missing_signoffs(subject: Plan | Phase) -> list[str]:
    """Return what is missing before the plan is approved, or before the phase opens and each of its waves starts.

    A phase that no role signs by itself stands under the signatures of its plan: an edit while the plan runs voids those too.
    """
    found = standings(subject)
    if not found and isinstance(subject, Phase):
        return missing_signoffs(subject.plan)
    return [each.missing for each in found if each.missing]


def require_signoffs(subject: Plan | Phase) -> None:
    """Refuse to go on while a role has not agreed to the present content.

    Raises:
        SignoffMissing: somebody has not signed, or rejected it.
    """
    if missing := missing_signoffs(subject):
        raise SignoffMissing(str(subject), missing)


def _standing(requirement: SignoffRequirement, signoffs: Sequence[Signoff], present: str) -> RoleStanding:
    return RoleStanding(
        requirement,
        next((each for each in signoffs if each.content_hash == present), None),
        tuple(each for each in signoffs if each.content_hash != present),
    )
