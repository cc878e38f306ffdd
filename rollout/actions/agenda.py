"""What comes next: every instant that is known today at which something happens by itself, with a sentence each.

The reconciler needs none of this, it looks every few seconds; people plan by it, and a rehearsal moves its clock from one instant
to the next. So an instant may be too early, never too late. What a person, a worker or a sample brings has no instant here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from rollout.actions.claims import waits_of
from rollout.actions.gates import crossed_since
from rollout.actions.holds import heeded
from rollout.actions.metrics import FAILED
from rollout.actions.notices import sendable, unplanned_afterwards
from rollout.actions.phases import ENDED
from rollout.actions.ticket_metrics import leaving
from rollout.errors import WindowInvalid
from rollout.gates import next_opening
from rollout.models import (
    Alert,
    BreachResponse,
    DeliveryState,
    Enrolment,
    Event,
    Freeze,
    GuardPolicy,
    Moment,
    Notice,
    NoticeDelivery,
    Phase,
    Plan,
    Sample,
    Subject,
    Wave,
    Window,
)
from rollout.states import WAITING, WAVE_AT_WORK, WORKING, BreachState, PersonState, PhaseState, PlanState, WaveState
from rollout.timetable import LATE_AFTER, Promise, in_words, sendings

MOMENT: Final = timedelta(microseconds=1)  # a lease is over after its instant, not at it
SOON: Final = timedelta(seconds=1)  # what is due and goes on round after round
LIVE: Final = frozenset({PlanState.SCHEDULED, PlanState.RUNNING})  # plans whose waves go by their dates
WATCHED: Final = frozenset({PlanState.RUNNING, PlanState.SOAKING})
BEFORE_START: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})


@dataclass(frozen=True, slots=True)
class Due:
    """Say what happens by itself at an instant; the keys name what it is about, as far as it is about one of them."""

    at: datetime
    kind: str
    text: str
    plan: int | None = None
    phase: int | None = None
    wave: int | None = None
    notice: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that commands show."""
        about = {"plan": self.plan, "phase": self.phase, "wave": self.wave, "notice": self.notice}
        named = {name: pk for name, pk in about.items() if pk is not None}
        return {"at": self.at.isoformat(), "kind": self.kind, "text": self.text, **named}


def what_is_next(*, at: datetime, plan: Plan | None = None, with_policies: bool = True) -> list[Due]:
    """Return what is known to happen after `at`, of every plan or of one, in order; of many people only the first instant.

    Without policies, what changes a verdict by the mere passing of time is left out: it takes most of the queries.
    """
    pk = plan.pk if plan else None
    sources = (_waves, _deliveries, _phases, _freezes, _responses, _alerts, _people, *([_policies] if with_policies else []))
    found = [due for source in sources for due in source(at, pk)]
    return sorted(found, key=lambda due: (due.at, due.kind, due.wave or 0, due.notice or 0))


def next_due_at(*, after: datetime) -> datetime | None:
    """Return the first instant after `after` at which the reconciler may have something to do; None where none is known."""
    return min((due.at for due in what_is_next(at=after)), default=None)


def _of_plan(rows: QuerySet[Any], path: str, plan: int | None) -> QuerySet[Any]:
    return rows if plan is None else rows.filter(**{path: plan})


def _waves(after: datetime, plan: int | None) -> Iterator[Due]:
    """Return locks, planned notices, starts, the openings of windows, and when a wave counts as late."""
    rows = Wave.objects.filter(state__in=BEFORE_START | WAVE_AT_WORK, phase__plan__state__in=LIVE | WATCHED)
    waves = list(_of_plan(rows.select_related("phase__plan"), "phase__plan", plan).order_by("pk"))
    known = _Known.of(waves)
    for wave in waves:
        is_before = wave.state in BEFORE_START
        if is_before and wave.starts_at is not None:
            yield from (due for due in _by_date(wave, wave.starts_at, after, known.notices_of(wave)) if due.at > after)
        is_waiting = wave.enrolments.filter(state__in=WAITING).exists() if not is_before else wave.starts_at is not None
        if not is_before:
            yield from _limits(wave, after)
        if is_waiting:
            at = max(after, wave.starts_at) if is_before and wave.starts_at else after
            yield from _opening(wave, known.windows_of(wave), at)


