"""Let somebody wait for a later wave, take that back, and end it where the later wave is given up.

The place in the first wave stays and is counted there as deferred; the place in the later wave is the live one.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef

from rollout.actions.notices import cancel_notices_to, plan_notices
from rollout.errors import DeferralLimit, DeferralMisplaced, DeferralTooLate, MoveRefused, ReasonMissing
from rollout.models import Enrolment, Plan, Wave
from rollout.states import BEFORE_START, NOT_BEGUN, PersonState, WaveState

OPEN_TO_MORE: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED})


def defer_person(enrolment: Enrolment, *, to: Wave, by: str, at: datetime, reason: str) -> Enrolment:
    """Move somebody who has not begun to a later wave of the same plan, and return their place in it.

    Raises:
        ReasonMissing: nobody said why.
        DeferralTooLate: their wave has started, or the later one's people were told already.
        DeferralLimit: they were deferred as often as the plan allows, or the wave starts later than it allows.
        DeferralMisplaced: the wave is of another plan, does not start later, has no date, or had them before.
        MoveRefused: somebody moved the person since they were read.
    """
    if not reason.strip():
        raise ReasonMissing("Deferring somebody")
    with transaction.atomic():
        waves = _locked(enrolment.wave_id, to.pk)
        _require_deferrable(enrolment, waves[enrolment.wave_id], waves[to.pk], at=at)
        enrolment.step(
            PersonState.DEFERRED, by=by, at=at, reason=reason, is_live=False, updated_at=at, code="DEFERRED", text=reason
        )
        later = Enrolment.objects.create(
            plan_id=enrolment.plan_id,
            wave=to,
            person_id=enrolment.person_id,
            attempt=waves[to.pk].attempt,
            deferrals=enrolment.deferrals + 1,
            chosen_for=f"deferred from {waves[enrolment.wave_id].name}"[:200],
            updated_at=at,
        )
        Wave.objects.filter(pk=to.pk, size__gt=0).update(
            size=F("size") + 1
        )  # a wave whose people are not fixed counts at its lock
        cancel_notices_to(Enrolment.objects.filter(pk=enrolment.pk), reason="the person was deferred")
        if to.state == WaveState.LOCKED:
            plan_notices(waves[to.pk], at=at)
    to.refresh_from_db()
    return later


def withdraw_deferral(enrolment: Enrolment, *, by: str, at: datetime, reason: str) -> None:
    """Give somebody who was deferred their place back, while neither of the two waves has begun with them.

    It still counts as one of the deferrals that the plan allows. The place in the later wave stays there as removed.

    Raises:
        ReasonMissing: nobody said why.
        DeferralTooLate: the first wave has started, or the later one has begun with them.
        MoveRefused: they are not deferred, or somebody moved them since they were read.
    """
    if not reason.strip():
        raise ReasonMissing("Withdrawing a deferral")
    with transaction.atomic():
        wave = _locked(enrolment.wave_id)[enrolment.wave_id]
        person = str(enrolment.person)
        if enrolment.state != PersonState.DEFERRED:
            raise MoveRefused(str(enrolment), enrolment.state_label, "taken back from a later wave")
        if wave.state not in BEFORE_START:
            raise DeferralTooLate(person, f"{wave} is {wave.state_label}. They stay in the later wave.")
        later = Enrolment.objects.live().select_for_update(of=("self",)).filter(person=enrolment.person_id).first()
        if later is not None:
            if later.state not in NOT_BEGUN or later.plan_id != enrolment.plan_id or not later.deferrals:
                raise DeferralTooLate(person, f"they are {later.state_label} in {later.wave}.")
            later.step(PersonState.REMOVED, by=by, at=at, reason=reason, is_live=False, updated_at=at)
        _come_back(enrolment, wave, deferrals=enrolment.deferrals + 1, by=by, at=at, reason=reason)


def end_deferrals(wave: Wave, *, by: str, at: datetime, reason: str) -> int:
    """Give those who were deferred to a wave that was given up their last place back, where its wave has not started.

    Return how many; whoever's first wave has started is free for other waves, like everybody whom a cancelled wave lets go. The
    caller holds the waves (`lock_first_waves`), so that none of them starts meanwhile.
    """
    gone = wave.enrolments.filter(person=OuterRef("person"), deferrals__gt=0, state=PersonState.REMOVED)
    placed = Enrolment.objects.live().filter(person=OuterRef("person"))
    waiting = Enrolment.objects.filter(Exists(gone), ~Exists(placed), plan=wave.phase.plan_id, state=PersonState.DEFERRED)
    last = waiting.order_by().values("person").annotate(last=Max("pk")).values_list("last", flat=True)
    rows = Enrolment.objects.filter(pk__in=list(last), wave__state__in=BEFORE_START).select_related("wave").order_by("pk")
    for row in rows:
        _come_back(row, row.wave, deferrals=row.deferrals, by=by, at=at, reason=reason)
    return len(rows)


def lock_first_waves(wave: Wave) -> None:
    """Keep a wave, and those that people were deferred from to it, as they are until the transaction is over."""
    here = wave.enrolments.live().filter(person=OuterRef("person"), deferrals__gt=0)
    first = Enrolment.objects.filter(Exists(here), plan=wave.phase.plan_id, state=PersonState.DEFERRED)
    _locked(wave.pk, *first.order_by().values_list("wave", flat=True).distinct())


def _locked(*pks: int) -> dict[int, Wave]:
    """Return the waves, whose states nobody changes until the transaction is over."""
    rows = Wave.objects.select_for_update(no_key=True, of=("self",)).select_related("phase").filter(pk__in=pks).order_by("pk")
    return {row.pk: row for row in rows}


def _require_deferrable(row: Enrolment, wave: Wave, to: Wave, *, at: datetime) -> None:
    """Refuse a deferral that the plan or the states of both waves do not allow."""
    person, plan = str(row.person), Plan.objects.get(pk=row.plan_id)
    require_waves(person, plan, wave, to, at=at, is_waiting=row.state in NOT_BEGUN)
    if row.deferrals >= plan.max_deferrals:
        raise DeferralLimit(person, f"they were deferred {row.deferrals} times, the plan allows {plan.max_deferrals}.")
    if to.enrolments.filter(person=row.person_id).exists():
        raise DeferralMisplaced(person, f"they were in {to} before and left it.")


def require_waves(person: str, plan: Plan, wave: Wave, to: Wave, *, at: datetime, is_waiting: bool = True) -> None:
    """Refuse to defer a person from one wave to another where the waves or the plan do not allow it, whoever it is.

    Raises:
        DeferralTooLate, DeferralLimit, DeferralMisplaced: as `defer_person` says.
    """
    if to.phase.plan_id != plan.pk or wave.phase.plan_id != plan.pk or to.pk == wave.pk:
        raise DeferralMisplaced(person, f"{to} is {'their own wave' if to.pk == wave.pk else 'of another plan'}.")
    if wave.state not in BEFORE_START:
        raise DeferralTooLate(person, f"{wave} is {wave.state_label}. Take them back, or leave them out with a reason.")
    if is_waiting and to.state not in OPEN_TO_MORE:
        raise DeferralTooLate(person, f"{to} is {to.state_label}. Choose one whose people were not told yet.")
    began = wave.starts_at or at
    if to.starts_at is None:
        raise DeferralMisplaced(person, f"{to} has no date, so nobody knows how much later it is.")
    if to.starts_at <= began:
        raise DeferralMisplaced(person, f"{to} does not start later than {began:%Y-%m-%d %H:%M} UTC.")
    if to.starts_at > began + plan.deferral_limit:
        raise DeferralLimit(person, f"{to} starts more than {plan.deferral_limit.days} days later.")


def _come_back(row: Enrolment, wave: Wave, *, deferrals: int, by: str, at: datetime, reason: str) -> None:
    """Make a deferred place the live one again; whose wave was announced meanwhile counts as told, they know of it."""
    said = {"code": "", "text": "", "deferrals": deferrals, "attempt": wave.attempt}
    row.step(PersonState.ENROLLED, by=by, at=at, reason=reason, is_live=True, updated_at=at, **said)
    if wave.state == WaveState.ANNOUNCED:
        row.step(PersonState.NOTIFIED, by=by, at=at, reason="came back to a wave that is announced", updated_at=at)
    if wave.state in {WaveState.LOCKED, WaveState.ANNOUNCED}:
        plan_notices(wave, at=at)
