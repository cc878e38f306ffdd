"""Plan what a wave's people are told, say what they have not been told yet, and let somebody answer for it by name.

A message is a row before it is sent: one for each notice, person, attempt and schedule, which the database holds. A wave that
gets another date has another schedule version, so its people are told again; what was planned for the old one is cancelled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet

from rollout.errors import NameMissing, NoticeInvalid, ReasonMissing
from rollout.models import (
    SYSTEM,
    Channel,
    DeliveryState,
    Enrolment,
    Event,
    Moment,
    Notice,
    NoticeDelivery,
    NoticeWaiver,
    Subject,
    Wave,
)
from rollout.states import ON_SLOTS, WAVE_AT_WORK, PersonState, PlanState, WaveState
from rollout.switch import is_killed
from rollout.timetable import Promise, Sending, in_words, sendings, told_by
from slots.models import insert_selected

TOLD: Final = frozenset({PersonState.ENROLLED, PersonState.NOTIFIED})  # members who are told before the start
GOING: Final = frozenset({PlanState.SCHEDULED, PlanState.RUNNING, PlanState.SOAKING, PlanState.COMPLETED})
ENDED: Final = frozenset({WaveState.COMPLETED, WaveState.COMPLETED_WITH_EXCEPTIONS})
BACK: Final = frozenset({WaveState.CANCELLED, WaveState.ROLLING_BACK, WaveState.ROLLED_BACK})
FRESH: Final = timedelta(days=1)  # how long after its end a wave is looked at for people who were switched last
NO_ADDRESS: Final = "NO_ADDRESS"
OVERTAKEN: Final = "OVERTAKEN"


@dataclass(frozen=True, slots=True)
class MissingNotice:
    """Name a required notice that keeps a wave, with what is missing as a sentence."""

    notice: Notice
    text: str


def notices_of(wave: Wave) -> QuerySet[Notice]:
    """Return the notices of the wave's plan and of its phase, the longest lead first."""
    place = Q(phase__isnull=True) | Q(phase=wave.phase_id)
    return Notice.objects.filter(place, plan=wave.phase.plan_id).order_by("-lead", "pk")


def plan_notices(wave: Wave, *, at: datetime) -> int:
    """Plan what the members are told before the start, as far as it is not planned yet, and return how many messages that is.

    Without a date nothing is planned. Who joins later is told what is still to be told then.
    """
    with transaction.atomic():
        # two reconcilers do not plan the same at once, and nobody plans for a date that the wave has no more
        now = Wave.objects.select_for_update(no_key=True, of=("self",)).select_related("phase").get(pk=wave.pk)
        if now.starts_at is None:
            return 0
        rows = notices_of(now).filter(moment=Moment.BEFORE_START)
        promises = [Promise(row.pk, row.channel, row.lead, row.is_required) for row in rows]
        planned = sum(_planned(now, each) for each in sendings(promises, starts_at=now.starts_at, at=at))
        return planned + _revived(now)


def _revived(wave: Wave) -> int:
    """Plan again what was cancelled for members who left and came back to the same schedule."""
    here = NoticeDelivery.objects.filter(
        wave=wave, attempt=wave.attempt, schedule_version=wave.schedule_version, state=DeliveryState.CANCELLED
    )
    back = here.filter(notice__moment=Moment.BEFORE_START, enrolment__state__in=TOLD).exclude(error__startswith=OVERTAKEN)
    return NoticeDelivery.objects.filter(pk__in=back.values("pk")).update(state=DeliveryState.PENDING, error="")


def _planned(wave: Wave, sending: Sending) -> int:
    key = sending.promise.key
    known = NoticeDelivery.objects.filter(
        notice=key, enrolment=OuterRef("pk"), attempt=wave.attempt, schedule_version=wave.schedule_version
    )
    members = wave.enrolments.filter(~Exists(known), state__in=TOLD, attempt=wave.attempt).order_by("pk")
    is_overtaken = sending.overtaken_by is not None
    text = f"{OVERTAKEN}: it would have come too late; a later notice is sent in its place." if is_overtaken else ""
    return insert_selected(
        NoticeDelivery,
        members,
        _columns(wave, key)
        | {
            "state": DeliveryState.CANCELLED if is_overtaken else DeliveryState.PENDING,
            "due_at": sending.due_at,
            "error": text,
        },
    )


def plan_afterwards(*, at: datetime) -> int:
    """Plan what people are told after their switch, as far as it is not planned yet, and return how many messages that is."""
    planned = 0
    for wave, notice, people in unplanned_afterwards(at=at):
        if not people.exists():
            continue
        due_at = ExpressionWrapper(F("switched_at") + notice.lead, output_field=DateTimeField())
        columns = _columns(wave, notice.pk) | {"state": DeliveryState.PENDING, "due_at": due_at, "error": ""}
        with transaction.atomic():
            Wave.objects.select_for_update(no_key=True).get(pk=wave.pk)
            planned += insert_selected(NoticeDelivery, people.order_by("pk"), columns)
    return planned


