"""Prepare what a layer is to say, look at it, make it live or drop it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.template import TemplateSyntaxError

from slots.actions.bodies import save_body
from slots.actions.configurations import Placement, install_configuration
from slots.actions.outlook import lock_issues
from slots.actions.serving import renderer
from slots.actions.stacks import LOCKING
from slots.errors import Issue, IssueCode, OperationsInvalid, SlotsError
from slots.markup import ops
from slots.markup.declared import remarks
from slots.markup.ops import Operation
from slots.markup.payloads import compose_payloads
from slots.markup.policy import judge
from slots.markup.tree import parse
from slots.models import ComponentVersion, Draft, Origin, SlotConfiguration
from slots.schema import STRICT

# What these say does not keep a draft from going live: the operations do what they are meant to do.
WARNINGS = frozenset({IssueCode.SLOT_DEPRECATED, IssueCode.SLOT_RENAMED, IssueCode.OP_SHADOWED, IssueCode.LAYER_LOCKED})


class DraftRefused(SlotsError):
    """A draft has issues that keep it from going live."""

    code = "DRAFT_REFUSED"

    def __init__(self, draft: Draft, issues: Sequence[Issue]) -> None:
        """Keep the draft and what is wrong with it."""
        first = issues[0]
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        super().__init__(f"{draft} cannot go live: {first.code}: {first.text} {first.suggestion}{more}")
        self.draft = draft
        self.issues = tuple(issues)


class DraftStale(SlotsError):
    """Somebody changed the configuration after the draft was begun."""

    code = "DRAFT_STALE"

    def __init__(self, draft: Draft, by: str) -> None:
        """Keep the draft and who changed its place."""
        super().__init__(
            f"{draft} was begun from an earlier revision, and {by or 'somebody'} has changed the place since. "
            "The draft's page shows what they said: keep the draft on top of that, or discard it."
        )
        self.draft = draft
        self.by = by


class DraftChanged(SlotsError):
    """Somebody changed, activated or discarded the draft after it was read."""

    code = "DRAFT_CHANGED"

    def __init__(self, draft: Draft) -> None:
        """Keep the draft."""
        super().__init__(f"{draft} has been changed, made live or discarded since it was looked at. Look at it again.")
        self.draft = draft


class DraftOutdated(SlotsError):
    """A draft is made for a version that its place does not show."""

    code = "DRAFT_OUTDATED"

    def __init__(self, draft: Draft, shown: str) -> None:
        """Keep the draft and the version that shows."""
        super().__init__(
            f"{draft} is made for version {draft.component_version.version}, and {shown} is shown by now: making it live would "
            f"take people back. Carry it to {shown} on its page, or discard it."
        )
        self.draft = draft
        self.shown = shown


@dataclass(frozen=True, slots=True)
class DraftPlace:
    """Name the place that a draft is for; `key` is the segment, person or preview, empty for the default and site layers."""

    tenant: str
    layer: str
    key: str
    version: ComponentVersion

    def members(self) -> dict[str, Any]:
        """Return the fields that name the place in rows."""
        return {"tenant": self.tenant, "layer": self.layer, "key": self.key, "component_id": self.version.component_id}


@transaction.atomic
def save_draft(
    place: DraftPlace, operations: Sequence[Operation], *, by: str, at: datetime, note: str = "", locked: Sequence[str] = ()
) -> Draft:
    """Store an author's draft for a place, in place of the one they had there; nobody's page changes.

    `locked` names the slots that no layer above may change; the default and the site layer may lock.

    Raises:
        OperationsInvalid: an operation is malformed, there are too many, or the layer may not lock.
    """
    if locked and place.layer not in LOCKING:
        raise OperationsInvalid("locked", f"the {place.layer} layer cannot lock; the default and the site layer can")
    body = save_body(operations, at=at, locked=locked)
    draft = Draft.objects.select_for_update().filter(**place.members(), author=by).first()
    if draft is None:
        draft = Draft(**place.members(), author=by, created_at=at, based_on=revision_of(place.members()))
    draft.component_version = place.version
    draft.body = body
    draft.note = note
    draft.updated_at = at
    draft.save()
    return draft


def overtaking_revision(draft: Draft) -> Any:
    """Return the history row of the place that is newer than what the draft was begun from; None where there is none."""
    newest = _history(_place(draft)).first()
    return newest if newest is not None and newest.history_id != draft.based_on else None


@transaction.atomic
def rebase_draft(draft: Draft, revision: int, *, at: datetime) -> None:
    """Let a draft count as begun from a later revision of its place, with the operations that it has.

    What the place said in between is not carried along: a draft that goes live says all that its layer says. A change of the
    place after that revision makes the draft stale again.

    Raises:
        DraftChanged: the draft says something else by now, or the place has no such revision.
    """
    _must_be_as_read(draft)
    if not _history(_place(draft)).filter(history_id=revision).exists():
        raise DraftChanged(draft)
    draft.based_on = revision
    draft.updated_at = at
    draft.save(update_fields=["based_on", "updated_at"])


def draft_issues(draft: Draft) -> tuple[Issue, ...]:
    """Return what is wrong with a draft: what a lock below keeps out, what does not fit, what the slots and the policy refuse,
    what does not compile.
    """
    return issues_of(draft, ops.loads(draft.body.operations))


def issues_of(draft: Draft, operations: Sequence[Operation]) -> tuple[Issue, ...]:
    """Return what would be wrong with a draft if it said these operations."""
    return (*lock_issues(draft, operations), *operation_issues(operations, draft.component_version))


def operation_issues(operations: Sequence[Operation], version: ComponentVersion) -> tuple[Issue, ...]:
    """Return what is wrong with operations made by hand on a version."""
    base = parse(version.source)
    is_strict = version.terms.policy == STRICT
    composed = compose_payloads(base, operations, static=is_strict)
    found = [*composed.issues, *remarks(base, operations), *judge(operations, version.terms, version.source)]
    try:
        renderer.template(composed.source, composed.spans, is_strict=is_strict)
    except (TemplateSyntaxError, SlotsError) as error:
        text = f"The result cannot be compiled: {error}"
        found.append(Issue(IssueCode.RENDER_ERROR, text, suggestion="Mend or remove the operation that brings the failing tag."))
    return tuple(dict.fromkeys(found))


@transaction.atomic
def activate_draft(draft: Draft, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None) -> SlotConfiguration:
    """Make a draft the layer's configuration, and remove the draft.

    Raises:
        DraftRefused: it has issues that are more than warnings.
        DraftStale: the place was changed after the draft was begun.
        DraftOutdated: it is made for a version that is neither the current one nor that of what the place says now.
        DraftChanged: the draft says something else by now, or is no more.
    """
    _must_be_as_read(draft)
    blocking = [issue for issue in draft_issues(draft) if issue.code not in WARNINGS]
    if blocking:
        raise DraftRefused(draft, blocking)
    place = _place(draft)
    row = SlotConfiguration.objects.select_for_update().filter(**place).first()
    if revision_of(place) != draft.based_on:
        raise DraftStale(draft, _last_author(place))
    current = ComponentVersion.objects.filter(current_for=draft.component_id).first()
    shown = {version for version in (current, row.component_version if row else None) if version is not None}
    if shown and draft.component_version not in shown:
        raise DraftOutdated(draft, (current or shown.pop()).version)
    placement = Placement(
        draft.tenant,
        draft.layer,
        draft.key,
        draft.component_version,
        draft.body_id,
        Origin.HAND,
        row.priority if row else 0,
        is_pinned=row.is_pinned if row else False,
    )
    installed = install_configuration(placement, by=by, at=at, reason=reason, act=act)
    draft.delete()
    return installed


@transaction.atomic
def discard_draft(draft: Draft) -> None:
    """Drop a draft; what it would have changed stays as it is.

    Raises:
        DraftChanged: the draft says something else by now, or is no more.
    """
    _must_be_as_read(draft)
    draft.delete()


def _must_be_as_read(draft: Draft) -> None:
    """Keep others from changing a draft until the transaction ends, unless somebody did already."""
    if not Draft.objects.select_for_update().filter(pk=draft.pk, body=draft.body_id).exists():
        raise DraftChanged(draft)


def _place(draft: Draft) -> dict[str, Any]:
    return {"tenant": draft.tenant, "layer": draft.layer, "key": draft.key, "component_id": draft.component_id}


def _history(place: dict[str, Any]) -> Any:
    rows: Any = SlotConfiguration.history
    return rows.filter(**place).order_by("-history_date", "-history_id")


def revision_of(place: dict[str, Any]) -> int | None:
    """Return the history row that says what a place holds; None where it never held anything."""
    found: int | None = _history(place).values_list("history_id", flat=True).first()
    return found


def _last_author(place: dict[str, Any]) -> str:
    return _history(place).values_list("history_user_id", flat=True).first() or ""
