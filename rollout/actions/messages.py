"""Send the notices that are due, each at most once, and say what a person was told in the application.

What a notice says is written when it is sent and kept with the message; what is shown later is read from there. The text is kept
once for all who read the same (a notice, a wave's date, a time zone), so a million messages share some hundred texts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Value, When

from migration.models import Person
from rollout.actions.notices import NO_ADDRESS, cancel_stale, sendable
from rollout.actions.outbox import Outbox, SendReport, Written, hand_over
from rollout.errors import NoticeInvalid
from rollout.models import Channel, DeliveryState, Notice, NoticeDelivery, NoticeText, Wave
from rollout.notifications import MailTransport, Message, Transport, Wording, word
from slots.schema import PersonKey

LIMIT: Final = 500  # sent in one go, some seconds of a mail server's time
JOINED: Final = ("notice", "wave__phase", "enrolment__person")


def send_due_notices(*, at: datetime, transport: Transport | None = None, limit: int = LIMIT) -> SendReport:
    """Send up to `limit` of the messages that are due, and count what became of them.

    Those in the application are delivered by being there. Where no message can be sent at all, nothing is claimed and all wait.
    """
    report = SendReport(cancelled=cancel_stale(at=at))
    if not NoticeDelivery.objects.due(at).exists():
        return report
    _show(at, report)
    report.failed += _fail_without_address(at)
    if _mails(at).exists():
        outbox = Outbox(partial(_mails, at), {"text": None, "address": ""}, write_mails)
        hand_over(outbox, MailTransport() if transport is None else transport, report=report, at=at, limit=limit)
        report.remaining = sendable(at).count()
    return report


def _mails(at: datetime) -> QuerySet[NoticeDelivery]:
    """Return the messages that go by mail, in the order in which they are sent."""
    due = sendable(at).filter(notice__channel=Channel.EMAIL).order_by("due_at", "pk")
    return due.select_related(*JOINED)


def _show(at: datetime, report: SendReport) -> None:
    """Deliver what is shown in the application, in a few statements for each notice of a wave."""
    due = sendable(at).filter(notice__channel=Channel.IN_APP)
    pairs = list(due.order_by("notice", "wave").values_list("notice", "wave").distinct())
    if not pairs:
        return
    notices = Notice.objects.in_bulk({notice for notice, _ in pairs})
    waves = Wave.objects.select_related("phase").in_bulk({wave for _, wave in pairs})
    for notice, wave in pairs:
        _show_one(due.filter(notice=notice, wave=wave), notices[notice], waves[wave], at, report)


def _show_one(due: QuerySet[NoticeDelivery], notice: Notice, wave: Wave, at: datetime, report: SendReport) -> None:
    """Deliver one notice to a wave's people, to each in the words for their time zone."""
    as_read = due.filter(attempt=wave.attempt, schedule_version=wave.schedule_version)  # the date that the words are about
    zones = as_read.order_by().values_list("enrolment__person__time_zone", flat=True).distinct()
    try:
        said = {zone: _word(notice, wave, zone) for zone in zones}
    except NoticeInvalid as invalid:
        error = f"{invalid.code}: {invalid}"
        report.failed += _pending(as_read).update(state=DeliveryState.FAILED, error=error, tries=F("tries") + 1)
        return
    if not said:  # the wave got another date meanwhile
        return
    texts = keep_texts(said.values())
    by_zone = Case(*(When(time_zone=zone, then=Value(texts[wording].pk)) for zone, wording in said.items()))
    text = Subquery(Person.objects.filter(enrolments=OuterRef("enrolment")).values_list(by_zone))
    known = as_read.filter(enrolment__person__time_zone__in=said)  # who has moved meanwhile is told in the next round
    report.sent += _pending(known).update(state=DeliveryState.SENT, sent_at=at, tries=F("tries") + 1, text=text)


def _fail_without_address(at: datetime) -> int:
    """Fail what nobody can be sent, in one statement."""
    due = sendable(at).filter(notice__channel=Channel.EMAIL, enrolment__person__email="")
    return _pending(due).update(state=DeliveryState.FAILED, error=f"{NO_ADDRESS}: the person has no e-mail address.")


def _pending(due: QuerySet[NoticeDelivery]) -> QuerySet[NoticeDelivery]:
    return NoticeDelivery.objects.filter(pk__in=due.values("pk"), state=DeliveryState.PENDING)


def write_mails(rows: Sequence[NoticeDelivery]) -> Written:
    """Set on each row what it says, as notice, date and person are now, and to whom; return its message, or why there is none."""
    written: dict[int, Message | NoticeInvalid] = {}
    said: dict[int, Wording] = {}
    for row in rows:
        try:
            said[row.pk] = _word(row.notice, row.wave, row.enrolment.person.time_zone)
        except NoticeInvalid as invalid:
            written[row.pk] = invalid
    texts = keep_texts(said.values())
    for row in rows:
        if row.pk in said:
            person = row.enrolment.person
            row.text, row.address = texts[said[row.pk]], person.email
            written[row.pk] = said[row.pk].addressed(user=person.user, to=person.email)
    return written


def _word(notice: Notice, wave: Wave, time_zone: str) -> Wording:
    return word(notice, wave=str(wave), starts_at=wave.starts_at or wave.started_at, time_zone=time_zone)


def keep_texts(wordings: Iterable[Wording]) -> dict[Wording, NoticeText]:
    """Return the row of each text, where it is new a new one; one query, or three."""
    by_digest = {each.digest: each for each in wordings}
    kept = NoticeText.objects.filter(digest__in=by_digest)
    known = {row.digest: row for row in kept}
    new = sorted(by_digest.keys() - known.keys())  # in one order: of two who keep the same neither waits for the other
    if new:
        rows = [NoticeText(digest=each, subject=by_digest[each].subject, body=by_digest[each].body) for each in new]
        NoticeText.objects.bulk_create(rows, ignore_conflicts=True)
        known = {row.digest: row for row in kept.all()}
    return {wording: known[digest] for digest, wording in by_digest.items()}


def message_of(row: NoticeDelivery) -> Message | None:
    """Return what a message said when it was handed over last, None where it never was."""
    if row.text is None:
        return None
    return Wording(row.text.subject, row.text.body).addressed(user=row.enrolment.person.user, to=row.address)


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
    rows = _shown_to(person).select_related("text", "enrolment__person").order_by("-sent_at", "-pk")
    said = [(row, message_of(row)) for row in rows]
    return [
        Told(row.pk, row.sent_at, message.subject, message.body, row.read_at is not None)
        for row, message in said
        if row.sent_at is not None and message is not None
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
