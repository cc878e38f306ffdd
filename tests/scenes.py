"""Rows that many tests begin with: made by the actions once in a process, and from then on put back as they were.

PostgreSQL makes them anew each time, so that both ways are seen. There are two ways, by what was there before:

- `put` adds rows to whatever there is, in a millisecond in place of thirty. Their keys lie above those of all other rows, each
  scene in a million of its own: none meets a row that a test made before.
- `kept` is for fixtures that also change rows. It puts the database back as the fixture left it the last time that it began with
  the very same rows, in four milliseconds; where it begins with others, it makes them.
"""

import functools
import pickle
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

from tests.restoring import Original

P = ParamSpec("P")
T = TypeVar("T")
MILLION = 1_000_000
_KEPT: dict[str, list[tuple[str, list[tuple[object, ...]]]]] = {}


def put(name: str, number: int, make: Callable[[], object]) -> None:
    """Put the rows of a scene into the database: as kept, or by `make`; `number` is the scene's own."""
    if connection.vendor != "sqlite":
        make()
    elif name in _KEPT:
        with transaction.atomic(), connection.cursor() as cursor:  # rows refer to each other: they are checked when all are there
            for insert, rows in _KEPT[name]:
                cursor.executemany(insert, rows)
    else:
        before = {table: set(rows) for table, rows in _tables()}
        _count_from(number * MILLION)
        make()
        _KEPT[name] = [
            (_insert(table, len(new[0])), new)
            for table, rows in _tables()
            if (new := [row for row in rows if row not in before[table]])
        ]


def _tables() -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """Yield every table of a model with all its rows, as the database holds them."""
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # a name of ours
            yield table, cursor.fetchall()


def _count_from(number: int) -> None:
    """Let the keys of every table go on from a number."""
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])


def _insert(table: str, columns: int) -> str:
    return f'INSERT INTO "{table}" VALUES ({", ".join(["%s"] * columns)})'  # noqa: S608  # the same; values are parameters


def kept(make: Callable[P, T]) -> Callable[P, T]:
    """Let a fixture make its rows once for each set of rows that it begins with.

    It leaves nothing but rows behind, does the same with the same rows, and returns what can be pickled: a copy for each test.
    """
    made: list[tuple[Original, Original, bytes]] = []

    @functools.wraps(make)
    def fixture(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.vendor != "sqlite":
            return make(*args, **kwargs)
        before = Original(connection)
        for began, ended, returned in made:
            if began.rows == before.rows:
                ended.restore()
                return pickle.loads(returned)  # noqa: S301  # what this process wrote
        result = make(*args, **kwargs)
        made.append((before, Original(connection), pickle.dumps(result)))
        return result

    return fixture
