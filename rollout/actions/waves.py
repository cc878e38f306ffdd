"""Take a wave from its audience to its people at work, and to its end."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from migration.engine.translate import ENGINE_VERSION
from rollout.actions.audiences import enrol, freeze_population, is_chosen, preview_audience, unfreeze_population
from rollout.actions.candidates import Skipped
from rollout.actions.deferrals import end_deferrals, lock_first_waves
from rollout.actions.notices import announcing_notice, cancel_notices, is_told, missing_notices, plan_notices
from rollout.actions.readiness import gate_blockers, refusal_of, what_keeps
from rollout.errors import AudienceEmpty, MoveRefused, NoticeMissing, ReasonMissing, WaveNotReopened
from rollout.models import SYSTEM as SYSTEM  # who works with waves finds the name here too
from rollout.models import Enrolment, Event, NoticeDelivery, Phase, Subject, Wave
from rollout.states import GONE, PHASE_OVER, STAYING, STUCK, WAITING, WAVE_AT_WORK, WORKING, PersonState, PhaseState, WaveState


@dataclass(frozen=True, slots=True)
class Locked:
    """Say how many members a wave has now, and whom it could not take."""

    size: int
    skipped: tuple[Skipped, ...]


def lock_wave(wave: Wave, *, by: str, at: datetime, reason: str = "") -> Locked:
    """Freeze whom the wave moves: choose the audience, enrol its people, fix the size, and plan what they are told.

    A wave with a share freezes the population of its phase with that, for all waves that divide it. A wave whose people are
    fixed keeps them: rescheduling and reopening are about the same ones. Nobody is taken who is in another wave, is on slots
    already, or has nothing to migrate. Who was deferred to it comes on top of whom its audience takes.

    Raises:
        AudienceEmpty: nobody is left to take.
        AudienceInvalid: the audience does not say whom it means.
        MoveRefused: the wave is not planned any more.
    """
    wave.require_as_read(WaveState.LOCKED)
    skipped: tuple[Skipped, ...] = ()
    with transaction.atomic():
        wave.phase = Phase.objects.select_for_update(no_key=True).get(pk=wave.phase_id)  # two locks in a phase queue up
        wave.refresh_from_db(fields=["size"])
        if wave.state == WaveState.PLANNED and not is_chosen(wave):
            if wave.share is None:
                preview = preview_audience(wave, at=at)
                skipped = preview.skipped
                enrol(wave, preview, by=by, at=at)
            else:
                freeze_population(wave.phase, by=by, at=at, reason=reason or f"{wave} was locked")
        if not wave.enrolments.exclude(state__in=GONE | STAYING).exists():
            raise AudienceEmpty(str(wave), skipped)
        wave.step(WaveState.LOCKED, by=by, at=at, reason=reason, size=wave.enrolments.count())
        plan_notices(wave, at=at)
    return Locked(wave.size, skipped)


def require_people(wave: Wave, *, at: datetime) -> None:
    """Refuse a lock with which nobody would be moved by the wave; people who are fixed already count as they are.

    Raises:
        AudienceEmpty: nobody is left to take.
        AudienceInvalid: the audience does not say whom it means.
    """
    if wave.enrolments.exclude(state__in=GONE | STAYING).exists():
        return
    if is_chosen(wave):
        raise AudienceEmpty(str(wave), ())
    preview = preview_audience(wave, at=at)
    if not set(preview.users) - set(preview.held_out):
        raise AudienceEmpty(str(wave), preview.skipped)


def announce_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> int:
    """Record that the members were told, and return how many; `reason` says who told them and how.

    Raises:
        ReasonMissing: nobody said how.
        MoveRefused: the wave is not locked.
        NoticeMissing: its first required notice is neither delivered to all nor waived.
    """
    if not reason.strip():
        raise ReasonMissing("Announcing a wave")
    with transaction.atomic():
        if wave.state == WaveState.LOCKED:
            require_told(wave, at=at)
        wave.step(WaveState.ANNOUNCED, by=by, at=at, reason=reason)
        return len(_move_members(wave, PersonState.NOTIFIED, by=by, at=at, reason=reason))


def require_told(wave: Wave, *, at: datetime) -> None:
    """Refuse to count the members as told while the first required notice is neither delivered to all nor waived.

    Raises:
        NoticeMissing: it is not.
    """
    first = announcing_notice(wave)
    if first is not None and first.is_required and not is_told(wave, first, at=at):
        raise NoticeMissing(str(wave), [each.text for each in missing_notices(wave, at=at) if each.notice == first])


def start_wave(wave: Wave, *, by: str, at: datetime, reason: str = "") -> int:
    """Put the members in the queue of record, pin the engine, and return how many are queued.

    The caller may wake workers up; where it does not, the reconciler does.

    Raises:
        MoveRefused: the wave is not announced, or somebody moved it since it was read.
        PhaseClosed: the wave's phase is not open.
        WaveHeld: a hold covers it, or its window is closed.
        GateHeld: a gate before it does not pass, and nobody waived it.
        NoticeMissing: a required notice neither reached all of its people in time nor is waived.
        SignoffMissing: a role has not signed the phase as it is now.
        CertificateMissing: no rollback of these people was measured lately.
    """
    wave.require_as_read(WaveState.RUNNING)
    # outside the transaction, so that a verdict that refuses is kept too
    gates = gate_blockers(wave, at=at, keep=True) if _is_announced(wave) else []
    with transaction.atomic():
        # its rollback and edits of what it demands wait; the former then takes this wave too
        phase = Phase.objects.select_for_update(no_key=True).get(pk=wave.phase_id)
        if _is_announced(wave) and (blockers := what_keeps(wave, at=at, gates=gates)):
            raise refusal_of(wave, blockers)
        wave.step(WaveState.RUNNING, by=by, at=at, reason=reason, started_at=at, engine_version=ENGINE_VERSION)
        if phase.state == PhaseState.OPEN:
            why = f"{wave} started"
            Phase.move(phase.pk, to=PhaseState.EXECUTING, version=phase.version, by=by, at=at, reason=why, started_at=at)
        return len(_move_members(wave, PersonState.QUEUED, by=by, at=at, reason=reason, tries=0, leases_lost=0, code="", text=""))


def _is_announced(wave: Wave) -> bool:
    """Say whether the wave is as it was read, and may start by its own state."""
    return Wave.objects.filter(pk=wave.pk, version=wave.version, state=WaveState.ANNOUNCED).exists()


def repin_engine(wave: Wave, *, by: str, at: datetime, reason: str) -> None:
    """Let the wave go on with the engine of the running code; people that are not switched yet are proven anew.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: the wave is not at work, or somebody moved it since it was read.
    """
    if not reason.strip():
        raise ReasonMissing("Pinning another engine")
    with transaction.atomic():
        as_read = Wave.objects.at_work().filter(pk=wave.pk, version=wave.version)
        if not as_read.update(engine_version=ENGINE_VERSION, version=F("version") + 1):
            wave.refresh_from_db()
            raise MoveRefused(str(wave), wave.state_label, "pinned to another engine")
        Event.objects.create(
            subject=Subject.WAVE,
            subject_pk=wave.pk,
            kind="engine_pinned",
            by=by,
            at=at,
            reason=reason,
            data={"from": wave.engine_version, "to": ENGINE_VERSION},
        )
    wave.refresh_from_db()


def reschedule_wave(wave: Wave, *, by: str, at: datetime, reason: str, starts_at: datetime | None = None) -> None:
    """Set a wave that has not started back to planned, to start at `starts_at` or, without one, by hand; its people stay.

    They were told of the former schedule and will be told again: the schedule version goes up by one. A wave that is planned
    already only takes the instant; nobody was told of it yet.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: the wave has started, is given up or taken back, or it is planned and no instant is given.
    """
    if not reason.strip():
        raise ReasonMissing("Rescheduling a wave")
    if wave.state == WaveState.ROLLED_BACK:  # its way to planned is another attempt
        raise MoveRefused(str(wave), wave.state_label, "planned for another time before it is reopened")
    former = wave.starts_at
    with transaction.atomic():
        if wave.state == WaveState.PLANNED and starts_at is not None:
            as_read = Wave.objects.filter(pk=wave.pk, version=wave.version, state=WaveState.PLANNED)
            moved = as_read.update(starts_at=starts_at, version=F("version") + 1)
            wave.refresh_from_db()
            if not moved:
                raise MoveRefused(str(wave), wave.state_label, f"planned for {starts_at.isoformat()}")
        else:
            version = wave.schedule_version + 1  # without a date it is not taken on by itself: the old one is over
            wave.step(WaveState.PLANNED, by=by, at=at, reason=reason, schedule_version=version, starts_at=starts_at)
            cancel_notices(NoticeDelivery.objects.filter(wave=wave), reason="the wave was rescheduled")
            _move_members(wave, PersonState.ENROLLED, by=by, at=at, reason=reason)
        if starts_at is not None:
            data = {"from": former.isoformat() if former else None, "to": starts_at.isoformat()}
            Event.objects.create(
                subject=Subject.WAVE, subject_pk=wave.pk, kind="rescheduled", by=by, reason=reason, at=at, data=data
            )


def cancel_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> int:
    """Give up a wave that has not started, free its people for other waves, and return how many.

    Who was deferred to it goes back to the wave they were in, where that has not started; else they are free like the others.
    With the last wave that has a share of its phase, the population of that is free to be divided anew.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("Cancelling a wave")
    with transaction.atomic():
        lock_first_waves(wave)
        wave.step(WaveState.CANCELLED, by=by, at=at, reason=reason, finished_at=at)
        cancel_notices(NoticeDelivery.objects.filter(wave=wave), reason="the wave was cancelled")
        freed = _move_members(wave, PersonState.REMOVED, by=by, at=at, reason=reason, is_live=False)
        unfreeze_population(wave, by=by, at=at, reason=reason)
        return len(freed) - end_deferrals(wave, by=by, at=at, reason=reason)


