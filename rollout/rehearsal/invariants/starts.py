"""The invariants about starting and claiming: what has to be there before a wave starts, and what keeps it from going on."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q

from rollout import gates
from rollout.actions.notices import NO_ADDRESS
from rollout.models import (
    Channel,
    DeliveryState,
    Event,
    Freeze,
    Hold,
    HoldKind,
    Moment,
    Notice,
    NoticeDelivery,
    NoticeWaiver,
    Phase,
    RollbackCertificate,
    Subject,
    Wave,
    Window,
)
from rollout.rehearsal.invariants.look import Happening, Look, Violation, enrolments, named
from rollout.rehearsal.invariants.signing import unsigned, was_edited_since
from rollout.states import GONE, PersonState, PhaseState

OPEN: Final = frozenset({PhaseState.OPEN, PhaseState.EXECUTING})
UNTOLD: Final = GONE | {PersonState.HOLDOUT, PersonState.DEFERRED}  # people whom no notice has to reach


def started_with_all_that_it_needs(look: Look) -> Iterator[Violation]:
    """3: phase open, sign-offs valid, notices delivered or waived, window open, no hold, a fresh certificate of the rollback."""
    for each, wave in look.starts:
        lacks = [*_of_phase(wave, each), *unsigned(look, wave.phase, each), *_untold(wave, each), *_closed(wave, each.at)]
        lacks += [f"“{hold.reason}” held it" for hold in _holds_at(wave, each.at)] + _uncertified(wave, each.at)
        if lacks:
            yield Violation(3, f"{wave} started at {each.at.isoformat()} though {'; '.join(lacks)}.", (f"wave {wave.pk}",))


def nobody_is_claimed_past_a_hold(look: Look) -> Iterator[Violation]:
    """4: no claim while any hold stands; what a breach holds stands as long as the breach is open, whatever else is cleared."""
    holds = None
    for (place, at), people in look.claims(PersonState.TRANSLATING).items():
        holds = list(Hold.objects.all()) if holds is None else holds
        past = [hold for hold in holds if _covers(hold, place.wave, place.phase, place.plan) and _stood(hold, at)]
        if past:
            reasons = "; ".join(hold.reason for hold in past)
            text = f"{len(people)} people of wave {place.wave} were claimed at {at.isoformat()} past holds: {reasons}"
            yield Violation(4, text, enrolments(people))
    if not look.is_about(Subject.HOLD, Subject.BREACH):
        return
    loose = Hold.objects.standing().filter(kind=HoldKind.GUARD).exclude(breach__state="open")
    if rows := list(loose.order_by("pk")):
        yield Violation(4, f"{len(rows)} holds of breaches stand though the breaches are closed.", named(rows))


def claims_fall_into_windows(look: Look) -> Iterator[Violation]:
    """12: people are claimed in a window of their phase, or else of their plan, in its local time; and in no freeze."""
    windows: dict[int, list[gates.Window]] = {}
    for (place, at), people in look.claims(PersonState.TRANSLATING).items():
        if place.wave not in windows:
            windows[place.wave] = _windows(Wave.objects.select_related("phase").get(pk=place.wave))
        text = f"{len(people)} people of wave {place.wave} were claimed at {at.isoformat()}"
        if not gates.state_of(windows[place.wave], at):
            yield Violation(12, f"{text}, outside of every window.", enrolments(people))
        if Freeze.objects.covering(place.plan, at).filter(set_at__lt=at).exists():  # entered at that instant, it may come after
            yield Violation(12, f"{text}, in a freeze of the calendar.", enrolments(people))


def _of_phase(wave: Wave, started: Happening) -> list[str]:
    """Return what is amiss with the phase at the start: its last move before it has to have opened it."""
    before = Event.objects.about(Subject.PHASE, wave.phase_id).filter(kind="moved", pk__lt=started.pk)
    last = before.order_by("pk").last()
    if last is not None and last.to_state not in OPEN:
        return [f"its phase was {last.to_label}"]
    if last is None and Phase.objects.get(pk=wave.phase_id).state in {PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF}:
        return ["its phase was never opened"]
    return []


def _untold(wave: Wave, started: Happening) -> Iterator[str]:
    """Yield the required notices that had not reached everybody, unless they may have been edited since."""
    at = started.at
    if was_edited_since(started):
        return
    place = Q(phase=wave.phase_id) | Q(phase__isnull=True)
    notices = Notice.objects.filter(place, plan=wave.phase.plan_id, is_required=True, moment=Moment.BEFORE_START)
    same = {"wave": wave.pk, "attempt": wave.attempt, "schedule_version": wave.schedule_version}
    for notice in notices.order_by("pk"):
        if NoticeWaiver.objects.filter(**same, notice=notice, at__lte=at).exists():
            continue
        told = NoticeDelivery.objects.filter(**same, enrolment=OuterRef("pk"))
        sent = told.filter(state=DeliveryState.SENT, sent_at__lte=at)
        reached = Q(Exists(sent.filter(notice=notice)))
        if notice.channel == Channel.EMAIL:  # who has no address is told in the application as early
            unaddressed = told.filter(notice=notice, state=DeliveryState.FAILED, error__startswith=NO_ADDRESS)
            reached |= Q(Exists(unaddressed)) & Q(Exists(sent.filter(notice__channel=Channel.IN_APP, notice__lead=notice.lead)))
        missed = wave.enrolments.exclude(state__in=UNTOLD).filter(~reached).count()
        if missed:
            yield f"“{notice.name}” had not reached {missed} of its people"


def _closed(wave: Wave, at: datetime) -> list[str]:
    return [] if gates.state_of(_windows(wave), at) else ["no window was open"]


def _uncertified(wave: Wave, at: datetime) -> list[str]:
    phase = wave.phase
    if not phase.needs_certificate:
        return []
    fresh = RollbackCertificate.objects.filter(
        phase=phase, is_exact=True, at__lte=at, at__gt=at - phase.plan.certificate_valid_for
    )
    return [] if fresh.exists() else ["nobody had measured its rollback lately"]


def _holds_at(wave: Wave, at: datetime) -> list[Hold]:
    return [hold for hold in Hold.objects.covering(wave) if _stood(hold, at)]


def _stood(hold: Hold, at: datetime) -> bool:
    """Say whether a hold stood before and after an instant; what was set or cleared at that very instant may come after."""
    return hold.set_at < at and (hold.cleared_at is None or hold.cleared_at > at)


def _covers(hold: Hold, wave: int, phase: int, plan: int) -> bool:
    return hold.kind == HoldKind.FREEZE or hold.wave_id == wave or hold.phase_id == phase or hold.plan_id == plan


def _windows(wave: Wave) -> list[gates.Window]:
    rows = Window.objects.filter(Q(phase__isnull=True) | Q(phase=wave.phase_id), plan=wave.phase.plan_id)
    own = [row for row in rows if row.phase_id is not None]
    return [row.value() for row in own or rows]
