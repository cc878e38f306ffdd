"""Acts on single people of a running rollout: support's word, another try, leaving somebody out."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from migration.actions.proofs import Unproven, proof_of
from migration.models import Person
from rollout.actions.candidates import members_matching, named_people
from rollout.actions.notices import cancel_notices_to
from rollout.actions.proofs import placements_of
from rollout.actions.snapshots import lock_people, restore, switch
from rollout.audiences import Rule
from rollout.errors import AudienceInvalid, MoveRefused, ProofMissing, ReasonMissing
from rollout.models import Enrolment, Event, FlagOverride, Snapshot, Subject, Wave, standing_of
from rollout.states import BEFORE_START, NOT_BEGUN, STUCK, WAVE_AT_WORK, PersonState
from rollout.waves import Decision, System
from slots.models import Keys


def override_person(person: Person, *, system: System, by: str, at: datetime, reason: str) -> Decision:
    """Put one person on a system whatever their wave says, and return what they see from the next request on.

    To slots only with a valid proof, checked in the transaction that installs; to legacy without any condition.

    Raises:
        ReasonMissing: nobody said why.
        ProofMissing: translation or validation is missing, out of date, failed or not allowed.
    """
    if not reason.strip():
        raise ReasonMissing("Switching a person")
    with transaction.atomic():
        lock_people([person.pk])
        if system == System.SLOTS and not _is_installed(person):
            proof = proof_of(person)
            if isinstance(proof, Unproven):
                raise ProofMissing(str(person), proof.text)
            placements = placements_of([person], {person.pk: proof})
            switch(placements, enrolments={}, by=by, at=at, reason=reason, act=uuid.uuid4())
        FlagOverride.objects.update_or_create(
            person=person, defaults={"system": system.value, "by": by, "at": at, "reason": reason}
        )
        _record(person, "override_set", system=system.value, by=by, at=at, reason=reason)
    return standing_of(person.key).decide()


def why_not_slots(person: Person) -> str:
    """Return why support cannot put somebody on slots now; empty where they can."""
    proof = None if _is_installed(person) else proof_of(person)
    return proof.text if isinstance(proof, Unproven) else ""


def _is_installed(person: Person) -> bool:
    """Say whether a switch of the person stands."""
    return Snapshot.objects.standing().filter(person=person).exists()


def clear_override(person: Person, *, by: str, at: datetime, reason: str) -> Decision:
    """Let the person's wave decide again, restore what only support's switch had installed, and return what they see.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("Returning a person to their wave")
    with transaction.atomic():
        lock_people([person.pk])
        if not FlagOverride.objects.filter(person=person).delete()[0]:
            return standing_of(person.key).decide()
        _record(person, "override_cleared", by=by, at=at, reason=reason)
        decision = standing_of(person.key).decide()
        has_place = Enrolment.objects.live().filter(person=person, state__in=(PersonState.SWITCHED, PersonState.SETTLED)).exists()
        if not has_place:
            restore(list(Snapshot.objects.standing().filter(person=person)), by=by, at=at, reason=reason, act=uuid.uuid4())
    return decision


def retry_people(wave: Wave, *, people: Iterable[Person], by: str, at: datetime, reason: str = "") -> int:
    """Queue those of the people again who are stuck in a wave at work or were taken back alone; return how many."""
    pks = Keys(person.pk for person in people)
    with transaction.atomic():
        now = Wave.objects.select_for_update(no_key=True, of=("self",)).select_related("phase").get(pk=wave.pk)
        require_queueable(now)
        rows = wave.enrolments.live().filter(person__in=pks)
        back = rows.filter(state=PersonState.ROLLED_BACK)
        Enrolment.move_many(back, to=PersonState.ENROLLED, by=by, at=at, reason=reason, updated_at=at)
        Enrolment.move_many(
            rows.filter(state=PersonState.ENROLLED), to=PersonState.NOTIFIED, by=by, at=at, reason=reason, updated_at=at
        )
        return _queue_again(rows.filter(state__in=STUCK | {PersonState.NOTIFIED}), by=by, at=at, reason=reason)


