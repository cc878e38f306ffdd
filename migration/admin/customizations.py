"""Customizations: where each stands, and its side-by-side page."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from migration.actions import translate_customizations, validate_customizations
from migration.admin.columns import BAD, GOOD, NEUTRAL, WARNING, ReadOnlyAdmin, badge, counted, link, list_link
from migration.admin.comparison import comparison_view
from migration.admin.frames import frame_view
from migration.jobs import enqueue, translate_chunk, validate_chunk
from migration.models import Customization, CustomizationEvent, Decision, Finding, Person, Severity
from migration.states import CustomizationState
from slots.admin.paging import QuickList, RecentValuesFilter

AT_ONCE = 100
FOUND = 1_000  # people whose customizations a search shows
TONES = {
    CustomizationState.VALIDATED: GOOD,
    CustomizationState.MIGRATED: GOOD,
    CustomizationState.NEEDS_REVIEW: WARNING,
    CustomizationState.REJECTED: BAD,
}


class EventInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Show the moves of a customization."""

    model = CustomizationEvent
    fields = ("at", "to_state", "reason")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody add moves by hand."""
        return False


@admin.register(Customization)
class CustomizationAdmin(QuickList, ReadOnlyAdmin, SimpleHistoryAdmin):
    """Show customizations as they were imported; translate and validate the chosen ones."""

    list_display = ("external_id", "owner", "made_for", "standing", "is_active", "open_findings", "compare")
    list_filter = (
        "state", "is_active", ("component_key", RecentValuesFilter), "translation__legacy_outcome", "translation__route",
        "imported_at",
    )  # fmt: skip
    search_fields = ("external_id__startswith",)
    search_help_text = "The beginning of an external id or of a person's name."
    narrowed_by = ("person__id__exact", "translation__id__exact")
    list_select_related = ("person", "translation")
    fields = (
        "external_id", "owner", "component_key", "base_version", "base", "standing", "is_active", "created_at", "imported_at",
        "translated", "open_findings", "compare", "diff_text", "diff_digest",
    )  # fmt: skip
    readonly_fields = ("owner", "standing", "translated", "open_findings", "compare", "diff_text")
    inlines = (EventInline,)
    actions = ("translate", "validate")
    history_list_display = ["state"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count open findings in the same query; diffs stay unread in lists."""
        rows: QuerySet[Any] = super().get_queryset(request).defer("translation__outcomes")
        if self.is_list(request):
            rows = rows.defer("diff")
        blocking = {"severity": Severity.BLOCKING, "decision": Decision.OPEN}
        with_counts: QuerySet[Any] = rows.annotate(
            own_findings=counted(Finding, "customization", **blocking),
            shared_findings=counted(Finding, "translation", "translation", **blocking),
        )
        return with_counts

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find ids and people that begin so; people are found first, since no index serves a choice between two tables."""
        words = search_term.strip()
        if not words:
            return queryset, False
        people = list(Person.objects.filter(user__startswith=words).order_by("user").values_list("pk", flat=True)[:FOUND])
        return queryset.filter(Q(external_id__startswith=words) | Q(person__in=people)), False

    @admin.display(description="person", ordering="person__user")
    def owner(self, row: Customization) -> str:
        """Return a link to the person."""
        return link(row.person)

    @admin.display(description="made for", ordering="component_key")
    def made_for(self, row: Customization) -> str:
        """Return the component and the version that the diff was made against."""
        return f"{row.component_key}@{row.base_version}"

    @admin.display(description="state", ordering="state")
    def standing(self, row: Customization) -> str:
        """Return the state as a badge."""
        return badge(row.get_state_display(), TONES.get(CustomizationState(row.state), NEUTRAL))

    @admin.display(description="open findings")
    def open_findings(self, row: Any) -> str:
        """Return how many findings wait for a decision, linked to them."""
        own = list_link(Finding, row.own_findings, customization__id__exact=row.pk) if row.own_findings else ""
        if not row.shared_findings:
            return own or "0"
        return format_html("{} {}", own, list_link(Finding, row.shared_findings, translation__id__exact=row.translation_id))

    @admin.display(description="translation")
    def translated(self, row: Customization) -> str:
        """Return a link to the translation."""
        return link(row.translation)

    @admin.display(description="both systems")
    def compare(self, row: Customization) -> str:
        """Return a link to the side-by-side page."""
        return format_html('<a href="{}">compare</a>', reverse("admin:migration_customization_compare", args=[row.pk]))

    @admin.display(description="diff")
    def diff_text(self, row: Customization) -> str:
        """Return the diff as it came."""
        return format_html("<pre>{}</pre>", row.diff)

    @admin.action(permissions=["translate"], description="Translate")
    def translate(self, request: HttpRequest, queryset: QuerySet[Customization]) -> None:
        """Translate now if they are few, else through the queue."""
        self._run(request, queryset, translate_customizations, translate_chunk, "translated")

    @admin.action(permissions=["translate"], description="Validate: compare both systems' pages")
    def validate(self, request: HttpRequest, queryset: QuerySet[Customization]) -> None:
        """Validate now if they are few, else through the queue."""
        self._run(request, queryset, validate_customizations, validate_chunk, "passed")

    def _run(self, request: HttpRequest, queryset: QuerySet[Customization], act: Any, job: Any, counted: str) -> None:
        keys = list(queryset.order_by("pk").values_list("pk", flat=True))
        by = request.user.get_username()
        if len(keys) > AT_ONCE:
            jobs = enqueue(job, keys, by=by, reason="admin")
            messages.info(request, f"Left {len(keys)} customizations to the workers, in {jobs} jobs.")
            return
        report = act(keys, at=timezone.now(), by=by, reason="admin")
        messages.success(request, f"{report.total} customizations, {getattr(report, counted)} {counted}.")

    def has_translate_permission(self, request: HttpRequest) -> bool:
        """Say who may translate and validate."""
        return request.user.has_perm("migration.translate_customization")

    def get_urls(self) -> list[URLPattern]:
        """Add the side-by-side page and the documents of its frames."""
        guard = self.admin_site.admin_view
        return [
            path("<int:pk>/compare/", guard(self.compare_view), name="migration_customization_compare"),
            path("<int:pk>/page/<str:side>/<int:index>/", guard(frame_view), name="migration_customization_page"),
            *super().get_urls(),
        ]

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show one customization on both systems."""
        return comparison_view(self, request, pk)
