"""Bodies, stored once by digest, and what was composed of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from django.utils.safestring import SafeString

from slots.admin.columns import MachineMadeAdmin, counted, in_words, link, list_link, source_text
from slots.admin.components import HEAVY
from slots.models import Body, ComposedTemplate, SlotConfiguration


@admin.register(Body)
class BodyAdmin(MachineMadeAdmin):
    """Show a list of operations in words, and who shares it."""

    list_display = ("__str__", "sharing", "size", "created_at")
    search_fields = ("digest",)
    date_hierarchy = "created_at"
    fields = ("digest", "sharing", "size", "created_at", "words", "text")
    readonly_fields = ("sharing", "size", "words", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count who shares a body in the same query; a list leaves the operations unread."""
        rows: QuerySet[Any] = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("changelist"):
            rows = rows.defer("operations")
        with_counts: QuerySet[Any] = rows.annotate(shared=counted(SlotConfiguration, "body"), length=Length("operations"))
        return with_counts

    @admin.display(description="configurations", ordering="shared")
    def sharing(self, row: Any) -> SafeString:
        """Return how many configurations share it, linked to them."""
        return list_link(SlotConfiguration, row.shared, body__digest__exact=row.pk)

    @admin.display(description="characters", ordering="length")
    def size(self, row: Any) -> int:
        """Return the length of the JSON."""
        length: int = row.length
        return length

    @admin.display(description="operations in words")
    def words(self, row: Body) -> SafeString:
        """Return one sentence for each operation."""
        return in_words(row.operations)

    @admin.display(description="operations as stored")
    def text(self, row: Body) -> SafeString:
        """Return the JSON."""
        return source_text(row.operations)


@admin.register(ComposedTemplate)
class ComposedTemplateAdmin(MachineMadeAdmin):
    """Show what is composed; rows may be deleted, they are composed again when they are needed."""

    list_display = ("short_digest", "version_link", "created_at")
    list_filter = ("component_version__component",)
    search_fields = ("digest", "component_version__component__key")
    list_select_related = ("component_version__component",)
    fields = ("digest", "version_link", "created_at", "text")
    readonly_fields = ("version_link", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the sources of a list unread."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("component_version__component")
        match = request.resolver_match
        heavy = [f"component_version__{name}" for name in HEAVY]
        if match is not None and (match.url_name or "").endswith("changelist"):
            heavy.append("source")
        return rows.defer(*heavy)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let whoever has the permission delete what can be made again."""
        return request.user.has_perm("slots.delete_composedtemplate")

    @admin.display(description="digest", ordering="digest")
    def short_digest(self, row: ComposedTemplate) -> str:
        """Return the start of the digest."""
        return row.digest[:12]

    @admin.display(description="version", ordering="component_version")
    def version_link(self, row: ComposedTemplate) -> SafeString | str:
        """Return a link to the version."""
        return link(row.component_version)

    @admin.display(description="composed source")
    def text(self, row: ComposedTemplate) -> SafeString:
        """Return the source."""
        return source_text(row.source)
