"""Add the rows that a query says, in one statement: nothing passes through Python, whatever their number."""

from collections.abc import Mapping
from typing import Any

from django.db import connections, models
from django.db.models import Value


def insert_selected(model: Any, rows: models.QuerySet[Any], columns: Mapping[str, Any]) -> int:
    """Insert a row of `model` for each of `rows`, in their order, and return how many.

    `columns` gives each column by its attribute (`body_id` is that of `body`): an expression over the row, or a constant.
    Columns that are not named are left to the database, so every one without a default of its own has to be.
    """
    connection = connections[rows.db]
    quote = connection.ops.quote_name
    fields = {name: _field(model, name) for name in columns}
    given = {f"new_{name}": _expression(fields[name], value) for name, value in columns.items()}
    sql, params = rows.annotate(**given).values_list(*given).query.get_compiler(rows.db).as_sql()
    names = ", ".join(quote(field.column) for field in fields.values())
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(model._meta.db_table)} ({names}) {sql}", params)
        return int(cursor.rowcount)


def _expression(field: Any, value: Any) -> Any:
    return value if hasattr(value, "resolve_expression") else Value(value, output_field=getattr(field, "target_field", field))


def _field(model: Any, name: str) -> Any:
    return next(field for field in model._meta.concrete_fields if name in (field.attname, field.name))
