"""Take many configurations back to what they were at an instant, or before an act, in a fixed number of SQL statements.

What was there is read from the history by place (tenant, layer, key, component), since a row that was taken off and laid again
has a new id. Rows and history rows come out as if each configuration had been restored by itself; a test compares both. History
goes on: a revert is a change like any other, and can be reverted. What the pages then need is composed when they first ask.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connections, router, transaction

from slots.actions.configurations import ADDED, CHANGED, REMOVED
from slots.models import Component, SlotConfiguration

PLACE: Final = ("tenant", "layer", "key", "component_id")
CONTENT: Final = ("component_version_id", "body_id", "is_active", "origin", "priority", "is_pinned")
ROWS: Final = SlotConfiguration._meta.db_table
HISTORY_MODEL: Any = SlotConfiguration.history.model  # type: ignore[attr-defined]  # the library has no types
HISTORY: Final[str] = HISTORY_MODEL._meta.db_table
_WANTED: Final = "slots_wanted"  # a temporary table: one row for each place that was there


def columns(names: tuple[str, ...], alias: str) -> str:
    """Return the columns of an alias as SQL."""
    return ", ".join(f"{alias}.{name}" for name in names)


def _same_place(left: str, right: str) -> str:
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in PLACE)


_DIFFERS: Final = " OR ".join(f"c.{name} <> w.{name}" for name in CONTENT)
NOTED: Final = "history_type, history_date, history_user_id, history_change_reason, act"
NOTES: Final = "%(by)s, %(reason)s, %(act)s"

_WANT: Final = f"""CREATE TEMPORARY TABLE {_WANTED} AS
    SELECT {", ".join(PLACE + CONTENT)} FROM (
        SELECT {columns((*PLACE, *CONTENT, "history_type"), "h")}, ROW_NUMBER() OVER (
            PARTITION BY {columns(PLACE, "h")} ORDER BY h.history_date DESC, h.history_id DESC
        ) AS age FROM {HISTORY} h WHERE {{until}} AND {{selected_h}}
    ) latest WHERE age = 1 AND history_type <> '{REMOVED}'"""
_INDEX: Final = f"CREATE INDEX {_WANTED}_place ON {_WANTED} ({', '.join(PLACE)})"
_LOCK: Final = f"SELECT c.id FROM {ROWS} c WHERE {{selected_c}} FOR UPDATE"
_GONE: Final = f"{{selected_c}} AND NOT EXISTS (SELECT 1 FROM {_WANTED} w WHERE {_same_place('c', 'w')})"
_NOTE_GONE: Final = f"""INSERT INTO {HISTORY} (id, {", ".join(PLACE + CONTENT)}, updated_at, {NOTED})
    SELECT c.id, {columns(PLACE + CONTENT, "c")}, c.updated_at, '{REMOVED}', %(at)s, {NOTES} FROM {ROWS} c WHERE {_GONE}"""
_REMOVE: Final = f"DELETE FROM {ROWS} AS c WHERE {_GONE}"
_NOTE_CHANGED: Final = f"""INSERT INTO {HISTORY} (id, {", ".join(PLACE + CONTENT)}, updated_at, {NOTED})
    SELECT c.id, {columns(PLACE + CONTENT, "w")}, %(at)s, '{CHANGED}', %(at)s, {NOTES}
    FROM {ROWS} c JOIN {_WANTED} w ON {_same_place("c", "w")} WHERE {_DIFFERS}"""
_CHANGE: Final = f"""UPDATE {ROWS} AS c SET {", ".join(f"{name} = w.{name}" for name in CONTENT)}, updated_at = %(at)s
    FROM {_WANTED} w WHERE {_same_place("c", "w")} AND ({_DIFFERS})"""
_LAST: Final = f"SELECT COALESCE(MAX(id), 0) FROM {ROWS}"
_CREATE: Final = f"""INSERT INTO {ROWS} ({", ".join(PLACE + CONTENT)}, updated_at)
    SELECT {columns(PLACE + CONTENT, "w")}, %(at)s FROM {_WANTED} w
    WHERE NOT EXISTS (SELECT 1 FROM {ROWS} c WHERE {_same_place("c", "w")})"""
_NOTE_CREATED: Final = f"""INSERT INTO {HISTORY} (id, {", ".join(PLACE + CONTENT)}, updated_at, {NOTED})
    SELECT c.id, {columns(PLACE + CONTENT, "c")}, c.updated_at, '{ADDED}', %(at)s, {NOTES}
    FROM {ROWS} c WHERE c.id > %(last)s AND EXISTS (SELECT 1 FROM {_WANTED} w WHERE {_same_place("c", "w")})"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Say which configurations are meant; empty members select nothing out."""

    component: Component | None = None
    tenant: str = ""
    layer: str = ""
    act: uuid.UUID | None = None

    def condition(self, alias: str) -> str:
        """Return the SQL condition on rows (or history rows) of that alias."""
        parts = ["1 = 1"]
        if self.component is not None:
            parts.append(f"{alias}.component_id = %(component)s")
        if self.tenant:
            parts.append(f"{alias}.tenant = %(tenant)s")
        if self.layer:
            parts.append(f"{alias}.layer = %(layer)s")
        if self.act is not None:
            parts.append(f"EXISTS (SELECT 1 FROM {HISTORY} t WHERE t.act = %(undone)s AND {_same_place('t', alias)})")
        return " AND ".join(parts)


