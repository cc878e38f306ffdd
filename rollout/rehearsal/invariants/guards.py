"""The invariants about gates, breaches and what protects: unknown passes nothing, and nothing stands before a rollback."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from rollout.actions.gates import gates_before
from rollout.actions.metrics import waves_of
from rollout.gates import UNKNOWN, Action, Verdict, recompute
from rollout.models import Breach, BreachResponse, Event, GuardEvaluation, GuardPolicy, Subject, Waiver, Wave
from rollout.rehearsal.invariants.look import Look, Sighting, Violation, violation
from rollout.states import WaveState

BATCH_WITHIN: Final = timedelta(minutes=15)  # what the plan allows the rollback of a wave


def protection_never_waits(look: Look) -> Iterator[Violation]:
    """5: what a breach brings about happens when it is due, and a wave that goes back arrives, whatever holds it."""
    late = Wave.objects.filter(state=WaveState.ROLLING_BACK, revoked_at__lt=look.at - BATCH_WITHIN)
    if look.after_tick:
        yield from violation(5, "waves go back for longer than the plan allows.", late.order_by("pk"))
        undone = BreachResponse.objects.due(look.at)
        yield from violation(5, "responses of open breaches are due and were not done.", undone)
    if not look.is_about(Subject.WAVE):
        return
    unrevoked = Wave.objects.filter(state__in=[WaveState.ROLLING_BACK, WaveState.ROLLED_BACK], revoked_at__isnull=True)
    yield from violation(5, "waves go back though nobody took their people's slots away.", unrevoked.order_by("pk"))


def unknown_is_not_a_pass(look: Look) -> Iterator[Violation]:
    """6: a verdict follows from what it kept, what is not known passes nothing, and a wave starts past a gate only by name."""
    since = 0 if look.is_full else look.memory.last_evaluation
    for row in GuardEvaluation.objects.filter(pk__gt=since).order_by("pk"):
        if row.verdict == Verdict.PASS and (row.value is None or row.code in UNKNOWN):
            yield Violation(6, f"{row.policy} passed on {row.code}.", (f"evaluation {row.pk}",))
        elif (again := recompute(row.inputs)).verdict != row.verdict or again.code != row.code:
            text = f"{row.policy} was judged {row} on what gives {again.verdict} {again.code}."
            yield Violation(6, text, (f"evaluation {row.pk}",))
    for each, wave in look.starts:
        waived = set(Waiver.objects.filter(wave=wave, attempt=wave.attempt).values_list("policy_id", flat=True))
        for policy in gates_before(wave):
            last = policy.evaluations.filter(wave=wave, at__lte=each.at).order_by("-pk").first()
            made_later = policy.made_at > each.at or not _was_before(policy, wave, each.pk)
            if policy.pk not in waived and not made_later and (last is None or last.verdict != Verdict.PASS):
                found = f"it was {last}" if last else "nobody had judged it"
                yield Violation(6, f"{wave} started past {policy.name} though {found}.", (f"wave {wave.pk}",))


def latest_batch_is_fixed(look: Look) -> Iterator[Violation]:
    """8: a breach is about the wave that had started last when it opened, and stays about it; only that one is taken back."""
    for row in Breach.objects.order_by("pk"):
        sighting: Sighting = (row.wave_id, row.wave_attempt, tuple(row.affected))
        first = look.memory.breaches.setdefault(row.pk, sighting)
        if first != sighting:
            yield Violation(8, f"{row} is about another wave or other people than when it opened.", (f"breach {row.pk}",))
        elif look.is_full and (latest := _latest(row)) != row.wave_id:
            yield Violation(8, f"{row} is about wave {row.wave_id}; wave {latest} had started last.", (f"breach {row.pk}",))
    if not look.is_about(Subject.WAVE, Subject.BREACH):
        return
    done = BreachResponse.objects.filter(action=Action.ROLL_BACK, done_at__isnull=False, breach__wave__isnull=False)
    for response in done.select_related("breach"):
        back = Event.objects.about(Subject.WAVE, response.breach.wave_id or 0).filter(to_state=WaveState.ROLLING_BACK)
        if not back.filter(at__gte=response.breach.opened_at).exists():
            yield Violation(
                8, f"{response.breach} took another wave back than the one it was about.", (f"response {response.pk}",)
            )


def _was_before(policy: GuardPolicy, wave: Wave, start: int) -> bool:
    """Say whether a gate stood before a start: of an earlier phase always, another once a wave that it is about had started."""
    if policy.phase is not None and policy.phase.position < wave.phase.position:
        return True
    others = waves_of(policy).exclude(pk=wave.pk).values_list("pk", flat=True)
    starts = Event.objects.about(Subject.WAVE, *others).filter(to_state=WaveState.RUNNING, pk__lt=start)
    return starts.exists()


def _latest(breach: Breach) -> int | None:
    """Return the wave of the breach's plan or phase that had started last when it opened and had not gone back."""
    policy = breach.policy
    place = {"phase": policy.phase_id} if policy.phase_id else {"phase__plan": policy.plan_id}
    waves = list(Wave.objects.filter(**place).values_list("pk", flat=True))
    running: dict[int, Event] = {}
    for event in Event.objects.about(Subject.WAVE, *waves).filter(kind="moved", at__lte=breach.opened_at).order_by("pk"):
        if event.to_state == WaveState.RUNNING:
            running[event.subject_pk] = event
        elif event.to_state in {WaveState.ROLLING_BACK, WaveState.ROLLED_BACK, WaveState.PLANNED}:
            running.pop(event.subject_pk, None)
    latest = max(running.values(), key=lambda event: (event.at, event.subject_pk), default=None)
    return latest.subject_pk if latest else None