def unplanned_afterwards(*, at: datetime) -> Iterator[tuple[Wave, Notice, QuerySet[Enrolment]]]:
    """Return the waves with each notice after the switch, and the people on slots for whom it is not planned yet."""
    recent = Q(state__in=WAVE_AT_WORK | {WaveState.MONITORING}) | Q(state__in=ENDED, finished_at__gte=at - FRESH)
    waves = Wave.objects.filter(recent, phase__plan__notices__moment=Moment.AFTER_SWITCH).distinct().select_related("phase")
    for wave in waves.order_by("pk"):
        for notice in notices_of(wave).filter(moment=Moment.AFTER_SWITCH):
            known = NoticeDelivery.objects.filter(
                notice=notice, enrolment=OuterRef("pk"), attempt=wave.attempt, schedule_version=wave.schedule_version
            )
            on_slots = wave.enrolments.filter(state__in=ON_SLOTS, attempt=wave.attempt, switched_at__isnull=False)
            yield wave, notice, on_slots.filter(~Exists(known))


def _columns(wave: Wave, notice_pk: int) -> dict[str, Any]:
    return {
        "notice_id": notice_pk,
        "enrolment_id": F("pk"),
        "wave_id": wave.pk,
        "attempt": wave.attempt,
        "schedule_version": wave.schedule_version,
        "tries": 0,
        "address": "",
    }


def cancel_notices(rows: QuerySet[NoticeDelivery], *, reason: str) -> int:
    """Cancel those of the messages that are still to be sent, and return how many."""
    pending = NoticeDelivery.objects.filter(pk__in=rows.filter(state=DeliveryState.PENDING).values("pk"))
    return pending.filter(state=DeliveryState.PENDING).update(state=DeliveryState.CANCELLED, error=reason)


def cancel_notices_to(enrolments: QuerySet[Enrolment], *, reason: str) -> int:
    """Cancel what is still to be sent to members who leave their wave, and return how many messages that is."""
    return cancel_notices(NoticeDelivery.objects.filter(enrolment__in=enrolments.values("pk")), reason=reason)


def cancel_stale(*, at: datetime) -> int:
    """Cancel what was planned for a schedule, a wave or a place that is no more, and return how many messages that is."""
    if not is_any_planned(at=at):
        return 0
    back = NoticeDelivery.objects.filter(wave__in=Wave.objects.filter(state__in=BACK).values("pk"))
    gone = NoticeDelivery.objects.due(at).exclude(pk__in=NoticeDelivery.objects.due(at).filter(_is_meant()).values("pk"))
    return cancel_notices(back, reason="its wave is given up or taken back") + cancel_notices(
        gone, reason="its schedule or its person's place is no more"
    )


def is_any_planned(*, at: datetime) -> bool:
    """Say whether a message is due, or planned for a wave that is given up or taken back: mostly there is none."""
    pending = NoticeDelivery.objects.filter(state=DeliveryState.PENDING)
    return pending.filter(due_at__lte=at).exists() or pending.filter(wave__state__in=BACK).exists()


def sendable(at: datetime) -> QuerySet[NoticeDelivery]:
    """Return the messages that are due and still meant; while the kill switch is on, nobody is told that they were switched."""
    before = Q(notice__moment=Moment.BEFORE_START, wave__phase__plan__state__in=GOING)
    after = Q(notice__moment=Moment.AFTER_SWITCH)
    moment = before if is_killed() else before | after
    return NoticeDelivery.objects.due(at).filter(_is_meant(), moment)


def _is_meant() -> Q:
    """Return the condition under which a message still fits its person's place and its wave's schedule."""
    same = Q(attempt=F("wave__attempt"), schedule_version=F("wave__schedule_version"))
    before = Q(
        notice__moment=Moment.BEFORE_START,
        wave__state__in=[WaveState.LOCKED, WaveState.ANNOUNCED],
        enrolment__state__in=TOLD,
    )
    after = Q(notice__moment=Moment.AFTER_SWITCH, enrolment__state__in=ON_SLOTS, wave__revoked_at__isnull=True)
    return same & (before | after)


def missing_notices(wave: Wave, *, at: datetime) -> list[MissingNotice]:
    """Return the required notices of the wave's present schedule that did not reach all members in time and are not waived."""
    waived = NoticeWaiver.objects.filter(wave=wave, attempt=wave.attempt, schedule_version=wave.schedule_version)
    required = notices_of(wave).filter(moment=Moment.BEFORE_START, is_required=True).exclude(pk__in=waived.values("notice"))
    members = wave.enrolments.filter(state__in=TOLD).count()
    found = [(notice, _lacks(wave, notice, members, at)) for notice in required]
    return [MissingNotice(notice, text) for notice, text in found if text]


