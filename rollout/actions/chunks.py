"""Move a chunk of a wave's people to slots: claim, translate, validate, switch.

Row state is the queue. A claim is a conditional move under a lease: a token that fences the worker, and an instant after which
anybody may take the row back. Every further write names the token, so a worker that lost its lease writes nothing. The switch
is one transaction that checks the proofs again. A worker may die anywhere: what it held is queued again when the lease is over.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from migration.actions.proofs import Proof, Unproven, proofs_of
from migration.engine.translate import ENGINE_VERSION
from migration.errors import MigrationError
from migration.models import Person
from rollout.actions.claims import DATABASE_BUSY, LEASE, NO_LEASE, Lease, claim
from rollout.actions.holds import holds_on
from rollout.actions.proofs import placements_of, translate_people, validate_people
from rollout.actions.snapshots import lock_people, switch
from rollout.actions.waves import advance_wave
from rollout.errors import RolloutError
from rollout.models import SYSTEM, Enrolment, HoldKind, Wave
from rollout.monitoring import due_after, schedule
from rollout.pacing import TARGET, next_batch_size
from rollout.retries import Trouble, next_step, wait_before
from rollout.states import PersonState
from slots.errors import SlotsError

__all__ = ["ACCIDENT", "HEARTBEAT", "LEASE", "NO_LEASE", "ChunkReport", "Clock", "Lease", "claim", "process_chunk", "wait_before"]

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
HEARTBEAT: Final = timedelta(seconds=10)
ACCIDENT: Final = "ACCIDENT"
STALE: Final = "STALE"
SLICE: Final = 1  # people proven between two looks at the clock, to begin with: even ten slow ones would outlast the lease
QUICK: Final = timedelta(seconds=1)
GROWTH: Final = 4  # times as many next time while it is quick; slices of 1, 4, 16, 64 people are soon a whole chunk
FAULTS: Final = (SlotsError, MigrationError, RolloutError)  # of a caller's making: trying again would not help
BUSY: Final = (OperationalError, InterfaceError)  # the database is busy or away, or the connection to it was lost


@dataclass(slots=True)
class ChunkReport:
    """Count what became of the people of one chunk; `remaining` of the wave are still queued.

    `failed` have no proof, `retried` come again (`troubled` of them since the database was busy), `held` are queued again since
    a hold was set before they were switched, `stuck` need somebody, `lost` were taken from this worker (its lease was over, or
    the wave was taken back). `accidents` says for whom something unforeseen happened, which the row and the log keep.
    """

    claimed: int = 0
    switched: int = 0
    failed: int = 0
    retried: int = 0
    troubled: int = 0
    held: int = 0
    stuck: int = 0
    lost: int = 0
    remaining: int = 0
    accidents: list[str] = field(default_factory=list)

    def plus(self, later: "ChunkReport") -> "ChunkReport":
        """Return this report and a later one of the same wave as one."""
        return ChunkReport(
            claimed=self.claimed + later.claimed,
            switched=self.switched + later.switched,
            failed=self.failed + later.failed,
            retried=self.retried + later.retried,
            troubled=self.troubled + later.troubled,
            held=self.held + later.held,
            stuck=self.stuck + later.stuck,
            lost=self.lost + later.lost,
            remaining=later.remaining,
            accidents=self.accidents + later.accidents,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Say why somebody could not be moved, as a class, a code and a sentence."""

    trouble: Trouble
    code: str
    text: str


def process_chunk(wave: Wave, *, clock: Clock, size: int | None = None, by: str = SYSTEM) -> ChunkReport:
    """Move up to `size` queued people of a wave at work as far as they come, and count what became of them.

    Without a size it is the wave's, which follows from how long its batches take. `clock` is asked for the present instant, since
    leases are about how long the work takes.

    Raises:
        EngineChanged: the running code is not what the wave pinned; nobody is claimed.
    """
    report = ChunkReport()
    began = clock()
    lease = claim(wave, size=size, at=began, by=by)
    if lease is not None:
        report.claimed = len(lease.people)
        _Chunk(lease, clock, by, report).run()
        if size is None:
            _adapt(lease, report, clock() - began)
    report.remaining = wave.enrolments.filter(state=PersonState.QUEUED).count()
    if not report.remaining:
        advance_wave(Wave.objects.get(pk=wave.pk), at=clock())
    return report


