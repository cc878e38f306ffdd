"""Hand rows of an outbox to a mail server, each at most once.

A message is claimed before it is sent: its row is set to failed, with the words that nobody knows whether it was delivered, and
with what it says, which is what is handed over. Once the mail server took it, the row is set to sent. Whoever dies between the
two leaves a row that says the truth, and it is never sent again by itself. What certainly was not sent is put back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from rollout.errors import DeliveryUnknown, MessageDelayed, MessageRefused, NoticeInvalid, RolloutError, TransportAway
from rollout.models import DeliveryState
from rollout.notifications import Message, Send, Transport

log = structlog.get_logger(__name__)

BATCH: Final = 20  # claimed at once: as many may be left in doubt by a crash
MAX_TRIES: Final = 6
FIRST_WAIT: Final = timedelta(minutes=1)  # doubled with every further try: about an hour in all
CLAIMED: Final = DeliveryState.FAILED  # what a message is while it is handed over, and stays where nobody comes back
Written = Mapping[int, Message | NoticeInvalid]  # by key of the row
UNKNOWN: Final = (
    "DELIVERY_UNKNOWN: it was handed to the mail server; whether it was taken is not known, so it is not sent again. "
    "Ask them, or waive the notice."
)


@dataclass(slots=True)
class SendReport:
    """Count what became of the messages; `away` says why none could be sent, `remaining` are due and still to be sent."""

    sent: int = 0
    failed: int = 0
    delayed: int = 0
    cancelled: int = 0
    remaining: int = 0
    away: str = ""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Say which rows are due, in the order in which they are sent, and how what each of them says is written.

    A row has `state`, `due_at`, `sent_at`, `tries` and `error`, as a delivery of a notice has. `words` are the columns that keep
    what it says, each with its value where it says nothing. `write` sets them on the rows that have a message, and returns the
    message of each, or why none can be sent. `note` is told, in the same transaction, of each row that was sent or given up: the
    row, its state, and the error.
    """

    due: Callable[[], QuerySet[Any]]
    words: Mapping[str, Any]
    write: Callable[[Sequence[Any]], Written]
    note: Callable[[Any, str, str], None] | None = None


def hand_over(outbox: Outbox, transport: Transport, *, report: SendReport, at: datetime, limit: int) -> None:
    """Send up to `limit` of the messages in one session, and add what became of them to the report."""
    each = _Round(outbox, transport, at, report)
    try:
        with transport.session() as send:
            each.run(send, limit)
    except TransportAway as away:
        each.put_back()
        report.away = str(away)
        log.warning("transport_away", error=str(away))


@dataclass(slots=True)
class _Round:
    """One session with a transport: claims a batch, sends it, records each."""

    outbox: Outbox
    transport: Transport
    at: datetime
    report: SendReport
    held: list[tuple[Any, Message]] = field(default_factory=list)

    def run(self, send: Send, limit: int) -> None:
        batch = BATCH if self.transport.is_real else limit  # nothing is in doubt of what nobody is sent
        while limit > 0 and (claimed := self._claim(min(batch, limit))):
            limit -= claimed
            while self.held:
                self._send(send, *self.held[0])
                del self.held[0]

    def put_back(self) -> None:
        """Let what was claimed and certainly not sent be claimed again."""
        if self.held:
            unsaid = self.outbox.words
            claimed = _of_claimed([row for row, _ in self.held])
            claimed.update(state=DeliveryState.PENDING, error="", tries=F("tries") - 1, **unsaid)
        self.held.clear()

    def _claim(self, size: int) -> int:
        """Take the next rows on with what they say, give up what cannot be sent, and return how many both are."""
        # a real message cannot be undone with the database, so the claim has to be kept before it is sent
        with transaction.atomic(durable=self.transport.is_real):
            due = self.outbox.due()
            rows = list(due.select_for_update(skip_locked=True, of=("self",))[:size])
            for row in rows:  # what it may say since an earlier try
                for column, nothing in self.outbox.words.items():
                    setattr(row, column, nothing)
            written = self.outbox.write(rows)
            claimed = due.model._base_manager.filter(pk__in=[row.pk for row in rows])
            claimed.update(state=CLAIMED, error=UNKNOWN, tries=F("tries") + 1)
            due.model._base_manager.bulk_update(rows, list(self.outbox.words))
            for row in rows:
                row.tries += 1
        for row in rows:
            message = written[row.pk]
            if isinstance(message, NoticeInvalid):
                self._give_up(row, message)
            else:
                self.held.append((row, message))
        return len(rows)

    def _send(self, send: Send, row: Any, message: Message) -> None:
        try:
            send(message)
        except MessageDelayed as delayed:
            self._delay(row, str(delayed))
        except MessageRefused as refused:
            self._give_up(row, refused)
        except DeliveryUnknown as unknown:
            self._give_up(row, unknown)
            del self.held[0]
            raise TransportAway(str(unknown)) from unknown  # the line is dead: the others wait for another one
        else:
            self._record(row, state=DeliveryState.SENT, sent_at=self.at, error="")
            self.report.sent += 1

    def _give_up(self, row: Any, why: RolloutError) -> None:
        self._record(row, state=DeliveryState.FAILED, error=f"{why.code}: {why}")
        self.report.failed += 1

    def _delay(self, row: Any, said: str) -> None:
        if row.tries >= MAX_TRIES:
            self._record(row, state=DeliveryState.FAILED, error=f"TRIED_TOO_OFTEN: {said}")
            self.report.failed += 1
            return
        factor: int = 2 ** (row.tries - 1)
        self._record(row, state=DeliveryState.PENDING, due_at=self.at + FIRST_WAIT * factor, error=said)
        self.report.delayed += 1

    def _record(self, row: Any, *, state: DeliveryState, error: str, **changes: Any) -> None:
        if self.outbox.note is None:
            _of_claimed([row]).update(state=state, error=error, **changes)
            return
        with transaction.atomic():
            if _of_claimed([row]).update(state=state, error=error, **changes) and state != DeliveryState.PENDING:
                self.outbox.note(row, state, error)


def _of_claimed(rows: Sequence[Any]) -> QuerySet[Any]:
    manager = type(rows[0])._base_manager
    claimed: QuerySet[Any] = manager.filter(pk__in=[row.pk for row in rows], state=CLAIMED, error=UNKNOWN)
    return claimed
