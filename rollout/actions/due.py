"""Find what is due and do it: the reconciler that `tick` runs every few seconds, safe to run twice at once.

Everything is found by row state, so a lost queue, a killed worker or a crash between two steps costs time and no work.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from migration.engine.translate import ENGINE_VERSION
from rollout.actions.alerts import send_due_alerts
from rollout.actions.breaches import respond, watch
from rollout.actions.checkups import check_people
from rollout.actions.claims import reap_leases, waits_of, workers_of
from rollout.actions.holds import holds_on
from rollout.actions.messages import send_due_notices
from rollout.actions.metrics import waves_started
from rollout.actions.notices import plan_afterwards
from rollout.actions.phases import advance_phase, advance_plan, phases_to_advance, plans_to_advance
from rollout.actions.prevalidation import A_ROUND, prove_ahead, waves_ahead
from rollout.actions.pruning import forget_previews, prune_renders
from rollout.actions.restorations import restore_all, restore_whom_possible
from rollout.actions.rollback import close_rollbacks, reconcile_wave
from rollout.actions.schedule import note_late, take_step_if_due, waves_before
from rollout.actions.waves import advance_wave
from rollout.gates import Purpose
from rollout.models import SYSTEM, Breach, BreachResponse, Enrolment, FlagOverride, GuardPolicy, Snapshot, Wave, batches
from rollout.notifications import Transport
from rollout.states import UNDONE_FROM, WAVE_AT_WORK, BreachState, PersonState, PlanState, WaveState
from rollout.timetable import StepKind
from rollout.waves import System

log = structlog.get_logger(__name__)

OVER: Final = frozenset({PlanState.COMPLETED, PlanState.DEPRECATING, PlanState.CLOSED, PlanState.CANCELLED})
Result = TypeVar("Result")


@dataclass(slots=True)
class TickReport:
    """Count what was due and what was done, by kind.

    `wake` are the waves that have people queued and nobody at work on them, `untold` the messages that one round did not get to.
    """

    due: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    wake: list[int] = field(default_factory=list)
    untold: int = 0

    def attempt(self, kind: str, pk: int, act: Callable[[], Result]) -> Result | None:
        """Do one thing, and return what it returns; an accident is logged and counted, and the next thing goes on."""
        try:
            return act()
        except Exception:  # one wave's accident must not keep the reconciler from all others
            log.exception("due_failed", kind=kind, pk=pk)
            self.failed[kind] += 1
            return None

    def as_json(self) -> dict[str, object]:
        """Return the JSON object of `tick`."""
        return {
            "due": self.due.total(),
            "done": self.done.total(),
            "due_by_kind": dict(sorted(self.due.items())),
            "done_by_kind": dict(sorted(self.done.items())),
            "failed_by_kind": dict(sorted((+self.failed).items())),
            "waves_to_wake": self.wake,
        }


def do_what_is_due(*, at: datetime, by: str = SYSTEM, transport: Transport | None = None) -> TickReport:
    """Judge guards and do what breaches bring about, reap leases, queue whose wait is over, finish rollbacks, alert, move on.

    Look at people after the switch, prove those who are to be switched next, some each round, and move phases and plans on. Then
    take waves on by their dates and send what people are to be told, by the mail server unless another `transport` is given.
    At last say which waves need a worker.
    """
    report = TickReport()
    _watch(report, at=at, by=by)
    _respond(report, at=at, by=by)
    _reap(report, at=at, by=by)
    _requeue(report, at=at, by=by)
    _check(report, at=at, by=by)
    _prove(report, at=at, by=by)
    _finish_rollbacks(report, at=at, by=by)
    _alert(report, at=at, transport=transport)
    _advance(report, at=at)
    _advance_phases(report, at=at)
    _keep_to_dates(report, StepKind.LOCK, at=at, by=by)
    _tell(report, at=at, transport=transport)
    _keep_to_dates(report, StepKind.ANNOUNCE, at=at, by=by)
    _keep_to_dates(report, StepKind.START, at=at, by=by)
    _prune(report, at=at)
    report.done["late"] += report.attempt("late", 0, partial(note_late, at=at, by=by)) or 0
    report.due["late"] += report.done["late"]
    report.wake = waves_to_wake(at=at)
    report.due["wake_up"] += len(report.wake)
    return report


def waves_to_wake(*, at: datetime) -> list[int]:
    """Return the waves at work that a further worker would help: people are queued, more than those at work take in one batch.

    A wave that something holds, or whose limits let nobody through at this moment, is left for a later round.
    """
    queued = Exists(Enrolment.objects.filter(wave=OuterRef("pk"), state=PersonState.QUEUED))
    waves = Wave.objects.at_work().filter(queued, engine_version=ENGINE_VERSION)
    return [wave.pk for wave in waves.select_related("phase__plan").order_by("pk") if _needs_worker(wave, at)]


def _needs_worker(wave: Wave, at: datetime) -> bool:
    if holds_on(wave, at=at) or waits_of(wave, at=at):
        return False
    enough = workers_of(wave, at=at) * wave.batch_size
    if not enough:
        return True
    queued = wave.enrolments.filter(state=PersonState.QUEUED).order_by()
    return queued[: enough + 1].count() > enough


def guards_to_watch() -> QuerySet[GuardPolicy]:
    """Return the guards of plans that have a wave to watch, or a breach that is open, until the plan is over.

    A plan of which a part was taken back is planned anew while the people of its other phases stay on slots: they are watched.
    """
    started = waves_started().filter(phase__plan=OuterRef("plan"))
    mine = Exists(started.filter(phase=OuterRef("phase"))) | (Q(phase__isnull=True) & Exists(started))
    is_open = Exists(Breach.objects.filter(policy=OuterRef("pk"), state=BreachState.OPEN))
    guards = GuardPolicy.objects.filter(purpose=Purpose.GUARD.value, retired_at__isnull=True)
    return guards.filter(mine | is_open).exclude(plan__state__in=OVER).order_by("pk")


def _watch(report: TickReport, *, at: datetime, by: str) -> None:
    """Judge every guard; a breach that opens or closes was due."""
    guards = list(guards_to_watch().select_related("plan", "phase"))
    if not guards:
        return
    before = _open_breaches(guards)
    for row in guards:
        report.attempt("guard", row.pk, partial(watch, row, at=at, by=by))
    changed = len(before ^ _open_breaches(guards))
    report.due["guard"] += changed
    report.done["guard"] += changed


def _open_breaches(guards: Sequence[GuardPolicy]) -> set[int]:
    """Return those of the guards that have an open breach."""
    rows = Breach.objects.filter(policy__in=[row.pk for row in guards], state=BreachState.OPEN)
    return set(rows.values_list("policy_id", flat=True))


def _respond(report: TickReport, *, at: datetime, by: str) -> None:
    for response in BreachResponse.objects.due(at):
        report.due["response"] += 1
        report.done["response"] += bool(report.attempt("response", response.pk, partial(respond, response, at=at, by=by)))


def _reap(report: TickReport, *, at: datetime, by: str) -> None:
    due, done = reap_leases(at=at, by=by)
    report.due["lease"] += due
    report.done["lease"] += done


def _requeue(report: TickReport, *, at: datetime, by: str) -> None:
    rows = Enrolment.objects.retry_due(at).filter(wave__in=Wave.objects.at_work())
    due = rows.count()
    said: dict[str, Any] = {"by": by, "at": at, "reason": "the wait is over"}
    moved = Enrolment.move_many(rows, to=PersonState.QUEUED, **said, updated_at=at, retry_at=None) if due else []
    report.due["retry"] += due
    report.done["retry"] += len(moved)


def _check(report: TickReport, *, at: datetime, by: str) -> None:
    """Look at people on slots whose check is due; whose page differs goes back."""
    done = report.attempt("check", 0, partial(check_people, at=at, by=by))
    if done is not None:
        report.due["check"] += done.due
        report.done["check"] += done.passed + len(done.taken_back)
        report.failed["check"] += len(done.failed)


def _prove(report: TickReport, *, at: datetime, by: str) -> None:
    """Prove some of the members of waves that are to start, those first that start first."""
    left = A_ROUND
    for wave in waves_ahead():
        done = report.attempt("proof", wave.pk, partial(prove_ahead, wave, at=at, by=by, limit=left, only_new=True)) or 0
        report.due["proof"] += done
        report.done["proof"] += done
        left -= done
        if left <= 0:
            break


def _finish_rollbacks(report: TickReport, *, at: datetime, by: str) -> None:
    """Go on with rollbacks that somebody began and did not finish."""
    said: dict[str, Any] = {"by": by, "at": at, "reason": "continued by the reconciler"}
    for wave in Wave.objects.filter(state=WaveState.ROLLING_BACK).order_by("pk"):
        report.due["rollback"] += 1
        done = report.attempt("rollback", wave.pk, partial(reconcile_wave, wave, **said))
        report.done["rollback"] += wave.state == WaveState.ROLLED_BACK
        report.failed["rollback"] += len(done.failed) if done else 0
    close_rollbacks(by=by, at=at)
    alone = Enrolment.objects.filter(state=PersonState.ROLLING_BACK).exclude(wave__state=WaveState.ROLLING_BACK).order_by("pk")
    for pks in batches(list(alone.values_list("person_id", flat=True))):
        restored = restore_whom_possible(list(pks), **said)
        report.due["person_rollback"] += len(pks)
        report.done["person_rollback"] += restored.rolled_back
        report.failed["person_rollback"] += len(restored.failed)
    restored = restore_all(orphans(), **said)
    report.due["snapshot"] += restored.total
    report.done["snapshot"] += restored.rolled_back
    report.failed["snapshot"] += len(restored.failed)


def orphans() -> QuerySet[Snapshot]:
    """Return the standing snapshots of people whom nothing keeps on slots any more."""
    same = {"person": OuterRef("person")}
    overridden = FlagOverride.objects.filter(**same, system=System.SLOTS)
    placed = Enrolment.objects.live().filter(**same, state__in=UNDONE_FROM)
    return Snapshot.objects.standing().filter(~Exists(overridden), ~Exists(placed))


def _advance(report: TickReport, *, at: datetime) -> None:
    for wave in Wave.objects.filter(state__in=WAVE_AT_WORK | {WaveState.MONITORING}).order_by("pk"):
        entered = report.attempt("wave", wave.pk, partial(advance_wave, wave, at=at)) or []
        report.due["wave"] += len(entered)
        report.done["wave"] += len(entered)


def _advance_phases(report: TickReport, *, at: datetime) -> None:
    """Move phases on, each plan's in their order, and then the plans."""
    for phase in phases_to_advance():
        entered = report.attempt("phase", phase.pk, partial(advance_phase, phase, at=at)) or []
        report.due["phase"] += len(entered)
        report.done["phase"] += len(entered)
    for plan in plans_to_advance():
        entered = report.attempt("plan", plan.pk, partial(advance_plan, plan, at=at)) or []
        report.due["plan"] += len(entered)
        report.done["plan"] += len(entered)


