"""Send the notices that are due, each at most once, and say what a person was told in the application."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.db.models import F, QuerySet

from migration.models import Person
from rollout.actions.notices import NO_ADDRESS, cancel_stale, sendable
from rollout.actions.outbox import Outbox, SendReport, hand_over
from rollout.models import Channel, DeliveryState, NoticeDelivery
from rollout.notifications import MailTransport, Message, Transport, compose
from slots.schema import PersonKey

LIMIT: Final = 500  # sent in one go, some seconds of a mail server's time


def send_due_notices(*, at: datetime, transport: Transport | None = None, limit: int = LIMIT) -> SendReport:
    """Send up to `limit` of the messages that are due, and count what became of them.

    Those in the application are delivered by being there. Where no message can be sent at all, nothing is claimed and all wait.
    """
    report = SendReport(cancelled=cancel_stale(at=at))
    if not NoticeDelivery.objects.due(at).exists():
        return report
    report.sent += _show(at)
    report.failed += _fail_without_address(at)
    if _mails(at).exists():
        outbox = Outbox(partial(_mails, at), message_of)
        hand_over(outbox, MailTransport() if transport is None else transport, report=report, at=at, limit=limit)
        report.remaining = sendable(at).count()
    return report


def _mails(at: datetime) -> QuerySet[NoticeDelivery]:
    """Return the messages that go by mail, in the order in which they are sent."""
    due = sendable(at).filter(notice__channel=Channel.EMAIL).order_by("due_at", "pk")
    return due.select_related("notice", "wave__phase", "enrolment__person")


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
    """Hold what a person was told in the application, when, and whether they marked it as read."""

    pk: int
    at: datetime
    subject: str
    body: str
    is_read: bool


def messages_for(person: Person) -> list[Told]:
    """Return what a person was told in the application, the latest first; plain text, which whoever shows it has to escape."""
    return messages_of(person.key)


def messages_of(person: PersonKey) -> list[Told]:
    """Return what the person of this key was told in the application, as `messages_for` does; one query."""
    rows = _shown_to(person).select_related("notice", "wave__phase", "enrolment__person").order_by("-sent_at", "-pk")
    said = [(row, message_of(row)) for row in rows]
    return [
        Told(row.pk, row.sent_at, message.subject, message.body, row.read_at is not None)
        for row, message in said
        if row.sent_at is not None
    ]


def unread_of(person: PersonKey) -> int:
    """Return how many messages the person has not marked as read."""
    return _shown_to(person).filter(read_at__isnull=True).count()


def mark_read(person: PersonKey, pk: int | None = None, *, at: datetime) -> bool:
    """Mark one message of the person as read, or all; say whether it is theirs. Read twice, the first time counts."""
    mine = _shown_to(person) if pk is None else _shown_to(person).filter(pk=pk)
    NoticeDelivery.objects.filter(pk__in=mine.values("pk"), read_at__isnull=True).update(read_at=at)
    return pk is None or mine.exists()


def _shown_to(person: PersonKey) -> QuerySet[NoticeDelivery]:
    whose = {"enrolment__person__tenant": person.tenant, "enrolment__person__user": person.user}
    return NoticeDelivery.objects.filter(notice__channel=Channel.IN_APP, state=DeliveryState.SENT, **whose)