@dataclass(frozen=True, slots=True)
class _Known:
    """Hold the notices and windows of several plans, read at once for all of their waves."""

    notices: dict[int, list[Notice]]
    windows: dict[int, list[Window]]

    @classmethod
    def of(cls, waves: Sequence[Wave]) -> "_Known":
        known = cls({}, {})
        plans = {wave.phase.plan_id for wave in waves}
        for notice in Notice.objects.filter(plan__in=plans, moment=Moment.BEFORE_START).order_by("-lead", "pk"):
            known.notices.setdefault(notice.plan_id, []).append(notice)
        for window in Window.objects.filter(plan__in=plans).order_by("pk"):
            known.windows.setdefault(window.plan_id, []).append(window)
        return known

    def notices_of(self, wave: Wave) -> list[Notice]:
        return [each for each in self.notices.get(wave.phase.plan_id, ()) if each.phase_id in {None, wave.phase_id}]

    def windows_of(self, wave: Wave) -> list[Window]:
        return heeded(self.windows.get(wave.phase.plan_id, ()), wave)


def _by_date(wave: Wave, starts_at: datetime, after: datetime, told: Sequence[Notice]) -> Iterator[Due]:
    named: dict[str, Any] = {"plan": wave.phase.plan_id, "phase": wave.phase_id, "wave": wave.pk}
    lock_at = starts_at - wave.lock_lead
    if wave.state == WaveState.PLANNED:
        yield Due(lock_at, "lock", f"{wave}: its people are frozen.", **named)
        notices = {row.pk: row for row in told}
        promises = [Promise(row.pk, row.channel, row.lead, row.is_required) for row in notices.values()]
        for each in sendings(promises, starts_at=starts_at, at=max(lock_at, after)):
            if each.overtaken_by is None:
                text = (
                    f"{wave}: “{notices[each.promise.key].name}” is sent, {in_words(starts_at - each.due_at)} before the start."
                )
                yield Due(each.due_at, "notice", text, **named, notice=each.promise.key)
    yield Due(starts_at, "start", f"{wave}: it starts, unless something keeps it.", **named)
    yield Due(starts_at + LATE_AFTER, "late", f"{wave}: it counts as late if it has not started.", **named)


def _limits(wave: Wave, after: datetime) -> Iterator[Due]:
    """Return when the limits of a wave at work let the next one be claimed, and whether it can move on as it is."""
    named = {"plan": wave.phase.plan_id, "phase": wave.phase_id, "wave": wave.pk}
    for wait in waits_of(wave, at=after):
        if wait.until is not None and wait.until > after:
            yield Due(wait.until, "limit", f"{wave}: {wait.text}", **named)
    if not wave.enrolments.filter(state__in=WORKING | WAITING).exists():  # a worker was the last one since the last round
        yield Due(after + SOON, "wave", f"{wave}: nobody is at work any more.", **named)


def _opening(wave: Wave, windows: Sequence[Window], at: datetime) -> Iterator[Due]:
    try:
        opens = next_opening([each.value() for each in windows], at)
    except (WindowInvalid, TypeError):  # it holds until somebody corrects it
        return
    if opens is not None:
        named = {"plan": wave.phase.plan_id, "phase": wave.phase_id, "wave": wave.pk}
        yield Due(opens, "window", f"{wave}: its window opens.", **named)


