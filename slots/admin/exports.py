"""Every list as a file: CSV for spreadsheets, JSON for programs, with the filters, the search and the order of the list.

Rows are read some at a time and sent as they come, so a file of a million rows takes no more memory than one of a hundred.
"""

import csv
import html
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

READ_AT_ONCE: Final = 1_000
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
TYPES: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class ExportPages:
    """Add the files of a list to its admin."""

    admin_site: Any
    opts: Any
    has_files = True  # what the template of lists asks

    def get_urls(self) -> list[URLPattern]:
        """Add the files; their names end like the list's, since they are lists too and read no more than these."""
        view = self.admin_site.admin_view(self.list_file_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_exported_changelist"
        more: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # of the admin it is mixed into
        return [path("list.<slug:kind>", view, name=name), *more]

    def list_file_view(self, request: HttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
        """Send all rows that the list would page through."""
        model_admin: Any = self
        if not model_admin.has_view_or_change_permission(request):
            raise PermissionDenied
        if kind not in TYPES:
            raise Http404
        try:
            listing = model_admin.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist") + "?e=1")
        rows = listing.queryset.iterator(chunk_size=READ_AT_ONCE)
        columns = columns_of(model_admin, listing.list_display)
        sent = csv_of(columns, rows) if kind == "csv" else json_of(columns, rows)
        name = f'attachment; filename="{self.opts.model_name}.{kind}"'
        return StreamingHttpResponse(sent, content_type=TYPES[kind], headers={"Content-Disposition": name})


Column = tuple[str, Callable[[Any], Any]]


def columns_of(model_admin: Any, names: Iterable[Any]) -> list[Column]:
    """Return the columns of a list, each with its name in words and what reads its value from a row; the key comes first."""
    columns: list[Column] = [("pk", lambda row: row.pk)]
    for name in names:
        if name not in ("action_checkbox", ACTION_CHECKBOX_NAME):
            label = str(label_for_field(name, model_admin.model, model_admin))
            columns.append((label, _reader(model_admin, name)))
    return columns


def _reader(model_admin: Any, name: Any) -> Callable[[Any], Any]:
    def read(row: Any) -> Any:
        try:
            field, _, value = lookup_field(name, row, model_admin)
        except ObjectDoesNotExist:
            return None
        if field is not None and getattr(field, "flatchoices", None):
            return str(dict(field.flatchoices).get(value, value))
        return plain(value)

    return read


def plain(value: Any) -> Any:
    """Return a value as a file shows it: markup as its text, rows by their names, numbers and instants as they are."""
    if isinstance(value, SafeString):
        return " ".join(html.unescape(strip_tags(value)).split())
    if value is None or isinstance(value, bool | int | float | str | datetime | date | list | dict):
        return value
    return str(value)


def csv_of(columns: list[Column], rows: Iterable[Any]) -> Iterator[str]:
    """Yield lines of CSV, the names of the columns first."""
    yield from csv_lines([[name for name, _ in columns]])
    yield from csv_lines([_cell(read(row)) for _, read in columns] for row in rows)


def json_of(columns: list[Column], rows: Iterable[Any]) -> Iterator[str]:
    """Yield one JSON list of objects, one a line."""
    yield "["
    for number, row in enumerate(rows):
        shown = {name: read(row) for name, read in columns}
        yield ("," if number else "") + "\n" + json.dumps(shown, cls=DjangoJSONEncoder, ensure_ascii=False)
    yield "\n]\n"


def _cell(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return "" if value is None else value


class _Line:
    """Hand a line of CSV back instead of keeping it."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield lines of CSV; a text that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection)."""
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row])
