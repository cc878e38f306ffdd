"""Freeze on which rows an act is to be done, and do it to these and no others.

The preview walks over the rows once, in one read, decides each (`rollout.selecting`) and keeps keys and versions in parts. It is
applied part by part: the rows are locked and decided again by the same function, and what they became in between is kept beside
those that were acted on. For each selection: taken = applied + explained, once it is finished.

A part is marked in the transaction that acts on it (acts on people, pausing and resuming), so it is done once however many do it
at a time. Other parts are claimed; of one whose worker died before it was marked, the rows' own states keep the act from a second
time.

A part that an accident ends rests, and the others go on; after some tries it is given up, and the error explains its rows.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from rollout.actions.bulk import BY_NAME, MODELS, BulkAct, Refusals, terms_of
from rollout.errors import ReasonMissing, SelectionChanged, SelectionInvalid, SelectionTooLarge, SelectionUsed
from rollout.models import ACCIDENT, Selection, SelectionPart, Subject
from rollout.selecting import Facts, Terms, Words, decide, decide_again
from slots.models import Keys

log = structlog.get_logger(__name__)
MOST: Final = 1_000_000  # rows that one selection looks at
LEFT_AT_ONCE: Final = 1_000  # rows left out in one part
READ_AT_ONCE: Final = 5_000
FORGOTTEN: Final = timedelta(minutes=15)
QUIET: Final = timedelta(minutes=2)  # after which nobody is at work on a selection, as far as can be seen
TRIES: Final = 3
A_REST: Final = timedelta(minutes=1)  # before a part is tried again that an accident ended
Applied = tuple[int, list[list[Any]]]  # how many were acted on, and the others as `unapplied` lists them


def bulk_act(subject: str, name: str) -> BulkAct:
    """Return an act on many rows.

    Raises:
        SelectionInvalid: there is none of that name.
    """
    act = BY_NAME.get((subject, name))
    if act is None:
        known = ", ".join(sorted(known for of, known in BY_NAME if of == subject)) or "none"
        raise SelectionInvalid(f"There is no act {name!r} on many rows of the kind {subject!r}.", f"There are: {known}.")
    return act


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


def facts_of(rows: QuerySet[Any]) -> Iterator[Facts]:
    """Read what decisions depend on, in the order of keys, some at a time; one query."""
    columns = ["pk", "version", "state"]
    if rows.model.SUBJECT == Subject.ENROLMENT:
        columns += ["is_live", "wave_id", "wave__state", "person_id", "deferrals"]
    for row in rows.order_by("pk").values_list(*columns).iterator(chunk_size=READ_AT_ONCE):
        yield Facts(*row)


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
    _finish(selection, at=at)


def open_parts(selection: Selection) -> QuerySet[SelectionPart]:
    """Return the parts of a selection that was begun that nobody has applied yet."""
    return SelectionPart.objects.filter(
        selection=selection, selection__begun_at__isnull=False, is_taken=True, applied_at__isnull=True
    ).order_by("position")


def apply_part(selection: Selection, *, at: datetime) -> set[int] | None:
    """Act on the next part, and return the waves that have people queued by it; None where no part is left to do now.

    The selection is finished with its last part. An accident is kept with the part that it ended.
    """
    act = bulk_act(selection.subject, selection.act)
    part: SelectionPart | None = None
    try:
        with transaction.atomic() if act.is_together else nullcontext():
            part = _lock(selection, at=at) if act.is_together else _claim(selection, at=at)
            woken = None if part is None else _apply(act, selection, part, at=at)
    except Exception as accident:  # what nobody foresaw must not keep the other parts; the log has the traceback
        if part is None:
            raise
        log.exception("part_not_applied", selection=selection.pk, part=part.position)
        _keep_accident(selection, part, accident, at=at)
        woken = set()
    _finish(selection, at=at)
    return woken


def _free_parts(selection: Selection, *, at: datetime) -> QuerySet[SelectionPart]:
    """Return the open parts that nobody works on; one whose worker died is free again after a while."""
    is_left = Q(claimed_at__isnull=True) | Q(claimed_at__lt=at - FORGOTTEN)
    is_due = Q(retry_at__isnull=True) | Q(retry_at__lte=at)
    return open_parts(selection).filter(is_left, is_due)


def _lock(selection: Selection, *, at: datetime) -> SelectionPart | None:
    return _free_parts(selection, at=at).select_for_update(skip_locked=True, of=("self",)).first()


def _claim(selection: Selection, *, at: datetime) -> SelectionPart | None:
    """Take the next part on; of two who read it as free one has it, and the other looks for the one behind it."""
    while (part := _free_parts(selection, at=at).first()) is not None:
        as_read = SelectionPart.objects.filter(pk=part.pk, claimed_at=part.claimed_at, tries=part.tries, applied_at__isnull=True)
        if as_read.update(claimed_at=at):
            return part
    return None


def _keep_accident(selection: Selection, part: SelectionPart, accident: Exception, *, at: datetime) -> None:
    """Count a try of a part and keep what ended it; after the last one explain each of its rows by that and give it up."""
    first_line = (str(accident).splitlines() or [""])[0]
    error = f"{type(accident).__name__}: {first_line}"[:300]
    changes: dict[str, Any] = {"tries": part.tries + 1, "error": error, "claimed_at": None, "retry_at": at + A_REST}
    if part.tries + 1 >= TRIES:
        names = _names(MODELS[selection.subject], part.keys)
        unapplied = [[pk, names.get(pk, str(pk)), ACCIDENT, error] for pk in part.keys]
        changes |= {"unapplied": unapplied, "applied_at": at}
    SelectionPart.objects.filter(pk=part.pk, applied_at__isnull=True).update(**changes)


def parts_that_failed(selection: Selection) -> QuerySet[SelectionPart]:
    """Return the open parts that an accident ended and that are tried again."""
    return open_parts(selection).filter(tries__gt=0)


def left_alone(*, at: datetime) -> QuerySet[Selection]:
    """Return the selections that were begun and are not finished, and that nobody has done anything about for a while."""
    since = at - QUIET
    touched = Q(claimed_at__gt=since) | Q(applied_at__gt=since) | Q(retry_at__gt=since)
    at_work = SelectionPart.objects.filter(touched, selection=OuterRef("pk"), is_taken=True)
    begun = Selection.objects.filter(begun_at__lt=since, finished_at__isnull=True)
    return begun.exclude(Exists(at_work)).order_by("pk")


def _apply(act: BulkAct, selection: Selection, part: SelectionPart, *, at: datetime) -> set[int]:
    """Decide the rows of a part again under the act's locks, act on those that it still applies to, and keep both."""
    said = {"by": selection.begun_by, "at": at, "reason": selection.reason}
    model = MODELS[selection.subject]
    rows = model._default_manager.filter(pk__in=Keys(part.keys))
    if act.is_together:
        act.hold(list(facts_of(rows)), selection.options)
        list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    found = {row.pk: row for row in facts_of(rows)}
    terms = terms_of(act, selection.options, [row.wave for row in found.values()], at=at)
    applying, others = _sort(act, part, found, terms)
    refused = act.run(applying, said, selection.options) if applying else []
    names = _names(model, [pk for pk, *_ in others + refused])
    unapplied = [[pk, names.get(pk, str(pk)), code, text] for pk, code, text in others + refused]
    SelectionPart.objects.filter(pk=part.pk, applied_at__isnull=True).update(
        applied=len(applying) - len(refused), unapplied=unapplied, applied_at=at
    )
    if not act.wakes:
        return set()
    return {row.wave for row in applying} if selection.subject == Subject.ENROLMENT else {row.pk for row in applying}


