"""The invariants about agreement and shares: who signed what, and that shares only ever add people."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, F, Q

from rollout.actions.deferrals import ARRIVED
from rollout.models import Decision, Event, Phase, Signoff, SignoffRequirement, Subject, Wave
from rollout.rehearsal.invariants.look import Happening, Look, Violation, named, violation
from rollout.states import WaveState


def signed_by_others_and_once(look: Look) -> Iterator[Violation]:
    """10: nobody approves what they wrote. That a role decides once about a content is a unique key of the table."""
    if not look.is_about(Subject.PLAN, Subject.PHASE):
        return
    own = Signoff.objects.filter(by=F("requirement__plan__author"))
    yield from violation(10, "sign-offs are by the author of the plan.", own.order_by("pk"))
    approved = Phase.objects.filter(plan__approved_by=F("plan__author")).exclude(plan__approved_by="")
    yield from violation(10, "phases are of a plan that its author approved.", approved.order_by("pk"))


def unsigned(look: Look, phase: Phase, started: Happening) -> Iterator[str]:
    """Yield what was missing of the sign-offs of a phase and of its plan when a wave of it started.

    The content that was signed is compared with the present one, unless it may have been edited since. A phase that roles sign
    by themselves stands under their word; else it stands under that of its plan.
    """
    about = Q(phase=phase.pk) | Q(phase__isnull=True)
    required = list(SignoffRequirement.objects.filter(about, plan=phase.plan_id).order_by("pk"))
    own = [each for each in required if each.phase_id is not None]
    is_as_it_was = bool(required) and not was_edited_since(started)
    for each in required:
        signed = each.signoffs.filter(decision=Decision.APPROVED, at__lte=started.at)
        if not signed.exists():
            yield f"{each.role} had not signed"
        elif is_as_it_was and each in (own or required):
            present = look.content_hash_of(phase.plan, phase if own else None)
            if not signed.filter(content_hash=present).exists():
                yield f"{each.role} had signed another content"


def was_edited_since(started: Happening) -> bool:
    """Say whether the content of any plan may have been edited since."""
    edits = Q(kind__in=["made", "content_edited"]) | Q(kind__endswith="_added") | Q(kind__endswith="_removed")
    return Event.objects.filter(edits | Q(kind__endswith="_retired"), pk__gt=started.pk).exists()


def shares_are_of_the_frozen_population(look: Look) -> Iterator[Violation]:
    """7: waves take no more than their share of the population that was frozen, and, where no rules narrow them, all of it.

    Who was deferred to a wave comes on top and counts for no share.
    """
    if not (look.is_full or look.moved(Subject.WAVE, WaveState.LOCKED)):
        return
    on_top = Count("enrolments", filter=Q(enrolments__chosen_for__startswith=ARRIVED))
    for phase in Phase.objects.filter(population__isnull=False).order_by("pk"):
        sharing = Wave.objects.filter(phase=phase, share__isnull=False).exclude(state=WaveState.CANCELLED)
        waves: list[Any] = list(sharing.annotate(taken=F("size") - on_top).order_by("position"))
        whole = sum(float(wave.share or 0) for wave in waves)
        for wave in waves:
            meant = float(phase.population or 0) * float(wave.share or 0) / 100
            is_short = wave.taken - meant < -1 and not wave.audience.get("rules")  # rules may leave fewer than the share
            if wave.taken and (wave.taken - meant > 1 or is_short):
                text = f"{wave} has {wave.taken} members; {float(wave.share or 0):g} % of {phase.population} are {meant:.1f}."
                yield Violation(7, text, named([f"wave {wave.pk}"]))
        locked = [wave for wave in waves if wave.taken and not wave.audience.get("rules")]
        if (
            len(locked) == len(waves)
            and abs(whole - 100) < 0.001
            and (total := sum(wave.taken for wave in waves)) != phase.population
        ):
            yield Violation(7, f"The waves of {phase} have {total} members; its frozen population is {phase.population}.")
