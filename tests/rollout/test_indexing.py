"""Indexes are built while a table is written to, on PostgreSQL; on SQLite they are built all the same."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollout.models import NoticeDelivery

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "rollout_delivery_failed"


def names():
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, NoticeDelivery._meta.db_table))


def test_an_index_comes_and_goes_without_keeping_writers_out():
    call_command("migrate", "rollout", "0013", verbosity=0)
    try:
        assert NAME not in names()
        if connection.vendor == "postgresql":  # what an interrupted attempt leaves
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE INDEX {NAME} ON rollout_noticedelivery (state)")

        with CaptureQueriesContext(connection) as asked:
            call_command("migrate", "rollout", "0014", verbosity=0)
    finally:
        call_command("migrate", "rollout", verbosity=0)

    assert NAME in names()
    made = [each["sql"] for each in asked if each["sql"].startswith("CREATE INDEX")]
    assert [NAME in each for each in made] == [True]
    assert ("CONCURRENTLY" in made[0]) == (connection.vendor == "postgresql")
