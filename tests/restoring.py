"""What a new database holds, put back after a test that commits.

Django empties every table instead, then makes types, permissions and roles anew: a tenth of a second, on PostgreSQL a whole one,
for a test that wrote to five of 65 tables. Here only tables that differ are touched: what was written goes, what was deleted or
changed comes back.
"""

from collections.abc import Sequence
from datetime import time

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Row = tuple[object, ...]


class Original:
    """Remember the rows of every table that has any, as they are now."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        if connection.vendor == "sqlite":
            self.tables.append("sqlite_sequence")  # from where keys go on
        self.rows = {table: self._rows_of(table) for table in self._filled()}

    def restore(self) -> list[str]:
        """Put the tables back, in one transaction at whose end keys are checked; return which ones differed."""
        with transaction.atomic(using=self.connection.alias):
            differing = [table for table in sorted({*self._filled(), *self.rows}) if self._differs(table)]
            for table in differing:
                self._put(table, self.rows.get(table, []))
        return differing

    def _filled(self) -> list[str]:
        """Return the tables that have rows, by one query."""
        one = "SELECT '{}' WHERE EXISTS (SELECT 1 FROM {})"
        with self.connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(one.format(table, self._named(table)) for table in self.tables))
            return [table for (table,) in cursor.fetchall()]

    def _differs(self, table: str) -> bool:
        return table not in self.rows or self._rows_of(table) != self.rows[table]

    def _rows_of(self, table: str) -> list[Row]:
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {self._named(table)}")  # noqa: S608  # a name of ours
            return cursor.fetchall()

    def _put(self, table: str, rows: Sequence[Row]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self._named(table)}")  # noqa: S608  # the same
            if rows:
                places = ", ".join(["%s"] * len(rows[0]))
                rows = [[self._adapted(value) for value in row] for row in rows]
                cursor.executemany(f"INSERT INTO {self._named(table)} VALUES ({places})", rows)  # noqa: S608  # values are parameters

    def _adapted(self, value: object) -> object:
        """Return a value as the driver takes it: SQLite's gives times of day that it does not take."""
        return self.connection.ops.adapt_timefield_value(value) if isinstance(value, time) else value

    def _named(self, table: str) -> str:
        return self.connection.ops.quote_name(table)