def _keep_to_dates(report: TickReport, kind: StepKind, *, at: datetime, by: str) -> None:
    """Let every wave take this step whose time has come; one that something keeps was due and is not done."""
    for wave in waves_before(kind, at=at):
        done = report.attempt(kind, wave.pk, partial(take_step_if_due, wave, kind, at=at, by=by))
        report.due[kind] += done is not None
        report.done[kind] += bool(done)


def _alert(report: TickReport, *, at: datetime, transport: Transport | None) -> None:
    """Write to those who have to hear of a breach; what protects is done by then, whatever the mail server does."""
    told = report.attempt("alert", 0, partial(send_due_alerts, at=at, transport=transport))
    if told is not None:
        report.due["alert"] += told.sent + told.failed + told.delayed + told.remaining
        report.done["alert"] += told.sent
        report.failed["alert"] += told.failed + bool(told.away)


def _prune(report: TickReport, *, at: datetime) -> None:
    """Delete some of the samples of renders, and of the previews, that nothing looks at any more."""
    for kind, prune in (("sample", prune_renders), ("preview", forget_previews)):
        pruned = report.attempt(kind, 0, partial(prune, at=at)) or 0
        report.due[kind] += pruned
        report.done[kind] += pruned


def _tell(report: TickReport, *, at: datetime, transport: Transport | None) -> None:
    """Plan what people are told after their switch, and send what is due."""
    report.attempt("notice", 0, partial(plan_afterwards, at=at))
    told = report.attempt("notice", 0, partial(send_due_notices, at=at, transport=transport))
    if told is None:
        return
    report.due["notice"] += told.sent + told.failed + told.delayed + told.remaining
    report.done["notice"] += told.sent
    report.failed["notice"] += bool(told.away)
    report.untold = 0 if told.away else told.remaining
