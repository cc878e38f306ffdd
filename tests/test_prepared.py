"""The migrated database that runs keep: taken where nothing changed that a new one is made from, made anew otherwise."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.prepared import digest_of, keep, sources, take


@pytest.fixture
def copy(repository, tmp_path):
    """A copy of all that a new database is made from."""
    for path in sources(repository):
        own = tmp_path / path.relative_to(repository)
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, own)
    return tmp_path


@pytest.fixture
def database(tmp_path):
    with closing(sqlite3.connect(tmp_path / "new.sqlite3")) as connection:
        connection.execute("CREATE TABLE plan (name)")
    return tmp_path / "new.sqlite3"


def tables(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name FROM sqlite_master").fetchall()


def test_the_same_code_has_the_same_digest(repository, copy):
    assert digest_of(copy) == digest_of(repository)


@pytest.mark.parametrize(
    "changed", ["rollout/migrations/0001_initial.py", "rollout/roles.py", "rollout/models/plans.py", "requirements.txt"]
)
def test_a_change_of_what_a_database_is_made_from_changes_the_digest(copy, changed):
    before = digest_of(copy)
    with (copy / changed).open("a") as file:
        file.write("# changed")

    assert digest_of(copy) != before


def test_one_more_migration_changes_the_digest(copy):
    before = digest_of(copy)
    (copy / "slots/migrations/9999_more.py").touch()

    assert digest_of(copy) != before


def test_without_a_kept_database_none_is_taken(tmp_path):
    assert not take(tmp_path / "none.sqlite3", tmp_path / "own.sqlite3")
    assert not (tmp_path / "own.sqlite3").exists()


def test_a_kept_database_takes_the_place_of_older_ones_and_is_taken(tmp_path, database):
    kept = tmp_path / "kept" / "new.sqlite3"
    keep(database, kept.with_name("old.sqlite3"))
    keep(database, kept)

    assert list(kept.parent.iterdir()) == [kept]
    assert take(kept, tmp_path / "own.sqlite3")
    assert tables(tmp_path / "own.sqlite3") == [("plan",)]
