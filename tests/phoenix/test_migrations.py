"""What Phoenix's own migrations leave in the database."""

import pytest
from django.core.management import call_command
from django.db import connection


def stock_flag_tables() -> list[str]:
    return [name for name in connection.introspection.table_names() if name.startswith("waffle_flag")]


def test_no_table_is_left_of_the_flag_that_ours_replaces(db):
    assert stock_flag_tables() == []


@pytest.mark.django_db(transaction=True)
def test_the_removal_can_be_taken_back_and_done_again():
    call_command("migrate", "phoenix", "zero", verbosity=0)
    try:
        assert stock_flag_tables() == ["waffle_flag", "waffle_flag_groups", "waffle_flag_users"]
    finally:
        call_command("migrate", "phoenix", verbosity=0)
    assert stock_flag_tables() == []