def require_queueable(wave: Wave) -> None:
    """Refuse to queue anybody in a wave that is not at work: they are named for another one.

    Raises:
        MoveRefused: it is not.
    """
    if wave.state not in WAVE_AT_WORK:
        raise MoveRefused(str(wave), wave.state_label, "at work with people queued again")


def _queue_again(rows: QuerySet[Enrolment], *, by: str, at: datetime, reason: str) -> int:
    """Queue people with a clean slate: no tries, no cause."""
    clean: dict[str, Any] = {"updated_at": at, "tries": 0, "leases_lost": 0, "code": "", "text": ""}
    return len(Enrolment.move_many(rows, to=PersonState.QUEUED, by=by, at=at, reason=reason, **clean))


def exclude_person(enrolment: Enrolment, *, by: str, at: datetime, reason: str) -> None:
    """Leave somebody out of their wave for good; they are free for another one.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: they are at work, on slots, or gone already.
    """
    if not reason.strip():
        raise ReasonMissing("Leaving somebody out")
    with transaction.atomic():
        enrolment.step(
            PersonState.EXCLUDED,
            by=by,
            at=at,
            reason=reason,
            is_live=False,
            updated_at=at,
            retry_at=None,
            code="EXCLUDED",
            text=reason,
        )
        cancel_notices_to(Enrolment.objects.filter(pk=enrolment.pk), reason="the person was left out")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Say how many people were left out, and who was named and is not waiting in the wave."""

    count: int
    missing: tuple[str, ...] = ()


def exclude_people(
    wave: Wave, *, users: Sequence[str] = (), rules: Sequence[Rule] = (), by: str, at: datetime, reason: str
) -> LeftOut:
    """Leave people out of a wave that has not started: who is named, and who matches all of the rules, where there are any.

    They are free for another wave.

    Raises:
        ReasonMissing: nobody said why.
        AudienceInvalid: neither names nor rules are given.
        MoveRefused: the wave has started; people are left out one by one from then on.
    """
    if not reason.strip():
        raise ReasonMissing("Leaving people out")
    if not users and not rules:
        raise AudienceInvalid("It names nobody to leave out.", step="Give names, or rules that all of them match.")
    with transaction.atomic():
        now = Wave.objects.select_for_update(no_key=True).get(pk=wave.pk)
        if now.state not in BEFORE_START:
            raise MoveRefused(str(wave), now.state_label, "without people whom it has")
        waiting = Enrolment.objects.filter(wave=wave, state__in=NOT_BEGUN)
        named = {person.pk: str(person) for person in named_people(users)}
        there = set(waiting.filter(person__in=Keys(named)).values_list("person", flat=True))
        pks = there | (set(members_matching(wave, rules, at=at)) if rules else set())
        count = leave_out(waiting.filter(person__in=Keys(pks)), by=by, at=at, reason=reason)
    return LeftOut(count, _without(users, {named[pk] for pk in there}))


def leave_out(rows: QuerySet[Enrolment], *, by: str, at: datetime, reason: str) -> int:
    """Leave these people out where their state allows it, cancel what they were to be told, and return how many they were."""
    changes: dict[str, Any] = {"is_live": False, "updated_at": at, "retry_at": None, "code": "EXCLUDED", "text": reason}
    moved = Enrolment.move_many(rows, to=PersonState.EXCLUDED, by=by, at=at, reason=reason, **changes)
    cancel_notices_to(Enrolment.objects.filter(pk__in=Keys(moved)), reason="the person was left out")
    return len(moved)


def _without(users: Sequence[str], found: set[str]) -> tuple[str, ...]:
    return tuple(user for user in dict.fromkeys(users) if user not in found)


def release_holdout(wave: Wave, *, by: str, at: datetime, reason: str) -> int:
    """End the comparison for those whom a wave held out, and return how many; they are free for another wave.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("Ending a comparison")
    rows = wave.enrolments.filter(state=PersonState.HOLDOUT)
    return len(Enrolment.move_many(rows, to=PersonState.REMOVED, by=by, at=at, reason=reason, is_live=False, updated_at=at))


def _record(person: Person, kind: str, *, by: str, at: datetime, reason: str, system: str = "") -> None:
    Event.objects.create(subject=Subject.PERSON, subject_pk=person.pk, kind=kind, to_state=system, by=by, reason=reason, at=at)
