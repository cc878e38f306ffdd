"""Copy people with all that they have, as often as wanted, in one SQL statement for each table.

A copy's rows are those of its model with other keys: every copy of a table's rows lies one span behind the former, so references,
also those in snapshots, are moved by the same arithmetic. What is said about how the models came to be what they are (history
and events) is not copied: it did not happen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.management.color import no_style
from django.db import connections, router
from django.db.models import Model

from migration.models import Customization, Person
from rollout.models import Enrolment, Snapshot
from slots.models import Layer, SlotConfiguration

BATCH: Final = 50_000  # people copied by one statement, so that somebody can watch
_MODELS: Final = "demo_models"  # a temporary table: the people who are copied, numbered from 1
_COPIES: Final = "demo_copies"  # another one: the numbers of the copies, from 1
_NAME: Final = "m.name || '-' || k.copy"
_OF_PERSON: Final = "t.person_id = m.id"
_ROWS: Final[Mapping[type[Model], str]] = {
    Person: "t.id = m.id",
    Customization: _OF_PERSON,
    SlotConfiguration: f"t.layer = '{Layer.USER}' AND t.tenant = m.tenant AND t.key = m.name",
    Enrolment: f"{_OF_PERSON} AND t.is_live",
    Snapshot: f"{_OF_PERSON} AND t.restored_at IS NULL",
}
# A snapshot lists rows with their keys, each of which moves along.
_LIST: Final = {
    "postgresql": """(SELECT COALESCE(jsonb_agg(jsonb_set(e.value, '{{id}}', to_jsonb({moved})) ORDER BY e.place), '[]'::jsonb)
        FROM jsonb_array_elements(t.{column}) WITH ORDINALITY AS e(value, place))""",
    "sqlite": "(SELECT json_group_array(json(json_set(e.value, '$.id', {moved}))) FROM json_each(t.{column}) e)",
}
_KEY: Final = {"postgresql": "(e.value ->> 'id')::bigint", "sqlite": "json_extract(e.value, '$.id')"}


@dataclass(frozen=True, slots=True)
class _Shift:
    """Say how far the rows of a copy lie behind those of its model."""

    start: int
    span: int

    def of(self, column: str) -> str:
        """Return the key that the copy has in place of its model's, in SQL."""
        return f"({column} + {self.start} + {self.span} * (k.copy - 1))"


def copy_people(people: list[int], *, total: int, progress: Callable[[int], object]) -> None:
    """Add copies of these people until there are `total` of them, the models included; `progress` is told how many at a time.

    What is copied: the person, their customizations, their own layer, their live enrolment and their standing snapshot.
    """
    connection = connections[router.db_for_write(Person)]
    with connection.cursor() as cursor:
        copies = _list_models(cursor, people, total)
        columns = _columns(cursor)
        step = max(1, BATCH // len(people))
        for first in range(1, copies + 1, step):
            last = min(first + step - 1, copies)
            within = f"k.copy BETWEEN {first} AND {last} AND m.number + k.copy * {len(people)} <= {total}"
            done = [_copy(cursor, model, within, columns[model]) for model in _ROWS]
            progress(done[0])
        for table in (_MODELS, _COPIES):
            cursor.execute(f"DROP TABLE {table}")
        for statement in connection.ops.sequence_reset_sql(no_style(), list(_ROWS)):
            cursor.execute(statement)


def _list_models(cursor: Any, people: list[int], total: int) -> int:
    """Number the models and the copies in temporary tables, and return how many copies there are; the last may be of a part."""
    cursor.execute(
        f"CREATE TEMPORARY TABLE {_MODELS} (id BIGINT PRIMARY KEY, number INT, tenant VARCHAR(100), name VARCHAR(200))"
    )
    cursor.execute(f"CREATE TEMPORARY TABLE {_COPIES} (copy INT PRIMARY KEY)")
    rows = Person.objects.filter(pk__in=people).order_by("pk").values_list("pk", "tenant", "user")
    numbered = [(pk, number, tenant, user) for number, (pk, tenant, user) in enumerate(rows, 1)]
    cursor.executemany(f"INSERT INTO {_MODELS} VALUES (%s, %s, %s, %s)", numbered)
    copies = -(-total // len(people)) - 1
    cursor.executemany(f"INSERT INTO {_COPIES} VALUES (%s)", [(copy,) for copy in range(1, copies + 1)])
    return copies


def _columns(cursor: Any) -> dict[type[Model], dict[str, str]]:
    """Return, for each table, the columns of a copy that are not its model's, in SQL."""
    vendor = cursor.db.vendor
    person, diff, layer, place = (_shift(cursor, model) for model in (Person, Customization, SlotConfiguration, Enrolment))
    renamed = {name: f"REPLACE(t.{name}, m.name, {_NAME})" for name in ("email", "external_id")}
    moved = {
        column: _LIST[vendor].format(column=column, moved=shift.of(_KEY[vendor]))
        for column, shift in (("configurations", layer), ("installed", layer), ("customizations", diff))
    }
    owner = {"person_id": person.of("m.id")}
    return {
        Person: {"id": person.of("t.id"), "user": _NAME, "email": renamed["email"]},
        Customization: {"id": diff.of("t.id"), "external_id": renamed["external_id"], **owner},
        SlotConfiguration: {"id": layer.of("t.id"), "key": _NAME},
        Enrolment: {"id": place.of("t.id"), **owner},
        Snapshot: {"enrolment_id": place.of("t.enrolment_id"), **owner, **moved},
    }


def _shift(cursor: Any, model: type[Model]) -> _Shift:
    """Return how the keys of a table's copies follow from its models' rows: behind all that are there."""
    table = model._meta.db_table
    cursor.execute(f"SELECT MIN(t.id), MAX(t.id) FROM {table} t JOIN {_MODELS} m ON {_ROWS[model]}")
    first, last = (int(each or 0) for each in cursor.fetchone())
    cursor.execute(f"SELECT MAX(id) FROM {table}")
    return _Shift(int(cursor.fetchone()[0] or 0) + 1 - first, last - first + 1)


def _copy(cursor: Any, model: type[Model], within: str, columns: dict[str, str]) -> int:
    """Insert a row for each row of a model and each copy, with these columns in place of the model's; return how many."""
    quote = cursor.db.ops.quote_name
    table = model._meta.db_table
    names = [str(field.column) for field in model._meta.concrete_fields if field.column in columns or not field.primary_key]
    values = ", ".join(columns.get(name) or f"t.{quote(name)}" for name in names)
    rows = f"{_MODELS} m CROSS JOIN {_COPIES} k JOIN {table} t ON {_ROWS[model]} WHERE {within}"
    cursor.execute(f"INSERT INTO {table} ({', '.join(map(quote, names))}) SELECT {values} FROM {rows}")
    return int(cursor.rowcount)
