"""The editor of a draft: a row of a form for each operation beside the text, checked and shown while somebody types.

Everything works without scripts: each button posts the page. The script only presses the buttons earlier, and moves rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from slots.actions.drafts import WARNINGS
from slots.actions.editing import (
    Edited,
    Row,
    edit_rows,
    edit_text,
    live_of,
    origins_of,
    rows_from,
    rows_of,
    store_edited,
    text_of,
)
from slots.admin.revisions import RESTORE
from slots.errors import Issue, SlotsError
from slots.markup import ops
from slots.markup.address import slot_nodes
from slots.markup.changes import CHANGES, Change
from slots.markup.tree import parse
from slots.models import Draft, SlotConfiguration
from slots.views import unsaved_preview

ROWS, TEXT = "rows", "text"
REVISIONS: Final = 5  # shown below the editor; the history has all
BLANK: Final = "‹row›"  # stands in the blank row for the key that the script gives; no name of a slot holds it


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one row as the page shows it; `key` ends the names of its fields."""

    key: str
    row: Row
    words: str = ""
    origin: str = ""
    issues: list[Issue] = field(default_factory=list)

    @property
    def change(self) -> Change:
        """Return what the fields say."""
        return self.row.change or Change("", "")


class EditorPages:
    """Add to the admin of drafts the editor, the check of what is typed, and the documents of its frames."""

    admin_site: Any
    media: Any
    _row: Any
    _gone: Any
    _is_own: Any
    _page: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the editor."""
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # mixed into an admin
        return [
            path("<int:pk>/edit/", wrap(self.edit), name="slots_draft_edit"),
            path("<int:pk>/edit/check/", wrap(self.check_unsaved), name="slots_draft_check"),
            path("<int:pk>/edit/preview/<int:index>/", wrap(self.show_unsaved), name="slots_draft_unsaved"),
            *urls,
        ]

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a draft's operations as rows and as text; on POST check them, add a row, or store what was typed."""
        if request.method != "POST":
            if not request.user.has_perm("slots.view_draft"):
                raise PermissionDenied
            draft = self._row(pk)
            if draft is None:
                return self._gone(request, pk)  # type: ignore[no-any-return]
            return self._editor(request, draft, rows_of(draft), text_of(ops.loads_document(draft.body.operations)))
        draft = self._row(pk)
        if draft is None:
            return self._gone(request, pk)  # type: ignore[no-any-return]
        self._require_own(request, draft)
        source, edited, rows = _posted(draft, request.POST)
        if "store" in request.POST and edited.document is not None:
            try:
                store_edited(draft, edited, shown=request.POST.get("shown", ""), at=timezone.now())
            except SlotsError as fault:
                messages.error(request, f"{fault.code}: {fault}")
            else:
                messages.success(request, "The draft says this now. Nothing that is live has changed.")
                return HttpResponseRedirect(reverse("admin:slots_draft_edit", args=[pk]))
        text = request.POST.get("text", "") if source == TEXT or edited.document is None else text_of(edited.document)
        return self._editor(request, draft, rows, text, edited, shown=request.POST.get("shown", ""))

    def check_unsaved(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say as JSON what is wrong with what is typed, as storing it would; nothing is stored."""
        draft = self._own(request, pk)
        source, edited, rows = _posted(draft, request.POST)
        by_row = edited.by_row()
        answer: dict[str, Any] = {
            "summary": _summary(edited),
            "is_storable": edited.document is not None,
            "issues": [{**issue.as_json(), "row": index} for index in sorted(by_row) for issue in by_row[index]],
        }
        if edited.document is not None and source == ROWS:
            answer["text"] = text_of(edited.document)
        if edited.document is not None and source == TEXT:
            entries = _entries(draft, rows, edited, edited.document.operations)
            answer["rows"] = render_to_string("admin/slots/_rows.html", {"entries": entries, **_choices(draft)}, request)
        return JsonResponse(answer)

    def show_unsaved(self, request: HttpRequest, pk: int, index: int) -> HttpResponse:
        """Return a sample's page with what is typed, as a document that can do nothing but be looked at."""
        draft = self._own(request, pk)
        _, edited, _ = _posted(draft, request.POST)
        operations = None if edited.document is None else edited.document.operations
        return unsaved_preview(request, draft.component_version, operations, index)

    def _own(self, request: HttpRequest, pk: int) -> Draft:
        """Return the visitor's draft whose page was posted."""
        draft: Draft | None = self._row(pk)
        if draft is None:
            raise Http404
        self._require_own(request, draft)
        return draft

    def _require_own(self, request: HttpRequest, draft: Draft) -> None:
        if not self._is_own(request, draft) or request.method != "POST":
            raise PermissionDenied

    def _editor(
        self,
        request: HttpRequest,
        draft: Draft,
        rows: Sequence[Row],
        text: str,
        edited: Edited | None = None,
        *,
        shown: str = "",
    ) -> HttpResponse:
        """Return the page; `edited` is what was typed where that was posted."""
        held = ops.loads_document(draft.body.operations)
        edited = edited or edit_rows(draft, rows)
        operations = held.operations if edited.document is None else edited.document.operations
        entries = _entries(draft, rows, edited, operations)
        if request.method == "POST" and "add" in request.POST:
            entries.append(Entry(str(len(entries)), Row("", None)))
        live = live_of(draft)
        response: HttpResponse = self._page(
            request,
            "editor.html",
            {
                "title": str(draft),
                "draft": draft,
                "back": reverse("admin:slots_draft_change", args=[draft.pk]),
                "is_own": self._is_own(request, draft),
                "entries": entries,
                "blank": Entry(BLANK, Row("", None)),
                "text": text,
                "shown": shown or draft.body_id,
                "summary": _summary(edited),
                "general": edited.by_row().get(-1, []),
                "samples": list(enumerate(sample.name for sample in draft.component_version.sample_contexts)),
                "history": live and reverse("admin:slots_slotconfiguration_history", args=[live]),
                "revisions": _revisions(live) if live else [],
                "may_restore": request.user.has_perm(RESTORE),
                "kinds": [(kind.label, kind.name, kind.text) for kind in CHANGES.values()],
                **_choices(draft),
            },
        )
        return response


def _revisions(live: int) -> list[dict[str, Any]]:
    """Return the latest revisions of a configuration, each with the page that asks before it is restored."""
    history: Any = SlotConfiguration.history
    rows = history.filter(id=live).order_by("-history_date", "-history_id")[:REVISIONS]
    return [
        {"row": row, "restore": reverse("admin:slots_slotconfiguration_restore", args=[live, row.history_id])} for row in rows
    ]


def _posted(draft: Draft, data: QueryDict) -> tuple[str, Edited, list[Row]]:
    """Return what was typed, rows or text, what it comes to, and the rows to show of it."""
    if data.get("source") == TEXT or data.get("store") == TEXT:
        edited = edit_text(draft, data.get("text", ""))
        operations = ops.loads(draft.body.operations) if edited.document is None else edited.document.operations
        return TEXT, edited, rows_from(draft, operations)
    rows = list(_rows(data))
    return ROWS, edit_rows(draft, rows), rows


def _rows(data: QueryDict) -> Iterator[Row]:
    """Yield the rows of a posted form in the order of their positions; those to be taken out and the blank ones are left out."""

    def position(place: int, key: str) -> tuple[float, int]:
        given = data.get(f"position-{key}", "")
        return (float(given) if given.isdecimal() and len(given) < 9 else place + 1, place)

    keys = data.getlist("row")
    for _, key in sorted((position(place, key), key) for place, key in enumerate(keys)):
        what, gone = data.get(f"what-{key}", ""), data.get(f"gone-{key}")
        identifier = data.get(f"id-{key}", "")
        if gone or not (what or identifier):
            continue
        name, text = data.get(f"name-{key}", "").strip(), data.get(f"text-{key}", "").replace("\r\n", "\n")
        yield Row(identifier, Change(what, data.get(f"slot-{key}", ""), name, text) if what else None)


def _entries(draft: Draft, rows: Sequence[Row], edited: Edited, operations: Sequence[ops.Operation]) -> list[Entry]:
    """Return the rows with words, where each comes from, and what is wrong with it."""
    by_id = {each.id: each for each in (*ops.loads(draft.body.operations), *operations)}
    made = {index: identifier for identifier, index in reversed(edited.origins)}
    by_row = edited.by_row()
    origins = origins_of(draft, by_id.values())
    found = []
    for index, row in enumerate(rows):
        operation = by_id.get(made.get(index, row.id))
        words = ops.describe(operation) if operation is not None else ""
        origin = origins[operation.id].words if operation is not None else ""
        found.append(Entry(str(index), row, words, origin, by_row.get(index, [])))
    return found


def _choices(draft: Draft) -> Mapping[str, Any]:
    """Return the kinds of change and the slots to choose from, these as the tree has them: further in, deeper."""
    nodes = slot_nodes(parse(draft.component_version.source))
    depths: dict[int, int] = {}
    slots = []
    for name, node in nodes.items():
        outer = node.parent
        while outer is not None and outer.order not in depths:
            outer = outer.parent
        depths[node.order] = 0 if outer is None else depths[outer.order] + 1
        slots.append((name, f"{'· ' * depths[node.order]}{name}"))
    changes = [(what, kind.label, f"{'n' if kind.name else ''}{'t' if kind.text else ''}") for what, kind in CHANGES.items()]
    return {"slots": slots, "changes": changes}


def _summary(edited: Edited) -> str:
    """Say in a sentence how it stands."""
    blocking = sum(issue.code not in WARNINGS for issue in edited.issues)
    if edited.faults:
        return f"{len(edited.faults)} of it cannot be stored. See what is said there."
    if blocking:
        return f"It can be stored; {blocking} issue{'s keep' if blocking > 1 else ' keeps'} it from going live."
    return "Nothing is wrong with it." if not edited.issues else "It can go live; there are warnings."
