"""Write many configurations and their history in a fixed number of statements, whatever their number.

The rows and history rows are those that saving each configuration would have written; a test compares both row by row. What is
written is said as expressions over the rows themselves, so nothing passes through Python.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, transaction
from django.db.models import F, QuerySet

from slots.actions.configurations import CHANGED, REMOVED
from slots.models import SlotConfiguration, insert_selected

Rows = QuerySet[SlotConfiguration]


@dataclass(frozen=True, slots=True)
class Entry:
    """Say who, when, why and under which act history rows are written."""

    by: str
    at: datetime
    reason: str
    act: uuid.UUID | None = None


@transaction.atomic
def change_rows(rows: Rows, values: Mapping[str, Any], entry: Entry) -> int:
    """Set fields (by column name such as `body_id`) of all these rows to expressions over them; return how many there were.

    The history is written first, from what the rows are about to be, so that the same filter still finds them.
    """
    _lock(rows)
    written = add_history(rows, CHANGED, entry, values)
    changed = rows.order_by().update(**dict(values), updated_at=entry.at) if written else 0
    if changed != written:
        raise RuntimeError(f"{written} history rows for {changed} changed rows: the filter is not stable")
    return changed


@transaction.atomic
def remove_rows(rows: Rows, entry: Entry) -> int:
    """Take all these rows off, keep their history; return how many there were."""
    _lock(rows)
    written = add_history(rows, REMOVED, entry, {})
    if written:
        rows.order_by()._raw_delete(using=rows.db)  # nothing refers to a configuration, so there is nothing to collect first
    return written


def add_history(rows: Rows, kind: str, entry: Entry, values: Mapping[str, Any]) -> int:
    """Insert a history row for each row, with `values` in place of what it holds; return how many."""
    history: Any = SlotConfiguration.history.model  # type: ignore[attr-defined]  # the library has no types
    names = [field.attname for field in history.tracked_fields]
    given: dict[str, Any] = {"updated_at": entry.at} if kind == CHANGED else {}
    given |= values
    said = {
        "history_date": entry.at,
        "history_type": kind,
        "history_user_id": entry.by or None,
        "history_change_reason": entry.reason,
        "act": entry.act,
    }
    return insert_selected(history, rows.order_by(), {name: given.get(name, F(name)) for name in names} | said)


def _lock(rows: Rows) -> None:
    """Hold the rows until the transaction ends, where the database can; elsewhere it has one writer anyway."""
    if connections[rows.db].features.has_select_for_update:
        list(rows.order_by().select_for_update(of=("self",)).values_list("pk"))