def reopen_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> None:
    """Plan a further attempt of a wave that was rolled back, with the same people; it has no date until it is given one.

    Who is in another wave by then is marked as removed; who was left out stays out. A phase that soaks goes on with its waves.

    Raises:
        ReasonMissing: nobody said why.
        WaveNotReopened: its phase is over, so that it could not start again.
        MoveRefused: the wave is not rolled back.
    """
    if not reason.strip():
        raise ReasonMissing("Reopening a wave")
    if wave.state != WaveState.ROLLED_BACK:  # a wave that people were told of becomes planned by being rescheduled
        raise MoveRefused(str(wave), wave.state_label, "planned for a further attempt")
    with transaction.atomic():
        # held, so that it is not completed meanwhile
        phase = Phase.objects.select_for_update(no_key=True).select_related("plan").get(pk=wave.phase_id)
        require_reopenable(wave, phase)
        if phase.state == PhaseState.SOAKING:
            why = f"{wave} was reopened"
            phase.step(PhaseState.EXECUTING, by=by, at=at, reason=why, soaking_at=None)
        wave.step(
            WaveState.PLANNED,
            by=by,
            at=at,
            reason=reason,
            attempt=wave.attempt + 1,
            starts_at=None,
            revoked_at=None,
            started_at=None,
            finished_at=None,
        )
        _enrol_again(wave, by=by, at=at, reason=reason)


