"""Do what a selection froze, part by part, to these rows and no others.

The rows of a part are locked and decided again by the same function as at the preview, and what they became in between is kept
beside those that were acted on. For each selection: taken = applied + explained, once it is finished.

A part is marked in the transaction that acts on it (acts on people, pausing and resuming), so it is done once however many do it
at a time. Other parts are claimed; of one whose worker died before it was marked, the rows' own states keep the act from a second
time.

A part that an accident ends rests, and the others go on; after some tries it is given up, and the error explains its rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from rollout.actions.bulk import MODELS, BulkAct, Refusals, bulk_act, facts_of, name_of, named_rows, terms_of
from rollout.models import ACCIDENT, Selection, SelectionPart, Subject
from rollout.selecting import Facts, Terms, Words, decide_again
from slots.models import Keys

log = structlog.get_logger(__name__)
FORGOTTEN: Final = timedelta(minutes=15)
QUIET: Final = timedelta(minutes=2)  # after which nobody is at work on a selection, as far as can be seen
TRIES: Final = 3
A_REST: Final = timedelta(minutes=1)  # before a part is tried again that an accident ended


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
    finish_if_done(selection, at=at)
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


def finish_if_done(selection: Selection, *, at: datetime) -> None:
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
