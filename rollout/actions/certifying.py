"""Measure a rollback on the real people: switch them, take them back by the code that would, compare, and undo all of it.

Everything happens in one transaction that nobody else sees and that is rolled back at the end. It locks what it writes: the rows
of waves that have not started, and the people and enrolments of those whom it switches. It does not touch the flag, waves that
have started, nor people of other waves, so no kill switch, freeze or rollback waits for it. SQLite has one lock for the whole
file: there every writer waits as long as the measurement takes, which is what `limit` bounds.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from migration.actions.proofs import Proof, Unproven, proofs_of
from migration.engine.translate import ENGINE_VERSION
from migration.models import Person
from rollout.actions.audiences import preview_audience
from rollout.actions.certificates import roster_digest, roster_of
from rollout.actions.prevalidation import AHEAD
from rollout.actions.proofs import placements_of
from rollout.actions.restorations import RollbackReport
from rollout.actions.rollback import Timer, roll_back_wave
from rollout.actions.snapshots import diffs_of, digest_of, lock_people, own_rows, switch
from rollout.audiences import Candidate, in_order
from rollout.errors import AudienceEmpty, MoveRefused, NobodyProven
from rollout.models import Enrolment, Event, FlagOverride, Phase, RollbackCertificate, Snapshot, Subject, Wave
from rollout.states import PersonState, WaveState
from slots.models import Keys

LIMIT: Final = 2_000  # people switched and taken back at most: seconds, even where every writer waits
TO_START: Final = (WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED)
UNTOUCHED: Final = (PersonState.ENROLLED, PersonState.NOTIFIED)
REASON: Final = "a rollback is measured; all of it is undone"


@dataclass(slots=True)
class _Measured:
    """Add up what the rollbacks of several waves took; `wrong` are the people who did not have what they had before."""

    people: int = 0
    unproven: int = 0
    why: str = ""
    effective_ms: float = 0.0
    reconciled_ms: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, report: RollbackReport) -> None:
        """Add one rollback."""
        self.effective_ms += report.effective_ms or 0.0
        self.reconciled_ms += report.reconciled_ms or 0.0

    def in_words(self, roster: int) -> str:
        """Return what was found."""
        text = f"{self.people} of {roster} people were switched and taken back."
        if self.unproven:
            text += f" {self.unproven} of those looked at had no proof yet: {self.why}"
        if self.wrong:
            text += f" Not as before: {', '.join(self.wrong[:20])}{' …' if len(self.wrong) > 20 else ''}."
        return text


def certify_rollback(
    phase: Phase, *, by: str, at: datetime, timer: Timer, wave: Wave | None = None, limit: int = LIMIT
) -> RollbackCertificate:
    """Measure the rollback of a phase, or of one of its waves, on at most `limit` of its people, and keep what was found.

    The people are the members; where nobody is enrolled yet, those whom the waves would take if they were locked now. Who has no
    valid proof, or is on slots already, is left out. `timer` returns seconds, like `time.perf_counter`.

    Raises:
        AudienceEmpty: there is nobody.
        MoveRefused: every wave has started.
        NobodyProven: there are people, but none of them could be switched.
    """
    subject = wave or phase
    waves, roster, members = require_measurable(subject, at=at)
    with transaction.atomic():
        found = _measure(waves, members, limit, by=by, at=at, timer=timer)
        transaction.set_rollback(True)
    if not found.people:
        first = next((each for each in waves if each.state in AHEAD), waves[0])
        raise NobodyProven(str(subject), len(roster), found.why, wave=first.pk, is_locked=first.state in AHEAD)
    return _keep(phase, wave, roster, found, by=by, at=at)


def require_measurable(subject: Phase | Wave, *, at: datetime) -> tuple[list[Wave], list[int], dict[int, list[int]]]:
    """Return the waves that have not started, their people, and who is a member of which; refuse where there are none.

    Raises:
        AudienceEmpty: there is nobody.
        MoveRefused: every wave has started.
    """
    waves = [subject] if isinstance(subject, Wave) else list(Wave.objects.filter(phase=subject).order_by("position"))
    waves = [each for each in waves if each.state in TO_START]
    if not waves:
        raise MoveRefused(str(subject), subject.state_label, "measured")
    roster, members = _people_of(subject, waves, at)
    if not roster:
        raise AudienceEmpty(str(subject), ())
    return waves, roster, members


def _keep(
    phase: Phase, wave: Wave | None, roster: Sequence[int], found: _Measured, *, by: str, at: datetime
) -> RollbackCertificate:
    with transaction.atomic():
        made = RollbackCertificate.objects.create(
            phase=phase,
            wave=wave,
            roster=len(roster),
            roster_digest=roster_digest(roster),
            people=found.people,
            effective_ms=round(found.effective_ms, 3),
            reconciled_ms=round(found.reconciled_ms, 3),
            projected_s=round(found.reconciled_ms / 1000 / found.people * len(roster), 3),
            is_exact=not found.wrong,
            engine_version=ENGINE_VERSION,
            text=found.in_words(len(roster)),
            by=by,
            at=at,
        )
        subject, pk = (Subject.WAVE, wave.pk) if wave else (Subject.PHASE, phase.pk)
        data = {"certificate": made.pk, "is_exact": made.is_exact, "people": made.people}
        Event.objects.create(subject=subject, subject_pk=pk, kind="rollback_measured", by=by, reason=made.text, at=at, data=data)
    return made


def _people_of(subject: Phase | Wave, waves: Sequence[Wave], at: datetime) -> tuple[list[int], dict[int, list[int]]]:
    """Return whom the certificate stands for, and, by wave, who of them may be switched."""
    if roster := roster_of(subject):
        untouched = Enrolment.objects.live().filter(wave__in=waves, state__in=UNTOUCHED)
        rows = list(untouched.values_list("wave_id", "person_id"))
    else:
        previews = [(wave, preview_audience(wave, at=at)) for wave in waves]
        roster = sorted({each.pk for _, preview in previews for each in preview.choice.taken})
        rows = [
            (wave.pk, each.pk) for wave, preview in previews for each in preview.choice.taken if each.user not in preview.held_out
        ]
    members: dict[int, list[int]] = {}
    for wave_pk, person_pk in rows:
        members.setdefault(wave_pk, []).append(person_pk)
    return roster, members


def _would_be_moved(wave: Wave, at: datetime) -> list[Candidate]:
    """Return whom a wave would take and move if it were locked now."""
    preview = preview_audience(wave, at=at)
    return [each for each in preview.choice.taken if each.user not in preview.held_out]


def _measure(
    waves: Sequence[Wave], members: dict[int, list[int]], limit: int, *, by: str, at: datetime, timer: Timer
) -> _Measured:
    """Switch and take back wave by wave inside the caller's transaction, until `limit` people were looked at."""
    found = _Measured()
    left = limit
    for wave in waves:
        people = _first(wave, members.get(wave.pk, []), left)
        left -= len(people)
        if people:
            _measure_wave(wave, people, found, by=by, at=at, timer=timer)
    return found


