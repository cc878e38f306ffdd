"""Drafts: what somebody prepares for a layer by hand, slot by slot, with the samples beside it, and how it goes live."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from slots.actions.authoring import begin_draft, carry_draft, change_draft, drop_operations, lock_slots
from slots.actions.configurations import REMOVED
from slots.actions.drafts import (
    WARNINGS,
    activate_draft,
    discard_draft,
    draft_issues,
    overtaking_revision,
    rebase_draft,
)
from slots.actions.outlook import key_hint, outlook, version_hint
from slots.actions.stacks import LOCKING
from slots.admin.asking import ReasonForm, ShownForm
from slots.admin.columns import MachineMadeAdmin, frames, in_words, is_pk, link
from slots.admin.editor import EditorPages
from slots.errors import Issue, IssueCode, SlotsError
from slots.jobs import compose_above
from slots.markup import ops
from slots.markup.address import slot_nodes
from slots.markup.changes import CHANGES, Change
from slots.markup.compose import compose
from slots.markup.condense import taken_away
from slots.markup.differences import differences
from slots.markup.tree import parse
from slots.models import Body, Component, Draft, Layer
from slots.schema import DEFAULT_TENANT
from slots.views import draft_preview

GO_LIVE = "slots.change_slotconfiguration"


class BeginForm(forms.Form):
    """Ask for which place a draft is to be."""

    component = forms.ModelChoiceField(Component.objects.filter(current_version__isnull=False))
    layer = forms.ChoiceField(choices=Layer.choices, initial=Layer.SITE)
    key = forms.CharField(
        max_length=200, required=False, help_text="The segment, person or preview; empty for the default and site layers."
    )
    tenant = forms.CharField(max_length=100, initial=DEFAULT_TENANT)
    note = forms.CharField(max_length=500, required=False, help_text="What it is to become, for yourself and others.")

    def clean(self) -> dict[str, Any]:
        """Hold the key to the layer."""
        cleaned: dict[str, Any] = super().clean() or {}
        keyless = cleaned.get("layer") in (Layer.DEFAULT, Layer.SITE)
        if keyless and cleaned.get("key"):
            self.add_error("key", "The default and the site layer have no key. Empty the field or choose another layer.")
        if not keyless and "layer" in cleaned and not cleaned.get("key"):
            self.add_error("key", "Name the segment, person or preview.")
        return cleaned


class ChangeForm(forms.Form):
    """Ask for one change of one slot; what a kind of change does not use stays empty."""

    slot = forms.ChoiceField()
    what = forms.ChoiceField(choices=[(what, kind.label) for what, kind in CHANGES.items()], label="Change")
    name = forms.CharField(
        max_length=200, required=False, label="Name", help_text="An attribute, a style property, classes, a tag."
    )
    text = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, draft: Draft, **kwargs: Any) -> None:
        """Offer the slots of the draft's version, the declared ones first."""
        super().__init__(*args, **kwargs)
        slots = draft.component_version.slot_map
        groups = [(kind, [slot["name"] for slot in slots if slot["kind"] == kind]) for kind in ("declared", "derived")]
        fates = _fates(draft)
        choices = [
            (f"{kind} slots", [(name, f"{name}{fates.get(name, '')}") for name in names]) for kind, names in groups if names
        ]
        self.fields["slot"].choices = choices  # type: ignore[attr-defined]  # the stubs know fields in general only
        self.fields["what"].widget.attrs["data-uses"] = " ".join(
            f"{what}:{'n' if kind.name else ''}{'t' if kind.text else ''}" for what, kind in CHANGES.items()
        )

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind of change needs."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind = CHANGES.get(cleaned.get("what", ""))
        for field in ("name", "text") if kind is not None else ():
            needed = getattr(kind, field)
            if field == "text" and kind is not None and kind.may_be_empty:
                continue
            if needed and field in cleaned and not cleaned[field].strip():
                self.add_error(field, f"Fill in {needed}.")
        return cleaned

    def change(self) -> Change:
        """Return what was asked for."""
        given = self.cleaned_data
        return Change(given["what"], given["slot"], given["name"].strip(), given["text"])


