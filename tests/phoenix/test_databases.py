"""The options that each kind of database gets, and that SQLite really runs with them."""

import sqlite3
import threading
from contextlib import closing

import pytest
from django.db import connection, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from phoenix.databases import database_settings


def test_sqlite_runs_with_a_write_ahead_log_and_normal_syncing(db, tmp_path):
    configuration = database_settings("", default_file=tmp_path / "new" / "phoenix.sqlite3", max_age=60, pool=False)
    own = DatabaseWrapper({**connection.settings_dict, **configuration, "TIME_ZONE": None}, "own")
    try:
        with own.cursor() as cursor:
            found = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "busy_timeout")]
    finally:
        own.close()

    assert found == ["wal", 1, 20_000]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="concerns SQLite")
def test_a_transaction_takes_the_write_lock_when_it_begins():
    second = sqlite3.connect(connection.settings_dict["NAME"], timeout=0)
    with closing(second), transaction.atomic(), pytest.raises(sqlite3.OperationalError, match="database is locked"):
        second.execute("BEGIN IMMEDIATE")


@pytest.mark.django_db(transaction=True)
def test_four_writers_that_read_first_never_fail(django_user_model):
    django_user_model.objects.create(username="counter", first_name="0")
    failures = []

    def count() -> None:
        try:
            for _ in range(25):
                with transaction.atomic():
                    row = django_user_model.objects.select_for_update().get(username="counter")
                    row.first_name = str(int(row.first_name) + 1)
                    row.save()
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    writers = [threading.Thread(target=count) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert failures == []
    assert django_user_model.objects.get().first_name == "100"


def test_postgresql_keeps_connections_and_checks_them():
    configuration = database_settings("postgres://u:p@db:5432/phoenix", default_file=None, max_age=30, pool=False)

    assert (configuration["CONN_MAX_AGE"], configuration["CONN_HEALTH_CHECKS"]) == (30, True)
    assert "pool" not in configuration["OPTIONS"]


def test_a_pool_takes_the_place_of_persistent_connections():
    configuration = database_settings("postgres://u:p@db:5432/phoenix", default_file=None, max_age=30, pool=True)

    assert (configuration["CONN_MAX_AGE"], configuration["OPTIONS"]["pool"]) == (0, True)


def test_options_of_the_address_win_over_ours():
    configuration = database_settings("sqlite:////srv/phoenix.sqlite3?timeout=5", default_file=None, max_age=0, pool=False)

    assert (configuration["NAME"], int(configuration["OPTIONS"]["timeout"])) == ("/srv/phoenix.sqlite3", 5)
    assert configuration["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