def _first(wave: Wave, people: Sequence[int], limit: int) -> list[int]:
    """Return the first people of a wave in sticky order who are not on slots, by support's word or otherwise."""
    named = {str(person): person.pk for person in Person.objects.filter(pk__in=Keys(people))}
    taken = set(Snapshot.objects.standing().filter(person__in=Keys(people)).values_list("person_id", flat=True))
    taken |= set(FlagOverride.objects.filter(person__in=Keys(people)).values_list("person_id", flat=True))
    ordered = in_order(wave.phase.plan.salt, [user for user, pk in named.items() if pk not in taken])
    return [named[user] for user in ordered[:limit]]


def _measure_wave(wave: Wave, pks: Sequence[int], found: _Measured, *, by: str, at: datetime, timer: Timer) -> None:
    """Switch those who are proven as the wave would, take the wave back, and see whether all is as before."""
    if not Wave.objects.filter(pk=wave.pk, state__in=TO_START).update(state=WaveState.RUNNING, started_at=at):
        raise MoveRefused(str(wave), Wave.objects.get(pk=wave.pk).state_label, "measured")
    proofs = proofs_of(lock_people(pks))
    proven = {pk: proof for pk, proof in proofs.items() if isinstance(proof, Proof)}
    enrolments = _enrolled(wave, list(proven), at=at)
    people = list(Person.objects.filter(pk__in=Keys(enrolments)).order_by("pk"))
    unproven = [proof for proof in proofs.values() if isinstance(proof, Unproven)]
    found.unproven += len(unproven)
    found.why = found.why or (unproven[0].text if unproven else "")
    found.people += len(people)
    before = _digests(people)
    placements = placements_of(people, proven)
    switch(placements, enrolments=enrolments, by=by, at=at, reason=REASON, act=uuid.uuid4())
    now = Wave.objects.get(pk=wave.pk)  # apart from the caller's, which keeps the state that it really has
    found.add(roll_back_wave(now, by=by, at=at, reason=REASON, timer=timer))
    after = _digests(people)
    back = set(now.enrolments.filter(state=PersonState.ROLLED_BACK).values_list("person_id", flat=True))
    found.wrong += [str(each) for each in people if before[each.pk] != after[each.pk] or each.pk not in back]


def _enrolled(wave: Wave, pks: Sequence[int], *, at: datetime) -> dict[int, Enrolment]:
    """Return the enrolments, by person, set to what they are once switched; made where the wave has none yet.

    Row by row through the states they would only be written more slowly: what is measured is the way back.
    """
    elsewhere = set(Enrolment.objects.live().filter(person__in=Keys(pks)).exclude(wave=wave).values_list("person_id", flat=True))
    rows = wave.enrolments.filter(person__in=Keys(pks))
    there = set(rows.values_list("person_id", flat=True))
    missing = [pk for pk in pks if pk not in there | elsewhere]
    Enrolment.objects.bulk_create(Enrolment(plan_id=wave.phase.plan_id, wave=wave, person_id=pk, updated_at=at) for pk in missing)
    rows.filter(is_live=True, state__in=UNTOUCHED).update(state=PersonState.SWITCHED, switched_at=at, updated_at=at)
    return {row.person_id: row for row in rows.filter(state=PersonState.SWITCHED)}


def _digests(people: Sequence[Person]) -> dict[int, str]:
    """Return, by person, the hash over their own rows and diffs."""
    rows, diffs = own_rows(people), diffs_of(people)
    return {person.pk: digest_of(rows[person.pk], diffs[person.pk]) for person in people}
