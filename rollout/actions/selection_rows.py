"""Show a selection: its rows in order, whichever way they went, how far it is, and all of it as JSON."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Sum, Value
from django.db.models.functions import Least

from rollout.actions.bulk import MODELS, name_of, named_rows
from rollout.actions.selection_parts import parts_that_failed
from rollout.models import Selection


def done_so_far(selection: Selection) -> int:
    """Return how many of the previewed rows have been handled."""
    if selection.finished_at:
        return selection.taken
    size = _size_of_parts(selection, is_taken=True)
    applied = selection.parts.filter(is_taken=True, applied_at__isnull=False)
    rows_of_part = Least(Value(size), selection.taken - F("position") * size)
    done: int = applied.aggregate(done=Sum(rows_of_part, default=0))["done"]
    return done


def _size_of_parts(selection: Selection, *, is_taken: bool) -> int:
    """Return how many rows each stored part but the last has, whatever the act takes at a time by now; 1 where there is none."""
    keys = selection.parts.filter(is_taken=is_taken, position=0).values_list("keys", flat=True).first()
    return len(keys) if keys else 1


@dataclass(frozen=True, slots=True)
class ListedRow:
    """Show one row of a selection: its name, what it is now, and why it was left out or not acted on."""

    pk: int
    name: str
    state: str
    code: str = ""
    text: str = ""


def rows_listed(selection: Selection, which: str, start: int, count: int) -> list[ListedRow]:
    """Return rows of a selection in order, from `start` on, at most `count`; four queries however many there are.

    `which` is `taken`, `left` or `changed`; `start` and `count` are multiples of `count`.
    """
    if which == "changed":
        return _changed(selection, start, count)
    is_taken = which == "taken"
    size = _size_of_parts(selection, is_taken=is_taken)
    first, last = start // size, (start + count - 1) // size
    parts = selection.parts.filter(is_taken=is_taken, position__range=(first, last)).order_by("position")
    pairs = [pair for part in parts for pair in zip(part.keys, part.notes, strict=True)]
    pairs = pairs[start - first * size :][:count]
    rows = {row.pk: row for row in named_rows(MODELS[selection.subject], [pk for pk, _ in pairs])}
    listed = []
    for pk, note in pairs:
        code, text = ("", "") if is_taken else selection.reasons[note][:2]
        row = rows.get(pk)
        listed.append(ListedRow(pk, name_of(row) if row else str(pk), row.state_label if row else "", code, text))
    return listed


def _changed(selection: Selection, start: int, count: int) -> list[ListedRow]:
    """Return rows that were previewed and not acted on; their parts are read up to those that are asked for."""
    parts = selection.parts.filter(is_taken=True).exclude(unapplied=[]).order_by("position")
    seen: list[list[Any]] = []
    for unapplied in parts.values_list("unapplied", flat=True).iterator(chunk_size=100):
        seen += unapplied
        if len(seen) >= start + count:
            break
    asked = seen[start : start + count]
    states = {
        row.pk: row.state_label for row in MODELS[selection.subject]._default_manager.filter(pk__in=[row[0] for row in asked])
    }
    return [ListedRow(pk, name, states.get(pk, ""), code, text) for pk, name, code, text in asked]


def selection_as_json(selection: Selection) -> dict[str, Any]:
    """Return the JSON object of a selection; commands and API answer with the same."""
    return {
        "pk": selection.pk,
        "subject": selection.subject,
        "act": selection.act,
        "criteria": selection.criteria,
        "hash": selection.digest,
        "looked_at": selection.looked_at,
        "taken": selection.taken,
        "left_out": selection.left_out,
        "reasons": _counted(selection.reasons),
        "begun": selection.begun_at is not None,
        "finished": selection.finished_at is not None,
        "done": done_so_far(selection) if selection.begun_at else 0,
        "applied": selection.applied,
        "explained": selection.explained,
        "refused": selection.refused,
        "given_up": selection.given_up,
        "changes": _counted(selection.changes),
        "accidents": [{"rows": len(part.keys), "tries": part.tries, "text": part.error} for part in parts_that_failed(selection)],
    }


def _counted(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [{"code": code, "text": text, "rows": count} for code, text, count in rows]
