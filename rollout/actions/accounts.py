"""Migrate accounts that somebody chose, or a wave at hand, from the audience to the switch in one go.

The same path as every wave's: lock, announce, start, chunks under a lease. Nothing is cut short because somebody waits for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rollout.actions.candidates import Skipped
from rollout.actions.chunks import ChunkReport, Clock, process_chunk
from rollout.actions.claims import waits_of
from rollout.actions.holds import holds_on, said
from rollout.actions.plans import chosen_accounts_wave
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.audiences import Audience
from rollout.errors import AudienceEmpty
from rollout.models import Wave
from rollout.states import ON_SLOTS, STUCK, WAVE_AT_WORK, WORKING, PersonState, WaveState


@dataclass(frozen=True, slots=True)
class AccountsReport:
    """Say what became of the people whom a call of `migrate_users` was about; `waiting` are queued or at work still.

    `held` says, in sentences, what keeps those who wait from being claimed.
    """

    wave_pk: int | None
    migrated: int
    waiting: int
    failed: tuple[Skipped, ...]
    skipped: tuple[Skipped, ...]
    held: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Return how many people were meant."""
        return self.migrated + self.waiting + len(self.failed) + len(self.skipped)

    def as_json(self) -> dict[str, object]:
        """Return the JSON object of `migrate_users`."""
        return {
            "total": self.total,
            "migrated": self.migrated,
            "waiting": self.waiting,
            "failed": [each.as_json() for each in self.failed],
            "skipped": [each.as_json() for each in self.skipped],
            "wave": self.wave_pk,
            "held": list(self.held),
        }


def start_chosen_accounts(audience: Audience, *, by: str, at: datetime, reason: str) -> tuple[Wave | None, tuple[Skipped, ...]]:
    """Put the accounts into a wave of their own and start it; no wave where none of them can be taken."""
    try:
        with transaction.atomic():
            name = f"{audience} ({at:%Y-%m-%d %H:%M:%S})"
            wave = chosen_accounts_wave(name=name[:200], audience=audience, by=by, at=at, reason=reason)
            return wave, run_up_to_start(wave, by=by, at=at, reason=reason)
    except AudienceEmpty as nobody:
        return None, nobody.skipped


def run_up_to_start(wave: Wave, *, by: str, at: datetime, reason: str) -> tuple[Skipped, ...]:
    """Take a wave from wherever it stands to being at work, and return whom it could not take.

    Raises:
        MoveRefused: the wave has finished, or was cancelled or rolled back.
        PhaseClosed: its phase is not open.
        AudienceEmpty: nobody is left to take.
    """
    skipped: tuple[Skipped, ...] = ()
    with transaction.atomic():
        if wave.state == WaveState.PLANNED:
            skipped = lock_wave(wave, by=by, at=at, reason=reason).skipped
        if wave.state == WaveState.LOCKED:
            announce_wave(wave, by=by, at=at, reason=reason)
        if wave.state not in WAVE_AT_WORK:
            start_wave(wave, by=by, at=at, reason=reason)
    return skipped


def work_off(
    wave: Wave, *, clock: Clock, size: int | None = None, progress: Callable[[int], object] = lambda count: None
) -> ChunkReport:
    """Process chunks in this process until nobody of the wave is queued, and return the sum of what they did."""
    total = ChunkReport()
    while True:
        report = process_chunk(wave, clock=clock, size=size)
        total = total.plus(report)
        progress(report.claimed)
        if not report.claimed:
            return total


def outcome(wave: Wave | None, skipped: tuple[Skipped, ...] = (), *, at: datetime) -> AccountsReport:
    """Return what has become of a wave's people so far, and what holds those who wait."""
    if wave is None:
        return AccountsReport(None, 0, 0, (), skipped)
    counts = wave.members_by_state()
    waiting = sum(counts.get(state, 0) for state in WORKING | {PersonState.NOTIFIED, PersonState.QUEUED})
    stopped = wave.enrolments.filter(state__in=STUCK | {PersonState.RETRY_WAIT}).select_related("person").order_by("pk")
    failed = tuple(Skipped(str(row.person), row.code, row.text) for row in stopped)
    in_the_way = [*said(holds_on(wave, at=at)), *(wait.text for wait in waits_of(wave, at=at))] if waiting else []
    return AccountsReport(wave.pk, sum(counts.get(state, 0) for state in ON_SLOTS), waiting, failed, skipped, tuple(in_the_way))
