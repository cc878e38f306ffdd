"""Name many rows in one parameter: thousands of keys cost neither a limit of the database nor the time to bind each."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Expression

LISTED: Final = 20_000  # keys; more of them would make PostgreSQL's planner weigh each for longer than a join takes


class Keys(Expression):
    """Stand for a list of whole-number keys in a filter: `rows.filter(pk__in=Keys(pks))`."""

    def __init__(self, keys: Iterable[int]) -> None:
        """Keep the keys as the text of a list, without its brackets."""
        super().__init__()
        texts = [str(int(key)) for key in keys]
        self.count = len(texts)
        self.text = ",".join(texts)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str, ...]]:
        """Unfold a list in JSON."""
        return "(SELECT value FROM json_each(%s))", (f"[{self.text}]",)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str, ...]]:
        """List the keys as they are, or unfold an array where there are none or very many.

        PostgreSQL seeks each listed key in an index, in order. What is unfolded it joins, and where it expects no row on the
        other side (a state that nobody was in when statistics were taken) it compares each row with each key: 6 s for 5,000.
        """
        if 0 < self.count <= LISTED:
            return f"({self.text}::bigint)", ()
        return "(SELECT unnest(%s::bigint[]))", (f"{{{self.text}}}",)
