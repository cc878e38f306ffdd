"""Columns and links that the lists of this app share; links come from the admin of slots."""

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from slots.admin.columns import NOTHING, MachineMadeAdmin, counted, link, list_link

__all__ = ["BAD", "GOOD", "NEUTRAL", "NOTHING", "WARNING", "ReadOnlyAdmin", "badge", "counted", "link", "list_link"]

GOOD, NEUTRAL, WARNING, BAD = "good", "neutral", "warning", "bad"


def badge(text: str, tone: str = NEUTRAL) -> SafeString:
    """Return a word in a coloured box; the word alone says everything."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


class ReadOnlyAdmin(MachineMadeAdmin):
    """Show rows that only actions change."""

    class Media:
        css = {"all": ["migration/admin.css"]}

    def is_list(self, request: HttpRequest) -> bool:
        """Say whether a list is asked for, or its file, which leaves long texts unread."""
        match = request.resolver_match
        return match is not None and (match.url_name or "").endswith("changelist")
