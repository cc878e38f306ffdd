"""Move a chunk of a wave's people to slots: claim, translate, validate, switch.

Row state is the queue. A claim is a conditional move under a lease: a token that fences the worker, and an instant after which
anybody may take the row back. Every further write names the token, so a worker that lost its lease writes nothing. The switch
is one transaction that checks the proofs again. A worker may die anywhere: what it held is queued again when the lease is over.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import OperationalError, transaction
from django.db.models import F, QuerySet

from migration.actions.proofs import Proof, Unproven, proofs_of
from migration.engine.translate import ENGINE_VERSION
from migration.errors import MigrationError
from migration.models import Person
from rollout.actions.holds import holds_on
from rollout.actions.proofs import placements_of, translate_people, validate_people
from rollout.actions.snapshots import lock_people, switch
from rollout.actions.waves import advance_wave
from rollout.errors import EngineChanged, RolloutError
from rollout.models import SYSTEM, Enrolment, Wave
from rollout.states import PersonState
from slots.errors import SlotsError

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
CHUNK: Final = 100
LEASE: Final = timedelta(seconds=30)
HEARTBEAT: Final = timedelta(seconds=10)
MAX_TRIES: Final = 3
FIRST_WAIT: Final = timedelta(seconds=30)  # doubled with every further try
ACCIDENT: Final = "ACCIDENT"
DATABASE_BUSY: Final = "DATABASE_BUSY"
SLICE: Final = 1  # people proven between two looks at the clock, to begin with: even ten slow ones would outlast the lease
QUICK: Final = timedelta(seconds=1)
GROWTH: Final = 4  # times as many next time while it is quick; slices of 1, 4, 16, 64 people are soon a whole chunk
FAULTS: Final = (SlotsError, MigrationError, RolloutError)  # of a caller's making: trying again would not help
NO_LEASE: Final[dict[str, Any]] = {"lease_token": None, "lease_until": None}


@dataclass(slots=True)
class ChunkReport:
    """Count what became of the people of one chunk; `remaining` of the wave are still queued.

    `failed` have no proof, `retried` come again, `stuck` need somebody, `lost` were taken from this worker (its lease was over,
    or the wave was taken back). `accidents` says for whom something unforeseen happened, which the row and the log keep.
    """

    claimed: int = 0
    switched: int = 0
    failed: int = 0
    retried: int = 0
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
            stuck=self.stuck + later.stuck,
            lost=self.lost + later.lost,
            remaining=later.remaining,
            accidents=self.accidents + later.accidents,
        )


@dataclass(slots=True)
class Lease:
    """Hold the people whom one worker has claimed, by primary key of their enrolment; `token` fences its writes."""

    wave: Wave
    token: uuid.UUID
    until: datetime
    people: dict[int, Person]

    @property
    def rows(self) -> QuerySet[Enrolment]:
        """Return the enrolments that this lease still holds."""
        return Enrolment.objects.filter(lease_token=self.token)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Say why somebody could not be moved; `is_final`: trying again would not help; `is_accident`: nobody foresaw it."""

    code: str
    text: str
    is_final: bool = False
    is_accident: bool = False


def process_chunk(wave: Wave, *, clock: Clock, size: int = CHUNK, by: str = SYSTEM) -> ChunkReport:
    """Move up to `size` queued people of a wave at work as far as they come, and count what became of them.

    `clock` is asked for the present instant, since leases are about how long the work takes.

    Raises:
        EngineChanged: the running code is not what the wave pinned; nobody is claimed.
    """
    report = ChunkReport()
    lease = claim(wave, size=size, at=clock(), by=by)
    if lease is not None:
        report.claimed = len(lease.people)
        _Chunk(lease, clock, by, report).run()
    report.remaining = wave.enrolments.filter(state=PersonState.QUEUED).count()
    if not report.remaining:
        advance_wave(Wave.objects.get(pk=wave.pk), at=clock())
    return report


