"""Edit all operations of a draft at once: as rows of a form or as text, checked the same way before and when they are stored."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from slots.actions.authoring import store_document
from slots.actions.drafts import DraftChanged, issues_of
from slots.actions.stacks import LOCKING
from slots.errors import Issue, IssueCode, OperationsInvalid
from slots.markup import limits, ops
from slots.markup.asked import asked
from slots.markup.changes import Change, make
from slots.markup.ops import Document, Operation
from slots.markup.tree import parse
from slots.models import Body, Draft, SlotConfiguration

HISTORY = 100  # revisions of a place that are searched for where an operation comes from


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one operation as a form shows it: `id` of the stored one, empty for a new one; `change` is None where it has none."""

    id: str
    change: Change | None


@dataclass(frozen=True, slots=True)
class Edited:
    """Hold what rows or a text come to.

    `document` is None where they cannot be stored; `faults` says why, by the index of the row (-1: the text or all of it).
    `issues` are what keeps a draft from going live, or warns; `origins` names for each operation's id the row that made it.
    """

    document: Document | None
    faults: tuple[tuple[int, Issue], ...] = ()
    issues: tuple[Issue, ...] = ()
    origins: tuple[tuple[str, int], ...] = ()

    def by_row(self) -> dict[int, list[Issue]]:
        """Return faults and issues by the index of the row; -1 for those of no row."""
        rows = dict(self.origins)
        found: dict[int, list[Issue]] = {}
        for index, issue in (*self.faults, *((rows.get(issue.operation, -1), issue) for issue in self.issues)):
            found.setdefault(index, []).append(issue)
        return found


def rows_of(draft: Draft) -> list[Row]:
    """Return the operations of a draft as rows, layout left out."""
    return rows_from(draft, ops.loads(draft.body.operations))


def rows_from(draft: Draft, operations: Iterable[Operation]) -> list[Row]:
    """Return operations on a draft's version as rows, layout left out."""
    tree = parse(draft.component_version.source)
    return [Row(each.id, asked(tree, each)) for each in operations if not each.layout]


def text_of(document: Document) -> str:
    """Return a document as JSON on lines of its own, as the text is edited."""
    return json.dumps(json.loads(ops.dumps(document.operations, locked=document.locked)), indent=2, ensure_ascii=False)


def edit_rows(draft: Draft, rows: Sequence[Row]) -> Edited:
    """Return what rows come to, in their order: a stored operation stays what it is where its row says what it said.

    White space that no row shows is kept behind them, and so are the locks.
    """
    tree = parse(draft.component_version.source)
    held = ops.loads_document(draft.body.operations)
    stored = {operation.id: operation for operation in held.operations}
    made: dict[str, Operation] = {}
    origins: dict[str, int] = {}
    faults: list[tuple[int, Issue]] = []
    for index, row in enumerate(rows):
        kept = stored.get(row.id)
        if kept is not None and (row.change is None or row.change == asked(tree, kept)):
            operations: tuple[Operation, ...] = (kept,)
        elif row.change is None:
            gone = "What this row stood for is in the draft no more."
            faults.append((index, Issue(IssueCode.TARGET_MISSING, gone, suggestion="Take the row out.")))
            continue
        else:
            result = make(tree, row.change)
            operations = result.operations
            faults += [(index, issue) for issue in result.issues if not operations]
        for operation in operations:
            made.setdefault(operation.id, operation)
            origins.setdefault(operation.id, index)
    layout = [operation for operation in held.operations if operation.layout and operation.id not in made]
    return _checked(draft, Document((*made.values(), *layout), held.locked), faults, origins)


def edit_text(draft: Draft, text: str) -> Edited:
    """Return what a text comes to, read as strictly as what is stored."""
    try:
        document = ops.loads_document(text)
    except OperationsInvalid as fault:
        suggestion = "Mend it there, or go back to the rows."
        return Edited(None, ((-1, Issue(IssueCode.SCHEMA_INVALID, fault.text, fault.place, suggestion=suggestion)),))
    shown = [operation.id for operation in document.operations if not operation.layout]
    return _checked(draft, document, [], {each: index for index, each in enumerate(shown)})


def _checked(draft: Draft, document: Document, faults: list[tuple[int, Issue]], origins: Mapping[str, int]) -> Edited:
    """Hold a document to the limits and, where it can be stored, to what keeps it from going live."""
    beyond = limits.operations_refusal(document.operations)
    if beyond is not None:
        faults.append((-1, Issue(IssueCode.LIMIT_EXCEEDED, beyond.text, suggestion="Take operations out.")))
    if document.locked and draft.layer not in LOCKING:
        text = f"The {draft.layer} layer cannot lock; the default and the site layer can."
        faults.append((-1, Issue(IssueCode.SCHEMA_INVALID, text, "locked", suggestion="Take the member out.")))
    issues = () if beyond is not None else issues_of(draft, document.operations)
    return Edited(None if faults else document, tuple(faults), issues, tuple(origins.items()))


@transaction.atomic
def store_edited(draft: Draft, edited: Edited, *, shown: str, at: datetime) -> None:
    """Let a draft say what was edited; `shown` is the digest of the body that the page showed.

    Raises:
        DraftChanged: the draft says something else by now.
        OperationsInvalid: it cannot be stored, or its layer may not lock.
    """
    if edited.document is None:
        first = edited.faults[0][1]
        raise OperationsInvalid(first.place or "operations", first.text)
    if not Draft.objects.select_for_update().filter(pk=draft.pk, body=shown).exists():
        raise DraftChanged(draft)
    store_document(draft, edited.document, at=at)


def live_of(draft: Draft) -> int | None:
    """Return the key of the configuration that the draft's place has, None where it has none."""
    return SlotConfiguration.objects.filter(**_place(draft)).values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True)
class Origin:
    """Say where an operation comes from: the revision of the place that brought it, or this draft where there is none."""

    layer: str
    revision: Any = None
    hunk: int | None = None

    @property
    def words(self) -> str:
        """Return it in words."""
        if self.revision is None:
            return f"New in this draft of the {self.layer} layer."
        by = self.revision.history_user_id or "somebody"
        hunk = "" if self.hunk is None else f", hunk {self.hunk + 1} of the diff"
        how = f"{self.revision.get_origin_display()}{hunk}"
        when = f"{self.revision.history_date:%Y-%m-%d}"
        return f"In the {self.layer} layer since revision {self.revision.history_id} ({by}, {when}): {how}."


def origins_of(draft: Draft, operations: Iterable[Operation]) -> dict[str, Origin]:
    """Return where each operation comes from, by its id; two queries.

    It is the first revision of the last unbroken run of those that hold the operation, among the latest `HISTORY`.
    """
    history: Any = SlotConfiguration.history
    revisions = list(history.filter(**_place(draft)).order_by("-history_date", "-history_id")[:HISTORY])
    bodies = Body.objects.in_bulk({revision.body_id for revision in revisions})
    ids = {digest: _ids(body.operations) for digest, body in bodies.items()}
    found = {}
    for operation in operations:
        since = None
        for revision in revisions:
            if revision.history_type == "-" or operation.id not in ids[revision.body_id]:
                break
            since = revision
        found[operation.id] = Origin(draft.layer, since, operation.hunk)
    return found


def _place(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in ("tenant", "layer", "key", "component_id")}


def _ids(text: str) -> frozenset[str]:
    try:
        return frozenset(operation.id for operation in ops.loads(text))
    except OperationsInvalid:
        return frozenset()