def _lacks(wave: Wave, notice: Notice, members: int, at: datetime) -> str:
    """Return what is missing of a notice as a sentence; empty where everybody was told in time."""
    promised = f"“{notice.name}”, {in_words(notice.lead)} before the start"
    if wave.starts_at is None:
        return f"{promised}: the wave has no date that people could be told."
    limit = told_by(notice.lead, starts_at=wave.starts_at)
    sent, failed = Q(state=DeliveryState.SENT), Q(state=DeliveryState.FAILED)
    counts = _deliveries(wave, notice).aggregate(
        reached=Count("pk", filter=(sent & Q(sent_at__lte=limit)) | (failed & _told_otherwise(wave, notice, limit))),
        late=Count("pk", filter=sent & Q(sent_at__gt=limit)),
        pending=Count("pk", filter=Q(state=DeliveryState.PENDING)),
        failed=Count("pk", filter=failed & ~_told_otherwise(wave, notice, limit)),
        overtaken=Count("pk", filter=Q(state=DeliveryState.CANCELLED)),
    )
    if counts["reached"] >= members > 0:
        return ""
    due_at = wave.starts_at - notice.lead
    words = [
        (counts["late"], f"were told later than that (it had to be by {limit:%Y-%m-%d %H:%M} UTC)"),
        (counts["overtaken"], "were not told, since it would have come too late"),
        (counts["failed"], "could not be reached"),
        (counts["pending"], "are still to be told" if due_at <= at else f"are told at {due_at:%Y-%m-%d %H:%M} UTC"),
        (members - sum(counts.values()), "have no message planned"),
    ]
    text = ", ".join(f"{count} of {members} {said}" for count, said in words if count > 0)
    return f"{promised}: {text or 'its people are not frozen yet'}."


def _deliveries(wave: Wave, notice: Notice) -> QuerySet[NoticeDelivery]:
    return NoticeDelivery.objects.filter(
        notice=notice,
        wave=wave,
        attempt=wave.attempt,
        schedule_version=wave.schedule_version,
        enrolment__state__in=TOLD,
    )


def _told_otherwise(wave: Wave, notice: Notice, limit: datetime) -> Any:
    """Return the condition that somebody without an address was told in the application, by a notice of the same lead."""
    if notice.channel != Channel.EMAIL:
        return Q(pk__in=[])
    same = notices_of(wave).filter(moment=Moment.BEFORE_START, channel=Channel.IN_APP, lead=notice.lead)
    told = NoticeDelivery.objects.filter(
        notice__in=same.values("pk"),
        enrolment=OuterRef("enrolment"),
        attempt=wave.attempt,
        schedule_version=wave.schedule_version,
        state=DeliveryState.SENT,
        sent_at__lte=limit,
    )
    return Q(error__startswith=NO_ADDRESS) & Q(Exists(told))


def announcing_notice(wave: Wave) -> Notice | None:
    """Return the notice that the wave is announced by: the first required one, or the first at all; None where there is none."""
    rows = list(notices_of(wave).filter(moment=Moment.BEFORE_START))
    return next((row for row in rows if row.is_required), rows[0] if rows else None)


def is_told(wave: Wave, notice: Notice, *, at: datetime) -> bool:
    """Say whether a notice is done: delivered to all or waived, or, where it is not required, sent as far as it could be."""
    if notice.is_required:
        return all(each.notice != notice for each in missing_notices(wave, at=at))
    planned = _deliveries(wave, notice)
    return planned.exists() and not planned.filter(state=DeliveryState.PENDING).exists()


def waive_notice(notice: Notice, wave: Wave, *, by: str, at: datetime, reason: str) -> bool:
    """Let a wave go on though a notice did not reach everybody, in somebody's name, and say whether that is new.

    It holds for this attempt and this date only.

    Raises:
        ReasonMissing: nobody said why.
        NameMissing: it is nobody in person.
        NoticeInvalid: the wave's people do not get it.
    """
    if not reason.strip():
        raise ReasonMissing("Waiving a notice")
    if by.strip() in {"", SYSTEM}:
        raise NameMissing("Waiving a notice")
    if not notices_of(wave).filter(pk=notice.pk).exists():
        raise NoticeInvalid(f"{notice} is of another plan or phase than {wave}.")
    with transaction.atomic():
        _, is_new = NoticeWaiver.objects.get_or_create(
            notice=notice,
            wave=wave,
            attempt=wave.attempt,
            schedule_version=wave.schedule_version,
            defaults={"by": by, "at": at, "reason": reason},
        )
        if is_new:
            data = {"notice": notice.pk, "name": notice.name, "schedule_version": wave.schedule_version}
            Event.objects.create(
                subject=Subject.WAVE, subject_pk=wave.pk, kind="notice_waived", by=by, reason=reason, at=at, data=data
            )
    return is_new


def counts_of(wave: Wave) -> list[Any]:
    """Return for each notice of the wave's present schedule how many messages are pending, sent, failed and cancelled."""
    present = Q(deliveries__wave=wave, deliveries__attempt=wave.attempt, deliveries__schedule_version=wave.schedule_version)
    counted = {state: Count("deliveries", filter=present & Q(deliveries__state=state)) for state in DeliveryState.values}
    return list(notices_of(wave).values("pk", "name", "channel", "moment", "lead", "is_required").annotate(**counted))