def require_reopenable(wave: Wave, phase: Phase) -> None:
    """Refuse a further attempt in a phase in which no wave starts any more.

    Raises:
        WaveNotReopened: its phase is over.
    """
    if phase.state in PHASE_OVER:
        raise WaveNotReopened(str(wave), str(phase), phase.state_label)


def _enrol_again(wave: Wave, *, by: str, at: datetime, reason: str) -> None:
    """Give a reopened wave its people back for the new attempt, but for those whom another wave has by now."""
    elsewhere = Enrolment.objects.live().filter(person=OuterRef("person")).exclude(wave=wave)
    taken = wave.enrolments.filter(Exists(elsewhere), is_live=False)
    Enrolment.move_many(taken, to=PersonState.REMOVED, by=by, at=at, reason="another wave has taken the person", updated_at=at)
    # who was stood down is enrolled already; another wave may have had them since and let go of them
    wave.enrolments.filter(state=PersonState.ENROLLED).update(attempt=wave.attempt, is_live=True, updated_at=at)
    _move_members(
        wave,
        PersonState.ENROLLED,
        by=by,
        at=at,
        reason=reason,
        attempt=wave.attempt,
        is_live=True,
        retry_at=None,
        switched_at=None,
        next_check_at=None,
        checks_done=0,
    )


