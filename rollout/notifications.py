"""Write what people are told, and hand it to a mail server.

A notice is plain text with names in braces that stand for who, what and when. Nothing of it is ever taken for HTML, and no
value can add a line to the head of a message. It is written in two steps: once for all who read the same, then to each. A
transport says of each message that it took it, or raises: the message is refused, comes again later, or nobody knows. What
nobody knows is not sent a second time.
"""

import hashlib
import json
import smtplib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from string import Formatter
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from rollout.errors import DeliveryUnknown, MessageDelayed, MessageRefused, NoticeInvalid, TransportAway
from rollout.models import Notice

PLACEHOLDERS: Final = ("user", "wave", "starts_at", "support")
NOWHERE: Final = "django.core.mail.backends.dummy.EmailBackend"  # what the settings name where no server is known
LATER: Final = range(400, 500)  # codes with which a mail server asks to come again (RFC 5321, 4.2.1)


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one person, as it is sent."""

    to: str
    subject: str
    body: str


def check_text(subject: str, body: str) -> None:
    """Look whether a notice can be sent as it is written.

    Raises:
        NoticeInvalid: it is empty, its subject has more than one line, or it names what is not known.
    """
    if not subject.strip() or not body.strip():
        raise NoticeInvalid("It has no subject or no text.")
    if len(subject.splitlines()) > 1 or not subject.isprintable():
        raise NoticeInvalid("Its subject has more than one line, or signs that do not show.")
    sample = dict.fromkeys(PLACEHOLDERS, "")
    filled(subject, sample)
    filled(body, sample)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its names replaced; a brace itself is written twice.

    Raises:
        NoticeInvalid: a name is not known, or something other than a name stands in the braces.
    """
    try:
        parts = list(Formatter().parse(text))
    except ValueError as malformed:
        raise NoticeInvalid(f"A brace stands alone ({malformed}); write it twice where it is meant.") from malformed
    for _, name, form, conversion in parts:
        if name is not None and (name not in values or form or conversion):
            known = ", ".join(f"{{{each}}}" for each in values)
            raise NoticeInvalid(f"{{{name}}} is not known here; {known} are.")
    return "".join(literal + (values[name] if name is not None else "") for literal, name, _, _ in parts)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a notice says to all whom it tells the same: everything is filled in but the person, who stands as `{user}`."""

    subject: str
    body: str

    @property
    def digest(self) -> str:
        """Return the SHA-256 of both, in hex."""
        return hashlib.sha256(json.dumps([self.subject, self.body]).encode()).hexdigest()

    def addressed(self, *, user: str, to: str) -> Message:
        """Return the message to one person."""
        name = {"user": _one_line(user)}
        return Message(to, filled(self.subject, name), filled(self.body, name))


def word(notice: Notice, *, wave: str, starts_at: datetime | None, time_zone: str) -> Wording:
    """Return what a notice says to the people of a wave who live by one clock.

    Raises:
        NoticeInvalid: the notice cannot be sent as it is written.
    """
    values = {"wave": wave, "starts_at": instant_in(starts_at, time_zone), "support": settings.SUPPORT_CONTACT}
    said = {name: _one_line(value) for name, value in values.items()}
    check_text(notice.subject, notice.body)
    return Wording(_open(notice.subject, said), _open(notice.body, said))


def _open(text: str, values: Mapping[str, str]) -> str:
    """Return the text with these names replaced and the person's left open; every other brace is written twice."""
    return "".join(
        _doubled(literal) + ("" if name is None else _doubled(values[name]) if name in values else f"{{{name}}}")
        for literal, name, _, _ in Formatter().parse(text)
    )


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def instant_in(at: datetime | None, time_zone: str) -> str:
    """Return an instant by the clock of a person's zone and in UTC; in UTC alone where no zone, or an unknown one, is named."""
    if at is None:
        return "a time that is not set yet"
    utc = at.astimezone(UTC)
    try:
        local = at.astimezone(ZoneInfo(time_zone)) if time_zone and time_zone != "UTC" else None
    except (KeyError, ValueError, OSError):  # no such key, no such form, a folder of keys
        local = None
    if local is None:
        return f"{_day(utc)}, {utc:%H:%M} UTC"
    there = f"{utc:%H:%M} UTC" if utc.date() == local.date() else f"{_day(utc)}, {utc:%H:%M} UTC"
    return f"{_day(local)}, {local:%H:%M} ({time_zone}; {there})"


def _day(at: datetime) -> str:
    return f"{at:%A}, {at.day} {at:%B} {at.year}"


Send = Callable[[Message], None]


class Transport(Protocol):
    """Hand messages over. `is_real` says that they leave the house, so what is sent cannot be undone with the database."""

    is_real: bool

    def session(self) -> AbstractContextManager[Send]:
        """Return what sends one message after the other, or raise that none can be sent now."""
        ...


class MailTransport:
    """Send by the mail server of the settings, one connection for a session."""

    is_real = True

    @contextmanager
    def session(self) -> Iterator[Send]:
        """Open a connection, and close it after the messages.

        Raises:
            TransportAway: no server is named, or it does not answer or does not let us in.
        """
        if settings.EMAIL_BACKEND == NOWHERE:
            raise TransportAway("EMAIL_URL is not set.")
        connection = get_connection()
        try:
            connection.open()
        except (OSError, smtplib.SMTPException) as away:
            raise TransportAway(_said(away)) from away
        try:
            yield partial(_send, connection)
        finally:
            with suppress(OSError, smtplib.SMTPException):  # everything was said by then
                connection.close()


@dataclass(slots=True)
class Recorder:
    """Keep messages instead of sending them: for rehearsals and dry runs."""

    sent: list[Message] = field(default_factory=list)
    is_real: bool = False

    @contextmanager
    def session(self) -> Iterator[Send]:
        """Return what keeps a message."""
        yield self.sent.append


def _send(connection: Any, message: Message) -> None:
    try:
        EmailMessage(message.subject, message.body, settings.DEFAULT_FROM_EMAIL, [message.to], connection=connection).send()
    except smtplib.SMTPRecipientsRefused as refused:
        code, text = next(iter(refused.recipients.values()), (550, b""))
        raise (MessageDelayed if code in LATER else MessageRefused)(f"{code} {_text(text)}") from refused
    except smtplib.SMTPSenderRefused as refused:  # the same for everybody: DEFAULT_FROM_EMAIL is not taken here
        raise TransportAway(_said(refused)) from refused
    except smtplib.SMTPResponseException as answered:
        raise (MessageDelayed if answered.smtp_code in LATER else MessageRefused)(_said(answered)) from answered
    except (smtplib.SMTPNotSupportedError, ValueError) as unfit:  # an address or a head that no message may have
        raise MessageRefused(_said(unfit)) from unfit
    except (OSError, smtplib.SMTPException) as lost:  # the server may have taken it before the line went dead
        raise DeliveryUnknown(_said(lost)) from lost


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"[:300]


def _text(said: bytes | str) -> str:
    return (said.decode(errors="replace") if isinstance(said, bytes) else said)[:300]
