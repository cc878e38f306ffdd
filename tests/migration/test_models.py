"""What the tables of people and customizations promise to those who write many rows."""

import pytest
from django.db import connection

from migration.models import Customization

pytestmark = pytest.mark.django_db


def test_no_index_names_what_a_move_writes():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Customization._meta.db_table)

    indexed = {column for each in found.values() if each["index"] or each["unique"] for column in each["columns"] or ()}
    assert {"person_id", "diff_digest"} <= indexed
    assert not indexed & {"state", "version"}


def test_pages_leave_room_for_the_next_version_of_each_row():
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has such a setting; name one in DATABASE_URL")
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [Customization._meta.db_table])
        assert cursor.fetchone() == (["fillfactor=50"],)