def advance_wave(wave: Wave, *, at: datetime) -> list[str]:
    """Move a wave that is at work or watched as far as its people are, and return the states that it entered.

    Nobody queued: draining. Nobody working: monitoring; who did not make it is free for another wave from then on. Watched for
    the wave's `soak`: settled. Everybody settled: completed, with exceptions where somebody stayed behind.
    """
    entered: list[str] = []
    with transaction.atomic():
        if wave.state in WAVE_AT_WORK:
            Wave.objects.select_for_update(no_key=True).get(pk=wave.pk)  # nobody is queued again between the look and the move
        if wave.state == WaveState.RUNNING and not wave.enrolments.filter(state=PersonState.QUEUED).exists():
            entered += _advance(wave, WaveState.DRAINING, at=at, reason="nobody is queued any more")
        if wave.state == WaveState.DRAINING and not wave.enrolments.filter(state__in=WORKING | WAITING).exists():
            entered += _advance(wave, WaveState.MONITORING, at=at, reason="nobody is at work any more")
            wave.enrolments.filter(state__in=STUCK).update(is_live=False, updated_at=at)
        if wave.state == WaveState.MONITORING:
            settle(wave, until=at - wave.soak, by=SYSTEM, at=at)
            is_watched = wave.enrolments.filter(state=PersonState.SETTLED).exists()
            reason = "the monitoring window passed" if is_watched else "nobody has to be watched"
            entered += _complete(wave, by=SYSTEM, at=at, reason=reason)
    return entered


def finish_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> str:
    """End the monitoring of a wave before its time, and return the state that it entered.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: people are still queued, at work or going back, or somebody moved the wave since it was read.
    """
    if not reason.strip():
        raise ReasonMissing("Finishing a wave early")
    with transaction.atomic():
        if not Wave.objects.filter(pk=wave.pk, version=wave.version).exists():
            wave.refresh_from_db()
            raise MoveRefused(str(wave), wave.state_label, WaveState.COMPLETED.label)
        advance_wave(wave, at=at)
        if wave.state == WaveState.MONITORING:
            wave.enrolments.filter(state=PersonState.SWITCHED).update(next_check_at=None)  # what is left of its watch is given up
            settle(wave, until=at, by=by, at=at)
            _complete(wave, by=by, at=at, reason=reason)
        if wave.state not in {WaveState.COMPLETED, WaveState.COMPLETED_WITH_EXCEPTIONS}:
            raise MoveRefused(str(wave), wave.state_label, WaveState.COMPLETED.label)  # people are at work, or still going back
    return str(wave.state)


def require_nobody_at_work(wave: Wave) -> None:
    """Refuse to finish a wave early that still moves people.

    Raises:
        MoveRefused: people are queued, at work or going back.
    """
    moving = {PersonState.ROLLING_BACK} | (WORKING | WAITING if wave.state in WAVE_AT_WORK else set())
    if wave.enrolments.filter(state__in=moving).exists():
        raise MoveRefused(str(wave), wave.state_label, WaveState.COMPLETED.label)


def settle(wave: Wave, *, until: datetime, by: str, at: datetime) -> int:
    """Settle the members who were switched up to `until` and have no check before them, and return how many."""
    watched = wave.enrolments.filter(state=PersonState.SWITCHED, switched_at__lte=until, next_check_at__isnull=True)
    return len(Enrolment.move_many(watched, to=PersonState.SETTLED, by=by, at=at, reason="watched long enough", updated_at=at))


def _move_members(wave: Wave, to: PersonState, *, by: str, at: datetime, reason: str, **changes: object) -> list[int]:
    rows = wave.enrolments.exclude(state=PersonState.DEFERRED)  # these are in another wave now
    return Enrolment.move_many(rows, to=to, by=by, at=at, reason=reason, updated_at=at, **changes)


def _advance(wave: Wave, to: WaveState, *, at: datetime, reason: str, by: str = SYSTEM, **changes: object) -> list[str]:
    """Move the wave; nothing where somebody else was first."""
    moved = Wave.move(wave.pk, to=to, version=wave.version, by=by, at=at, reason=reason, **changes)
    wave.refresh_from_db()
    return [str(to)] if moved else []


def _complete(wave: Wave, *, by: str, at: datetime, reason: str) -> list[str]:
    if wave.enrolments.filter(state__in=[PersonState.SWITCHED, PersonState.ROLLING_BACK]).exists():
        return []
    counts = Counter(wave.members_by_state())
    behind = sum(counts[state] for state in STUCK | {PersonState.ROLLED_BACK, PersonState.ENROLLED})
    to = WaveState.COMPLETED_WITH_EXCEPTIONS if behind else WaveState.COMPLETED
    wave.enrolments.filter(state__in=[PersonState.ROLLED_BACK, PersonState.ENROLLED]).update(is_live=False, updated_at=at)
    return _advance(wave, to, at=at, reason=reason, by=by, finished_at=at)
