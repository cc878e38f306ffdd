"""Links from every row to what it belongs to and to what belongs to it, for who may see that."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Related:
    """Point to a list of rows that belong to a row."""

    label: str
    address: str


class LinkedColumn:
    """Show the row that a foreign key points to as a link to its page."""

    def __init__(self, field: Any) -> None:
        """Keep the field; name and order of the column are the field's."""
        self.name = field.name
        self.__name__ = f"{field.name}_linked"
        self.short_description = field.verbose_name
        self.admin_order_field = field.name

    def __call__(self, row: Any) -> SafeString | str:
        """Return the link, a dash where there is nothing to point to."""
        other = getattr(row, self.name)
        if other is None:
            return NOTHING
        options = other._meta
        return format_html('<a href="{}">{}</a>', reverse(_name(options, "change"), args=[other.pk]), other)


class RelatedLinks:
    """Link foreign keys in a list, and show on a row's page where the rows are that point to it."""

    admin_site: Any
    model: Any

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Link foreign keys, but not in the first column, which leads to the row itself."""
        names = list(super().get_list_display(request))  # type: ignore[misc]  # of the admin it is mixed into
        return [name if number == 0 else self._linked(request, name) for number, name in enumerate(names)]

    def _linked(self, request: HttpRequest, name: Any) -> Any:
        if not isinstance(name, str) or hasattr(self, name):
            return name
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return name
        if not (field.many_to_one or field.one_to_one) or not field.concrete:
            return name
        return LinkedColumn(field) if self._may_see(request, field.related_model) else name

    def related_links(self, request: HttpRequest, row: Any) -> list[Related]:
        """Return links to the lists of rows that point to this one; nothing is counted or read for it."""
        found = []
        for relation in row._meta.related_objects:
            model = relation.related_model
            if not self._may_see(request, model):
                continue
            query = urlencode({f"{relation.field.name}__{relation.field.target_field.name}__exact": row.pk})
            label = str(model._meta.verbose_name_plural).capitalize()
            found.append(Related(label, f"{reverse(_name(model._meta, 'changelist'))}?{query}"))
        return sorted(found, key=lambda link: link.label)

    def _may_see(self, request: HttpRequest, model: Any) -> bool:
        """Say whether there are pages of a model, and whether the visitor may see them; no query beyond the first for rights."""
        if model not in self.admin_site._registry:
            return False
        return any(
            request.user.has_perm(f"{model._meta.app_label}.{right}_{model._meta.model_name}") for right in ("view", "change")
        )


def _name(options: Any, page: str) -> str:
    return f"admin:{options.app_label}_{options.model_name}_{page}"