def _sort(act: BulkAct, part: SelectionPart, found: Mapping[int, Facts], terms: Terms | None) -> tuple[list[Facts], Refusals]:
    """Return the rows that the act still applies to, and the others with what is in the way."""
    applying: list[Facts] = []
    others: Refusals = []
    for pk, version in zip(part.keys, part.notes, strict=True):
        row = found.get(pk)
        why = decide_again(act.rule, row, version, terms)
        if why is not None:
            others.append((pk, *why))
        elif row is not None:
            applying.append(row)
    return applying, others


def _names(model: type[Any], pks: Sequence[int]) -> dict[int, str]:
    return {row.pk: name_of(row) for row in named_rows(model, pks)}


def named_rows(model: type[Any], pks: Sequence[int]) -> QuerySet[Any]:
    """Return rows with what their names are made of, in one query."""
    joined = {Subject.ENROLMENT: ("person", "wave__phase"), Subject.WAVE: ("phase",), Subject.PHASE: ("plan",)}
    rows: QuerySet[Any] = model._default_manager.filter(pk__in=Keys(pks)).select_related(*joined[model.SUBJECT]).order_by("pk")
    return rows


def name_of(row: Any) -> str:
    """Return the person of a place, or the name of a wave or phase."""
    return str(row.person) if row.SUBJECT == Subject.ENROLMENT else str(row)


def _finish(selection: Selection, *, at: datetime) -> None:
    """Count what came of a selection whose parts are all applied."""
    with transaction.atomic():
        if open_parts(selection).exists():
            return
        parts = selection.parts.filter(is_taken=True)
        changes: Counter[Words] = Counter()
        for listed in parts.exclude(unapplied=[]).values_list("unapplied", flat=True).iterator(chunk_size=100):
            changes.update((code, text) for _, _, code, text in listed)
        Selection.objects.filter(pk=selection.pk, finished_at__isnull=True).update(
            applied=parts.aggregate(done=Sum("applied", default=0))["done"],
            changes=[[code, text, count] for (code, text), count in sorted(changes.items())],
            finished_at=at,
        )
    selection.refresh_from_db()


def done_so_far(selection: Selection) -> int:
    """Return how many of the previewed rows have been handled."""
    if selection.finished_at:
        return selection.taken
    parts = selection.parts.filter(is_taken=True, applied_at__isnull=False)
    size = bulk_act(selection.subject, selection.act).size
    return min(selection.taken, parts.count() * size)


@dataclass(frozen=True, slots=True)
class ListedRow:
    """Show one row of a selection: its name, what it is now, and why it was left out or not acted on."""

    pk: int
    name: str
    state: str
    code: str = ""
    text: str = ""


def rows_listed(selection: Selection, which: str, start: int, count: int) -> list[ListedRow]:
    """Return rows of a selection in order, from `start` on, at most `count`; three queries however many there are.

    `which` is `taken`, `left` or `changed`; `start` and `count` are multiples of `count`.
    """
    if which == "changed":
        return _changed(selection, start, count)
    is_taken = which == "taken"
    size = bulk_act(selection.subject, selection.act).size if is_taken else LEFT_AT_ONCE
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