def _deliveries(after: datetime, plan: int | None) -> Iterator[Due]:
    """Return when the planned messages are due; what is due already goes on a second from now."""
    pending = _of_plan(NoticeDelivery.objects.filter(state=DeliveryState.PENDING), "wave__phase__plan", plan)
    named = ("notice", "notice__name", "wave", "wave__phase", "wave__phase__plan", "wave__name", "wave__phase__name")
    for row in pending.filter(due_at__gt=after).order_by().values(*named).annotate(first=Min("due_at"), people=Count("pk")):
        text = f"{row['wave__phase__name']} / {row['wave__name']}: “{row['notice__name']}” is sent to {row['people']} people."
        keys = {"plan": row["wave__phase__plan"], "phase": row["wave__phase"], "wave": row["wave"], "notice": row["notice"]}
        yield Due(row["first"], "notice", text, **keys)
    for wave, notice, people in unplanned_afterwards(at=after):
        if plan in {None, wave.phase.plan_id} and people.exists():  # whoever was switched since the last round
            named_by = {"plan": wave.phase.plan_id, "phase": wave.phase_id, "wave": wave.pk, "notice": notice.pk}
            yield Due(after + SOON, "notice", f"{wave}: “{notice.name}” is planned for who was switched.", **named_by)
    overdue = _of_plan(sendable(after), "wave__phase__plan", plan).count()
    if overdue:
        yield Due(after + SOON, "notice", f"{overdue} messages are due and go on being sent.", plan=plan)


def _phases(after: datetime, plan: int | None) -> Iterator[Due]:
    """Return when phases may open, and when their soak is over."""
    rows = Phase.objects.filter(plan__state__in=LIVE | WATCHED).select_related("plan").order_by("pk")
    for phase in _of_plan(rows, "plan", plan):
        named = {"plan": phase.plan_id, "phase": phase.pk}
        is_closed = phase.state in {PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF}
        if is_closed and phase.starts_at is not None and phase.starts_at > after:
            yield Due(phase.starts_at, "phase", f"{phase}: it may open.", **named)
        if phase.state == PhaseState.EXECUTING and _has_ended(phase):
            yield Due(after + SOON, "phase", f"{phase}: its last wave has ended.", **named)
        if phase.state == PhaseState.SOAKING and phase.soaking_at is not None and phase.soaking_at + phase.soak > after:
            yield Due(phase.soaking_at + phase.soak, "soak", f"{phase}: it has been watched long enough.", **named)


def _has_ended(phase: Phase) -> bool:
    """Say whether every wave of a phase that has some is over."""
    waves = set(phase.waves.exclude(state=WaveState.CANCELLED).values_list("state", flat=True))
    return bool(waves) and waves <= ENDED


def _freezes(after: datetime, plan: int | None) -> Iterator[Due]:
    rows = Freeze.objects.filter(ends_at__gt=after).order_by("ends_at", "pk")
    for row in rows if plan is None else rows.filter(Q(plan__isnull=True) | Q(plan=plan)):
        if row.starts_at > after:
            yield Due(row.starts_at, "freeze", f"A freeze begins: {row.reason}", plan=row.plan_id)
        yield Due(row.ends_at, "freeze_end", f"A freeze ends: {row.reason}", plan=row.plan_id)


def _responses(after: datetime, plan: int | None) -> Iterator[Due]:
    rows = BreachResponse.objects.filter(done_at__isnull=True, due_at__gt=after, breach__state=BreachState.OPEN)
    for row in _of_plan(rows, "breach__policy__plan", plan).select_related("breach__policy").order_by("due_at", "pk"):
        text = f"{row.breach.policy.name}: {row.get_action_display()}, unless its breach is closed."
        yield Due(row.due_at, "response", text, plan=row.breach.policy.plan_id, phase=row.breach.policy.phase_id)


def _alerts(after: datetime, plan: int | None) -> Iterator[Due]:
    """Return when the next message about each open breach is sent; what is due already goes on a second from now."""
    pending = Alert.objects.filter(state=DeliveryState.PENDING, response__breach__state=BreachState.OPEN)
    rows = _of_plan(pending, "response__breach__policy__plan", plan).order_by()
    policy = "response__breach__policy"
    for row in rows.values(f"{policy}__name", f"{policy}__plan").annotate(first=Min("due_at"), people=Count("pk")):
        text = f"{row[f'{policy}__name']}: {row['people']} who have to hear of its breach are written to."
        yield Due(max(row["first"], after + SOON), "alert", text, plan=row[f"{policy}__plan"])


