"""Segments and who is in them: a rule is read here and changed by code; members kept by hand are kept here."""

import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin

from slots.actions.segments import save_segment
from slots.admin.columns import NOTHING, ListedAdmin, MachineMadeAdmin
from slots.models import Layer, Segment, SegmentMember, SlotConfiguration

SHOWN = 20


@admin.register(Segment)
class SegmentAdmin(MachineMadeAdmin, SimpleHistoryAdmin):
    """Show segments with their rules and members; a segment whose members are kept by hand is added here."""

    list_display = ("key", "tenant", "title", "chosen_by", "members", "materialised_at", "updated_at")
    list_filter = ("tenant",)
    search_fields = ("key", "title")
    fields = ("tenant", "key", "title", "chosen_by", "rule_text", "members", "first_members", "materialised_at", "updated_at")
    readonly_fields = ("chosen_by", "rule_text", "members", "first_members", "materialised_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the members in the same query."""
        theirs = SegmentMember.objects.filter(tenant=OuterRef("tenant"), segment=OuterRef("key")).order_by()
        count = theirs.values("segment").annotate(count=Count("pk")).values("count")
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(size=Coalesce(Subquery(count, output_field=IntegerField()), 0))
        return counted

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> tuple[str, ...]:
        """Ask for names only; what else there is comes of itself."""
        return self.fields if obj else self.fields[:3]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those with the right add a segment without a rule."""
        return request.user.has_perm("slots.add_segment")

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        """Store it as code would, so that the history says who and why."""
        by = request.user.get_username()
        saved = save_segment(
            obj.tenant, obj.key, rule=None, title=obj.title, by=by, at=datetime.now(tz=UTC), reason="added in the admin"
        )
        obj.pk = saved.pk

    @admin.display(description="members are")
    def chosen_by(self, segment: Segment) -> str:
        """Say how members come about."""
        return "kept by hand" if segment.rule is None else "chosen by the rule"

    @admin.display(description="rule")
    def rule_text(self, segment: Segment) -> SafeString | str:
        """Return the rule, laid out."""
        if segment.rule is None:
            return NOTHING
        return format_html('<pre class="slots-source">{}</pre>', json.dumps(segment.rule, indent=2, ensure_ascii=False))

    @admin.display(ordering="size")
    def members(self, segment: Any) -> SafeString:
        """Return how many there are, linked to them."""
        query = urlencode({"segment__exact": segment.key, "tenant__exact": segment.tenant})
        return format_html('<a href="{}?{}">{}</a>', reverse("admin:slots_segmentmember_changelist"), query, segment.size)

    @admin.display(description="the first of them")
    def first_members(self, segment: Segment) -> str:
        """Return the first members by name."""
        theirs = SegmentMember.objects.filter(tenant=segment.tenant, segment=segment.key).order_by("user")
        return ", ".join(theirs.values_list("user", flat=True)[:SHOWN]) or NOTHING


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Take only segments that there are, and no members of those that a rule chooses."""

    class Meta:
        model = SegmentMember
        fields: ClassVar = ["tenant", "user", "segment"]

    def clean(self) -> dict[str, Any]:
        """Look the segment up in its tenant."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        tenant, segment = data.get("tenant", ""), data.get("segment", "")
        row = Segment.objects.filter(tenant=tenant, key=segment).first()
        if row is not None and row.rule is not None:
            self.add_error("segment", f"The rule of {segment} chooses its members; it would take this one away. Change the rule.")
        elif segment and row is None and segment not in (known := _named(tenant)):
            has = f"It has {', '.join(sorted(known)[:SHOWN])}." if known else "It has none."
            self.add_error("segment", f"There is no segment {segment} in the tenant {tenant}. {has} Segments › Add makes one.")
        return data


def _named(tenant: str) -> set[str]:
    """Return the segments of a tenant, those included that only members or configurations name."""
    layers = SlotConfiguration.objects.filter(tenant=tenant, layer=Layer.SEGMENT).values_list("key", flat=True)
    members = SegmentMember.objects.filter(tenant=tenant).values_list("segment", flat=True)
    rows = Segment.objects.filter(tenant=tenant).values_list("key", flat=True)
    return {*layers.order_by().distinct(), *members.distinct(), *rows}


@admin.register(SegmentMember)
class SegmentMemberAdmin(ListedAdmin):
    """Keep who is in which segment."""

    form = MemberForm
    list_display = ("segment", "user", "tenant")
    list_filter = ("segment", "tenant")
    search_fields = ("user", "segment")
