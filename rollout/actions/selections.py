"""Freeze on which rows an act is to be done, and confirm it; `selection_parts` does it to these and no others.

The preview walks over the rows once, in one read, decides each (`rollout.selecting`) and keeps keys and versions in parts.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from rollout.actions.bulk import BulkAct, bulk_act, facts_of, terms_of
from rollout.actions.selection_parts import finish_if_done
from rollout.errors import ReasonMissing, SelectionChanged, SelectionInvalid, SelectionTooLarge, SelectionUsed
from rollout.models import Selection, SelectionPart, Subject
from rollout.selecting import Facts, Terms, Words, decide

MOST: Final = 1_000_000  # rows that one selection looks at
LEFT_AT_ONCE: Final = 1_000  # rows left out in one part


def freeze_selection(
    rows: QuerySet[Any],
    name: str,
    *,
    criteria: str,
    by: str,
    at: datetime,
    options: Mapping[str, Any] | None = None,
) -> Selection:
    """Decide each of the rows (enrolments, waves or phases), keep the answers, and return the selection; nothing else is written.

    Raises:
        SelectionInvalid: there is no such act, it lacks what it has to be told, or it is told what it does not take.
        SelectionTooLarge: there are more rows than one act takes.
    """
    subject = rows.model.SUBJECT
    act = bulk_act(subject, name)
    told = dict(options or {})
    if "to" in told and not act.is_told_to:
        raise SelectionInvalid(f"{act.label} takes no other wave.", "Leave `to` out, or defer instead.")
    found = rows.model._default_manager.filter(pk__in=rows.order_by().values("pk"))
    with transaction.atomic():
        selection = Selection.objects.create(
            subject=subject, act=name, criteria=criteria, options=told, digest="", made_by=by, made_at=at
        )
        waves = found.order_by().values_list("wave", flat=True).distinct() if subject == Subject.ENROLMENT else ()
        terms = terms_of(act, told, list(waves), at=at)
        with closing(_decided(act, found, terms, at=at)) as decided:  # where it is refused, before its transaction ends
            _keep_all(selection, act, decided)
        selection.save()
    return selection


@dataclass(slots=True)
class _Slices:
    """Gather rows and hand them on in parts of one size."""

    selection: Selection
    is_taken: bool
    size: int
    keys: list[int] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)
    written: int = 0

    def add(self, key: int, note: int) -> None:
        self.keys.append(key)
        self.notes.append(note)
        if len(self.keys) == self.size:
            self.flush()

    def flush(self) -> None:
        if not self.keys:
            return
        SelectionPart.objects.create(
            selection=self.selection, is_taken=self.is_taken, position=self.written, keys=self.keys, notes=self.notes
        )
        self.keys, self.notes, self.written = [], [], self.written + 1


def _decided(act: BulkAct, rows: QuerySet[Any], terms: Terms | None, *, at: datetime) -> Generator[tuple[Facts, Words | None]]:
    """Yield each row with what is in the way; waves and phases, which are few, are read whole and looked at more closely."""
    if act.look is None:
        yield from ((row, decide(act.rule, row, terms)) for row in facts_of(rows))
        return
    for whole in rows.order_by("pk")[: MOST + 1]:
        row = Facts(whole.pk, whole.version, whole.state)
        yield row, decide(act.rule, row, terms) or act.look(whole, at)


def _keep_all(selection: Selection, act: BulkAct, rows: Iterator[tuple[Facts, Words | None]]) -> None:
    taken = _Slices(selection, is_taken=True, size=act.size)
    left = _Slices(selection, is_taken=False, size=LEFT_AT_ONCE)
    why: Counter[Words] = Counter()
    places: dict[Words, int] = {}
    digest = hashlib.sha256(f"{selection.subject}:{act.name}:{json.dumps(selection.options, sort_keys=True)}\n".encode())
    for number, (row, found) in enumerate(rows, 1):
        if number > MOST:
            raise SelectionTooLarge(MOST)
        selection.looked_at = number
        if found is None:
            selection.taken += 1
            taken.add(row.pk, row.version)
            digest.update(f"{row.pk}:{row.version}\n".encode())
        else:
            why[found] += 1
            left.add(row.pk, places.setdefault(found, len(places)))
    taken.flush()
    left.flush()
    selection.digest = digest.hexdigest()
    selection.reasons = [[code, text, why[code, text]] for code, text in places]


def begin_selection(selection: Selection, *, digest: str, by: str, at: datetime, reason: str) -> None:
    """Confirm a selection as it was shown; its parts may be applied from now on.

    Raises:
        ReasonMissing: nobody said why.
        SelectionChanged: another digest was shown.
        SelectionUsed: somebody was first.
    """
    act = bulk_act(selection.subject, selection.act)
    if not reason.strip():
        raise ReasonMissing(f"{act.label} on {selection.taken:,} rows")
    if digest != selection.digest:
        raise SelectionChanged(selection.pk)
    begun = Selection.objects.filter(pk=selection.pk, begun_at__isnull=True).update(begun_by=by, begun_at=at, reason=reason)
    selection.refresh_from_db()
    if not begun:
        raise SelectionUsed(selection.pk, selection.begun_by)
    finish_if_done(selection, at=at)
