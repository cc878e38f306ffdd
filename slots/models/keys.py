"""Name many rows in one parameter: thousands of keys cost neither a limit of the database nor the time to bind each."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Expression


class Keys(Expression):
    """Stand for a list of whole-number keys in a filter: `rows.filter(pk__in=Keys(pks))`."""

    def __init__(self, keys: Iterable[int]) -> None:
        """Keep the keys as the text of a list, without its brackets."""
        super().__init__()
        self.text = ",".join(map(str, keys))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str, ...]]:
        """Unfold a list in JSON."""
        return "(SELECT value FROM json_each(%s))", (f"[{self.text}]",)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str, ...]]:
        """Unfold an array."""
        return "(SELECT unnest(%s::bigint[]))", (f"{{{self.text}}}",)