def _fates(draft: Draft) -> dict[str, str]:
    """Return what the draft does to whole slots, by name, as a mark to show behind it."""
    tree = parse(draft.component_version.source)
    gone = taken_away(tree, ops.loads(draft.body.operations))
    return {
        name: " (taken away by this draft)" if operation.kind == ops.REMOVE else " (replaced by this draft)"
        for name, node in slot_nodes(tree).items()
        for place, operation in gone
        if place.contains(node)
    }


@admin.register(Draft)
class DraftAdmin(EditorPages, MachineMadeAdmin):
    """Begin, edit, show and activate drafts; everybody sees all drafts and changes their own."""

    list_display = ("__str__", "component_link", "layer", "key", "tenant", "author", "note", "updated_at")
    list_filter = ("layer", "component", "tenant", "author")
    list_select_related = ("component", "component_version")
    search_fields = ("key", "author", "note", "component__key")

    class Media:
        js = ("slots/drafts.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Draft]:
        """Leave sources and operations unread."""
        rows: QuerySet[Draft] = super().get_queryset(request)
        return rows.defer("component_version__source", "component_version__slot_map")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that ask, and the documents of the preview frames."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/activate/", wrap(self.activate), name="slots_draft_activate"),
            path("<int:pk>/discard/", wrap(self.discard), name="slots_draft_discard"),
            path("<int:pk>/preview/<int:index>/", wrap(draft_preview), name="slots_draft_preview"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those begin drafts who may."""
        return request.user.has_perm("slots.add_draft")

    @admin.display(description="component")
    def component_link(self, row: Draft) -> str:
        """Return a link to the component."""
        return link(row.component)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask for the place, and begin there with what it says now."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BeginForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            given, now = form.cleaned_data, timezone.now()
            try:
                draft = begin_draft(**given, by=request.user.get_username(), at=now)
            except SlotsError as fault:
                form.add_error(None, f"{fault.code}: {fault}")
            else:
                if hint := key_hint(draft.tenant, draft.layer, draft.key):
                    messages.warning(request, hint)
                if draft.created_at != now:
                    messages.info(request, _come_back(draft, given["note"]))
                return self._to(draft)
        return self._page(request, "begin_draft.html", {"form": form, "title": "Begin a draft"})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a draft with its samples; take one change, or take changes out."""
        if not request.user.has_perm("slots.view_draft"):
            raise PermissionDenied
        draft = self._row(object_id)
        if draft is None:
            return self._gone(request, int(object_id))
        form = ChangeForm(request.POST if "change" in request.POST else None, draft=draft)
        if request.method == "POST":
            self._must_be_own(request, draft)
            if self._edited(request, draft, form):
                return self._to(draft)
        return self._page(request, "draft.html", {**self._shown(request, draft), "form": form})

    def activate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what keeps a draft from going live, or ask why and make it live."""
        if not request.user.has_perm(GO_LIVE):
            raise PermissionDenied
        draft = self._row(pk)
        if draft is None:
            return self._gone(request, pk)
        form = ReasonForm(request.POST or None, state=_state(draft))
        if request.method == "POST" and form.is_valid():
            try:
                row = activate_draft(draft, by=request.user.get_username(), at=timezone.now(), reason=form.cleaned_data["reason"])
            except SlotsError as fault:
                form.add_error(None, f"{fault.code}: {fault}")
            else:
                self._note_end(request, pk, draft, "went live")
                compose_above(row)
                messages.success(request, f"{row}: live.")
                return HttpResponseRedirect(reverse("admin:slots_slotconfiguration_change", args=[row.pk]))
        shown = {**self._shown(request, draft), "form": form, "news": _news(draft, form), "lines": outlook(draft)}
        return self._page(request, "activate_draft.html", shown)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and drop a draft; nothing live changes."""
        draft = self._row(pk)
        if draft is None:
            return self._gone(request, pk)
        self._must_be_own(request, draft)
        form = ShownForm(request.POST if request.method == "POST" else None, state=_state(draft))
        if request.method == "POST" and form.is_valid():
            discard_draft(draft)
            self._note_end(request, pk, draft, "was discarded")
            messages.success(request, f"{draft}: discarded.")
            return HttpResponseRedirect(reverse("admin:slots_draft_changelist"))
        return self._page(
            request, "discard_draft.html", {**self._shown(request, draft), "form": form, "news": _news(draft, form)}
        )

    def _edited(self, request: HttpRequest, draft: Draft, form: ChangeForm) -> bool:
        """Do what a posted page asks for, and say whether it is done."""
        now = timezone.now()
        try:
            if "drop" in request.POST:
                dropped = drop_operations(draft, request.POST.getlist("operation"), at=now)
                messages.success(request, f"{dropped} operation{pluralize(dropped)} taken out.")
                return True
            if "lock" in request.POST:
                lock_slots(draft, request.POST.getlist("locked"), at=now)
                messages.success(request, "The locks are as chosen.")
                return True
            if "rebase" in request.POST and request.POST["rebase"].isdecimal():
                rebase_draft(draft, int(request.POST["rebase"]), at=now)
                messages.success(request, "The draft is kept on top of what the place says now.")
                return True
            if "carry" in request.POST and draft.component.current_version is not None:
                issues = carry_draft(draft, draft.component.current_version, at=now)
                messages.success(request, f"The draft is made for version {draft.component_version.version} now.")
                for issue in issues:
                    messages.warning(request, f"{issue.code}: {issue.place}: {issue.text}")
                return True
            if form.is_valid():
                before = ops.loads(draft.body.operations)
                change = form.change()
                issues = change_draft(draft, change, at=now)
                _add_issues(form, change, issues)
                if not form.errors:
                    messages.success(request, _added(change, before, ops.loads(draft.body.operations)))
                    for issue in issues:
                        messages.warning(request, f"{issue.code}: {issue.text} {issue.suggestion}")
                return not form.errors
        except SlotsError as fault:
            form.add_error(None, f"{fault.code}: {fault}")
        return False

    def _shown(self, request: HttpRequest, draft: Draft) -> dict[str, Any]:
        """Return what the pages of a draft show of it."""
        held = ops.loads_document(draft.body.operations)
        issues = draft_issues(draft)
        by_operation: dict[str, list[Issue]] = {}
        for issue in issues:
            by_operation.setdefault(issue.operation, []).append(issue)
        version = draft.component_version
        return {
            "title": str(draft),
            "draft": draft,
            "back": reverse("admin:slots_draft_change", args=[draft.pk]),
            "is_own": self._is_own(request, draft),
            "may_go_live": request.user.has_perm(GO_LIVE),
            "operations": [
                {"id": each.id, "words": ops.describe(each), "issues": by_operation.get(each.id, ())}
                for each in held.operations
                if not each.layout
            ],
            "issues": by_operation.get("", ()),
            "blocking": [issue for issue in issues if issue.code not in WARNINGS],
            "previews": frames(
                (sample.name, reverse("admin:slots_draft_preview", args=[draft.pk, index]))
                for index, sample in enumerate(version.sample_contexts)
            ),
            "composed": compose(version.source, held.operations).source,
            "locks": _locks([slot["name"] for slot in version.slot_map], held.locked) if draft.layer in LOCKING else (),
            "overtaken": _overtaken(draft),
            "version_hint": version_hint(draft),
            "kinds": [(kind.label, kind.name, kind.text) for kind in CHANGES.values()],
        }

    @staticmethod
    def _row(pk: Any) -> Draft | None:
        """Return a draft, None where it is no more."""
        if not is_pk(pk):
            raise Http404
        return Draft.objects.select_related("component__current_version", "component_version", "body").filter(pk=pk).first()

    @staticmethod
    def _gone(request: HttpRequest, pk: int) -> HttpResponseRedirect:
        """Say what became of a draft that is no more, as far as the admin's log knows, and lead to what is live."""
        may_list = request.user.has_perm("slots.view_draft")
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Draft), object_id=str(pk))
        entry = entries.select_related("user").first() if may_list else None
        fate = "it went live or was discarded."
        if entry is not None:
            when = f"{entry.action_time:%Y-%m-%d %H:%M} UTC"
            fate = f"{entry.object_repr} {entry.change_message} by {entry.user.get_username()} at {when}."
        listed = reverse("admin:slots_slotconfiguration_changelist")
        messages.warning(request, format_html('This draft is no more: {} <a href="{}">What is live</a>', fate, listed))
        return HttpResponseRedirect(reverse("admin:slots_draft_changelist" if may_list else "admin:index"))

    @staticmethod
    def _note_end(request: HttpRequest, pk: int, draft: Draft, fate: str) -> None:
        """Keep in the admin's log what became of a draft, for whoever still has its page open."""
        LogEntry.objects.create(  # type: ignore[misc]  # who comes here is signed in
            user_id=request.user.pk, content_type=ContentType.objects.get_for_model(Draft), object_id=str(pk),
            object_repr=str(draft)[:200], action_flag=DELETION, change_message=fate,
        )  # fmt: skip

    @staticmethod
    def _is_own(request: HttpRequest, draft: Draft) -> bool:
        return draft.author == request.user.get_username() and request.user.has_perm("slots.change_draft")

    def _must_be_own(self, request: HttpRequest, draft: Draft) -> None:
        if not self._is_own(request, draft):
            raise PermissionDenied

    @staticmethod
    def _to(draft: Draft) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:slots_draft_change", args=[draft.pk]))

    def _page(self, request: HttpRequest, template: str, more: dict[str, Any]) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **more}
        return TemplateResponse(request, f"admin/slots/{template}", context)


