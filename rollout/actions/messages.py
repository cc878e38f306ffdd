"""Send the messages that are due, each at most once, and say what a person was told in the application.

A message is claimed before it is sent: its row is set to failed, with the words that nobody knows whether it was delivered. Once
the mail server took it, the row is set to sent. Whoever dies between the two leaves a row that says the truth, and it is never
sent again by itself. What certainly was not sent is put back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import F, Q

from migration.models import Person
from rollout.actions.notices import NO_ADDRESS, cancel_stale, sendable
from rollout.errors import DeliveryUnknown, MessageDelayed, MessageRefused, NoticeInvalid, TransportAway
from rollout.models import Channel, DeliveryState, NoticeDelivery
from rollout.notifications import MailTransport, Message, Send, Transport, compose

log = structlog.get_logger(__name__)

BATCH: Final = 20  # claimed at once: as many may be left in doubt by a crash
LIMIT: Final = 500  # sent in one go, some seconds of a mail server's time
MAX_TRIES: Final = 6
FIRST_WAIT: Final = timedelta(minutes=1)  # doubled with every further try: about an hour in all
CLAIMED: Final = DeliveryState.FAILED  # what a message is while it is handed over, and stays where nobody comes back
UNKNOWN: Final = "DELIVERY_UNKNOWN: it was handed to the mail server; whether it was taken is not known, so it is not sent again."


@dataclass(slots=True)
class SendReport:
    """Count what became of the messages; `away` says why none could be sent, `remaining` are due and still to be sent."""

    sent: int = 0
    failed: int = 0
    delayed: int = 0
    cancelled: int = 0
    remaining: int = 0
    away: str = ""


@dataclass(slots=True)
class _Round:
    """One session with a transport: claims a batch, sends it, records each."""

    transport: Transport
    at: datetime
    report: SendReport
    held: list[NoticeDelivery] = field(default_factory=list)

    def run(self, send: Send, limit: int) -> None:
        while limit > 0 and self._claim(min(BATCH, limit)):
            limit -= len(self.held)
            while self.held:
                self._send(send, self.held[0])
                del self.held[0]

    def put_back(self) -> None:
        """Let what was claimed and certainly not sent be claimed again."""
        _of_claimed(self.held).update(state=DeliveryState.PENDING, error="", tries=F("tries") - 1)
        self.held.clear()

    def _claim(self, size: int) -> bool:
        # a real message cannot be undone with the database, so the claim has to be kept before it is sent
        with transaction.atomic(durable=self.transport.is_real):
            due = sendable(self.at).filter(notice__channel=Channel.EMAIL).order_by("due_at", "pk")
            joined = due.select_related("notice", "wave__phase", "enrolment__person")
            self.held = list(joined.select_for_update(skip_locked=True, of=("self",))[:size])
            NoticeDelivery.objects.filter(pk__in=[row.pk for row in self.held]).update(
                state=CLAIMED, error=UNKNOWN, tries=F("tries") + 1
            )
        return bool(self.held)

    def _send(self, send: Send, row: NoticeDelivery) -> None:
        try:
            send(message_of(row))
        except MessageDelayed as delayed:
            self._delay(row, str(delayed))
        except (MessageRefused, NoticeInvalid) as refused:
            self._record(row, state=DeliveryState.FAILED, error=f"{refused.code}: {refused}")
            self.report.failed += 1
        except DeliveryUnknown as unknown:
            self._record(row, state=DeliveryState.FAILED, error=f"{unknown.code}: {unknown}")
            self.report.failed += 1
            del self.held[0]
            raise TransportAway(str(unknown)) from unknown  # the line is dead: the others wait for another one
        else:
            self._record(row, state=DeliveryState.SENT, sent_at=self.at, error="")
            self.report.sent += 1

    def _delay(self, row: NoticeDelivery, said: str) -> None:
        if row.tries + 1 >= MAX_TRIES:
            self._record(row, state=DeliveryState.FAILED, error=f"TRIED_TOO_OFTEN: {said}")
            self.report.failed += 1
            return
        factor: int = 2**row.tries
        self._record(row, state=DeliveryState.PENDING, due_at=self.at + FIRST_WAIT * factor, error=said)
        self.report.delayed += 1

    def _record(self, row: NoticeDelivery, **changes: Any) -> None:
        _of_claimed([row]).update(**changes)


def _of_claimed(rows: Sequence[NoticeDelivery]) -> Any:
    return NoticeDelivery.objects.filter(pk__in=[row.pk for row in rows], state=CLAIMED, error=UNKNOWN)


def send_due_notices(*, at: datetime, transport: Transport | None = None, limit: int = LIMIT) -> SendReport:
    """Send up to `limit` of the messages that are due, and count what became of them.

    Those in the application are delivered by being there. Where no message can be sent at all, nothing is claimed and all wait.
    """
    report = SendReport(cancelled=cancel_stale(at=at))
    if not NoticeDelivery.objects.due(at).exists():
        return report
    report.sent += _show(at)
    report.failed += _fail_without_address(at)
    due = sendable(at).filter(notice__channel=Channel.EMAIL)
    if due.exists():
        _mail(report, MailTransport() if transport is None else transport, at=at, limit=limit)
        report.remaining = sendable(at).count()
    return report


def _mail(report: SendReport, transport: Transport, *, at: datetime, limit: int) -> None:
    each = _Round(transport, at, report)
    try:
        with transport.session() as send:
            each.run(send, limit)
    except TransportAway as away:
        each.put_back()
        report.away = str(away)
        log.warning("transport_away", error=str(away))


def _show(at: datetime) -> int:
    """Deliver what is shown in the application, in one statement."""
    due = sendable(at).filter(notice__channel=Channel.IN_APP).values("pk")
    pending = NoticeDelivery.objects.filter(pk__in=due, state=DeliveryState.PENDING)
    return pending.update(state=DeliveryState.SENT, sent_at=at, tries=F("tries") + 1)


def _fail_without_address(at: datetime) -> int:
    """Fail what nobody can be sent, in one statement."""
    due = sendable(at).filter(notice__channel=Channel.EMAIL, enrolment__person__email="").values("pk")
    pending = NoticeDelivery.objects.filter(pk__in=due, state=DeliveryState.PENDING)
    return pending.update(state=DeliveryState.FAILED, error=f"{NO_ADDRESS}: the person has no e-mail address.")


def message_of(row: NoticeDelivery) -> Message:
    """Return what a message says, as the notice and the wave's date are now.

    Raises:
        NoticeInvalid: the notice cannot be sent as it is written.
    """
    person, wave = row.enrolment.person, row.wave
    starts_at = wave.starts_at or wave.started_at
    return compose(row.notice, user=person.user, to=person.email, wave=str(wave), starts_at=starts_at, time_zone=person.time_zone)


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what a person was told in the application, and when."""

    at: datetime
    subject: str
    body: str

    def as_json(self) -> dict[str, str]:
        """Return the JSON object that a page shows."""
        return {"at": self.at.isoformat(), "subject": self.subject, "body": self.body}


def messages_for(person: Person) -> list[Told]:
    """Return what a person was told in the application, the latest first; plain text, which whoever shows it has to escape."""
    shown = Q(notice__channel=Channel.IN_APP, state=DeliveryState.SENT, enrolment__person=person)
    rows = NoticeDelivery.objects.filter(shown).select_related("notice", "wave__phase", "enrolment__person")
    found = []
    for row in rows.order_by("-sent_at", "-pk"):
        message = message_of(row)
        if row.sent_at is not None:
            found.append(Told(row.sent_at, message.subject, message.body))
    return found
