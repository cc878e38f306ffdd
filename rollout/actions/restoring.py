"""Restore the snapshots of many people in a fixed number of SQL statements, whatever their number.

Rows, history and events come out as those of `snapshots.restore`, which reads and writes each row by itself and stays for whom
this cannot restore; a test compares both. A snapshot is JSON, so the databases' own functions unfold it into rows (`_Json`). Only
of people who edited since the switch anything is read: what they had changed is worked out by the same code as there.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from migration.models import Customization, Person
from rollout.actions.snapshots import Restored, close_snapshots, set_edits_aside
from rollout.models import Snapshot
from slots.actions.layers import FORMER, FORMER_COLUMNS, PEOPLE, former_layers, lock_own_rows, put_back
from slots.actions.reverting import CONTENT, ROWS
from slots.models import Keys, Layer

_DIFF: Final = Customization._meta.db_table
_STANDING: Final = f"{PEOPLE} p JOIN {Snapshot._meta.db_table} s ON s.person_id = p.id AND s.restored_at IS NULL"
_OWN: Final = f"{ROWS} c WHERE c.tenant = p.tenant AND c.layer = '{Layer.USER}' AND c.key = p.key"
_ACTIVE: Final = f"{_DIFF} d WHERE d.person_id = p.id AND d.is_active"
_NUMBERS: Final = frozenset({"id", "component_id", "component_version_id", "priority"})
_TRUTHS: Final = frozenset({"is_active", "is_pinned"})


@dataclass(frozen=True, slots=True)
class _Json:
    """Say how a database unfolds a column with a list of objects into rows `e`, and reads their members."""

    rows: str
    count: str
    member: str
    number: str
    truth: str
    instant: str

    def each(self, column: str) -> str:
        """Return what stands behind FROM to have a row for each object of a snapshot's column."""
        return self.rows.format(column=column)

    def length(self, column: str) -> str:
        """Return how many objects a snapshot's column holds."""
        return self.count.format(column=column)

    def read(self, name: str) -> str:
        """Return a member of the object as a configuration's column of that name holds it."""
        member = self.member.format(name=name)
        if name in _TRUTHS:  # snapshots of earlier releases do not say whether a row was pinned
            return f"COALESCE({self.truth.format(member)}, FALSE)"
        if name in _NUMBERS:
            return self.number.format(member)
        return self.instant.format(member) if name == "updated_at" else member


_JSON: Final = {
    "postgresql": _Json(
        rows="jsonb_array_elements(s.{column}) AS e(value)",
        count="jsonb_array_length(s.{column})",
        member="(e.value ->> '{name}')",
        number="{}::bigint",
        truth="{}::boolean",
        instant="{}::timestamptz",
    ),
    # instants are kept as text there, in UTC and without saying so
    "sqlite": _Json(
        rows="json_each(s.{column}) AS e",
        count="json_array_length(s.{column})",
        member="json_extract(e.value, '$.{name}')",
        number="{}",
        truth="{}",
        instant="REPLACE(REPLACE({}, 'T', ' '), '+00:00', '')",
    ),
}


def restore_together(snapshots: QuerySet[Snapshot], *, by: str, at: datetime, reason: str, act: uuid.UUID) -> list[Restored]:
    """Put back what these standing snapshots hold, as `restore` does; their people are locked by the caller."""
    held = dict(snapshots.select_for_update(of=("self",)).order_by("pk").values_list("pk", "person_id"))
    if not held:
        return []
    with former_layers() as cursor:
        json = _JSON[cursor.db.vendor]
        _fill(cursor, json, sorted(held.values()))
        lock_own_rows(cursor)
        edited = _edited(cursor, json)
        aside = set_edits_aside(edited, by=by, at=at, reason=reason) if edited else {}
        put_back(cursor, by=by, at=at, reason=reason, act=act)
    close_snapshots(list(held), list(held.values()), at=at, reason=reason)
    return [Restored(pk, tuple(aside.get(pk, ()))) for pk in sorted(held.values())]


def _fill(cursor: Any, json: _Json, people: Sequence[int]) -> None:
    """Say whose layers are meant, and unfold their snapshots into the rows they had."""
    insert, named = Person.objects.filter(pk__in=Keys(people)).values_list("pk", "tenant", "user").query.sql_with_params()
    cursor.execute(f"INSERT INTO {PEOPLE} {insert}", named)
    ours = {"tenant": "p.tenant", "layer": f"'{Layer.USER}'", "key": "p.key"}
    values = ", ".join(ours.get(name) or json.read(name) for name in FORMER_COLUMNS)
    rows = f"{_STANDING} CROSS JOIN {json.each('configurations')}"
    cursor.execute(f"INSERT INTO {FORMER} ({', '.join(FORMER_COLUMNS)}) SELECT {values} FROM {rows}")


def _edited(cursor: Any, json: _Json) -> list[int]:
    """Return the people who have other rows than the switch left, or other active diffs than it found.

    Both are at most one for each component, so they are the same where there are as many and each of the former has its like.
    """
    content = " AND ".join(f"c.{name} = {json.read(name)}" for name in ("component_id", *CONTENT))
    diff = f"d.component_key = {json.read('component')} AND d.diff_digest = {json.read('diff_digest')}"
    cursor.execute(
        f"""SELECT p.id FROM {_STANDING} WHERE {_differs(_OWN, json, "installed", content)}
        OR {_differs(_ACTIVE, json, "customizations", diff)} ORDER BY p.id"""
    )
    return [pk for (pk,) in cursor.fetchall()]


def _differs(rows: str, json: _Json, column: str, same: str) -> str:
    """Return the condition that a person's rows are not those that a snapshot's column lists; it reads each of them once."""
    length = json.length(column)
    like = f"EXISTS (SELECT 1 FROM {json.each(column)} WHERE {same})"
    alike = f"COUNT(*) = {length} AND COALESCE(SUM(CASE WHEN {like} THEN 1 ELSE 0 END), 0) = {length}"
    return f"NOT (SELECT {alike} FROM {rows})"