def claim(wave: Wave, *, size: int, at: datetime, by: str = SYSTEM) -> Lease | None:
    """Claim up to `size` queued people of a wave at work under a lease; None where there is nobody, or something holds the wave.

    Two workers never get the same person: rows that another one is claiming are skipped where the database can, and otherwise the
    claims wait for each other.

    Raises:
        EngineChanged: the running code is not what the wave pinned.
    """
    token, until = uuid.uuid4(), at + LEASE
    with transaction.atomic():
        at_work = Wave.objects.at_work().filter(pk=wave.pk).select_related("phase").first()
        if at_work is None or holds_on(at_work, at=at):
            return None
        if at_work.engine_version != ENGINE_VERSION:
            raise EngineChanged(str(at_work), at_work.engine_version, ENGINE_VERSION)
        queued = wave.enrolments.filter(state=PersonState.QUEUED).order_by("pk").select_for_update(skip_locked=True)
        people = dict(queued.values_list("pk", "person_id")[:size])
        moved = Enrolment.move_many(
            Enrolment.objects.filter(pk__in=list(people)),
            to=PersonState.TRANSLATING,
            by=by,
            at=at,
            reason="claimed",
            lease_token=token,
            lease_until=until,
            tries=F("tries") + 1,
            code="",
            text="",
            updated_at=at,
        )
    found = Person.objects.in_bulk([people[pk] for pk in moved])
    return Lease(at_work, token, until, {pk: found[people[pk]] for pk in moved}) if moved else None


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
        except FAULTS as fault:
            trouble = Trouble(fault.code, str(fault), is_final=True)
        except Exception as accident:  # the row keeps it, the log has the traceback, and the job raises it at the end
            log.exception("people_not_migrated", wave=self.lease.wave.pk, people=len(rows))
            code = DATABASE_BUSY if isinstance(accident, OperationalError) else ACCIDENT
            trouble = Trouble(code, f"{type(accident).__name__}: {accident}"[:500], is_accident=True)
        else:
            return
        self._part(rows, work, trouble)

    def _part(self, rows: list[int], work: Callable[[list[int]], object], trouble: "Trouble") -> None:
        """Try each alone; who was alone already waits for another try, or for somebody."""
        if len(rows) == 1:
            self._give_up(rows[0], trouble)
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
        """Switch these people in one transaction that checks their proofs and the wave again."""
        at = self.clock()
        with transaction.atomic():
            if not Wave.objects.at_work().filter(pk=self.lease.wave.pk, engine_version=ENGINE_VERSION).exists():
                self._keep(set())  # taken back meanwhile, or pinned anew: its rollback, or the reaper, stands everybody down
                return
            people = {person.pk: person for person in lock_people(self.lease.people[pk].pk for pk in rows)}
            held = dict(self.lease.rows.filter(pk__in=rows).select_for_update().order_by("pk").values_list("pk", "person_id"))
            proofs = proofs_of([people[pk] for pk in held.values()])
            valid = {pk: proof for pk, proof in proofs.items() if isinstance(proof, Proof)}
            fresh = [row for row, pk in held.items() if pk in valid]
            stale = [row for row, pk in held.items() if pk not in valid]
            self._move(PersonState.QUEUED, "the proof went stale", only=stale, **NO_LEASE)
            self._move(PersonState.SWITCHING, "proof checked", only=fresh)
            enrolments = {row.person_id: row for row in Enrolment.objects.filter(pk__in=fresh)}
            placements = placements_of((people[pk] for pk in valid), valid)
            switch(placements, enrolments=enrolments, by=self.by, at=at, reason=str(self.lease.wave), act=uuid.uuid4())
            self._move(PersonState.SWITCHED, "configurations are live", only=fresh, switched_at=at, **NO_LEASE)
        self.report.switched += len(fresh)
        self.report.retried += len(stale)
        self.report.lost += len(rows) - len(held)
        for row in rows:
            self.lease.people.pop(row, None)

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

    def _give_up(self, row: int, trouble: "Trouble") -> None:
        tries = self.lease.rows.filter(pk=row).values_list("tries", flat=True).first() or MAX_TRIES
        said = {"code": trouble.code, "text": trouble.text}
        if trouble.is_accident:
            self.report.accidents.append(f"{self.lease.people[row]}: {trouble.text}")
        if trouble.is_final or tries >= MAX_TRIES:
            self.report.stuck += self._drop(row, PersonState.NEEDS_ATTENTION, **said)
        else:
            self.report.retried += self._drop(row, PersonState.RETRY_WAIT, retry_at=self.clock() + wait_before(tries), **said)

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


def wait_before(tries: int) -> timedelta:
    """Return how long somebody waits who was tried so often: twice as long each time."""
    factor: int = 2 ** (max(tries, 1) - 1)
    return FIRST_WAIT * factor
