"""Build an index while the table is written to, where the database can do that.

PostgreSQL keeps writers out of a table as long as it builds an index, unless it is told otherwise, which it is only outside a
transaction: a migration with such an operation has `atomic = False`, and no operation of another kind. One that was interrupted
leaves an index that is not valid, which the next attempt removes first. SQLite has one writer at a time anyway.
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import AddIndex


class AddIndexWhileWritten(AddIndexConcurrently):
    """Add an index without keeping writers out on PostgreSQL, and as `AddIndex` does elsewhere."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build the index; on PostgreSQL, remove first what an interrupted attempt left."""
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove the index."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