def _come_back(draft: Draft, note: str) -> str:
    """Say that the draft is one that its author had already, and what became of the note that they typed."""
    words = f"You have had a draft of this place since {draft.created_at:%Y-%m-%d %H:%M} UTC; here it is, with its changes."
    if note and note != draft.note:
        words += f" It keeps its own note; what you typed is not stored: {note}"
    return words


def _overtaken(draft: Draft) -> dict[str, Any] | None:
    """Return what the place says since somebody changed it after the draft was begun; None where nobody did."""
    newest = overtaking_revision(draft)
    if newest is None:
        return None
    is_there = newest.history_type != REMOVED and newest.is_active
    body = Body.objects.filter(digest=newest.body_id).first() if is_there else None
    return {"revision": newest, "is_there": is_there, "words": in_words(body.operations) if body is not None else ""}


def _state(draft: Draft) -> str:
    """Name what a page about a draft shows, the digest of its body first."""
    return f"{draft.body_id}.{draft.component_version_id}.{draft.based_on or ''}"


def _news(draft: Draft, form: ShownForm) -> list[str]:
    """Say what changed in a draft since the page of a form was shown, as far as that is still known."""
    before = Body.objects.filter(digest=form.seen.partition(".")[0]).first() if form.seen else None
    if before is None:
        return []
    was, now = ops.loads_document(before.operations), ops.loads_document(draft.body.operations)
    found = [each.words for each in differences(was.operations, now.operations)]
    return found + (["The locks are other ones."] if set(was.locked) != set(now.locked) else [])


def _added(change: Change, before: Sequence[ops.Operation], after: Sequence[ops.Operation]) -> str:
    """Say that a change is in the draft, and which earlier ones it took the place of."""
    kept = {operation.id for operation in after}
    gone = [ops.describe(operation) for operation in before if operation.id not in kept and not operation.layout]
    words = f"{CHANGES[change.what].label}: {change.slot}. It is in the draft."
    return f"{words} It takes the place of: {' '.join(gone)}" if gone else words


def _add_issues(form: forms.Form, change: Change, issues: Iterable[Issue]) -> None:
    """Say what a change could not do, a name or text that is none beside its field; warnings do not hold it."""
    for issue in issues:
        if issue.code is IssueCode.SCHEMA_INVALID:
            form.add_error("name" if CHANGES[change.what].name else "text", f"{issue.text} {issue.suggestion}")
        elif issue.code not in WARNINGS:
            form.add_error(None, f"{issue.code}: {issue.text} {issue.suggestion}")


def _locks(names: Sequence[str], locked: Sequence[str]) -> list[tuple[str, bool]]:
    """Return all slots and whether they are locked; a lock by a name that no slot bears any more stays until it is taken off."""
    return [*((name, name in locked) for name in names), *((name, True) for name in locked if name not in names)]
