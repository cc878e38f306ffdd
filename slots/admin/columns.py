"""Columns and fields that the pages of this app share."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from slots.admin.exports import ExportPages
from slots.admin.links import NOTHING as NOTHING
from slots.admin.links import RelatedLinks
from slots.admin.paging import QuickPaginator
from slots.errors import OperationsInvalid
from slots.markup import ops

_MOST_DIGITS = 19


class ListedAdmin(ExportPages, RelatedLinks, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Count lists quickly, offer them as files, and link what belongs together."""

    paginator = QuickPaginator
    show_full_result_count = False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Show where the rows are that point to this one."""
        row = kwargs.get("obj")
        context.setdefault("related", [] if row is None else self.related_links(request, row))
        return super().render_change_form(request, context, *args, **kwargs)


class MachineMadeAdmin(ListedAdmin):
    """Show rows that actions write; nobody adds, changes or deletes them by hand."""

    class Media:
        css = {"all": ["slots/admin.css"]}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Offer the history only where rows keep one; the admin's own log has nothing about rows that actions write."""
        context["hides_history"] = not hasattr(self, "history_form_view")
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody add rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete rows by hand."""
        return False


def is_pk(value: int | str) -> bool:
    """Say whether a value from an address can be a primary key: digits, and no more than the database holds."""
    return str(value).isascii() and str(value).isdecimal() and len(str(value)) < _MOST_DIGITS


def counted(model: type[Model], field: str, to: str = "pk", **conditions: Any) -> Any:
    """Return an expression that counts the rows of `model` that point by `field` to a row (its `to`) and meet the conditions.

    It is a subquery of its own: a list asks it for the rows of its page alone.
    """
    rows: QuerySet[Any] = model._default_manager.filter(**{field: OuterRef(to)}, **conditions).order_by()
    counts = rows.values(field).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)


def link(row: Model | None, text: str = "") -> SafeString | str:
    """Return a link to a row's page, a dash where there is none."""
    if row is None:
        return NOTHING
    options = row._meta
    address = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(row))


def list_address(model: type[Model], **filters: Any) -> str:
    """Return the address of a filtered list."""
    options = model._meta
    return f"{reverse(f'admin:{options.app_label}_{options.model_name}_changelist')}?{urlencode(filters)}"


def list_link(model: type[Model], text: str | int, **filters: Any) -> SafeString:
    """Return a link to a filtered list."""
    return format_html('<a href="{}">{}</a>', list_address(model, **filters), text)


def source_text(source: str) -> SafeString:
    """Return a source with its lines kept."""
    return format_html('<pre class="slots-source">{}</pre>', source)


def in_words(operations: str) -> SafeString:
    """Return the operations of a body (JSON) as sentences, layout left out."""
    try:
        listed = [operation for operation in ops.loads(operations) if not operation.layout]
    except OperationsInvalid as fault:
        return format_html("<p>The operations cannot be read: {}</p>", fault)
    if not listed:
        return format_html("<p>{}</p>", "No operation: the component's own template shows.")
    return format_html("<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((ops.describe(each),) for each in listed)))


def frames(addresses: Iterable[tuple[str, str]]) -> SafeString:
    """Return sandboxed frames, one for each (title, address)."""
    figure = (
        '<figure class="slots-preview"><figcaption>{}</figcaption>'
        '<iframe sandbox loading="lazy" title="Preview: {}" src="{}"></iframe></figure>'
    )
    return format_html_join("", figure, ((title, title, address) for title, address in addresses))
