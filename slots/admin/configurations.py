"""Configurations: what each layer says, since when and by whom, with its whole history."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin

from slots.actions.outlook import lock_issues, version_hint
from slots.actions.stacks import LOCKING
from slots.admin.columns import NOTHING, MachineMadeAdmin, frames, in_words, link
from slots.admin.components import HEAVY
from slots.admin.paging import QuickList, RecentValuesFilter
from slots.admin.revisions import RevisionPages
from slots.errors import OperationsInvalid
from slots.markup import ops
from slots.models import SlotConfiguration
from slots.views import configuration_preview


@admin.register(SlotConfiguration)
class SlotConfigurationAdmin(QuickList, RevisionPages, MachineMadeAdmin, SimpleHistoryAdmin):
    """Show configurations in words; actions and commands change them, so that history and composed templates keep up."""

    list_display = (
        "component_link", "layer", "key", "tenant", "version_link", "is_active", "origin", "body_link", "last_by", "updated_at",
    )  # fmt: skip
    list_display_links = ("layer",)
    list_filter = ("layer", "origin", "is_active", "component", ("tenant", RecentValuesFilter))
    narrowed_by = ("component__id__exact", "component__exact")
    search_fields = ("key", "component__key", "body__digest")
    fields = (
        "component_link", "version_link", "tenant", "layer", "key", "priority", "is_active", "origin", "body_link",
        "provenance", "updated_at", "operations", "locks", "draft_link", "previews",
    )  # fmt: skip
    readonly_fields = (
        "component_link",
        "version_link",
        "body_link",
        "provenance",
        "operations",
        "locks",
        "draft_link",
        "previews",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the last revision of each row in the same query; a list leaves sources and operations unread."""
        history: Any = SlotConfiguration.history
        last = history.filter(id=OuterRef("pk")).order_by("-history_date", "-history_id")
        rows: QuerySet[Any] = super().get_queryset(request).select_related("component", "component_version", "body")
        rows = rows.annotate(
            last_user=Subquery(last.values("history_user_id")[:1]),
            last_reason=Subquery(last.values("history_change_reason")[:1]),
            last_revision=Subquery(last.values("history_id")[:1]),
        )
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("changelist"):
            rows = rows.defer("body__operations", *(f"component_version__{name}" for name in HEAVY))
        return rows

    def get_urls(self) -> list[URLPattern]:
        """Add the documents of the preview frames, and the page that asks before a revision is restored."""
        wrap = self.admin_site.admin_view
        inherited: list[URLPattern] = super().get_urls()
        return [
            path("<int:pk>/preview/<int:index>/", wrap(configuration_preview), name="slots_slotconfiguration_preview"),
            path("<int:pk>/restore/<int:revision>/", wrap(self.restore), name="slots_slotconfiguration_restore"),
            *inherited,
        ]

    @admin.display(description="component", ordering="component__key")
    def component_link(self, row: SlotConfiguration) -> SafeString | str:
        """Return a link to the component."""
        return link(row.component)

    @admin.display(description="made for", ordering="component_version")
    def version_link(self, row: SlotConfiguration) -> SafeString | str:
        """Return a link to the version that the operations were made for."""
        return link(row.component_version, row.component_version.version)

    @admin.display(description="locks and hints")
    def locks(self, row: SlotConfiguration) -> SafeString | str:
        """Return what it locks, what a lock of a layer below keeps out, and whether it is made for the current version."""
        try:
            held = ops.loads_document(row.body.operations)
        except OperationsInvalid:
            return NOTHING
        locked = [f"Locks {name}: no layer above can change it." for name in held.locked if row.layer in LOCKING]
        kept_out = [f"{each.code} {each.place}: {each.text} {each.suggestion}" for each in lock_issues(row, held.operations)]
        lines = [*locked, *kept_out, *filter(None, [version_hint(row)])]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines))) if lines else NOTHING

    @admin.display(description="body", ordering="body")
    def body_link(self, row: SlotConfiguration) -> SafeString | str:
        """Return a link to the operations, which others may share."""
        return link(row.body)

    @admin.display(description="by", ordering="last_user")
    def last_by(self, row: Any) -> str:
        """Return who wrote the last revision."""
        return row.last_user or NOTHING

    @admin.display(description="provenance")
    def provenance(self, row: Any) -> SafeString:
        """Return layer, revision, who, when and why."""
        where = f"{row.layer} {row.key}".strip()
        return format_html(
            "<p>{} layer, revision {}, by {} at {} UTC: {}</p>",
            where,
            row.last_revision or "unknown",
            row.last_user or "unknown",
            f"{row.updated_at:%Y-%m-%d %H:%M}",
            row.last_reason or "no reason given",
        )

    @admin.display(description="operations")
    def operations(self, row: SlotConfiguration) -> SafeString:
        """Return the operations in words."""
        return in_words(row.body.operations)

    @admin.display(description="change it")
    def draft_link(self, row: SlotConfiguration) -> SafeString:
        """Return a link to a draft that begins with what this says."""
        place = {"component": row.component_id, "layer": row.layer, "key": row.key, "tenant": row.tenant}
        return format_html('<a href="{}?{}">Begin a draft…</a>', reverse("admin:slots_draft_add"), urlencode(place))

    @admin.display(description="samples with this layer alone")
    def previews(self, row: SlotConfiguration) -> SafeString:
        """Return every sample in a sandboxed frame."""
        return frames(
            (sample.name, reverse("admin:slots_slotconfiguration_preview", args=[row.pk, index]))
            for index, sample in enumerate(row.component_version.sample_contexts)
        )
