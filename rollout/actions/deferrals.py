"""Let people wait for a later wave, take that back, and end it where the later wave is given up.

The place in the first wave stays and is counted there as deferred; the place in the later wave is the live one. One person is
handled as many are: by the same few statements.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NoReturn

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Value
from django.db.models.functions import Concat, Left

from rollout.actions.notices import cancel_notices_to, plan_notices
from rollout.errors import DeferralLimit, DeferralMisplaced, DeferralTooLate, MoveRefused, ReasonMissing
from rollout.models import Enrolment, Plan, Wave
from rollout.states import BEFORE_START, NOT_BEGUN, PersonState, WaveState
from slots.models import Keys, insert_selected

ARRIVED: Final = "deferred from "  # begins why somebody is in a later wave, on top of whom its audience or share took
TAKEN_BACK: Final = "taken back from a later wave"
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
        if not defer_people(_as_read(enrolment), waves[to.pk], by=by, at=at, reason=reason):
            _refuse_moved(enrolment, PersonState.DEFERRED.label)
    enrolment.refresh_from_db()
    to.refresh_from_db()
    return Enrolment.objects.get(wave=to, person=enrolment.person_id)


def defer_people(rows: QuerySet[Enrolment], to: Wave, *, by: str, at: datetime, reason: str) -> list[int]:
    """Move those of the rows who have not begun to a later wave, and return them by key; the queries do not grow with them.

    The caller holds the waves, in this transaction, and has decided that each may.
    """
    said: dict[str, Any] = {"by": by, "at": at, "reason": reason}
    moved = Enrolment.move_many(rows, to=PersonState.DEFERRED, **said, is_live=False, updated_at=at, code="DEFERRED", text=reason)
    left = Enrolment.objects.filter(pk__in=Keys(moved))
    arriving = {
        "plan_id": F("plan"),
        "wave_id": to.pk,
        "person_id": F("person"),
        "version": 1,
        "state": PersonState.ENROLLED,
        "is_live": True,
        "attempt": to.attempt,
        "tries": 0,
        "code": "",
        "text": "",
        "chosen_for": Left(Concat(Value(ARRIVED), F("wave__name")), 200),
        "leases_lost": 0,
        "deferrals": F("deferrals") + 1,
        "checks_done": 0,
        "updated_at": at,
    }
    insert_selected(Enrolment, left.order_by("pk"), arriving)
    # a wave whose people are not fixed counts at its lock
    Wave.objects.filter(pk=to.pk, size__gt=0).update(size=F("size") + len(moved))
    cancel_notices_to(left, reason="the person was deferred")
    if to.state == WaveState.LOCKED:
        plan_notices(to, at=at)
    return moved


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
        waves = _locked(enrolment.wave_id)
        if enrolment.state != PersonState.DEFERRED:
            _refuse_moved(enrolment, TAKEN_BACK)
        moved, refused = withdraw_deferrals(_as_read(enrolment), waves, by=by, at=at, reason=reason)
        if refused:
            raise refused[enrolment.pk]
        if not moved:
            _refuse_moved(enrolment, TAKEN_BACK)
    enrolment.refresh_from_db()


def require_withdrawable(row: Enrolment) -> None:
    """Refuse to take back a deferral that is too late to be taken back.

    Raises:
        DeferralTooLate: the first wave has started, or the later one has begun with them.
    """
    later = Enrolment.objects.live().filter(person=row.person_id).select_related("wave__phase").order_by("pk").last()
    if why := _why_not_back(row, row.wave, later):
        raise DeferralTooLate(str(row.person), why)


def withdraw_deferrals(
    rows: QuerySet[Enrolment], waves: Mapping[int, Wave], *, by: str, at: datetime, reason: str
) -> tuple[list[int], dict[int, DeferralTooLate]]:
    """Give those of the rows who are deferred their places back; the queries do not grow with people, only with waves.

    Of somebody deferred more than once the last deferral that can be taken back is, as with `end_deferrals`. Return
    who came back by key, and by key why others cannot. The caller holds the waves that they are in, in this transaction.
    """
    said: dict[str, Any] = {"by": by, "at": at, "reason": reason}
    deferred = list(rows.filter(state=PersonState.DEFERRED).select_related("person").order_by("pk"))
    people = Keys(row.person_id for row in deferred)
    live = Enrolment.objects.live().select_for_update(of=("self",)).filter(person__in=people).select_related("wave__phase")
    later = {row.person_id: row for row in live.order_by("pk")}
    refused = {}
    back: dict[int, Enrolment] = {}  # one place for each person
    for row in reversed(deferred):
        why = _why_not_back(row, waves[row.wave_id], later.get(row.person_id))
        if not why and row.person_id in back:
            why = f"a later deferral of theirs comes back, to {waves[back[row.person_id].wave_id]}."
        if why:
            refused[row.pk] = DeferralTooLate(str(row.person), why)
        else:
            back[row.person_id] = row
    leaving = Keys(later[person].pk for person in back if person in later)
    Enrolment.move_many(Enrolment.objects.filter(pk__in=leaving), to=PersonState.REMOVED, **said, is_live=False, updated_at=at)
    return _come_back(back.values(), waves, more=1, **said), refused


def _why_not_back(row: Enrolment, wave: Wave, later: Enrolment | None) -> str:
    """Return why somebody's deferral cannot be taken back any more; empty where it can."""
    if wave.state not in BEFORE_START:
        return f"{wave} is {wave.state_label}. They stay in the later wave."
    is_its_later = later and later.pk > row.pk and later.plan_id == row.plan_id and later.deferrals
    if later and (later.state not in NOT_BEGUN or not is_its_later):
        return f"they are {later.state_label} in {later.wave}."
    return ""


