"""Components and their versions."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from slots.actions import set_current_version
from slots.admin.columns import NOTHING, MachineMadeAdmin, counted, frames, link, list_link, source_text
from slots.jobs import compose_later
from slots.models import Component, ComponentVersion, ConfigurationIssue, SlotConfiguration
from slots.views import version_preview

HEAVY = ("source", "samples", "slot_map", "contract")


@admin.register(Component)
class ComponentAdmin(MachineMadeAdmin):
    """Show components, and what lies over them."""

    list_display = ("key", "title", "shown_version", "version_count", "configuration_count")
    search_fields = ("key", "title")
    fields = ("key", "title", "shown_version", "version_count", "configuration_count")
    readonly_fields = ("shown_version", "version_count", "configuration_count")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count what belongs to each component in the same query."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("current_version")
        rows = rows.defer(*(f"current_version__{name}" for name in HEAVY))
        with_counts: QuerySet[Any] = rows.annotate(
            versions_counted=counted(ComponentVersion, "component"),
            configurations_counted=counted(SlotConfiguration, "component"),
        )
        return with_counts

    @admin.display(description="current version")
    def shown_version(self, row: Component) -> SafeString | str:
        """Return a link to the current version."""
        return link(row.current_version, row.current_version.version) if row.current_version else NOTHING

    @admin.display(description="versions", ordering="versions_counted")
    def version_count(self, row: Any) -> SafeString:
        """Return how many versions there are, linked to them."""
        return list_link(ComponentVersion, row.versions_counted, component__id__exact=row.pk)

    @admin.display(description="configurations", ordering="configurations_counted")
    def configuration_count(self, row: Any) -> SafeString:
        """Return how many configurations there are, linked to them."""
        return list_link(SlotConfiguration, row.configurations_counted, component__id__exact=row.pk)


@admin.register(ComponentVersion)
class ComponentVersionAdmin(MachineMadeAdmin):
    """Show one release: its source, contract, slots, and its samples in sandboxed frames."""

    list_display = ("__str__", "component_link", "version", "released_at", "ordinal", "is_shown", "configuration_count")
    list_filter = ("component",)
    list_select_related = ("component",)
    search_fields = ("component__key", "version", "digest")
    actions = ("show_to_everybody",)
    fields = (
        "component_link", "version", "released_at", "ordinal", "is_shown", "configuration_count", "issue_link", "digest",
        "contract_text", "slots", "previews", "template",
    )  # fmt: skip
    readonly_fields = (*fields[:1], *fields[4:7], "digest", *fields[8:])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count configurations in the same query; a list leaves the sources unread."""
        rows: QuerySet[Any] = (
            super().get_queryset(request).annotate(configurations_counted=counted(SlotConfiguration, "component_version"))
        )
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("changelist")
        return rows.defer(*HEAVY) if is_list else rows

    def get_urls(self) -> list[URLPattern]:
        """Add the documents of the preview frames."""
        preview = path(
            "<int:pk>/preview/<int:index>/", self.admin_site.admin_view(version_preview), name="slots_componentversion_preview"
        )
        return [preview, *super().get_urls()]

    def has_show_permission(self, request: HttpRequest) -> bool:
        """Say whether somebody may choose what everybody sees."""
        return request.user.has_perm("slots.change_component")

    @admin.action(description="Show this version to everybody whom no configuration pins", permissions=["show"])
    def show_to_everybody(self, request: HttpRequest, queryset: QuerySet[ComponentVersion]) -> None:
        """Make the chosen versions current, one for each component."""
        versions = list(queryset.select_related("component"))
        if len({version.component_id for version in versions}) != len(versions):
            self.message_user(request, "Choose one version of each component.", messages.ERROR)
            return
        for version in versions:
            set_current_version(version.component, version, at=timezone.now(), by=request.user.get_username())
            compose_later(version.component)
        self.message_user(request, f"{len(versions)} versions are shown now.", messages.SUCCESS)

    @admin.display(description="component", ordering="component__key")
    def component_link(self, row: ComponentVersion) -> SafeString | str:
        """Return a link to the component."""
        return link(row.component)

    @admin.display(description="shown", boolean=True)
    def is_shown(self, row: ComponentVersion) -> bool:
        """Say whether it is the current version."""
        return row.component.current_version_id == row.pk

    @admin.display(description="configurations", ordering="configurations_counted")
    def configuration_count(self, row: Any) -> SafeString:
        """Return how many configurations are made for it, linked to them."""
        return list_link(SlotConfiguration, row.configurations_counted, component_version__id__exact=row.pk)

    @admin.display(description="issues")
    def issue_link(self, row: ComponentVersion) -> SafeString:
        """Return a link to the issues of this version."""
        return list_link(ConfigurationIssue, "issues", component_version__id__exact=row.pk)

    @admin.display(description="contract")
    def contract_text(self, row: ComponentVersion) -> SafeString:
        """Return the contract, defaults filled in."""
        return source_text(json.dumps(row.terms.as_json(), indent=2))

    @admin.display(description="slots")
    def slots(self, row: ComponentVersion) -> SafeString:
        """Return declared and derived slots with their lines."""
        lines = ((slot["line"], slot["kind"], slot["name"], slot["tag"]) for slot in row.slot_map)
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines)
        return format_html(
            "<table><thead><tr><th>line</th><th>kind</th><th>name</th><th>tag</th></tr></thead><tbody>{}</tbody></table>", body
        )

    @admin.display(description="samples")
    def previews(self, row: ComponentVersion) -> SafeString:
        """Return every sample in a sandboxed frame."""
        return frames(
            (sample.name, reverse("admin:slots_componentversion_preview", args=[row.pk, index]))
            for index, sample in enumerate(row.sample_contexts)
        )

    @admin.display(description="source")
    def template(self, row: ComponentVersion) -> SafeString:
        """Return the template's text."""
        return source_text(row.source)
