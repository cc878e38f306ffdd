"""One address of a mail server becomes Django's settings."""

from pathlib import Path

import pytest

from phoenix.mail import BACKENDS, NOWHERE, mail_settings


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.org", "mail.example.org", 25, False, False),
        ("smtp+tls://mail.example.org", "mail.example.org", 587, True, False),
        ("smtps://mail.example.org:4650", "mail.example.org", 4650, False, True),
    ],
)
def test_a_server_is_named_with_how_it_is_spoken_to(url, host, port, tls, ssl):
    found = mail_settings(url, default_directory=None)

    assert found["EMAIL_BACKEND"] == f"{BACKENDS}.smtp.EmailBackend"
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (host, port, tls, ssl)
    assert found["EMAIL_TIMEOUT"] > 0


def test_user_and_password_are_decoded():
    found = mail_settings("smtp://shop%40example.org:p%2Fw%3A@mail", default_directory=None)

    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("shop@example.org", "p/w:")


def test_without_an_address_messages_are_files_here_and_go_nowhere_in_production():
    assert mail_settings("", default_directory=Path("/srv/mail")) == {
        "EMAIL_BACKEND": f"{BACKENDS}.filebased.EmailBackend",
        "EMAIL_FILE_PATH": "/srv/mail",
    }
    assert mail_settings("", default_directory=None) == {"EMAIL_BACKEND": NOWHERE}


def test_a_folder_or_the_terminal_may_be_named():
    assert mail_settings("file:///var/mail/the%20shop", default_directory=None)["EMAIL_FILE_PATH"] == "/var/mail/the shop"
    assert mail_settings("console://", default_directory=None) == {"EMAIL_BACKEND": f"{BACKENDS}.console.EmailBackend"}
