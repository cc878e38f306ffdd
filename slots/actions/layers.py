"""Make many people's own layers exactly the rows that they once were, keys and instants included, by a few SQL statements.

Two temporary tables say what is wanted: `PEOPLE` whose layers are meant, `FORMER` the rows they had, in the columns of the
configurations themselves; the caller fills both by SQL. Rows and history rows come out as if each person's layer had been
restored by itself (`remove_configurations`, `restore_configurations`); a test compares both. What pages then need is composed
when they first ask.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.db import connections, router, transaction

from slots.actions.configurations import ADDED, CHANGED, REMOVED
from slots.actions.reverting import CONTENT, HISTORY, NOTED, NOTES, PLACE, ROWS, columns, prepared
from slots.models import Layer, SlotConfiguration

PEOPLE: Final = "slots_people"  # (id, tenant, key): the caller's number of a person, and their key
FORMER: Final = "slots_former"  # a configuration's columns
FORMER_COLUMNS: Final = ("id", *PLACE, *CONTENT, "updated_at")
OWN: Final = f"{ROWS} c JOIN {PEOPLE} p ON c.tenant = p.tenant AND c.layer = '{Layer.USER}' AND c.key = p.key"

_OPEN: Final = (
    f"CREATE TEMPORARY TABLE {PEOPLE} (id BIGINT PRIMARY KEY, tenant VARCHAR(100) NOT NULL, key VARCHAR(200) NOT NULL)",
    f"CREATE TEMPORARY TABLE {FORMER} AS SELECT {', '.join(FORMER_COLUMNS)} FROM {ROWS} WHERE 1 = 0",
    f"CREATE INDEX {FORMER}_id ON {FORMER} (id)",
)
_CLOSE: Final = (f"DROP TABLE {FORMER}", f"DROP TABLE {PEOPLE}")
_LOCK: Final = f"SELECT c.id FROM {OWN} ORDER BY c.id FOR UPDATE OF c"
_DIFFERS: Final = " OR ".join(f"c.{name} <> f.{name}" for name in (*CONTENT, "updated_at"))
_DIFFERENT: Final = f"{ROWS} c JOIN {FORMER} f ON f.id = c.id WHERE {_DIFFERS}"
_GONE: Final = f"{OWN} WHERE NOT EXISTS (SELECT 1 FROM {FORMER} f WHERE f.id = c.id)"
_MISSING: Final = f"{FORMER} f WHERE NOT EXISTS (SELECT 1 FROM {ROWS} c WHERE c.id = f.id)"


def _note(kind: str, alias: str, rows: str) -> str:
    """Return the statement that writes a history row for each of `rows`, with what `alias` says of it."""
    return f"""INSERT INTO {HISTORY} ({", ".join(FORMER_COLUMNS)}, {NOTED})
        SELECT {columns(FORMER_COLUMNS, alias)}, '{kind}', %(at)s, {NOTES} FROM {rows} ORDER BY {alias}.id"""


_NOTE_GONE: Final = _note(REMOVED, "c", _GONE)
_REMOVE: Final = f"DELETE FROM {ROWS} WHERE id IN (SELECT c.id FROM {_GONE})"
_NOTE_MISSING: Final = _note(ADDED, "f", _MISSING)
_NOTE_CHANGED: Final = _note(CHANGED, "f", _DIFFERENT)
_CREATE: Final = f"""INSERT INTO {ROWS} ({", ".join(FORMER_COLUMNS)})
    SELECT {columns(FORMER_COLUMNS, "f")} FROM {_MISSING} ORDER BY f.id"""
_CHANGE: Final = f"""UPDATE {ROWS} AS c SET {", ".join(f"{name} = f.{name}" for name in (*CONTENT, "updated_at"))}
    FROM {FORMER} f WHERE f.id = c.id AND ({_DIFFERS})"""


@contextmanager
def former_layers() -> Iterator[Any]:
    """Hand out a cursor beside which the two tables exist, in one transaction; the caller fills them and calls `put_back`."""
    connection = connections[router.db_for_write(SlotConfiguration)]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in _OPEN:
            cursor.execute(statement)
        yield cursor
        for statement in _CLOSE:  # where the block failed, the transaction takes them along
            cursor.execute(statement)


def lock_own_rows(cursor: Any) -> None:
    """Hold the rows of the people's own layers until the transaction ends, where the database can; elsewhere it has one writer.

    So an edit comes either before and is seen, or after the caller's transaction.
    """
    if cursor.db.features.has_select_for_update:
        cursor.execute(_LOCK)
        cursor.fetchall()


def put_back(cursor: Any, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None) -> None:
    """Make the own layers of all in `PEOPLE` the rows in `FORMER`; what they have besides is taken off."""
    said = {
        "at": ("history_date", at),
        "by": ("history_user_id", by or None),
        "reason": ("history_change_reason", reason),
        "act": ("act", act),
    }
    params = {name: prepared(field, value, cursor.db) for name, (field, value) in said.items()}
    # each history row before its row, so that the same filter still finds what is gone, missing or different
    for statement in (_NOTE_GONE, _REMOVE, _NOTE_MISSING, _NOTE_CHANGED, _CREATE, _CHANGE):
        cursor.execute(statement, params)
