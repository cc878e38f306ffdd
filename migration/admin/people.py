"""People, and the records of an import that could not be taken."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.urls import URLPattern, path
from django.utils.html import format_html

from migration.actions import settle_rejected
from migration.admin.columns import BAD, GOOD, ReadOnlyAdmin, badge, counted, list_link
from migration.admin.reasons import ReasonPage, chosen_url
from migration.models import Customization, Person, RejectedRecord
from slots.admin.paging import QuickList, RecentValuesFilter


@admin.register(Person)
class PersonAdmin(QuickList, ReadOnlyAdmin):
    """Show people as the old system exports them; an import changes them."""

    list_display = ("user", "tenant", "region", "language", "engagement", "is_technical", "is_internal", "customization_count")
    list_filter = (
        "is_internal",
        "is_technical",
        ("region", RecentValuesFilter),
        ("language", RecentValuesFilter),
        ("tenant", RecentValuesFilter),
    )
    search_fields = ("user__startswith", "email__startswith")
    search_help_text = "The beginning of a name or an address."
    ordering = ("tenant", "user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the active customizations in the same query."""
        active = counted(Customization, "person", is_active=True)
        rows: QuerySet[Any] = super().get_queryset(request).annotate(active_count=active)
        return rows

    @admin.display(description="active customizations")
    def customization_count(self, person: Any) -> str:
        """Return a link to the person's customizations."""
        return list_link(Customization, person.active_count, person__id__exact=person.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Show the customizations beside the columns."""
        return ["customization_count"]


@admin.register(RejectedRecord)
class RejectedRecordAdmin(ReadOnlyAdmin):
    """Show what could not be imported, and let it be dismissed with a reason."""

    list_display = ("place", "code", "user", "external_id", "text", "at", "standing")
    list_filter = (("settled_at", admin.EmptyFieldListFilter), "code", "at")
    search_fields = ("source", "user", "external_id", "text")
    fields = ("place", "code", "text", "tenant", "user", "external_id", "shown", "digest", "at", "standing", "settled_reason")
    readonly_fields = ("place", "shown", "standing")
    actions = ("dismiss",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the bytes where they are in a list."""
        rows = super().get_queryset(request)
        return rows.defer("content") if self.is_list(request) else rows

    @admin.display(ordering="source")
    def place(self, row: RejectedRecord) -> str:
        """Return file and line."""
        return f"{row.source}:{row.line}"

    @admin.display(description="record as it came")
    def shown(self, row: RejectedRecord) -> str:
        """Return the beginning of the record; bytes that are no UTF-8 are written out."""
        return format_html("<pre>{}</pre>", bytes(row.content[:20_000]).decode(errors="backslashreplace"))

    @admin.display(ordering="settled_at")
    def standing(self, row: RejectedRecord) -> str:
        """Say whether somebody still has to deal with it."""
        return badge(f"settled by {row.settled_by}", GOOD) if row.settled_at else badge("open", BAD)

    @admin.action(permissions=["settle"], description="Dismiss the selected records…")
    def dismiss(self, request: HttpRequest, queryset: QuerySet[RejectedRecord]) -> HttpResponse:
        """Ask for the reason first."""
        return chosen_url(request, "admin:migration_rejectedrecord_dismiss", queryset)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Say who may dismiss."""
        return request.user.has_perm("migration.settle_rejectedrecord")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks for the reason."""
        view = self.admin_site.admin_view(self.dismiss_view)
        return [path("dismiss/", view, name="migration_rejectedrecord_dismiss"), *super().get_urls()]

    def dismiss_view(self, request: HttpRequest) -> HttpResponse:
        """Dismiss the chosen records with a reason."""
        page = ReasonPage(self, request, permission="migration.settle_rejectedrecord")
        records = RejectedRecord.objects.unsettled().filter(pk__in=page.chosen())

        def act(reason: str, at: Any, by: str) -> None:
            count = settle_rejected(records.all(), by=by, at=at, reason=reason)
            messages.success(request, f"{count} record{pluralize(count)} dismissed.")

        return page.respond(
            title="Dismiss records",
            effect="The records stay here with your reason. Their people are no longer kept on the old system because of them.",
            rows=[f"{each.source}:{each.line} {each.code} {each.user}" for each in records.defer("content")],
            button="Dismiss",
            act=act,
        )
