"""Columns and links that the lists of this app share."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "–"
GOOD, NEUTRAL, WARNING, BAD = "good", "neutral", "warning", "bad"


def link(row: Model | None, text: str = "") -> SafeString | str:
    """Return a link to a row's page, a dash where there is none."""
    if row is None:
        return NOTHING
    options = row._meta
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk]), text or str(row)
    )


def list_link(model: type[Model], text: str | int, **filters: Any) -> SafeString:
    """Return a link to a filtered list."""
    options = model._meta
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(filters), text)


def badge(text: str, tone: str = NEUTRAL) -> SafeString:
    """Return a word in a coloured box; the word alone says everything."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Show rows that only actions change."""

    show_full_result_count = False

    class Media:
        css = {"all": ["migration/admin.css"]}

    def is_list(self, request: HttpRequest) -> bool:
        """Say whether a list is asked for, which leaves long texts unread."""
        match = request.resolver_match
        return match is not None and (match.url_name or "").endswith("changelist")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody add rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete rows by hand."""
        return False
