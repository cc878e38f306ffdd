"""Open a breach where a guard trips, do what it brings about when that is due, and close it when it is clear or waived by name.

What a breach is about is fixed when it opens: the latest wave, the affected people, and the instant of each response. Pausing is
a hold, set in the transaction that opens the breach. Nothing here waits for a hold, a window, a freeze or a mail server.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from migration.actions.facts import Fact, facts_about
from migration.actions.pages import PagePair
from migration.actions.proofs import Proof, proofs_of
from migration.actions.settling import KEPT
from migration.models import Customization, Person
from rollout.actions.alerts import plan_alerts
from rollout.actions.gates import assess
from rollout.actions.holds import hold_for_breach, release_for_breach
from rollout.actions.metrics import FAILED, attempted, counted_since, waves_of
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.rollback import reconcile_wave, revoke_wave
from rollout.errors import MoveRefused, NameMissing, ReasonMissing
from rollout.gates import Action, Arm, Metric, Reading, Verdict
from rollout.models import (
    SYSTEM,
    Breach,
    BreachResponse,
    Enrolment,
    Event,
    GuardEvaluation,
    GuardPolicy,
    Subject,
    Waiver,
    Wave,
    batches,
)
from rollout.states import BreachState, PersonState

PEOPLE: Final = 100  # validated again in one go


@dataclass(frozen=True, slots=True)
class Case:
    """Name one of the people whom a breach affects and who failed, with where they stand and why."""

    user: str
    wave: str
    enrolment: int
    state: str
    code: str
    text: str


def watch(row: GuardPolicy, *, at: datetime, by: str = SYSTEM) -> tuple[GuardEvaluation, Breach | None]:
    """Judge a guard now; open its breach where it trips, close the open one where it is clear; return the verdict and the breach.

    Two at once open one breach: the database holds that a policy has one.
    """
    with transaction.atomic():
        GuardPolicy.objects.select_for_update(no_key=True).values_list("pk").get(pk=row.pk)
        breach = row.breaches.filter(state=BreachState.OPEN).first()
        evaluation = assess(row, at=at, is_open=breach is not None)
        if breach is None and evaluation.verdict == Verdict.TRIP:
            breach = _open(row, evaluation, by=by, at=at)
        elif breach is not None and evaluation.verdict == Verdict.PASS:
            _close(breach, BreachState.CLEARED, by=by, at=at, reason=evaluation.text)
    return evaluation, breach


def respond(response: BreachResponse, *, at: datetime, by: str = SYSTEM) -> bool:
    """Do one response that is due, and say whether this call did it; it happens once, and never after its breach is closed."""
    with transaction.atomic():
        breach = Breach.objects.select_for_update(no_key=True).select_related("policy").get(pk=response.breach_id)
        due = BreachResponse.objects.filter(pk=response.pk, done_at__isnull=True, due_at__lte=at)
        if breach.state != BreachState.OPEN or not due.update(done_at=at):
            return False
        response.breach = breach
        outcome, wave = _done(response, by=by, at=at)
        BreachResponse.objects.filter(pk=response.pk).update(outcome=outcome)
        _record(breach, "response_done", to=response.action, by=by, at=at, reason=outcome)
    if wave is not None:  # it is revoked already; what is left is finished here or by any later tick
        reconcile_wave(wave, by=by, at=at, reason=str(breach))
    return True


def waive_breach(breach: Breach, *, by: str, at: datetime, reason: str) -> None:
    """Close a breach in somebody's name: its hold goes, what was still to come is not done, and it is counted anew from now on.

    Raises:
        ReasonMissing: nobody said why.
        NameMissing: it is nobody in person.
        MoveRefused: it is closed already.
    """
    _need(by, reason, "Waiving a breach")
    with transaction.atomic():
        _close(breach, BreachState.WAIVED, by=by, at=at, reason=reason)


def waive_gate(row: GuardPolicy, wave: Wave, *, by: str, at: datetime, reason: str) -> bool:
    """Let a wave start past one gate in somebody's name, and say whether that is new; it holds for this attempt only.

    Raises:
        ReasonMissing: nobody said why.
        NameMissing: it is nobody in person.
    """
    _need(by, reason, "Waiving a gate")
    with transaction.atomic():
        _, is_new = Waiver.objects.get_or_create(
            policy=row, wave=wave, attempt=wave.attempt, defaults={"by": by, "at": at, "reason": reason}
        )
        if is_new:
            data = {"policy": row.pk, "name": row.name}
            Event.objects.create(
                subject=Subject.WAVE, subject_pk=wave.pk, kind="gate_waived", by=by, reason=reason, at=at, data=data
            )
    return is_new


def cases_of(breach: Breach, *, limit: int | None = None) -> list[Case]:
    """Return the analysis list: those of the affected people who failed or were taken back, in order, with code and sentence.

    Of a million people a page wants the first few: no more than `limit` are read.
    """
    rows = (row for some in _failed(breach) for row in some.select_related("person", "wave__phase__plan").order_by("pk"))
    return [Case(str(row.person), str(row.wave), row.pk, row.state, row.code, row.text) for row in islice(rows, limit)]


def count_cases(breach: Breach) -> int:
    """Return how long the whole analysis list is."""
    return sum(some.count() for some in _failed(breach))


def _failed(breach: Breach) -> Iterator[QuerySet[Enrolment]]:
    """Yield the affected people who failed or were taken back, some at a time in the order of their keys."""
    wrong = FAILED | {PersonState.RETRY_WAIT, PersonState.EXCLUDED}
    for batch in batches(breach.affected):
        yield Enrolment.objects.filter(pk__in=batch, state__in=wrong)


def revalidate_breach(breach: Breach, *, by: str, at: datetime, reason: str = "") -> GuardEvaluation:
    """Validate everybody whom a breach affects again, and close it where that is beyond the clear threshold.

    People who are not on slots are translated and validated as they are now. Who is on slots keeps what is installed; where its
    proof is not of the present engine, both pages are rendered and compared anew. Without a single affected person it holds.

    Raises:
        MoveRefused: it is closed already.
    """
    if breach.state != BreachState.OPEN:
        raise MoveRefused(str(breach), breach.state_label, "validated again")
    passed = 0
    for batch in batches(breach.affected, PEOPLE):
        people = list(Person.objects.filter(enrolments__in=batch).distinct().order_by("pk"))
        translate_people(people, by=by, at=at)
        validate_people(people, by=by, at=at)
        passed += _proven(people)
    total = len(breach.affected)
    reading = Reading(Metric.MIGRATION_SUCCESS, float(passed), float(total), total, at, Arm.REVALIDATED)
    policy = breach.policy
    with transaction.atomic():
        GuardPolicy.objects.select_for_update(no_key=True).get(pk=policy.pk)
        _record(breach, "validated_again", by=by, at=at, reason=reason)
        readings = [reading] if policy.needs_revalidation else None
        evaluation = assess(policy, at=at, is_open=True, readings=readings)
        if evaluation.verdict == Verdict.PASS:
            _close(breach, BreachState.CLEARED, by=by, at=at, reason=evaluation.text)
    return evaluation


def _open(row: GuardPolicy, evaluation: GuardEvaluation, *, by: str, at: datetime) -> Breach | None:
    """Open a breach with its responses, do those that are due at once, and return it; None where somebody else was first."""
    latest = waves_of(row).order_by("-started_at", "-pk").first()
    affected = [pk for rows in attempted(row, since=counted_since(row, at)) for pk in rows.values_list("pk", flat=True)]
    try:
        with transaction.atomic():
            breach = Breach.objects.create(
                policy=row,
                evaluation=evaluation,
                wave=latest,
                wave_attempt=latest.attempt if latest else 0,
                affected=sorted(affected),
                opened_at=at,
                respond_by=at + row.respond_within if row.respond_within else None,
            )
    except IntegrityError:
        return None
    BreachResponse.objects.bulk_create(
        BreachResponse(breach=breach, action=each.action.value, due_at=at + each.after) for each in row.value().responses
    )
    _record(breach, "breach_opened", by=by, at=at, reason=evaluation.text)
    for response in breach.responses.filter(action=Action.PAUSE.value, due_at__lte=at):
        respond(response, at=at, by=by)  # with the breach or not at all; the others come right after
    return breach


def _done(response: BreachResponse, *, by: str, at: datetime) -> tuple[str, Wave | None]:
    """Do a response; return what came of it, and the wave whose people are to be restored."""
    breach, action = response.breach, response.action
    row = breach.policy
    if action == Action.PAUSE:
        hold = hold_for_breach(breach.pk, row.phase or row.plan, by=by, at=at, reason=breach.evaluation.text)
        return f"{hold.scope} is held.", None
    if action != Action.ROLL_BACK:
        return plan_alerts(response, at=at), None
    wave = breach.wave
    if wave is None:
        return "No wave had started, so there is none to take back.", None
    if wave.attempt != breach.wave_attempt:
        return f"{wave} was taken back already and is planned anew.", None
    is_new = revoke_wave(wave, by=by, at=at, reason=f"{row.name}: neither cleared nor waived in time")
    return (f"{wave} is taken back." if is_new else f"{wave} was going back already."), wave


def _close(breach: Breach, to: BreachState, *, by: str, at: datetime, reason: str) -> None:
    breach.step(to, by=by, at=at, reason=reason, closed_at=at, closed_by=by, closed_reason=reason)
    release_for_breach(breach.pk, by=by, at=at, reason=f"breach {to.label}: {reason}")


def _proven(people: Sequence[Person]) -> int:
    """Return how many of the people have a proof, or see the same pages on slots as on the old system."""
    proofs = proofs_of(people)
    unproven = [person for person in people if not isinstance(proofs[person.pk], Proof)]
    installed = Enrolment.objects.live().filter(person__in=unproven, switched_at__isnull=False)
    on_slots = set(installed.values_list("person_id", flat=True))
    same = sum(_sees_the_same(person) for person in unproven if person.pk in on_slots)
    return len(people) - len(unproven) + same


def _sees_the_same(person: Person) -> bool:
    """Render what is installed for a person and the old system's page for every sample, and say whether all are the same."""
    pks = Customization.objects.active().filter(person=person).order_by("pk").values_list("pk", flat=True)
    facts = facts_about(pks)
    return bool(facts) and all(_is_same(fact) for fact in facts)


def _is_same(fact: Fact) -> bool:
    row = fact.customization
    found = Customization.objects.select_related("translation__target", "translation__body", "component").get(pk=row.pk)
    translation, component = found.translation, found.component
    if row.state not in KEPT or fact.blocking or translation is None or translation.body is None or component is None:
        return False
    if translation.target_id != component.current_version_id:
        return False
    return all(page.is_same for page in PagePair(translation.target, found.diff, translation.body.operations).pages())


def _need(by: str, reason: str, act: str) -> None:
    if not reason.strip():
        raise ReasonMissing(act)
    if by.strip() in {"", SYSTEM}:
        raise NameMissing(act)


def _record(breach: Breach, kind: str, *, by: str, at: datetime, reason: str, **more: Any) -> None:
    Event.objects.create(
        subject=Subject.BREACH,
        subject_pk=breach.pk,
        kind=kind,
        to_state=more.get("to", ""),
        by=by,
        reason=reason,
        at=at,
        data={"policy": breach.policy_id, "wave": breach.wave_id, "evaluation": breach.evaluation_id},
    )
