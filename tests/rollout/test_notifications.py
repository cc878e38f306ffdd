"""What a notice says, and how a mail server's answers are taken."""

import smtplib
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from rollout.errors import DeliveryUnknown, MessageDelayed, MessageRefused, NoticeInvalid, TransportAway
from rollout.models import Notice
from rollout.notifications import NOWHERE, MailTransport, Message, Recorder, check_text, filled, instant_in, word

START = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("", "Text"),
        ("Subject", "  \n"),
        ("Two\nlines", "Text"),
        ("Two\r\nBcc: everybody@example.org", "Text"),
        ("Bell\a", "Text"),
        ("{nobody}", "Text"),
        ("Subject", "Dear {name}"),
        ("Subject", "{user.password}"),
        ("Subject", "{user[0]}"),
        ("Subject", "{user!r}"),
        ("Subject", "{user:>100000000}"),
        ("Subject", "{}"),
        ("Subject", "{0}"),
        ("Subject", "A brace { alone"),
        ("Subject", "A brace } alone"),
    ],
)
def test_a_notice_that_cannot_be_sent_is_refused(subject, body):
    with pytest.raises(NoticeInvalid) as refused:
        check_text(subject, body)

    assert refused.value.code == "NOTICE_INVALID"


def test_a_notice_that_can_be_sent_passes():
    check_text("Dear {user}", "{wave} at {starts_at}, {support}; braces are {{these}}.")

    assert filled("{{user}} {user}", {"user": "{wave}"}) == "{user} {wave}"


def test_no_value_adds_a_line_to_the_head_or_is_read_as_a_name():
    notice = Notice(subject="{user}: {wave}", body="Dear {user},\n{wave}")

    wording = word(notice, wave="{support}", starts_at=START, time_zone="")
    message = wording.addressed(user="ann\r\nBcc: all@example.org", to="ann@example.org")

    assert message.subject == "ann Bcc: all@example.org: {support}"
    assert message.body == "Dear ann Bcc: all@example.org,\n{support}"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("", "Tuesday, 1 December 2026, 02:00 UTC"),
        ("UTC", "Tuesday, 1 December 2026, 02:00 UTC"),
        ("Mars/Olympus", "Tuesday, 1 December 2026, 02:00 UTC"),
        ("../etc/passwd", "Tuesday, 1 December 2026, 02:00 UTC"),
        ("Europe/Berlin", "Tuesday, 1 December 2026, 03:00 (Europe/Berlin; 02:00 UTC)"),
        (
            "America/New_York",
            "Monday, 30 November 2026, 21:00 (America/New_York; Tuesday, 1 December 2026, 02:00 UTC)",
        ),
        ("Asia/Kathmandu", "Tuesday, 1 December 2026, 07:45 (Asia/Kathmandu; 02:00 UTC)"),
    ],
)
def test_an_instant_is_said_in_the_persons_zone_and_in_utc(zone, text):
    assert instant_in(START, zone) == text


def test_an_instant_that_is_not_set_is_said_so():
    assert instant_in(None, "UTC") == "a time that is not set yet"


def test_a_message_goes_by_the_mail_server_of_the_settings(settings):
    settings.DEFAULT_FROM_EMAIL = "Shop <shop@example.org>"

    with MailTransport().session() as send:
        send(Message("ann@example.org", "Hello", "<b>not bold</b>"))

    (sent,) = mail.outbox
    assert (sent.to, sent.from_email, sent.subject) == (["ann@example.org"], "Shop <shop@example.org>", "Hello")
    assert sent.message().get_content_type() == "text/plain"


class Answering(EmailBackend):
    """A backend that raises what the test puts here."""

    trouble: Exception

    def send_messages(self, messages):
        raise self.trouble


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (smtplib.SMTPRecipientsRefused({"a@b.c": (450, b"busy")}), MessageDelayed),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"no such user")}), MessageRefused),
        (smtplib.SMTPDataError(451, b"try again"), MessageDelayed),
        (smtplib.SMTPDataError(554, b"spam"), MessageRefused),
        (smtplib.SMTPSenderRefused(553, b"who are you", "shop@example.org"), TransportAway),
        (smtplib.SMTPServerDisconnected("gone"), DeliveryUnknown),
        (TimeoutError("slow"), DeliveryUnknown),
        (smtplib.SMTPNotSupportedError("utf8"), MessageRefused),
        (ValueError("a head with two lines"), MessageRefused),
    ],
)
def test_each_answer_of_a_server_has_its_consequence(settings, monkeypatch, trouble, expected):
    settings.EMAIL_BACKEND = f"{__name__}.Answering"
    monkeypatch.setattr(Answering, "trouble", trouble, raising=False)

    with MailTransport().session() as send, pytest.raises(expected):
        send(Message("a@b.c", "Hello", "Text"))


def test_a_subject_of_two_lines_never_reaches_a_server():
    with MailTransport().session() as send, pytest.raises(MessageRefused):
        send(Message("ann@example.org", "Hello\nBcc: all@example.org", "Text"))

    assert mail.outbox == []


@pytest.mark.parametrize("backend", [NOWHERE, "django.core.mail.backends.smtp.EmailBackend"])
def test_without_a_server_nothing_can_be_sent(settings, backend):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = backend, "127.0.0.1", 1

    with pytest.raises(TransportAway), MailTransport().session():
        pass


def test_a_recorder_keeps_what_it_is_given():
    recorder = Recorder()
    message = Message("ann@example.org", "Hello", "Text")

    with recorder.session() as send:
        send(message)

    assert recorder.sent == [message]
    assert not recorder.is_real
