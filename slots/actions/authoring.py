"""Make a draft by hand: begin it from what a place says now, change one slot after the other, take changes out again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from slots.actions.drafts import DraftPlace, revision_of, save_draft
from slots.errors import Issue, IssueCode, VersionUnknown
from slots.markup import ops
from slots.markup.address import resolve, slot_nodes
from slots.markup.changes import Change, make
from slots.markup.compose import compose
from slots.markup.condense import tidy
from slots.markup.ops import Document
from slots.markup.rebase import Status, prepare, rebase
from slots.markup.tree import Node, Tree, parse
from slots.models import Component, ComponentVersion, Draft, SlotConfiguration

# What an operation that keeps another one from showing has done to the place, in words.
_FATES: Final = {ops.REMOVE: "taken away", ops.REPLACE: "replaced", ops.UNWRAP: "taken away"}


@transaction.atomic
def begin_draft(tenant: str, layer: str, key: str, component: Component, *, by: str, at: datetime, note: str = "") -> Draft:
    """Return the author's draft for a place: the one they have, else a new one that says what the place says now.

    A place that is switched off says what it said last, so that nothing of it is lost unseen when the draft goes live. A new
    draft of a place that holds nothing is made for the component's current version. A draft without a note takes this one.

    Raises:
        VersionUnknown: the place holds nothing and the component has no current version.
    """
    place = {"tenant": tenant, "layer": layer, "key": key, "component": component}
    draft = Draft.objects.filter(**place, author=by).first()
    if draft is not None:
        if note and not draft.note:
            draft.note = note
            draft.save(update_fields=["note"])
        return draft
    seen = revision_of(place)  # before what it says is read: whatever goes live from here on makes the draft stale
    row = SlotConfiguration.objects.select_related("body", "component_version").filter(**place).first()
    version = row.component_version if row is not None else component.current_version
    if version is None:
        raise VersionUnknown(component.key, "current")
    says = ops.loads_document(row.body.operations) if row is not None else Document(())
    there = DraftPlace(tenant, layer, key, version)
    try:
        with transaction.atomic():
            begun = save_draft(there, says.operations, by=by, at=at, note=note, locked=says.locked)
            begun.based_on = seen
            begun.save(update_fields=["based_on"])
    except IntegrityError:  # the same author begins it twice at once: a double click, or two windows
        return Draft.objects.get(**place, author=by)
    return begun


def change_draft(draft: Draft, change: Change, *, at: datetime) -> tuple[Issue, ...]:
    """Add a change of one slot to a draft and return what is to be said about it; nothing is stored where it cannot be made.

    What the change overwrites is dropped, so that the draft says each thing once. A change that would not show, since the draft
    says it already or takes its place away, is not stored.

    Raises:
        OperationsInvalid: the draft would have too many operations or be too large.
    """
    tree = parse(draft.component_version.source)
    made = make(tree, change)
    if not made.operations:
        return _made_nothing(draft, tree, change, made.issues)
    with transaction.atomic():
        held = _held(draft)
        left = tidy(tree.source, _distinct((*held.operations, *made.operations))).operations
        if compose(tree, left).source == compose(tree, held.operations).source:
            return (*made.issues, _unseen(tree, held.operations, made.operations, change))
        _keep(draft, left, held.locked, at=at)
    return made.issues


def _made_nothing(draft: Draft, tree: Tree, change: Change, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    """Say of a content that the component has itself which operations of the draft say otherwise: they are to be taken out."""
    node = slot_nodes(tree).get(change.slot) if change.what in ("text", "content") else None
    if node is None or all(issue.code is not IssueCode.TARGET_MISSING for issue in issues):
        return issues
    places = ((operation, resolve(tree, operation.address)) for operation in ops.loads(draft.body.operations))
    others = [operation for operation, place in places if isinstance(place, Node) and place is not node and node.contains(place)]
    if not others:
        return issues
    words = " ".join(ops.describe(operation) for operation in others[:3])
    text = f"The component itself has {change.slot} so; it is this draft that says otherwise: {words}"
    return (Issue(IssueCode.TARGET_MISSING, text, place=change.slot, suggestion="Take that out instead."),)


def _unseen(tree: Tree, held: Sequence[ops.Operation], made: Sequence[ops.Operation], change: Change) -> Issue:
    """Say why a change would not show: the draft says it already, or an operation of the draft is in its way."""
    ids = {operation.id for operation in held}
    if all(operation.id in ids for operation in made):
        return Issue(IssueCode.TARGET_MISSING, "The draft says that already.", place=change.slot)
    for operation in held:
        others = [each for each in held if each is not operation]
        if compose(tree, [*others, *made]).source != compose(tree, others).source:
            text = (
                f"{change.slot} is {_FATES.get(operation.kind, 'changed otherwise')} by this draft (“{ops.describe(operation)}”)."
            )
            return Issue(
                IssueCode.TARGET_MISSING,
                text,
                place=change.slot,
                suggestion="Take that change out first, or choose another slot.",
            )
    text = f"The draft's other changes leave nothing of this one to see in {change.slot}."
    return Issue(IssueCode.TARGET_MISSING, text, place=change.slot, suggestion="Take out those that are in its way first.")


@transaction.atomic
def carry_draft(draft: Draft, version: ComponentVersion, *, at: datetime) -> tuple[Issue, ...]:
    """Carry a draft to another version of its component, as an upgrade would; return what has to be looked at.

    What both sides changed stands as the draft has it; what lost its place is left out. Both are said.
    """
    held = _held(draft)
    carried = rebase(held.operations, prepare(draft.component_version.source, version.source))
    issues = tuple(
        Issue(outcome.texts.code, outcome.reason, outcome.place, outcome.operation_id, "Look at the place on the samples.")
        for outcome in carried.outcomes
        if outcome.status in (Status.KEPT, Status.CONFLICT)
    )
    draft.component_version = version
    _keep(draft, carried.operations, held.locked, at=at)
    return issues


@transaction.atomic
def drop_operations(draft: Draft, ids: Collection[str], *, at: datetime) -> int:
    """Take operations out of a draft by their ids, and return how many there were."""
    held = _held(draft)
    left = [operation for operation in held.operations if operation.id not in ids]
    _keep(draft, left, held.locked, at=at)
    return len(held.operations) - len(left)


@transaction.atomic
def lock_slots(draft: Draft, names: Collection[str], *, at: datetime) -> None:
    """Let a draft lock exactly these slots.

    Raises:
        OperationsInvalid: its layer may not lock.
    """
    _keep(draft, _held(draft).operations, sorted(names), at=at)


def store_document(draft: Draft, document: Document, *, at: datetime) -> None:
    """Let a draft say exactly this.

    Raises:
        OperationsInvalid: there are too many operations, or its layer may not lock.
    """
    _keep(draft, document.operations, document.locked, at=at)


def _held(draft: Draft) -> Document:
    """Return what the draft says by now, and keep others from changing it until the transaction ends."""
    row = Draft.objects.select_for_update(of=("self",)).select_related("body").get(pk=draft.pk)
    return ops.loads_document(row.body.operations)


def _keep(draft: Draft, operations: Sequence[ops.Operation], locked: Sequence[str], *, at: datetime) -> None:
    place = DraftPlace(draft.tenant, draft.layer, draft.key, draft.component_version)
    saved = save_draft(place, operations, by=draft.author, at=at, note=draft.note, locked=locked)
    draft.body = saved.body
    draft.updated_at = saved.updated_at


def _distinct(operations: Sequence[ops.Operation]) -> list[ops.Operation]:
    """Return the operations without repetitions: the same change made twice is one."""
    return list({operation.id: operation for operation in operations}.values())
