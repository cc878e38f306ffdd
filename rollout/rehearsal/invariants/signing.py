"""The invariants about agreement and shares: who signed what, and that shares only ever add people."""

from collections.abc import Iterator

from django.db.models import F, Q

from rollout.models import Decision, Phase, Signoff, SignoffRequirement, Subject, Wave
from rollout.rehearsal.invariants.look import Look, Violation, named, violation
from rollout.states import WaveState


def signed_by_others_and_once(look: Look) -> Iterator[Violation]:
    """10: nobody approves what they wrote. That a role decides once about a content is a unique key of the table."""
    if not look.is_about(Subject.PLAN, Subject.PHASE):
        return
    own = Signoff.objects.filter(by=F("requirement__plan__author"))
    yield from violation(10, "sign-offs are by the author of the plan.", own.order_by("pk"))
    approved = Phase.objects.filter(plan__approved_by=F("plan__author")).exclude(plan__approved_by="")
    yield from violation(10, "phases are of a plan that its author approved.", approved.order_by("pk"))


def unsigned(phase: Phase) -> Iterator[str]:
    """Yield what is missing of the sign-offs of a phase and of its plan."""
    about = Q(phase=phase.pk) | Q(phase__isnull=True)
    for each in SignoffRequirement.objects.filter(about, plan=phase.plan_id).order_by("pk"):
        if not each.signoffs.filter(decision=Decision.APPROVED).exists():
            yield f"{each.role} had not signed"


def shares_are_of_the_frozen_population(look: Look) -> Iterator[Violation]:
    """7: waves take no more than their share of the population that was frozen, and, where no rules narrow them, all of it."""
    if not (look.is_full or look.moved(Subject.WAVE, WaveState.LOCKED)):
        return
    for phase in Phase.objects.filter(population__isnull=False).order_by("pk"):
        waves = list(
            Wave.objects.filter(phase=phase, share__isnull=False).exclude(state=WaveState.CANCELLED).order_by("position")
        )
        whole = sum(float(wave.share or 0) for wave in waves)
        for wave in waves:
            meant = float(phase.population or 0) * float(wave.share or 0) / 100
            is_short = wave.size - meant < -1 and not wave.audience.get("rules")  # rules may leave fewer than the share
            if wave.size and (wave.size - meant > 1 or is_short):
                text = f"{wave} has {wave.size} members; {float(wave.share or 0):g} % of {phase.population} are {meant:.1f}."
                yield Violation(7, text, named([f"wave {wave.pk}"]))
        locked = [wave for wave in waves if wave.size and not wave.audience.get("rules")]
        if (
            len(locked) == len(waves)
            and abs(whole - 100) < 0.001
            and (total := sum(wave.size for wave in waves)) != phase.population
        ):
            yield Violation(7, f"The waves of {phase} have {total} members; its frozen population is {phase.population}.")