def end_deferrals(wave: Wave, *, by: str, at: datetime, reason: str) -> int:
    """Give those who were deferred to a wave that was given up their last place back, where its wave has not started.

    Return how many; whoever's first wave has started is free for other waves, like everybody whom a cancelled wave lets go. The
    caller holds the waves (`lock_first_waves`), so that none of them starts meanwhile.
    """
    gone = wave.enrolments.filter(person=OuterRef("person"), deferrals__gt=0, state=PersonState.REMOVED)
    placed = Enrolment.objects.live().filter(person=OuterRef("person"))
    waiting = Enrolment.objects.filter(Exists(gone), ~Exists(placed), plan=wave.phase.plan_id, state=PersonState.DEFERRED)
    last = waiting.order_by().values("person").annotate(last=Max("pk")).values_list("last", flat=True)
    rows = list(Enrolment.objects.filter(pk__in=Keys(last), wave__state__in=BEFORE_START).order_by("pk"))
    waves = Wave.objects.select_related("phase").in_bulk({row.wave_id for row in rows})
    return len(_come_back(rows, waves, more=0, by=by, at=at, reason=reason))


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


def _come_back(rows: Iterable[Enrolment], waves: Mapping[int, Wave], *, more: int, **said: Any) -> list[int]:
    """Make deferred places the live ones again, each counted as `more` deferrals, and return them by key.

    Whose wave was announced meanwhile counts as told, they know of it.
    """
    by_wave = defaultdict(list)
    for row in rows:
        by_wave[row.wave_id].append(row.pk)
    found: list[int] = []
    for pk, pks in sorted(by_wave.items()):
        wave, places = waves[pk], Enrolment.objects.filter(pk__in=Keys(pks))
        anew: dict[str, Any] = {"code": "", "text": "", "deferrals": F("deferrals") + more, "attempt": wave.attempt}
        found += Enrolment.move_many(places, to=PersonState.ENROLLED, **said, is_live=True, updated_at=said["at"], **anew)
        if wave.state == WaveState.ANNOUNCED:
            told = said | {"reason": "came back to a wave that is announced"}
            Enrolment.move_many(places, to=PersonState.NOTIFIED, **told, updated_at=said["at"])
        if wave.state in {WaveState.LOCKED, WaveState.ANNOUNCED}:
            plan_notices(wave, at=said["at"])
    return found


def _as_read(row: Enrolment) -> QuerySet[Enrolment]:
    """Return the row as a query, empty once somebody moved it since it was read."""
    return Enrolment.objects.filter(pk=row.pk, version=row.version)


def _refuse_moved(row: Enrolment, to: str) -> NoReturn:
    row.refresh_from_db()
    raise MoveRefused(str(row), row.state_label, to)