def _adapt(lease: Lease, report: ChunkReport, took: timedelta) -> None:
    """Let the wave's next batch follow from this one, unless another worker or somebody has changed it meanwhile."""
    wave, trouble = lease.wave, bool(report.troubled or report.lost)
    following = next_batch_size(lease.size, took, TARGET, trouble, largest=wave.max_batch, claimed=report.claimed)
    if following != wave.batch_size:
        Wave.objects.filter(pk=wave.pk, batch_size=wave.batch_size).update(batch_size=following)


class _Chunk:
    """Take the people of one lease through their states; who is dropped on the way leaves `lease.people`."""

    def __init__(self, lease: Lease, clock: Clock, by: str, report: ChunkReport) -> None:
        self.lease = lease
        self.clock = clock
        self.by = by
        self.report = report

    def run(self) -> None:
        """Translate, validate, judge, switch."""
        self._in_slices(lambda people: translate_people(people, at=self.clock(), by=self.by))
        self._move(PersonState.TRANSLATED, "every active diff was translated")
        self._move(PersonState.VALIDATING, "validation began")
        self._in_slices(lambda people: validate_people(people, at=self.clock(), by=self.by))
        self._judge()
        self._guarded(list(self.lease.people), self._switch)

    def _in_slices(self, work: Callable[[list[Person]], object]) -> None:
        """Do the work for some at a time, with a heartbeat in between: for more while that is quick, for one once it was slow."""
        rows, size = list(self.lease.people), SLICE
        while rows:
            now, rows = rows[:size], rows[size:]
            began = self.clock()
            self._guarded(now, lambda pks: work([self.lease.people[pk] for pk in pks]))
            took = self.clock() - began
            size = 1 if took > HEARTBEAT else size * GROWTH if took < QUICK else size
            self._beat()

    def _guarded(self, rows: list[int], work: Callable[[list[int]], object]) -> None:
        """Do the work for all; where that fails, for each alone, so that one person's trouble stays theirs."""
        rows = [pk for pk in rows if pk in self.lease.people]
        if not rows:
            return
        try:
            work(rows)
        except Exception as error:  # the row keeps it; of what nobody foresaw the log has the traceback and the job raises it
            failure = failure_of(error)
            if failure.trouble != Trouble.DATA:
                log.exception("people_not_migrated", wave=self.lease.wave.pk, people=len(rows))
        else:
            return
        self._part(rows, work, failure)

    def _part(self, rows: list[int], work: Callable[[list[int]], object], failure: Failure) -> None:
        """Try each alone; who was alone already waits for another try, or for somebody."""
        if len(rows) == 1:
            self._give_up(rows[0], failure)
            return
        for row in rows:
            self._guarded([row], work)
            self._beat()

    def _judge(self) -> None:
        """Set those without a proof aside, each with the reason; the others are ready."""
        found = proofs_of(self.lease.people.values())
        for row, person in list(self.lease.people.items()):
            proof = found[person.pk]
            if isinstance(proof, Unproven):
                self.report.failed += self._drop(row, PersonState.VALIDATION_FAILED, code=proof.code, text=proof.text)
        self._move(PersonState.READY, "every page is the same and every policy allows it")

    def _switch(self, rows: list[int]) -> None:
        """Switch these people in one transaction that checks their proofs, the wave and its holds again."""
        at = self.clock()
        with transaction.atomic():
            wave = (
                Wave.objects.at_work()
                .filter(pk=self.lease.wave.pk, engine_version=ENGINE_VERSION)
                .select_related("phase")
                .first()
            )
            if wave is None:
                self._keep(set())  # taken back meanwhile, or pinned anew: its rollback, or the reaper, stands everybody down
                return
            people = {person.pk: person for person in lock_people(self.lease.people[pk].pk for pk in rows)}
            held = {row.pk: row for row in self.lease.rows.filter(pk__in=rows).select_for_update().order_by("pk")}
            stopped = self._stopped(wave, held, at)
            proofs = proofs_of([people[row.person_id] for pk, row in held.items() if pk not in stopped])
            valid = {pk: proof for pk, proof in proofs.items() if isinstance(proof, Proof)}
            fresh = {pk: row for pk, row in held.items() if row.person_id in valid}
            again, stuck = self._gone_stale([row for row in held.values() if row.person_id in proofs and row.pk not in fresh])
            self._move(PersonState.SWITCHING, "proof checked", only=fresh)
            placements = placements_of((people[pk] for pk in valid), valid)
            enrolments = {row.person_id: row for row in fresh.values()}
            switch(placements, enrolments=enrolments, by=self.by, at=at, reason=str(wave), act=uuid.uuid4())
            first = due_after(at, schedule(wave.checks, wave.soak), at).next_at
            watched = {"switched_at": at, "next_check_at": first, "checks_done": 0}
            self._move(PersonState.SWITCHED, "configurations are live", only=fresh, **watched, **NO_LEASE)
        self.report.switched += len(fresh)
        self.report.held += len(stopped)
        self.report.retried += again
        self.report.stuck += stuck
        self.report.lost += len(rows) - len(held)
        for row in rows:
            self.lease.people.pop(row, None)

    def _stopped(self, wave: Wave, held: Mapping[int, Enrolment], at: datetime) -> Collection[int]:
        """Queue everybody again where somebody or a guard has set a hold since the claim; return whom that stops.

        A window that closes meanwhile stops nobody: who is in flight finishes. The try does not count, since nothing failed.
        """
        since = [each for each in holds_on(wave, at=at) if each.kind != HoldKind.WINDOW]
        if not since:
            return ()
        reason = f"held before the switch: {since[0].text}"
        self._move(PersonState.QUEUED, reason, only=held, tries=F("tries") - 1, **NO_LEASE)
        return held

    def _gone_stale(self, rows: list[Enrolment]) -> tuple[int, int]:
        """Queue those again whose proof went stale, a few times; return how many come again, and how many need somebody."""
        final = [row.pk for row in rows if next_step(Trouble.STALE, row.tries).is_final]
        again = [row.pk for row in rows if row.pk not in final]
        text = "What was proven changed again and again before the switch. See what changes it, then try again."
        self._move(PersonState.QUEUED, "the proof went stale", only=again, **NO_LEASE)
        self._move(PersonState.NEEDS_ATTENTION, STALE, only=final, code=STALE, text=text, **NO_LEASE)
        return len(again), len(final)

    def _move(self, to: PersonState, reason: str, *, only: Iterable[int] | None = None, **changes: Any) -> None:
        """Move whom the lease still holds; without `only`, forget whom it holds no longer."""
        rows = self.lease.rows.filter(pk__in=list(self.lease.people) if only is None else list(only))
        at = self.clock()
        moved = set(Enrolment.move_many(rows, to=to, by=self.by, at=at, reason=reason, updated_at=at, **changes))
        if only is None:
            self._keep(moved)

    def _drop(self, row: int, to: PersonState, *, code: str, text: str, **changes: Any) -> int:
        """Move one person out of the chunk, and return 1 if the lease still held them."""
        at = self.clock()
        rows = self.lease.rows.filter(pk=row)
        moved = Enrolment.move_many(
            rows, to=to, by=self.by, at=at, reason=code, updated_at=at, code=code, text=text, **NO_LEASE, **changes
        )
        self.lease.people.pop(row, None)
        self.report.lost += 1 - len(moved)
        return len(moved)

    def _give_up(self, row: int, failure: Failure) -> None:
        tries = self.lease.rows.filter(pk=row).values_list("tries", flat=True).first()
        said = {"code": failure.code, "text": failure.text}
        if failure.trouble != Trouble.DATA:
            self.report.accidents.append(f"{self.lease.people[row]}: {failure.text}")
        wait = None if tries is None else next_step(failure.trouble, tries).wait
        if wait is None:
            self.report.stuck += self._drop(row, PersonState.NEEDS_ATTENTION, **said)
            return
        back = self._drop(row, PersonState.RETRY_WAIT, retry_at=self.clock() + wait, **said)
        self.report.retried += back
        self.report.troubled += back * (failure.trouble == Trouble.TRANSIENT)

    def _beat(self) -> None:
        """Extend the lease when a heartbeat is due, and forget whom it holds no longer."""
        at = self.clock()
        if self.lease.until - at > LEASE - HEARTBEAT:
            return
        with transaction.atomic():
            held = set(self.lease.rows.select_for_update().order_by("pk").values_list("pk", flat=True))
            self.lease.rows.filter(pk__in=held).update(lease_until=at + LEASE)
        self.lease.until = at + LEASE
        self._keep(held)

    def _keep(self, held: set[int]) -> None:
        lost = self.lease.people.keys() - held
        self.report.lost += len(lost)
        for row in lost:
            del self.lease.people[row]


def failure_of(error: Exception) -> Failure:
    """Return the class of an error, with its code and sentence."""
    if isinstance(error, FAULTS):
        return Failure(Trouble.DATA, error.code, str(error))
    text = f"{type(error).__name__}: {error}"[:500]
    return (
        Failure(Trouble.TRANSIENT, DATABASE_BUSY, text) if isinstance(error, BUSY) else Failure(Trouble.ACCIDENT, ACCIDENT, text)
    )
