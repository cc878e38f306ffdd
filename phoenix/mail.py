"""Turn one address of a mail server into Django's settings for it."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

BACKENDS: Final = "django.core.mail.backends"
NOWHERE: Final = f"{BACKENDS}.dummy.EmailBackend"
PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
SECONDS: Final = 10  # a server that says nothing for so long is away


def mail_settings(url: str, *, default_directory: Path | None) -> dict[str, Any]:
    """Return the `EMAIL_*` settings for `url`; without it messages become files in a folder, if there is one."""
    if not url and default_directory is None:
        return {"EMAIL_BACKEND": NOWHERE}
    if not url:
        return {"EMAIL_BACKEND": f"{BACKENDS}.filebased.EmailBackend", "EMAIL_FILE_PATH": str(default_directory)}
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": f"{BACKENDS}.console.EmailBackend"}
    if parts.scheme == "file":
        return {"EMAIL_BACKEND": f"{BACKENDS}.filebased.EmailBackend", "EMAIL_FILE_PATH": unquote(parts.path)}
    return {
        "EMAIL_BACKEND": f"{BACKENDS}.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": SECONDS,
    }
