"""Issues that composing and rendering found."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from slots.admin.columns import MachineMadeAdmin, link
from slots.admin.components import HEAVY
from slots.models import ComposedTemplate, ConfigurationIssue


@admin.register(ConfigurationIssue)
class ConfigurationIssueAdmin(MachineMadeAdmin):
    """Show what went wrong and how often; deleting an issue dismisses it until it recurs."""

    list_display = ("code", "place", "version_link", "summary", "occurrences", "first_at", "last_at")
    list_filter = ("code", "component_version__component", "last_at")
    search_fields = ("place", "text", "digest", "component_version__component__key")
    date_hierarchy = "last_at"
    fields = ("code", "place", "version_link", "composed_link", "text", "occurrences", "first_at", "last_at")
    readonly_fields = ("version_link", "composed_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read versions in the same query, their sources not at all."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("component_version__component")
        return rows.defer(*(f"component_version__{name}" for name in HEAVY))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let whoever has the permission dismiss issues."""
        return request.user.has_perm("slots.delete_configurationissue")

    @admin.display(description="version", ordering="component_version")
    def version_link(self, row: ConfigurationIssue) -> SafeString | str:
        """Return a link to the version."""
        return link(row.component_version)

    @admin.display(description="composed template")
    def composed_link(self, row: ConfigurationIssue) -> SafeString | str:
        """Return a link to what was rendered, where it is still stored."""
        composed = ComposedTemplate.objects.filter(pk=row.digest).select_related("component_version__component").first()
        return link(composed, row.digest[:12]) if composed else format_html("{} (not stored any more)", row.digest[:12])

    @admin.display(description="what")
    def summary(self, row: ConfigurationIssue) -> str:
        """Return the beginning of the sentence."""
        return row.text if len(row.text) <= 120 else f"{row.text[:119]}…"