def _people(after: datetime, plan: int | None) -> Iterator[Due]:
    """Return the first lease that runs out, the first wait that is over, the first look at somebody, the first who is settled."""
    rows = _of_plan(Enrolment.objects.all(), "plan", plan)
    lease = rows.filter(lease_until__gte=after).aggregate(first=Min("lease_until"))["first"]
    if lease is not None:
        yield Due(lease + MOMENT, "lease", "A worker that has not finished by then loses its people.", plan=plan)
    waiting = rows.filter(state=PersonState.RETRY_WAIT, retry_at__gt=after, wave__state__in=WAVE_AT_WORK)
    retry = waiting.aggregate(first=Min("retry_at"))["first"]
    if retry is not None:
        yield Due(retry, "retry", "Somebody's wait before the next try is over.", plan=plan)
    check = rows.filter(next_check_at__gt=after).aggregate(first=Min("next_check_at"))["first"]
    if check is not None:
        yield Due(check, "check", "Somebody is looked at again after the switch.", plan=plan)
    going_back = Enrolment.objects.filter(wave=OuterRef("pk"), state=PersonState.ROLLING_BACK).exclude(code="RESTORE_FAILED")
    if _of_plan(Wave.objects.filter(Exists(going_back)), "phase__plan", plan).exists():  # an index knows it of each wave
        yield Due(after + SOON, "rollback", "People who are being taken back are restored.", plan=plan)
    for wave in _of_plan(Wave.objects.filter(state=WaveState.MONITORING), "phase__plan", plan).select_related("phase"):
        watched = wave.enrolments.filter(state=PersonState.SWITCHED, switched_at__gt=after - wave.soak)
        first = watched.aggregate(first=Min("switched_at"))["first"]
        if first is not None:
            named = {"plan": wave.phase.plan_id, "phase": wave.phase_id, "wave": wave.pk}
            yield Due(first + wave.soak, "settle", f"{wave}: the first of its people have been watched long enough.", **named)


def _policies(after: datetime, plan: int | None) -> Iterator[Due]:
    """Return when a verdict may change though nothing is measured: crossed for long enough, an observation too old."""
    rows = GuardPolicy.objects.filter(retired_at__isnull=True, plan__state__in=WATCHED).order_by("pk")
    for row in _of_plan(rows, "plan", plan):
        instants = [*_of_samples(row, after), *_of_rows(row, after), *leaving(row, after)]
        since = crossed_since(row) if row.sustained else None
        if since is not None:
            instants.append(since + row.sustained)
        instants = [instant for instant in instants if instant > after]
        if instants:
            text = f"{row.name}: its verdict may change by the passing of time."
            yield Due(min(instants), "policy", text, plan=row.plan_id, phase=row.phase_id)


def _of_samples(row: GuardPolicy, after: datetime) -> Iterator[datetime]:
    seen = Sample.objects.seen_by(row)
    coming = seen.filter(taken_at__gt=after).aggregate(first=Min("taken_at"))["first"]
    leaving = seen.filter(taken_at__gt=after - row.window).aggregate(first=Min("taken_at"))["first"]
    yield from (instant for instant in (coming, leaving and leaving + row.window) if instant is not None)


def _of_rows(row: GuardPolicy, after: datetime) -> Iterator[datetime]:
    """Return when the first person who was switched or failed within the window leaves it."""
    members = Enrolment.objects.filter(plan=row.plan_id, attempt=F("wave__attempt"))
    switched = members.filter(switched_at__gt=after - row.window).aggregate(first=Min("switched_at"))["first"]
    if switched is not None:
        yield switched + row.window
    left = members.filter(state__in=FAILED | {PersonState.EXCLUDED})
    ended = Event.objects.filter(subject=Subject.ENROLMENT, subject_pk__in=left.values("pk"), at__gt=after - row.window)
    failed = ended.filter(to_state__in=FAILED).aggregate(first=Min("at"))["first"]
    if failed is not None:
        yield failed + row.window