@dataclass(frozen=True, slots=True)
class Reverted:
    """Count what a revert did to rows."""

    created: int
    changed: int
    removed: int


def revert_to(
    instant: datetime, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None, selection: Selection | None = None
) -> Reverted:
    """Make the selected configurations what they were at an instant (inclusive); those that were not there are taken off."""
    return _revert(
        selection or Selection(), "h.history_date <= %(instant)s", by=by, at=at, reason=reason, act=act, instant=instant
    )


def revert_act(undone: uuid.UUID, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None) -> Reverted:
    """Make every configuration that an act wrote what it was before the act; what was changed there later is undone too."""
    first = f"SELECT MIN(a.history_id) FROM {HISTORY} a WHERE a.act = %(undone)s AND {_same_place('a', 'h')}"
    return _revert(Selection(act=undone), f"h.history_id < ({first})", by=by, at=at, reason=reason, act=act)


@transaction.atomic
def _revert(
    selection: Selection,
    until: str,
    *,
    by: str,
    at: datetime,
    reason: str,
    act: uuid.UUID | None,
    instant: datetime | None = None,
) -> Reverted:
    """Work out what is wanted, then take off, change and lay, each with its history."""
    connection = connections[router.db_for_write(SlotConfiguration)]
    values = {
        "at": ("history_date", at), "by": ("history_user_id", by or None), "reason": ("history_change_reason", reason),
        "act": ("act", act), "undone": ("act", selection.act), "instant": ("history_date", instant),
        "component": ("id", selection.component.pk if selection.component else None),
        "tenant": ("tenant", selection.tenant), "layer": ("layer", selection.layer),
    }  # fmt: skip
    params = {name: prepared(field, value, connection) for name, (field, value) in values.items()}
    selected = {"selected_h": selection.condition("h"), "selected_c": selection.condition("c"), "until": until}
    with connection.cursor() as cursor:

        def run(statement: str) -> int:
            cursor.execute(statement.format(**selected), params)
            return int(cursor.rowcount)

        run(_WANT)
        run(_INDEX)
        if connection.features.has_select_for_update:
            run(_LOCK)
        removed = run(_NOTE_GONE)
        run(_REMOVE)
        changed = run(_NOTE_CHANGED)
        run(_CHANGE)
        run(_LAST)
        params["last"] = cursor.fetchone()[0]
        created = run(_CREATE)
        run(_NOTE_CREATED)
        run(f"DROP TABLE {_WANTED}")
    return Reverted(created, changed, removed)


def prepared(name: str, value: object, connection: Any) -> Any:
    """Return a value as the database wants it in the history row's field of that name."""
    field = next(each for each in HISTORY_MODEL._meta.concrete_fields if name in (each.attname, each.name))
    return field.get_db_prep_save(value, connection)
