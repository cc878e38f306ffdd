"""Translations and the validations of their pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from migration.admin.columns import BAD, GOOD, WARNING, ReadOnlyAdmin, badge, counted, link, list_link
from migration.models import Customization, Finding, LegacyOutcome, Translation, Validation
from slots.admin.columns import in_words

TONES = {LegacyOutcome.CLEAN: GOOD, LegacyOutcome.FUZZ: WARNING, LegacyOutcome.PLAIN: BAD}
HEAVY = ("source", "samples", "slot_map", "contract")


@admin.register(Translation)
class TranslationAdmin(ReadOnlyAdmin):
    """Show what the engine made of each distinct diff."""

    list_display = ("name", "recorded", "shown_today", "route", "is_proven", "fineness", "people")
    list_filter = ("legacy_outcome", "route", "is_proven", "replaced_source", "target__component", "engine_version")
    search_fields = ("diff_digest", "target__component__key")
    list_select_related = ("target__component", "base__component")
    fields = (
        "name", "recorded", "shown_today", "route", "is_proven", "is_byte_exact", "replaced_source", "fineness", "kinds",
        "people", "findings_link", "validations_link", "operations", "diff_digest", "engine_version", "created_at",
    )  # fmt: skip
    readonly_fields = ("name", "recorded", "shown_today", "people", "findings_link", "validations_link", "operations")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count its customizations in the same query; sources stay unread."""
        heavy = [f"{side}__{name}" for side in ("base", "target") for name in HEAVY]
        rows: QuerySet[Any] = (
            super().get_queryset(request).defer(*heavy, "outcomes").annotate(shared=counted(Customization, "translation"))
        )
        return rows

    @admin.display(description="for", ordering="target")
    def name(self, row: Translation) -> str:
        """Return target and diff."""
        return str(row)

    @admin.display(description="recorded base", ordering="base")
    def recorded(self, row: Translation) -> str:
        """Return a link to the base."""
        return row.base.version

    @admin.display(description="old system", ordering="legacy_outcome")
    def shown_today(self, row: Translation) -> str:
        """Return what the old system makes of the diff today."""
        return badge(row.get_legacy_outcome_display(), TONES[LegacyOutcome(row.legacy_outcome)])

    @admin.display(description="customizations", ordering="shared")
    def people(self, row: Any) -> str:
        """Return how many customizations share it, linked to them."""
        return list_link(Customization, row.shared, translation__id__exact=row.pk)

    @admin.display(description="findings")
    def findings_link(self, row: Translation) -> str:
        """Return a link to its findings."""
        return list_link(Finding, "findings", translation__id__exact=row.pk)

    @admin.display(description="validations")
    def validations_link(self, row: Translation) -> str:
        """Return a link to its validations."""
        return list_link(Validation, "validations", translation__id__exact=row.pk)

    @admin.display(description="operations in words")
    def operations(self, row: Translation) -> str:
        """Return one sentence for each operation; layout is left out."""
        if row.body is None:
            return "none"
        return in_words(row.body.operations)


@admin.register(Validation)
class ValidationAdmin(ReadOnlyAdmin):
    """Show how both systems' pages compare."""

    list_display = ("__str__", "about", "verdict", "is_equal", "similarity_min", "similarity_mean", "at")
    list_filter = ("is_passed", "is_equal", "engine_version", "metric_version", "at")
    search_fields = ("translation__diff_digest", "body_digest", "translation__target__component__key")
    list_select_related = ("translation__target__component",)
    fields = (
        "about", "verdict", "is_equal", "similarity_min", "similarity_mean", "page_table", "source_digest", "body_digest",
        "samples_digest", "engine_version", "metric_version", "at",
    )  # fmt: skip
    readonly_fields = ("about", "verdict", "page_table")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the sources of the versions unread."""
        heavy = [f"translation__target__{name}" for name in HEAVY]
        return super().get_queryset(request).defer(*heavy, "translation__outcomes")

    @admin.display(description="translation", ordering="translation")
    def about(self, row: Validation) -> str:
        """Return a link to the translation."""
        return link(row.translation)

    @admin.display(description="passed", ordering="is_passed")
    def verdict(self, row: Validation) -> str:
        """Return the verdict as a badge."""
        return badge("passed", GOOD) if row.is_passed else badge("failed", BAD)

    @admin.display(description="pages")
    def page_table(self, row: Validation) -> str:
        """Return a line for each sample."""
        lines = (
            (
                page["sample"],
                badge("same", GOOD) if page["same"] else badge("not the same", BAD),
                f"{page['similarity']:.4f}",
                "; ".join([*([page["first_difference"]] if page["first_difference"] else []), *page["problems"]]),
                page["masked"],
            )
            for page in row.pages
        )
        head = "<tr><th>sample</th><th>verdict</th><th>similarity</th><th>what differs</th><th>masked</th></tr>"
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines)
        return format_html("<table><thead>" + head + "</thead><tbody>{}</tbody></table>", body)
