"""The history of a configuration: every revision in words, what changed between any two, and how one becomes live again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from slots.actions import restore_revision
from slots.actions.configurations import REMOVED
from slots.actions.reverting import CONTENT
from slots.admin.asking import ReasonForm
from slots.admin.columns import is_pk
from slots.errors import OperationsInvalid, SlotsError
from slots.jobs import compose_above
from slots.markup import ops
from slots.markup.differences import differences
from slots.models import Body, ComponentVersion, SlotConfiguration

RESTORE = "slots.change_slotconfiguration"
SHOWN = 100  # revisions on the page, newest first
KINDS = {"+": "made", "~": "changed", "-": "removed"}


@dataclass(frozen=True, slots=True)
class Revision:
    """Hold one history row with what it said, read."""

    row: Any
    operations: tuple[ops.Operation, ...]
    locked: tuple[str, ...]
    version: str
    fault: str = ""

    @property
    def kind(self) -> str:
        """Return what happened, in a word."""
        return KINDS[self.row.history_type]


def revisions(configuration: SlotConfiguration, *, only: Sequence[int] = ()) -> list[Revision]:
    """Return the revisions of a configuration's place, newest first, in three queries; `only` names some by their ids."""
    history: Any = SlotConfiguration.history
    place = {name: getattr(configuration, name) for name in ("tenant", "layer", "key", "component_id")}
    rows = history.filter(**place).order_by("-history_date", "-history_id")
    rows = list(rows.filter(history_id__in=only) if only else rows[:SHOWN])
    bodies = Body.objects.in_bulk({row.body_id for row in rows})
    names = dict(ComponentVersion.objects.filter(component=configuration.component_id).values_list("pk", "version"))
    return [_read(row, bodies[row.body_id].operations, names[row.component_version_id]) for row in rows]


def _read(row: Any, body: str, version: str) -> Revision:
    try:
        held = ops.loads_document(body)
    except OperationsInvalid as fault:
        return Revision(row, (), (), version, f"{fault.code}: {fault}")
    return Revision(row, held.operations, held.locked, version)


def changes(before: Revision | None, after: Revision) -> list[str]:
    """Say in sentences what a revision changed against another one, the one before it as a rule."""
    if after.row.history_type == "-":
        return ["The layer was taken away: what lies below shows."]
    was = before if before is not None and before.row.history_type != "-" else None
    found = [each.words for each in differences(was.operations if was else (), after.operations)]
    if was is not None:
        found += _placement(was, after)
    locks = (set(was.locked) if was else set(), set(after.locked))
    found += [f"Locks {name}." for name in sorted(locks[1] - locks[0])]
    found += [f"No longer locks {name}." for name in sorted(locks[0] - locks[1])]
    return [*filter(None, (after.fault,)), *found] or ["Nothing that shows: layout only, or the same again."]


def _placement(before: Revision, after: Revision) -> list[str]:
    """Say what changed beside the operations."""
    was, now = before.row, after.row
    facts = (
        (before.version != after.version, f"Made for version {after.version} instead of {before.version}."),
        (was.is_active != now.is_active, "It was switched on." if now.is_active else "It was switched off."),
        (was.is_pinned != now.is_pinned, "It was pinned." if now.is_pinned else "It was unpinned."),
        (was.priority != now.priority, f"Priority {now.priority} instead of {was.priority}."),
    )
    return [words for is_so, words in facts if is_so]


def _says(row: Any) -> tuple[Any, ...]:
    """Return what a history row says that a restore could change."""
    is_gone = row.history_type == REMOVED
    return is_gone, *(() if is_gone else (getattr(row, name) for name in CONTENT))


class RevisionPages:
    """Add to the admin of configurations the page of revisions, and the one that asks before a revision is restored."""

    admin_site: Any
    opts: Any

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """List the revisions, each with what it changed; with `from` and `to`, say what changed between these two."""
        configuration = self._configuration(request, object_id)
        listed = revisions(configuration)
        following: list[Revision | None] = [*listed[1:], None]
        rows = [
            {"revision": each, "changes": changes(before, each), "restore": self._restore_address(configuration, each)}
            for each, before in zip(listed, following, strict=True)
        ]
        chosen = [request.GET.get(name, "") for name in ("from", "to")]
        if "compare" in request.GET and not all(chosen):
            messages.warning(request, "Choose one revision under “from” and another one under “to”.")
        return self._shown(
            request, "revisions.html", configuration, rows=rows, is_cut=len(rows) == SHOWN, chosen=chosen,
            may_restore=request.user.has_perm(RESTORE), compared=self._compared(configuration, chosen),
        )  # fmt: skip

    def restore(self, request: HttpRequest, pk: int, revision: int) -> HttpResponse:
        """Say what restoring changes, ask why, do it."""
        if not request.user.has_perm(RESTORE):
            raise PermissionDenied
        configuration = self._configuration(request, pk)
        found = revisions(configuration, only=[revision]) if is_pk(revision) else []
        if not found:
            raise Http404
        present = revisions(configuration)[0]
        is_same = _says(present.row) == _says(found[0].row)
        form = ReasonForm(request.POST or None, state=str(present.row.history_id))
        if request.method == "POST" and form.is_valid():
            deed = {"by": request.user.get_username(), "at": timezone.now(), "reason": form.cleaned_data["reason"]}
            try:
                row = restore_revision(found[0].row, **deed)
            except SlotsError as fault:
                form.add_error(None, f"{fault.code}: {fault}")
            else:
                compose_above(configuration)
                if is_same:
                    messages.info(request, f"{configuration} said that already: nothing has changed.")
                else:
                    messages.success(request, f"{configuration}: revision {revision} is restored.")
                name = "slots_slotconfiguration_changelist" if row is None else "slots_slotconfiguration_history"
                return HttpResponseRedirect(reverse(f"admin:{name}", args=[] if row is None else [row.pk]))
        return self._shown(
            request, "restore.html", configuration, form=form, revision=found[0], is_same=is_same,
            changes=changes(present, found[0]), news=self._compared(configuration, [form.seen, form.state]) if form.seen else [],
        )  # fmt: skip

    @staticmethod
    def _restore_address(configuration: SlotConfiguration, revision: Revision) -> str:
        return reverse("admin:slots_slotconfiguration_restore", args=[configuration.pk, revision.row.history_id])

    @staticmethod
    def _compared(configuration: SlotConfiguration, chosen: Sequence[str]) -> list[str]:
        """Return what changed between two revisions that were asked for, in words; nothing where they are not both there."""
        if not all(map(is_pk, chosen)):
            return []
        found = {each.row.history_id: each for each in revisions(configuration, only=[int(each) for each in chosen])}
        one, other = (found.get(int(each)) for each in chosen)
        return changes(one, other) if one is not None and other is not None else []

    @staticmethod
    def _configuration(request: HttpRequest, pk: int | str) -> SlotConfiguration:
        if not request.user.has_perm("slots.view_slotconfiguration"):
            raise PermissionDenied
        rows = SlotConfiguration.objects.select_related("component")
        row = rows.filter(pk=pk).first() if is_pk(pk) else None
        if row is None:
            raise Http404
        return row

    def _shown(self, request: HttpRequest, template: str, configuration: SlotConfiguration, **more: Any) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(configuration),
            "back": reverse("admin:slots_slotconfiguration_change", args=[configuration.pk]), **more,
        }  # fmt: skip
        return TemplateResponse(request, f"admin/slots/{template}", context)
