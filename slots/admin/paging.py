"""Lists of millions of rows: counted exactly up to a bound, estimated beyond it, paged as far as somebody pages by hand.

A count of all and a far offset both read every row before the page; the planner's estimate and the index of the order do not.
"""

import json
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

EXACT: Final = 10_000  # rows that are counted, and that can be paged to
NEWEST: Final = 2_000  # rows whose values a filter offers


class QuickPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Count up to a bound; beyond it say about how many there are, and page no further.

    Two queries at most: up to the bound, which reads no more rows than that, and the planner's estimate.
    """

    @cached_property
    def count(self) -> int:
        """Return how many rows there are: exactly up to the bound, about beyond it."""
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        keys = rows.order_by().values("pk")
        counted = keys[: EXACT + 1].count()
        return counted if counted <= EXACT else max(estimated(keys), EXACT + 1)

    @property
    def is_capped(self) -> bool:
        """Say whether there are more rows than can be paged to."""
        return self.count > EXACT

    @property
    def is_estimate(self) -> bool:
        """Say whether the count is about right only."""
        rows: Any = self.object_list
        return self.is_capped and connections[rows.db].vendor == "postgresql"

    @property
    def listed(self) -> int:
        """Return how many rows can be paged to."""
        return min(self.count, EXACT)

    @cached_property
    def num_pages(self) -> int:
        """Return how many pages can be turned."""
        return max(1, -(-self.listed // self.per_page))


def estimated(rows: QuerySet[Any]) -> int:
    """Return about how many rows there are, as PostgreSQL's planner expects; other databases, which are small, count them."""
    if connections[rows.db].vendor != "postgresql":
        return rows.count()
    plan = json.loads(rows.explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


class QuickList:
    """Keep a list of millions of rows quick: newest first, no facets, and no sorting of all of them.

    `narrowed_by` are the parameters that leave few rows, by which these may then be sorted.
    """

    ordering: ClassVar[Any] = ("-pk",)
    show_facets = ShowFacets.NEVER
    narrowed_by: ClassVar[tuple[str, ...]] = ()

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Let columns be sorted by once the list is narrowed, else by none."""
        is_narrow = any(request.GET.get(name) for name in (SEARCH_VAR, *self.narrowed_by))
        return super().get_sortable_by(request) if is_narrow else ()  # type: ignore[misc]  # of the admin it is mixed into


class RecentValuesFilter(admin.AllValuesFieldListFilter):
    """Offer the values of the newest rows instead of reading all rows for theirs; others can be typed in the address."""

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        """Read the values."""
        super().__init__(field, request, params, model, model_admin, field_path)
        named: Any = self.lookup_val or []
        found: Any = sorted({*self.values(model._default_manager.all(), field_path), *named} - {None, ""})
        self.lookup_choices = found

    def values(self, rows: QuerySet[Any], path: str) -> list[Any]:
        """Return the values of the newest rows, with repetitions."""
        return list(rows.order_by("-pk").values_list(path, flat=True)[:NEWEST])


class RecentCodesFilter(RecentValuesFilter):
    """Offer the codes of the newest rows that have one; an index of those is asked."""

    def values(self, rows: QuerySet[Any], path: str) -> list[Any]:
        """Return the values of the newest rows that have one."""
        return super().values(rows.exclude(**{path: ""}), path)
