"""The one query of a request: which system the person is on, which layers they have, which versions are current.

The ORM takes fifty times as long to build this query as a database takes to answer it (4.4 ms against 0.1 ms), and for every
person it builds the same text. So the text is built once in a process, for two people that nobody is, and asked with each
person's tenant and id where theirs stood. Where the two texts differ, or their parameters differ elsewhere, the query is no
form to fill in, and is built for each person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db import connections, router
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast
from django.utils.module_loading import import_string

from slots.models import Component, SlotConfiguration
from slots.schema import DEFAULT_TENANT, PersonKey, RenderObserver, SystemResolver

STANDING: Final = "standing"
LAYER: Final = "layer"
CURRENT: Final = "current"
STRANGER: Final = PersonKey(DEFAULT_TENANT, "")  # no row names an empty user, so a stranger sees the default and site layers
# Stand for the person while the text is built; no query changes their case or blanks without being found out by the other one.
_NOBODY: Final = (PersonKey(" Tenant One ", " User One "), PersonKey(" tenant two\t", " user two\t"))

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Hold the text of the query, its parameters, and at which of them (from 0) the person's tenant and id stand."""

    sql: str
    parameters: tuple[Any, ...]
    tenants: tuple[int, ...]
    users: tuple[int, ...]

    def rows(self, person: PersonKey, *, using: str) -> Sequence[Row]:
        """Ask for one person."""
        parameters = list(self.parameters)
        for index in self.tenants:
            parameters[index] = person.tenant
        for index in self.users:
            parameters[index] = person.user
        with connections[using].cursor() as cursor:
            cursor.execute(self.sql, parameters)
            rows: list[Row] = cursor.fetchall()
        return rows


def system_resolver() -> SystemResolver | None:
    """Return the resolver that the settings name; None where everybody is on slots."""
    path = getattr(settings, "SLOTS_SYSTEM_RESOLVER", None)
    return _resolver_at(path) if path else None


@lru_cache(maxsize=8)
def _resolver_at(path: str) -> SystemResolver:
    resolver: SystemResolver = import_string(path)()
    return resolver


def render_observer() -> RenderObserver | None:
    """Return the observer that the settings name; None where nobody wants to hear of renders."""
    path = getattr(settings, "SLOTS_RENDER_OBSERVER", None)
    return _observer_at(path) if path else None


@lru_cache(maxsize=8)
def _observer_at(path: str) -> RenderObserver:
    observer: RenderObserver = import_string(path)
    return observer


def ask(person: PersonKey | None, resolver: SystemResolver | None) -> Sequence[Row]:
    """Return what a page of the person needs to know, in one query, as rows of nine texts.

    Five columns by kind of row, then the kind, then a version's key, name and content digest:

    - `standing`: what the resolver asked for, handed back to it;
    - `layer`: component, layer, key, priority, body digest; the version it was made for;
    - `current`: component; its current version.
    """
    asked = person or STRANGER
    using = router.db_for_read(SlotConfiguration)
    if resolver is None or getattr(resolver, "is_query_fixed", False):
        form = _form(using, resolver)
        if form is not None:
            return form.rows(asked, using=using)
    return list(page_query(asked, resolver).using(using))


@lru_cache(maxsize=8)
def _form(using: str, resolver: SystemResolver | None) -> PageQuery | None:
    """Build the query for two people that nobody is; None where it is not the same one but for their tenant and id."""
    (sql, first), (other_sql, second) = (page_query(nobody, resolver).query.get_compiler(using).as_sql() for nobody in _NOBODY)
    if sql != other_sql:
        return None
    pairs = list(zip(first, second, strict=True))
    tenants, users = (
        tuple(index for index, pair in enumerate(pairs) if pair == marks)
        for marks in (tuple(nobody.tenant for nobody in _NOBODY), tuple(nobody.user for nobody in _NOBODY))
    )
    filled = {*tenants, *users}
    if any(one != other for index, (one, other) in enumerate(pairs) if index not in filled):
        return None
    return PageQuery(sql, tuple(first), tenants, users)


def page_query(person: PersonKey, resolver: SystemResolver | None) -> Any:
    """Return the query of `ask` as a queryset."""
    text = CharField()
    layers = _marked(
        SlotConfiguration.objects.for_request(person)
        .order_by()
        .values_list("component__key", "layer", "key", Cast("priority", text), "body_id"),
        LAYER,
        Cast("component_version_id", text),
        "component_version__version",
        "component_version__content_digest",
    )
    current = _marked(
        Component.objects.filter(current_version__isnull=False)
        .order_by()
        .values_list("key", Value("", text), Value("", text), Value("", text), Value("", text)),
        CURRENT,
        Cast("current_version_id", text),
        "current_version__version",
        "current_version__content_digest",
    )
    parts = [layers, current]
    if resolver is not None:
        blank = Value("", text)
        parts.insert(0, _marked(resolver.standing_query(person).order_by(), STANDING, blank, blank, blank))
    return parts[0].union(*parts[1:], all=True)


def _marked(rows: Any, kind: str, version: Any, name: Any, content: Any) -> Any:
    """Add the four columns that say what a row is; the first five stay as they are."""
    return rows.annotate(
        row_kind=Value(kind, CharField()),
        row_version=F(version) if isinstance(version, str) else version,
        row_name=F(name) if isinstance(name, str) else name,
        row_content=F(content) if isinstance(content, str) else content,
    )
